"""One training run: processes, seed, resume, clock, learning rates, log, curves, best checkpoint.

A script reads:

    run = Run(options)
    model, optimizer = run.prepare(model, optimizer)
    average = run.moving_average(run.unwrap(model), options.average)
    for step in run.steps(Budget(options.steps, options.minutes)):
        run.optimize(loss_of(step), model, optimizer)
        average.update(run.unwrap(model), step + 1)
        run.advance(loss=...)
        if run.evaluates(every=100) and run.is_main:
            ...

A run that was killed goes on after its last saved state and ends with the same weights. Several
processes are started by `accelerate launch --multi_gpu` on GPUs and by
`ACCELERATE_USE_CPU=true torchrun --standalone --nproc_per_node N -m train.X` on a processor.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.tracking import GeneralTracker, on_main_process
from accelerate.utils import broadcast_object_list, set_seed
from timm.utils import ModelEmaV3
from torch import nn
from tqdm import tqdm

from cxr.devices import best_device, has_bf16
from cxr.files import read_json, replace_folder, write_json
from train.common.options import RunOptions

POSITION = "position.json"
LOG_EVERY = 10  # steps between two entries of the losses
WARMUP = 0.05  # share of a run over which the learning rate rises
Panels = Mapping[str, Sequence[str]]  # title -> names of the values that one panel shows


@dataclass(frozen=True)
class Budget:
    """A run ends after `steps` steps or `minutes` minutes, whichever is first.

    With steps alone, the same seed gives the same weights.
    """

    steps: int | None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise SystemExit("expected --steps or --minutes, got neither; give one of them")

    def used(self, step: int, seconds: float) -> float:
        """The share that is used after `step` steps and `seconds` seconds, 1 or more at the end."""
        by_steps = step / self.steps if self.steps else float(self.steps == 0)
        by_time = seconds / 60 / self.minutes if self.minutes else float(self.minutes == 0)
        return max(by_steps, by_time)


def cosine_with_warmup(used: float, warmup: float = WARMUP) -> float:
    """The curve of transformers.get_cosine_schedule_with_warmup, over a share instead of steps.

    Args:
        used: The share of the run that is used; 1 and more give 0.
        warmup: The share over which the rate rises.

    Returns:
        The factor of the learning rate, in [0, 1].
    """
    if used < warmup:
        return used / warmup
    return max(0.0, 0.5 + 0.5 * math.cos(math.pi * min(1.0, (used - warmup) / (1 - warmup))))


def precision(full: bool) -> str:
    """What Accelerator(mixed_precision=...) takes.

    Args:
        full: Whether float32 is asked for.

    Returns:
        What `accelerate launch` was given, else "bf16" where the processor or GPU multiplies it in
        hardware; "no" for full precision.
    """
    given = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if full or given != "no":
        return "no" if full else given
    return "bf16" if has_bf16(best_device()) else "no"


class JsonLines(GeneralTracker):
    """Accelerate's tracker for log.jsonl: one JSON object an entry."""

    name = "jsonl"
    requires_logging_directory = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.file = folder / "log.jsonl"

    @property
    def tracker(self) -> Path:
        """The file that is written."""
        return self.file

    @on_main_process
    def log(self, values: dict, step: int | None = None, **_: Any) -> None:
        """Append an entry."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    def entries(self) -> list[dict]:
        """Everything written so far; after a resume the later entry of a step stands."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        merged: dict[int, dict] = {}
        for entry in map(json.loads, lines):
            merged[entry["step"]] = merged.get(entry["step"], {}) | entry
        return [merged[step] for step in sorted(merged)]


def plot_curves(entries: list[dict], panels: Panels, file: Path) -> None:
    """Draw the named values over the steps, one panel a title, as a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(panels), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (title, names) in zip(axes, panels.items()):
        for name in names:
            points = [(entry["step"], entry[name]) for entry in entries if name in entry]
            if points:
                axis.plot(*zip(*points), label=name, linewidth=1.2)
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=7)
    figure.savefig(file, dpi=110)


class Run:
    """What every training script shares; see this module's docstring for the order of calls.

    Attributes:
        step: Steps that are done.
        used: Share of the budget that is used.
        best: The best score so far, None before the first one.
        stale: Evaluations since the best one.
    """

    def __init__(self, options: RunOptions, find_unused_parameters: bool = False) -> None:
        """Start the processes' Accelerator and seed every generator.

        Args:
            options: Folders, precision and seed.
            find_unused_parameters: Whether some parameters may get no gradient in a step.
        """
        _refuse_lone_process()
        set_seed(options.seed)
        self.options = options
        self.jsonl = JsonLines(options.workdir)
        self.accelerator = Accelerator(
            mixed_precision=precision(options.full_precision),
            log_with=[self.jsonl, "tensorboard"],
            project_dir=options.workdir,
            kwargs_handlers=[
                DistributedDataParallelKwargs(find_unused_parameters=find_unused_parameters)
            ],
        )
        self.device, self.is_main = self.accelerator.device, self.accelerator.is_main_process
        self.rank, self.processes = self.accelerator.process_index, self.accelerator.num_processes
        self.prepare, self.unwrap = self.accelerator.prepare, self.accelerator.unwrap_model
        self.autocast, self.print = self.accelerator.autocast, self.accelerator.print
        self.main_process_first = self.accelerator.main_process_first
        self.step, self.used, self.stale = 0, 0.0, 0
        self.best: float | None = None
        self._scheduled: list[tuple[torch.optim.Optimizer, list[float]]] = []
        self._stopped, self._before, self._began = False, 0.0, time.time()

    def schedule(self, optimizer: torch.optim.Optimizer) -> None:
        """Let the learning rates of an optimizer rise and fall over the run, each from its own."""
        self._scheduled.append((optimizer, [group["lr"] for group in optimizer.param_groups]))

    def moving_average(self, model: nn.Module, decay: float, warmup: bool = True) -> ModelEmaV3:
        """A moving average of weights and buffers, saved with the state.

        Args:
            model: The network, not wrapped.
            decay: Of each step; 0 copies the weights.
            warmup: Whether the decay is smaller at first, (1 + n) / (10 + n) after n steps, so that
                the random weights of the start are soon forgotten.

        Returns:
            The average, in eval mode; call its update(model, step) with the steps done.
        """
        average = ModelEmaV3(model, decay, use_warmup=warmup, warmup_gamma=9, warmup_power=1.0)
        average.to(self.device)
        self.accelerator.register_for_checkpointing(average)
        return average

    def generator(self) -> torch.Generator:
        """A random generator of its own for every seed, step and process."""
        key = (self.options.seed, self.step, self.rank)
        return torch.Generator().manual_seed(hash(key) % 2**62)

    def steps(self, budget: Budget) -> Iterator[int]:
        """Number the steps from where the run stands, 0 at first, until the budget is used.

        Loads the last saved state first, sets the learning rates before each step, and saves a
        state when it is due and at the end. The loop's body must call `advance`.
        """
        self.budget = budget
        self._resume()
        if self.is_main:
            self.options.workdir.mkdir(parents=True, exist_ok=True)
        self.accelerator.init_trackers("tensorboard")
        self._began = saved = time.time()
        self._bar = tqdm(
            total=budget.steps, initial=self.step, unit="step", disable=not self.is_main
        )
        self.used = budget.used(self.step, self._agreed(self.seconds))
        while self.step == 0 or not self.finished:  # a budget of nothing is one step
            for optimizer, rates in self._scheduled:
                for group, rate in zip(optimizer.param_groups, rates):
                    group["lr"] = rate * cosine_with_warmup(self.used)
            yield self.step
            due = time.time() - saved > 60 * self.options.save_minutes
            self._stopped, due = self._agreed((self._stopped, due))
            if due or self.finished:
                self._save()
                saved = time.time()
        self._bar.close()
        self.accelerator.end_training()

    def optimize(
        self, loss: torch.Tensor, model: nn.Module, optimizer: Any, clip: float = 1.0
    ) -> None:
        """Take one step of an optimizer.

        Args:
            loss: A scalar.
            model: The network whose gradient is clipped.
            optimizer: What steps.
            clip: The largest norm of the gradient.

        Raises:
            SystemExit: When the loss is not finite.
        """
        if not torch.isfinite(loss):
            raise SystemExit(
                f"expected a finite loss at step {self.step}, got {loss.item()}; "
                "lower the learning rates or try --full-precision"
            )
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad()

    def advance(self, **values: torch.Tensor | float) -> None:
        """Count a step; every LOG_EVERY-th from the first on is logged with the given values."""
        logged = self.step % LOG_EVERY == 0
        self.step += 1
        self.used = self.budget.used(self.step, self._agreed(self.seconds))
        self._bar.update()
        if logged:
            numbers = {name: float(torch.as_tensor(v).detach()) for name, v in values.items()}
            self.accelerator.log({**numbers, "seconds": self.seconds}, step=self.step)

    def evaluates(self, every: int) -> bool:
        """Whether the step just counted is followed by an evaluation: each `every`-th, the last."""
        return self.step % every == 0 or self.finished

    def report(self, scores: dict[str, float], panels: Panels, **more: float) -> None:
        """Log an evaluation, draw the curves and print the scores; on the main process."""
        self.accelerator.log({"seconds": self.seconds, **more, **scores}, step=self.step)
        plot_curves(self.jsonl.entries(), panels, self.options.workdir / "curves.png")
        rounded = {name: round(value, 4) for name, value in scores.items()}
        self._bar.write(f"step {self.step}: {json.dumps(rounded)}")

    def improved(self, score: float) -> bool:
        """Whether a score, the higher the better, is the best so far; it is kept."""
        better = self.best is None or score > self.best
        self.best, self.stale = (score, 0) if better else (self.best, self.stale + 1)
        return better

    def stop(self) -> None:
        """End after this step; what the main process says counts for all."""
        self._stopped = True

    @property
    def finished(self) -> bool:
        """Whether the budget is used, or the run was stopped."""
        return self._stopped or self.used >= 1

    @property
    def seconds(self) -> float:
        """Seconds of training, those before an interruption included."""
        return self._before + time.time() - self._began

    def _agreed(self, value: Any) -> Any:
        """The main process' value, on every process: clocks differ."""
        return value if self.processes == 1 else broadcast_object_list([value])[0]

    def _resume(self) -> None:
        state = self.options.workdir / "state"
        if not (state / POSITION).exists():
            return
        self.accelerator.load_state(str(state))
        position = read_json(state / POSITION, "a run's position")
        self.step, self._before = position["step"], position["seconds"]
        self.best, self.stale = position.get("best"), position.get("stale", 0)
        self.print(f"going on after step {self.step}")

    def _save(self) -> None:
        """Save the state beside the one before, which it then replaces: a kill leaves one whole."""
        state = self.options.workdir / "state"
        unfinished = state.with_name(".state.new")
        if self.is_main:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(unfinished))
        self.accelerator.wait_for_everyone()
        if self.is_main:
            position = {"step": self.step, "best": self.best, "stale": self.stale}
            write_json(unfinished / POSITION, {**position, "seconds": self.seconds})
            replace_folder(unfinished, state)
        self.accelerator.wait_for_everyone()


def _refuse_lone_process() -> None:
    """Raise SystemExit where Accelerate started one process though several were asked for.

    For a processor it (1.15) leaves them to MPI, and the one would train alone.
    """
    on_cpu = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("true", "1")
    started = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
    if on_cpu and "MASTER_PORT" in os.environ and not any(name in os.environ for name in started):
        raise SystemExit(
            "expected a launcher that starts several processes on a processor, got accelerate "
            "launch, which starts one; run: ACCELERATE_USE_CPU=true torchrun --standalone "
            "--nproc_per_node N -m MODULE"
        )
