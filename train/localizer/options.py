"""The options of train.localizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cxr.models import FUSIONS
from train.common.options import RunOptions, option


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """Data, what is trained, and how long; train/localizer/train.py says what they are for."""

    data: Path = option("masks with train and val splits; or a ZIP")
    fold: str | None = option("K/N: the K-th of N folds of train and val validates instead", None)
    extra: list[Path] = option("further masks, to train on only", [])
    normal: list[Path] = option("images that show no opacity", [])
    boxes: list[Path] = option("images with boxes around opacities", [])
    boxes_share: float = option("of the images drawn from --boxes", 0.15)
    extra_share: float = option("of the images drawn from --extra", 0.15)
    normal_share: float = option("of the images drawn from --normal", 0.1)
    pseudo_labeled: list[Path] = option(
        "images whose masks --teacher predicts", [], aliases=["--taught"]
    )
    pseudo_labeled_share: float = option(
        "of the images drawn from --pseudo-labeled", 0.35, aliases=["--taught-share"]
    )
    pseudo_labeled_images: int = option(
        "as many of them, at random", 600, aliases=["--taught-films"]
    )
    pseudo_labeled_anatomy: bool = option(
        "their opacities are left out", False, aliases=["--taught-anatomy"]
    )
    teacher: str | None = option("localizer trained before, for --pseudo-labeled", None)
    out: Path = option("checkpoint folder", Path("weights/localizer"))
    workdir: Path = option("state, log and samples", Path("runs/work/localizer"))
    encoder: str = option("phase 1's folder, or none to start from random weights", "none")
    backbone: str = option("a name of segmentation-models-pytorch", "resnet34")
    text: str = option("text encoder: a checkpoint, or CLIP's address", "weights/retrieval")
    fusion: str = option("how the U-Net reads text", "kernel", choices=[*FUSIONS])
    shuffle_text: bool = option("ablation: every prompt gets another's text", False)
    mirrored_share: float = option(
        "of the images drawn, which are mirrored and asked for nothing that has a side", 0.0
    )
    size: int = option("side of the square in pixels", 256)
    train_sizes: list[int] = option("sides to train at, for equal shares of the run", [])
    prompts: int = option("prompts about each image", 12)
    steps: int | None = option("end after so many steps", None)
    minutes: float | None = option("end after so many minutes", None)
    batch_size: int = option("images a process and step", 8)
    rate: float = option("learning rate", 1e-3)
    encoder_rate: float = option("learning rate of the encoder", 5e-4)
    weight_decay: float = option("of AdamW", 0.02)
    average: float = option("decay of the weights' moving average", 0.98)
    look_every: int = option("steps between two evaluations", 50)

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if any(size < 64 or size % 32 for size in self.train_sizes):
            raise SystemExit(f"expected --train-sizes that 32 divides, got {self.train_sizes}")
        if self.plain and self.mirrored_share:
            raise SystemExit(
                "expected no --mirrored-share with --fusion none, which is always asked for "
                "sides; leave it out"
            )
        given = bool(self.pseudo_labeled), bool(self.teacher)
        if given[0] != given[1] or (self.plain and given[0]):
            raise SystemExit(
                "expected --pseudo-labeled and --teacher together, and a fusion that reads text; "
                "give both or neither"
            )

    @property
    def plain(self) -> bool:
        """Whether the U-Net reads no text and has one output a target."""
        return self.fusion == "none"
