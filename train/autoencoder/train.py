r"""Phase 1 of the localizer: a U-Net learns to reconstruct images without labels (MSE).

    accelerate launch -m train.autoencoder --data ROOT [ROOT ...] --minutes 25 --mask-ratio 0.5

Of a data set with split.csv only the train split is used. The skip connections of a U-Net let the
input through, so that plain reconstruction teaches the deep layers little: --mask-ratio hides
squares of the input (He et al. 2022) and --noise adds grain (Vincent et al. 2008); with 0 and 0 it
is the plain autoencoder. A run that was killed goes on after its last saved state. Writes the
encoder to --out; log.jsonl, curves.png and samples.png to --workdir. The recipe of the shipped
weights is train/configs/localizer.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cxr import __version__
from cxr.checkpoints import save_checkpoint
from cxr.images import Preprocess
from cxr.models import AutoencoderUNet, LocalizerConfig
from train.common.augment import random_affine, random_tone
from train.common.energy import hardware
from train.common.grids import save_grid
from train.common.image_cache import pack
from train.common.options import RunOptions, command_line, option, parse_options
from train.common.run import Budget, Run
from train.common.studies import unlabelled_studies

MODULE = "train.autoencoder"
PANELS = {"mean squared error": ("loss", "held_out_loss")}
HELD_OUT = 50  # one image in so many is held out to watch the loss on
EVALUATED, SAMPLES = 64, 6  # held-out images whose loss is computed, and that are drawn


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """The options of train.autoencoder."""

    data: list[Path] = option("data sets; no labels are needed")
    out: Path = option("folder for the encoder", Path("runs/autoencoder"))
    workdir: Path = option("state, log and samples", Path("runs/work/autoencoder"))
    encoder: str = option("a name of segmentation-models-pytorch", "resnet34")
    size: int = option("side of the square in pixels", 256)
    train_size: int | None = option("train on images shrunk to this side, for speed", None)
    mask_ratio: float = option("share of the input's squares that is hidden", 0.0)
    patch: int = option("side of the squares that are hidden, in pixels", 32)
    noise: float = option("deviation of the grain, in gray levels of [0, 1]", 0.0)
    steps: int | None = option("end after so many steps", None)
    minutes: float | None = option("end after so many minutes", None)
    batch_size: int = option("images a process and step", 16)
    rate: float = option("learning rate", 1e-3)
    weight_decay: float = option("of AdamW", 0.01)
    average: float = option("decay of the weights' moving average", 0.95)
    look_every: int = option("steps between two evaluations", 100)


def mask_patches(
    images: torch.Tensor, ratio: float, patch: int, noise: float, generator: torch.Generator
) -> torch.Tensor:
    """Hide squares of images and add grain.

    Args:
        images: Float [B, 1, S, S] in [0, 1].
        ratio: Share of the squares that is set to mid gray.
        patch: Side of a square in pixels.
        noise: Standard deviation of the grain.
        generator: What is drawn from.

    Returns:
        Float [B, 1, S, S].
    """
    side = images.shape[-1]
    cells = -(-side // patch)
    hidden = torch.rand((len(images), 1, cells, cells), generator=generator) < ratio
    hidden = hidden.repeat_interleave(patch, 2).repeat_interleave(patch, 3)[..., :side, :side]
    grain = torch.randn(images.shape, generator=generator).to(images.device) * noise
    return torch.where(hidden.to(images.device), 0.5, images + grain)


def reconstruct(
    model: nn.Module, packed: np.ndarray, options: Options, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Reconstruct images from always the same squares and grain.

    Args:
        model: An autoencoder.
        packed: uint8 [N, S, S].
        options: How images are masked.
        device: The model's.

    Returns:
        The images, the input and the reconstruction, each float32 [N, 1, S, S] in [0, 1].
    """
    generator = torch.Generator().manual_seed(options.seed)
    images = torch.from_numpy(np.array(packed)).to(device).unsqueeze(1).float() / 255
    shown = mask_patches(images, options.mask_ratio, options.patch, options.noise, generator)
    view = preprocess_of(options)
    output = model((shown - view.mean) / view.std) * view.std + view.mean
    return images, shown, output.float()


def preprocess_of(options: Options) -> Preprocess:
    """How pixels reach the network."""
    return Preprocess(options.size, 0.5, 0.25, 1)


def batch_of(images: np.ndarray, rows: np.ndarray, options: Options, run: Run) -> torch.Tensor:
    """Target and input of a step, float32 [2, B, 1, S, S], normalized."""
    drawn = np.random.default_rng([options.seed, run.step, run.rank])
    batch = np.sort(drawn.choice(rows, options.batch_size, replace=False))
    views = torch.from_numpy(images[batch]).to(run.device).unsqueeze(1).float() / 255
    generator = run.generator()
    views = random_affine(views, generator, 10, (0.7, 1.15), 0.08)
    views = random_tone(views, generator, noise=0.0)
    if options.train_size:
        views = F.interpolate(views, size=options.train_size, mode="bilinear", antialias=True)
    view = preprocess_of(options)
    shown = mask_patches(views, options.mask_ratio, options.patch, options.noise, generator)
    return (torch.stack([views, shown]) - view.mean) / view.std


@torch.inference_mode()
def evaluate(model: nn.Module, held_out: np.ndarray, options: Options, run: Run) -> None:
    """Log the loss on held-out images and draw some of them."""
    with run.autocast():
        parts = reconstruct(model.eval(), held_out[:EVALUATED], options, run.device)
    run.report({"held_out_loss": F.mse_loss(parts[2], parts[0]).item()}, PANELS)
    shown = range(min(SAMPLES, len(parts[0])))
    rows = [[part[row, 0].cpu().numpy() for part in parts] for row in shown]
    save_grid(rows, options.workdir / "samples.png")


def save_encoder(model: AutoencoderUNet, films: int, options: Options, run: Run) -> None:
    """Write the encoder as a checkpoint, in float32 and one file."""
    training = {
        "command": command_line(f"accelerate launch -m {MODULE}", options),
        "films": films,
        "data": [root.name for root in options.data],
        "steps": run.step,
        "minutes": round(run.seconds / 60, 1),
        "hardware": hardware(),
    }
    config = {
        "encoder": options.encoder,
        "preprocess": preprocess_of(options).to_dict(),
        "training": training,
        "code_version": __version__,
    }
    state = model.encoder.state_dict()
    save_checkpoint(options.out, state, config, dtype=torch.float32, shard_mb=1000)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the autoencoder and write its encoder."""
    options = parse_options(Options, argv, __doc__, MODULE)
    budget = Budget(options.steps, options.minutes)
    run = Run(options)
    view = preprocess_of(options)
    studies = unlabelled_studies(options.data)
    with run.main_process_first():
        images, _ = pack([study.image for study in studies], view, options.cache)
    rows = np.flatnonzero(np.arange(len(images)) % HELD_OUT)
    if len(rows) < options.batch_size:
        raise SystemExit(
            f"expected at least {options.batch_size} images to train on, found {len(rows)}; "
            "give more data or a smaller --batch-size"
        )
    held_out = images[::HELD_OUT]
    run.print(f"{len(rows)} images to train on, {len(held_out)} held out")

    model = AutoencoderUNet(LocalizerConfig(options.encoder, view))
    model = model.to(memory_format=torch.channels_last)
    average = run.moving_average(model, options.average)
    optimizer = torch.optim.AdamW(
        model.parameters(), options.rate, fused=True, weight_decay=options.weight_decay
    )
    model, optimizer = run.prepare(model, optimizer)
    run.schedule(optimizer)
    for step in run.steps(budget):
        model.train()
        target, shown = batch_of(images, rows, options, run)
        with run.autocast():
            output = model(shown.contiguous(memory_format=torch.channels_last))
        loss = F.mse_loss(output.float(), target)
        run.optimize(loss, model, optimizer)
        average.update(run.unwrap(model), step + 1)
        run.advance(loss=loss * view.std**2)
        if run.evaluates(options.look_every) and run.is_main:
            evaluate(average.module, held_out, options, run)
            if run.finished:
                save_encoder(average.module, len(rows), options, run)
