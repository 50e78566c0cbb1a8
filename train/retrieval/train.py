"""Train the retrieval model: from data sets to a checkpoint folder.

    accelerate launch -m train.retrieval --data ROOT --out weights/retrieval

Profile "reference" is ResNet-50 with Bio_ClinicalBERT from the Hub; "embedded" is what ships. A run
that was killed goes on where its last saved state lies (--workdir). Only the train split is trained
on; the validation split chooses the epoch, whose averaged weights become the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import set_seed
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from cxr import __version__
from cxr.checkpoints import save_dual_encoder
from cxr.findings import FINDINGS
from train.common.augment import augment
from train.common.energy import hardware
from train.common.image_cache import pack_studies
from train.common.options import command_line, precision
from train.common.record import Record
from train.common.state import decided, save_state
from train.common.studies import Attributes, training_studies
from train.retrieval import profiles as building
from train.retrieval.objective import LockedTexts, TrainingModel, Weights, terms
from train.retrieval.texts import draw
from train.retrieval.validation import embed_films, search_settings, validate

COMMAND = "accelerate launch -m train.retrieval"
PANELS = {
    "loss": ("loss", "caption_loss", "person_loss", "prompt_loss", "text_loss"),
    "validation": ("image_to_text_recall_at_10", "text_to_image_recall_at_10", "mean_auroc"),
}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, help="data set with train and val splits")
    add("--extra", type=Path, nargs="*", default=[], help="further data sets, to train on only")
    add("--out", type=Path, default=Path("weights/retrieval"), help="checkpoint folder")
    add("--workdir", type=Path, default=Path("runs/work/retrieval"), help="state, log and curves")
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--profile", choices=sorted(building.PROFILES), default="embedded")
    add("--image-weights", help="instead of the profile's: folder, .safetensors or hf:// address")
    add("--image-backbone", help="instead of the profile's; with --image-weights '' it is random")
    add("--size", type=int, help="side of the square in pixels, instead of the profile's")
    add("--train-size", type=int, help="train on films shrunk to this side, for speed")
    add("--text-model", help="instead of the profile's: folder or hf:// address")
    add("--go-on-from", help="a checkpoint to train further, instead of a profile")
    add("--pooling", nargs="+", help="with --go-on-from: what of its pooling is kept")
    add("--lock-text", action="store_true", help="train the image half alone")
    add("--prompt-weight", type=float, default=Weights().prompt, help='of "X" against "no X"')
    add("--epochs", type=int, default=4)
    add("--batch-size", type=int, default=32, help="films a process and step")
    add("--share", type=float, default=0.5, help="of each epoch that comes from --data")
    add("--films", type=int, help="films an epoch; default: all there are")
    add("--image-rate", type=float, default=5e-5)
    add("--text-rate", type=float, default=3e-5)
    add("--head-rate", type=float, default=1e-3)
    add("--weight-decay", type=float, default=0.02)
    add("--dropout", type=float, default=0.1)
    add("--hidden", type=int, default=0, help="hidden width of the projection heads")
    add("--freeze-image-blocks", type=int, default=0)
    add("--freeze-text-layers", type=int, default=0)
    add("--learn-temperature", action="store_true")
    add("--strength", type=float, default=1.0, help="of the augmentation; 0 is none")
    add("--average", type=float, default=0.998, help="decay of the weights' moving average")
    add("--full-precision", action="store_true", help="float32 also where bfloat16 is faster")
    add("--save-minutes", type=float, default=5.0)
    add("--seed", type=int, default=0)
    return parser


def epoch_rows(main: int, further: int, options: argparse.Namespace, epoch: int) -> np.ndarray:
    """Rows of one epoch, in the order of the steps; `--share` of them from the main data set, each
    part without repetition until it is used up. The same seed and epoch give the same rows.
    """
    generator = np.random.default_rng([options.seed, epoch])
    total = options.films or main + further
    first = min(total, round(total * options.share)) if further else total

    def draw_rows(count: int, size: int) -> np.ndarray:
        turns = [generator.permutation(size) for _ in range(-(-count // max(size, 1)))]
        return np.concatenate(turns)[:count] if turns else np.empty(0, int)

    rows = np.concatenate([draw_rows(first, main), main + draw_rows(total - first, further)])
    return generator.permutation(rows).astype(np.int64)


def parameter_groups(model: TrainingModel, options: argparse.Namespace) -> list[dict]:
    """Backbones learn slowly, heads fast; vectors and scalars are not decayed."""
    rates = {
        "encoder.image_encoder.": options.image_rate,
        "encoder.text_encoder.": options.text_rate,
    }
    groups: dict[tuple[float, float], list] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = next(
                (r for start, r in rates.items() if name.startswith(start)), options.head_rate
            )
            decay = options.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": group, "lr": rate, "weight_decay": decay}
        for (rate, decay), group in groups.items()
    ]


def main(argv: list[str] | None = None) -> None:
    options = arguments().parse_args(argv)
    set_seed(options.seed)
    accelerator = Accelerator(
        mixed_precision=precision(options.full_precision),
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    device, world, rank = accelerator.device, accelerator.num_processes, accelerator.process_index
    weights = asdict(replace(Weights(), prompt=options.prompt_weight))
    shared = {"dropout": options.dropout, "learn_temperature": options.learn_temperature}
    if options.go_on_from:
        model, earlier = building.go_on_from(options.go_on_from, options.pooling, **shared)
    else:
        start, earlier = building.start_of(options), {}
        model = building.build(start, hidden=options.hidden, **shared)
    view = model.preprocess
    train, val, further = training_studies(options.data, options.extra)
    if not train or not val:
        raise SystemExit(
            f"expected films to train on and to validate with in {options.data}; "
            f"found {len(train)} and {len(val)}"
        )
    with accelerator.main_process_first():
        studies, films, readable = pack_studies(train + further, view, options.cache)
        val, val_films, val_readable = pack_studies(val, view, options.cache)
    first = int(readable[: len(train)].sum())
    train, further = studies[:first], studies[first:]
    accelerator.print(
        f"{len(train)} + {len(further)} films to train on, {len(val)} to validate "
        f"with; {(~readable).sum() + (~val_readable).sum()} unreadable"
    )
    attributes = Attributes.of(studies)

    building.freeze_below(model, options.freeze_image_blocks, options.freeze_text_layers)
    if options.lock_text:
        building.lock_text(model)
    average = AveragedModel(
        model, multi_avg_fn=get_ema_multi_avg_fn(options.average), use_buffers=True
    )
    model = TrainingModel(model)
    optimizer = torch.optim.AdamW(parameter_groups(model, options), fused=True)
    rows = epoch_rows(len(train), len(further), options, 0)
    per_step = options.batch_size * world
    steps = len(rows) // per_step
    if not steps:
        raise SystemExit(f"expected at least {per_step} films an epoch; got {len(rows)}")
    total, warm = steps * options.epochs, max(1, steps * options.epochs // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(1, s / total)))
    )
    model, optimizer = accelerator.prepare(model, optimizer)
    average.to(device)
    accelerator.register_for_checkpointing(schedule, average)
    encoder = accelerator.unwrap_model(model).encoder
    tokenize = encoder.text_encoder.tokenize
    locked = LockedTexts(average.module.eval()) if options.lock_text else None

    state, done, best, spent = options.workdir / "state", 0, -1.0, 0.0
    if (state / "position.json").exists():
        accelerator.load_state(str(state))
        position = json.loads((state / "position.json").read_text())
        done, best, spent = position["step"], position["best"], position["seconds"]
        accelerator.print(f"going on after step {done} of {total}")
    record = Record(options.workdir) if accelerator.is_main_process else None
    began = saved = time.time()

    def save_position(step: int) -> None:
        position = {"step": step, "best": best, "seconds": spent + time.time() - began}
        save_state(accelerator, state, position)

    bar = tqdm(total=total, initial=done, disable=not accelerator.is_main_process, unit="step")
    for step in range(done, total):
        epoch, within = divmod(step, steps)
        if within == 0 or step == done:
            rows = epoch_rows(len(train), len(further), options, epoch)
            model.train()
        first = within * per_step + rank * options.batch_size
        batch = np.sort(rows[first : first + options.batch_size])
        generator = torch.Generator().manual_seed(hash((options.seed, step, rank)) % 2**62)
        chosen = [studies[row] for row in batch]
        drawn = random.Random(f"{options.seed} {step} {rank}")
        texts = draw(chosen, 0 if locked else options.batch_size // 4, drawn)
        views = augment(torch.from_numpy(films[batch]).to(device), generator, options.strength)
        if options.train_size:
            views = F.interpolate(views, size=options.train_size, mode="bilinear", antialias=True)
        pixels = ((views - view.mean) / view.std).expand(-1, view.channels, -1, -1)
        known = attributes.rows(torch.from_numpy(batch))
        known = Attributes(*(value.to(device) for value in vars(known).values()))
        with accelerator.autocast():
            parts = terms(model, tokenize, pixels, chosen, known, texts, locked)
        loss = sum(weights[name] * value for name, value in parts.items())
        if not torch.isfinite(loss):
            raise SystemExit(f"loss is {loss.item()} at step {step}; lower the learning rates")
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        average.update_parameters(encoder)
        bar.update()
        if record and step % 10 == 0:
            record.add(
                step,
                loss=loss.item(),
                temperature=encoder.temperature.item(),
                **{f"{name}_loss": value.item() for name, value in parts.items()},
            )
        if within == steps - 1:
            if options.lock_text:
                building.copy_text(encoder, average.module)
            scores = validate(average.module, val_films, val, device)
            if scores["score"] > best:
                best = scores["score"]
                if accelerator.is_main_process:
                    minutes = round((spent + time.time() - began) / 60) + earlier.get("minutes", 0)
                    command = command_line(COMMAND, options, arguments())
                    training = {
                        "command": "\n".join([*filter(None, [earlier.get("command")]), command]),
                        "data": [root.name for root in (options.data, *options.extra)],
                        "films": len(studies),
                        "epoch": epoch + 1,
                        "minutes": minutes,
                        "hardware": hardware(),
                    }
                    settings = search_settings(
                        average.module, embed_films(average.module, val_films, device), val
                    )
                    save_dual_encoder(
                        average.module,
                        options.out,
                        {
                            "findings": list(FINDINGS),
                            "training": training,
                            "code_version": __version__,
                            **settings,
                        },
                    )
            if record:
                record.add(step, seconds=spent + time.time() - began, epoch=epoch + 1, **scores)
                record.plot(PANELS)
                bar.write(
                    f"epoch {epoch + 1}: "
                    + json.dumps({name: round(value, 4) for name, value in scores.items()})
                )
        due = time.time() - saved > 60 * options.save_minutes
        if within == steps - 1 or decided(accelerator, due):
            save_position(step + 1)
            saved = time.time()
    accelerator.end_training()
