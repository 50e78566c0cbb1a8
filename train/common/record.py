"""The record of a run: one JSON line an entry, TensorBoard, and curves as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter


class Record:
    """Appends to log.jsonl and TensorBoard; `plot` draws curves.png from log.jsonl."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.board = SummaryWriter(str(folder / "tensorboard"))

    def add(self, step: int, **values: float) -> None:
        """Write numbers under a global step."""
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        for name, value in values.items():
            self.board.add_scalar(name, value, step)
        self.board.flush()

    def entries(self) -> list[dict]:
        """Everything written so far; after a resume the later entry of a step stands."""
        path = self.folder / "log.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        merged: dict[int, dict] = {}
        for line in lines:
            entry = json.loads(line)
            merged[entry["step"]] = merged.get(entry["step"], {}) | entry
        return [merged[step] for step in sorted(merged)]

    def plot(self, panels: dict[str, tuple[str, ...]]) -> None:
        """curves.png: one panel a title, with the named values over the steps."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5 * len(panels), 3.6), layout="constrained")
        FigureCanvasAgg(figure)
        for axis, (title, names) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels.items()
        ):
            for name in names:
                points = [(e["step"], e[name]) for e in self.entries() if name in e]
                if points:
                    axis.plot(*zip(*points), label=name, linewidth=1.2)
            axis.set_title(title)
            axis.set_xlabel("step")
            axis.grid(alpha=0.3)
            if axis.lines:
                axis.legend(fontsize=7)
        figure.savefig(self.folder / "curves.png", dpi=110)
