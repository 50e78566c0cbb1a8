"""Train an image backbone without labels: two views of one image are a pair (SimCLR).

    accelerate launch -m train.experiments.selfsupervised --data ROOT [ROOT ...] --out runs/resnet50

Source: Chen et al. 2020, "A Simple Framework for Contrastive Learning". A killed run goes on after
its last saved state (--workdir). Writes backbone.safetensors to --out at the end of every epoch.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from cxr.images import Preprocess
from cxr.models import ImageConfig, ImageEncoder, contrastive_loss
from train.common.augment import augment
from train.common.image_cache import pack
from train.common.options import RunOptions, option, parse_options
from train.common.run import Budget, Run

MODULE = "train.experiments.selfsupervised"
SUFFIXES = {".jpg", ".jpeg", ".png"}
STRENGTH = 1.8  # of the augmentation


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """The options of train.experiments.selfsupervised."""

    data: list[Path] = option("folders of images; no labels are needed")
    exclude: Path | None = option("file with names of images to leave out", None)
    out: Path = option("folder for the backbone")
    workdir: Path = option("state, log and curves", Path("runs/work/selfsupervised"))
    backbone: str = option("a name of timm", "resnet50")
    size: int = option("side of the square in pixels", 96)
    batch_size: int = option("images a process and step", 96)
    epochs: int = option("passes over the images", 10)
    minutes: float | None = option("stop after this time", None)
    learning_rate: float = option("highest learning rate", 1e-3)
    temperature: float = option("of the contrastive loss", 0.1)


def images_below(roots: Sequence[Path]) -> list[Path]:
    """Every image file below the roots, masks left out, in a stable order."""
    found = {
        path
        for root in roots
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES and "masks" not in path.parts
    }
    if not found:
        raise SystemExit(
            f"expected images below {[str(root) for root in roots]}, found none; give other folders"
        )
    return sorted(found)


def held_out(roots: Sequence[Path], listed: Path | None) -> set[str]:
    """Stems of the files that must not be trained on.

    Args:
        roots: Folders; of one with split.csv only the train split is trained on.
        listed: A file with further names, one a line.
    """
    names = listed.read_text().split() if listed else []
    for root in roots:
        if (root / "split.csv").exists():
            with open(root / "split.csv", newline="", encoding="utf-8") as file:
                rows = csv.DictReader(file)
                names += [row["Image Index"] for row in rows if row["split"] != "train"]
    return {Path(name).stem for name in names}


def main(argv: Sequence[str] | None = None) -> None:
    """Train the backbone and write it at the end of every epoch."""
    options = parse_options(Options, argv, __doc__, MODULE)
    run = Run(options)
    view = Preprocess(options.size, 0.5, 0.25, 3)
    excluded = held_out(options.data, options.exclude)
    paths = [path for path in images_below(options.data) if path.stem not in excluded]
    with run.main_process_first():
        images, readable = pack(paths, view, options.cache)
    run.print(f"{len(images)} images, {(~readable).sum()} unreadable")
    per_step = options.batch_size * run.processes
    steps = len(images) // per_step
    if not steps:
        raise SystemExit(f"expected at least {per_step} images, got {len(images)}; give more")

    encoder = ImageEncoder(ImageConfig(options.backbone, view))
    head = nn.Sequential(nn.Linear(encoder.width, 512), nn.ReLU(), nn.Linear(512, 128))
    model = nn.Sequential(encoder, head).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), options.learning_rate, weight_decay=1e-4)
    model, optimizer = run.prepare(model, optimizer)
    run.schedule(optimizer)
    for step in run.steps(Budget(steps * options.epochs, options.minutes)):
        model.train()
        epoch, within = divmod(step, steps)
        order = np.random.default_rng([options.seed, epoch]).permutation(len(images))
        first = within * per_step + run.rank * options.batch_size
        packed = torch.from_numpy(images[np.sort(order[first : first + options.batch_size])])
        packed, generator = packed.to(run.device), run.generator()
        pair = torch.cat([augment(packed, generator, STRENGTH) for _ in range(2)])
        pixels = (pair.expand(-1, 3, -1, -1) - view.mean) / view.std
        with run.autocast():
            output = model(pixels.contiguous(memory_format=torch.channels_last))
        one, other = F.normalize(output.float(), dim=1).chunk(2)
        loss = contrastive_loss(one, other, options.temperature)
        run.optimize(loss, model, optimizer)
        run.advance(loss=loss)
        if run.evaluates(steps) and run.is_main:
            run.report({}, {"loss": ("loss",)})
            options.out.mkdir(parents=True, exist_ok=True)
            weights = encoder.backbone.state_dict()
            state = {name: value.contiguous() for name, value in weights.items()}
            save_file(state, str(options.out / "backbone.safetensors"))


if __name__ == "__main__":
    main()
