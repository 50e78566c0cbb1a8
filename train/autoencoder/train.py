r"""Phase 1 of the localizer: a U-Net learns to reconstruct films without labels (MSE).

    accelerate launch -m train.autoencoder --data ROOT [ROOT ...] --minutes 25 --mask-ratio 0.5

Of a data set with split.csv only the train split is used. The skip connections of a U-Net let the
input through, so that plain redrawing teaches the deep layers little: --mask-ratio hides squares
of the input (He et al. 2022) and --noise adds grain (Vincent et al. 2008); with 0 and 0 it is the
plain autoencoder. A run that was killed goes on where its last saved state lies. Writes the
encoder to --out; log.jsonl, curves.png and samples.png to --workdir.

The shipped weights, with the films of NIH origin, COVID and Hannover below ../shared/data:

    accelerate launch --mixed_precision bf16 -m train.autoencoder --minutes 25 --mask-ratio 0.5 \\
        --data ../shared/data/nih ../shared/data/adult_unlabelled ../shared/data/adult_normal \\
        ../shared/data/covid ../shared/data/hannover --out runs/autoencoder
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from cxr import __version__
from cxr.checkpoints import save_checkpoint
from cxr.images import Preprocess
from cxr.models import AutoencoderUNet, LocalizerConfig
from train.common.augment import random_affine, random_tone
from train.common.energy import hardware
from train.common.grids import save_grid
from train.common.image_cache import pack
from train.common.launch import start_processes
from train.common.options import command_line, precision
from train.common.record import Record
from train.common.schedule import Budget, Clock, warm_average
from train.common.state import POSITION, decided, save_state
from train.common.studies import unlabelled_studies

COMMAND = "accelerate launch -m train.autoencoder"
PANELS = {"mean squared error": ("loss", "held_out_loss")}
HELD_OUT = 50  # one film in so many is kept to watch the loss on
SAMPLES = 6


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, nargs="+", required=True, help="data sets; no labels are needed")
    add("--out", type=Path, default=Path("runs/autoencoder"), help="folder for the encoder")
    add("--workdir", type=Path, default=Path("runs/work/autoencoder"), help="state, log, samples")
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--encoder", default="resnet34", help="a name of segmentation-models-pytorch")
    add("--size", type=int, default=256, help="side of the square in pixels")
    add("--train-size", type=int, help="train on films shrunk to this side, for speed")
    add("--mask-ratio", type=float, default=0.0, help="share of the input's squares hidden")
    add("--patch", type=int, default=32, help="side of the squares that are hidden, in pixels")
    add("--noise", type=float, default=0.0, help="deviation of the grain, in grey levels of [0, 1]")
    add("--steps", type=int, help="end after so many steps")
    add("--minutes", type=float, help="end after so many minutes")
    add("--batch-size", type=int, default=16, help="films a process and step")
    add("--rate", type=float, default=1e-3)
    add("--weight-decay", type=float, default=0.01)
    add("--average", type=float, default=0.95, help="decay of the weights' moving average")
    add("--look-every", type=int, default=100, help="steps between looks at the held-out films")
    add("--save-minutes", type=float, default=5.0)
    add("--full-precision", action="store_true", help="float32 also where bfloat16 is faster")
    add("--seed", type=int, default=0)
    return parser


def mask_patches(
    films: torch.Tensor, ratio: float, patch: int, noise: float, generator: torch.Generator
) -> torch.Tensor:
    """What the model sees: a share `ratio` of the squares of side `patch` set to mid grey, and
    normal grain. films float [B, 1, S, S] in [0, 1]; the same shape comes back.
    """
    cells = -(-films.shape[-1] // patch)
    hidden = torch.rand((len(films), 1, cells, cells), generator=generator) < ratio
    hidden = hidden.repeat_interleave(patch, 2).repeat_interleave(patch, 3)
    hidden = hidden[..., : films.shape[-1], : films.shape[-1]].to(films.device)
    grain = torch.randn(films.shape, generator=generator).to(films.device) * noise
    return torch.where(hidden, 0.5, films + grain)


def reconstruct(
    model: torch.nn.Module,
    films: np.ndarray,
    options: argparse.Namespace,
    view: Preprocess,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Packed films uint8 [N, S, S] -> (film, what was shown, what was redrawn) [N, 1, S, S], grey
    levels in [0, 1]; always the same squares and grain.
    """
    generator = torch.Generator().manual_seed(options.seed)
    whole = torch.from_numpy(np.array(films)).to(device).unsqueeze(1).float() / 255
    shown = mask_patches(whole, options.mask_ratio, options.patch, options.noise, generator)
    drawn = model((shown - view.mean) / view.std) * view.std + view.mean
    return whole, shown, drawn.float()


def main(argv: list[str] | None = None) -> None:
    start_processes("train.autoencoder")
    options = arguments().parse_args(argv)
    budget = Budget(options.steps, options.minutes)
    set_seed(options.seed)
    accelerator = Accelerator(mixed_precision=precision(options.full_precision))
    device, rank = accelerator.device, accelerator.process_index
    config = LocalizerConfig(options.encoder, Preprocess(options.size, 0.5, 0.25, 1))
    view = config.preprocess
    studies = unlabelled_studies(options.data)
    with accelerator.main_process_first():
        films, _ = pack([study.image for study in studies], view, options.cache)
    held_out = films[::HELD_OUT]
    rows = np.setdiff1d(np.arange(len(films)), np.arange(0, len(films), HELD_OUT))
    if len(rows) < options.batch_size:
        raise SystemExit(f"expected at least {options.batch_size} films; found {len(rows)}")
    accelerator.print(f"{len(rows)} films to train on, {len(held_out)} held out")

    model = AutoencoderUNet(config).to(memory_format=torch.channels_last)
    average = AveragedModel(model, multi_avg_fn=warm_average(options.average), use_buffers=True).to(
        device
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), options.rate, fused=True, weight_decay=options.weight_decay
    )
    model, optimizer = accelerator.prepare(model, optimizer)
    accelerator.register_for_checkpointing(average)
    plain = accelerator.unwrap_model(model)

    state, step, spent = options.workdir / "state", 0, 0.0
    if (state / POSITION).exists():
        accelerator.load_state(str(state))
        position = json.loads((state / POSITION).read_text())
        step, spent = position["step"], position["seconds"]
        accelerator.print(f"going on after step {step}")
    record = Record(options.workdir) if accelerator.is_main_process else None
    clock, saved = Clock(spent), spent

    @torch.inference_mode()
    def look() -> None:
        average.eval()
        with accelerator.autocast():
            parts = reconstruct(average.module, held_out[:64], options, view, device)
        record.add(step, held_out_loss=F.mse_loss(parts[2], parts[0]).item())
        record.plot(PANELS)
        save_grid(
            [
                [part[row, 0].cpu().numpy() for part in parts]
                for row in range(min(SAMPLES, len(parts[0])))
            ],
            options.workdir / "samples.png",
        )

    bar = tqdm(disable=not accelerator.is_main_process, unit="step", initial=step)
    model.train()
    while (used := budget.used(step, seconds := clock.seconds(accelerator))) < 1:
        generator = torch.Generator().manual_seed(hash((options.seed, step, rank)) % 2**62)
        drawn = np.random.default_rng([options.seed, step, rank])
        batch = np.sort(drawn.choice(rows, options.batch_size, replace=False))
        views = torch.from_numpy(films[batch]).to(device).unsqueeze(1).float() / 255
        views = random_affine(views, generator, 10, (0.7, 1.15), 0.08)
        views = random_tone(views, generator, noise=0.0)
        if options.train_size:
            views = F.interpolate(views, size=options.train_size, mode="bilinear", antialias=True)
        target = (views - view.mean) / view.std
        shown = mask_patches(views, options.mask_ratio, options.patch, options.noise, generator)
        shown = ((shown - view.mean) / view.std).contiguous(memory_format=torch.channels_last)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * budget.rate(used)
        with accelerator.autocast():
            redrawn = model(shown)
        loss = F.mse_loss(redrawn.float(), target)
        if not torch.isfinite(loss):
            raise SystemExit(f"loss is {loss.item()} at step {step}; lower the learning rate")
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(plain)
        step += 1
        bar.update()
        if record and step % 10 == 0:
            record.add(step, loss=loss.item() * view.std**2, seconds=seconds)
        if record and step % options.look_every == 0:
            look()
        if decided(accelerator, seconds - saved > 60 * options.save_minutes):
            save_state(accelerator, state, {"step": step, "seconds": seconds})
            saved = seconds

    save_state(accelerator, state, {"step": step, "seconds": seconds})
    if accelerator.is_main_process:
        look()
        training = {
            "command": command_line(COMMAND, options, arguments()),
            "films": len(rows),
            "data": [root.name for root in options.data],
            "steps": step,
            "minutes": round(seconds / 60, 1),
            "hardware": hardware(),
        }
        save_checkpoint(
            options.out,
            average.module.encoder.state_dict(),
            {
                "encoder": config.encoder,
                "preprocess": view.to_dict(),
                "training": training,
                "code_version": __version__,
            },
            dtype=torch.float32,
            shard_mb=1000,
        )
    accelerator.end_training()
