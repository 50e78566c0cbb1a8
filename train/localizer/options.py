"""The options of train.localizer."""

from __future__ import annotations

import argparse
from pathlib import Path

from cxr.models import FUSIONS


def arguments() -> argparse.ArgumentParser:
    """Data, what is trained, and how long; the training's docstring says what they are for."""
    parser = argparse.ArgumentParser(
        description="Phase 2 of the localizer: a U-Net learns to mark what a text names."
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="masks with train and val splits; or a ZIP")
    add("--fold", help="K/N: the K-th of N folds of train and val, such as 1/4, validates instead")
    add("--extra", type=Path, nargs="*", default=[], help="further masks, to train on only")
    add("--normal", type=Path, nargs="*", default=[], help="films that show no opacity")
    add("--boxes", type=Path, nargs="*", default=[], help="films with boxes around opacities")
    add("--boxes-share", type=float, default=0.15, help="of the films drawn from --boxes")
    add("--extra-share", type=float, default=0.15, help="of the films drawn from --extra")
    add("--normal-share", type=float, default=0.1, help="of the films drawn from --normal")
    add("--taught", type=Path, nargs="*", default=[], help="films whose masks --teacher draws")
    add("--taught-share", type=float, default=0.35, help="of the films drawn from --taught")
    add("--taught-films", type=int, default=600, help="as many of them, at random")
    add("--taught-anatomy", action="store_true", help="their opacities are left out")
    add("--teacher", help="localizer that was trained before, for --taught")
    add("--out", type=Path, default=Path("weights/localizer"), help="checkpoint folder")
    add("--workdir", type=Path, default=Path("runs/work/localizer"), help="state, log, samples")
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--encoder", default="none", help="phase 1's folder, or none to start from random weights")
    add("--backbone", default="resnet34", help="a name of segmentation-models-pytorch")
    add("--text", default="weights/retrieval", help="text tower: a checkpoint, or CLIP's address")
    add("--fusion", choices=FUSIONS, default="kernel")
    add("--shuffle-text", action="store_true", help="ablation: every prompt gets another's text")
    add(
        "--mirrored-share",
        type=float,
        default=0.0,
        help="of the films drawn, which are mirrored and asked for nothing that has a side",
    )
    add("--size", type=int, default=256, help="side of the square in pixels")
    add(
        "--train-sizes",
        type=int,
        nargs="*",
        default=[],
        help="sides that films are shrunk to while training, for equal shares of the run",
    )
    add("--prompts", type=int, default=12, help="prompts about each film")
    add("--steps", type=int, help="end after so many steps")
    add("--minutes", type=float, help="end after so many minutes")
    add("--batch-size", type=int, default=8, help="films a process and step")
    add("--rate", type=float, default=1e-3)
    add("--encoder-rate", type=float, default=5e-4)
    add("--weight-decay", type=float, default=0.02)
    add("--average", type=float, default=0.98, help="decay of the weights' moving average")
    add("--look-every", type=int, default=50, help="steps between looks at the validation split")
    add("--save-minutes", type=float, default=5.0)
    add("--full-precision", action="store_true", help="float32 also where bfloat16 is faster")
    add("--seed", type=int, default=0)
    return parser
