"""Train the retrieval model: from data sets to a checkpoint folder.

    accelerate launch -m train.retrieval --data ROOT --out weights/retrieval

Profile "reference" is ResNet-50 with Bio_ClinicalBERT from the Hub; "embedded" is what ships. A run
that was killed goes on after its last saved state (--workdir). Only the train split is trained on;
the validation split chooses the epoch, whose averaged weights become the checkpoint. The recipe of
the shipped weights is train/configs/retrieval.yaml.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cxr import __version__
from cxr.checkpoints import save_dual_encoder
from cxr.findings import FINDINGS, Study
from cxr.images import Preprocess
from cxr.models import DualEncoder
from train.common.augment import augment
from train.common.energy import hardware
from train.common.image_cache import pack_studies
from train.common.options import RunOptions, command_line, option, parse_options
from train.common.run import Budget, Run
from train.common.studies import Attributes, training_studies
from train.retrieval import profiles
from train.retrieval.objective import LockedTexts, LossWeights, TrainingModel, loss_terms
from train.retrieval.texts import StepTexts, draw_texts
from train.retrieval.validation import embed_images, search_settings, validate

MODULE = "train.retrieval"
PANELS = {
    "loss": ("loss", "caption_loss", "person_loss", "prompt_loss", "text_loss"),
    "validation": ("image_to_text_recall_at_10", "text_to_image_recall_at_10", "mean_auroc"),
}


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """The options of train.retrieval."""

    data: Path = option("data set with train and val splits")
    extra: list[Path] = option("further data sets, to train on only", [])
    out: Path = option("checkpoint folder", Path("weights/retrieval"))
    workdir: Path = option("state, log and curves", Path("runs/work/retrieval"))
    profile: str = option("network and starting weights", "embedded", choices=[*profiles.PROFILES])
    image_weights: str | None = option("folder, .safetensors or hf://, not the profile's", None)
    image_backbone: str | None = option("not the profile's; random with --image-weights ''", None)
    size: int | None = option("side of the square in pixels, instead of the profile's", None)
    train_size: int | None = option("train on images shrunk to this side, for speed", None)
    text_model: str | None = option("folder or hf:// address, instead of the profile's", None)
    go_on_from: str | None = option("a checkpoint to train further, instead of a profile", None)
    pooling: list[str] | None = option("with --go-on-from: what of its pooling is kept", None)
    lock_text: bool = option("train the image half alone", False)
    prompt_weight: float = option('of "X" against "no X"', LossWeights().prompt)
    epochs: int = option("passes over the images of an epoch", 4)
    batch_size: int = option("images a process and step", 32)
    share: float = option("of each epoch that comes from --data", 0.5)
    epoch_images: int | None = option("images an epoch; default: all", None, aliases=["--films"])
    image_rate: float = option("learning rate of the image encoder", 5e-5)
    text_rate: float = option("learning rate of the text encoder", 3e-5)
    head_rate: float = option("learning rate of the rest", 1e-3)
    weight_decay: float = option("of AdamW", 0.02)
    dropout: float = option("in the projection heads", 0.1)
    hidden: int = option("hidden width of the projection heads", 0)
    freeze_image_blocks: int = option("first blocks of a vision transformer to keep", 0)
    freeze_text_layers: int = option("first layers of the text transformer to keep", 0)
    learn_temperature: bool = option("instead of the fixed one", False)
    strength: float = option("of the augmentation; 0 is none", 1.0)
    average: float = option("decay of the weights' moving average", 0.998)


@dataclass(frozen=True, eq=False)
class Data:
    """Images to train on and to validate with, decoded."""

    studies: list[Study]  # N, the main data set's first
    images: np.ndarray  # uint8 [N, S, S]
    main: int  # how many are of the main data set
    attributes: Attributes  # of N
    val: list[Study]  # V
    val_images: np.ndarray  # uint8 [V, S, S]

    @classmethod
    def load(cls, options: Options, view: Preprocess, run: Run) -> Data:
        """Read and decode them. Raises SystemExit where a split is empty."""
        train, val, further = training_studies(options.data, options.extra)
        if not train or not val:
            raise SystemExit(
                f"expected images to train on and to validate with in {options.data}, "
                f"got {len(train)} and {len(val)}; give a data set with both splits"
            )
        with run.main_process_first():
            studies, images, readable = pack_studies(train + further, view, options.cache)
            val, val_images, val_readable = pack_studies(val, view, options.cache)
        main = int(readable[: len(train)].sum())
        run.print(
            f"{main} + {len(studies) - main} images to train on, {len(val)} to validate "
            f"with; {(~readable).sum() + (~val_readable).sum()} unreadable"
        )
        return cls(studies, images, main, Attributes.of(studies), val, val_images)

    def epoch(self, options: Options, epoch: int) -> np.ndarray:
        """Rows of an epoch, int64, in the order of the steps."""
        return epoch_rows(self.main, len(self.studies) - self.main, options, epoch)


def epoch_rows(main: int, further: int, options: Options, epoch: int) -> np.ndarray:
    """Choose the images of an epoch; the same seed and epoch choose the same.

    Args:
        main: Images of the main data set, which come first.
        further: Images of the others.
        options: `share` of the rows are of the main data set; each part is used up before a row
            comes again.
        epoch: From 0 on.

    Returns:
        int64 [epoch_images], in the order of the steps.
    """
    generator = np.random.default_rng([options.seed, epoch])
    total = options.epoch_images or main + further
    first = min(total, round(total * options.share)) if further else total

    def draw_rows(count: int, size: int) -> np.ndarray:
        turns = [generator.permutation(size) for _ in range(-(-count // max(size, 1)))]
        return np.concatenate(turns)[:count] if turns else np.empty(0, int)

    rows = np.concatenate([draw_rows(first, main), main + draw_rows(total - first, further)])
    return generator.permutation(rows).astype(np.int64)


def build_model(options: Options) -> tuple[DualEncoder, dict]:
    """The model to train, and how it was trained so far."""
    shared = {"dropout": options.dropout, "learn_temperature": options.learn_temperature}
    if options.go_on_from:
        model, earlier = profiles.go_on_from(options.go_on_from, options.pooling, **shared)
    else:
        earlier = {}
        start = profiles.start_of(
            options.profile,
            options.image_backbone,
            options.size,
            options.image_weights,
            options.text_model,
        )
        model = profiles.build(start, hidden=options.hidden, **shared)
    profiles.freeze_below(model, options.freeze_image_blocks, options.freeze_text_layers)
    if options.lock_text:
        profiles.lock_text(model)
    return model, earlier


def parameter_groups(model: TrainingModel, options: Options) -> list[dict]:
    """Parameters by learning rate and decay; vectors and scalars are not decayed."""
    rates = {
        "encoder.image_encoder.": options.image_rate,
        "encoder.text_encoder.": options.text_rate,
    }
    groups: dict[tuple[float, float], list] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = next((r for part, r in rates.items() if name.startswith(part)), None)
            decay = options.weight_decay if parameter.ndim > 1 else 0.0
            key = (options.head_rate if rate is None else rate, decay)
            groups.setdefault(key, []).append(parameter)
    return [
        {"params": group, "lr": rate, "weight_decay": decay}
        for (rate, decay), group in groups.items()
    ]


def pixels_of(packed: np.ndarray, options: Options, view: Preprocess, run: Run) -> torch.Tensor:
    """uint8 [B, S, S] -> what the image encoder takes, float32 [B, C, s, s], augmented."""
    images = torch.from_numpy(packed).to(run.device)
    views = augment(images, run.generator(), options.strength)
    if options.train_size:
        views = F.interpolate(views, size=options.train_size, mode="bilinear", antialias=True)
    return ((views - view.mean) / view.std).expand(-1, view.channels, -1, -1)


def texts_of(chosen: list[Study], options: Options, run: Run) -> StepTexts:
    """The texts of a step; imagined studies only where the text half is trained."""
    pairs = 0 if options.lock_text else options.batch_size // 4
    return draw_texts(chosen, pairs, random.Random(f"{options.seed} {run.step} {run.rank}"))


def save(
    model: DualEncoder, data: Data, epoch: int, earlier: dict, options: Options, run: Run
) -> None:
    """Write the checkpoint, with the settings of a search that the validation split gives."""
    command = command_line(f"accelerate launch -m {MODULE}", options)
    training = {
        "command": "\n".join([*filter(None, [earlier.get("command")]), command]),
        "data": [root.name for root in (options.data, *options.extra)],
        "films": len(data.studies),
        "epoch": epoch,
        "minutes": round(run.seconds / 60) + earlier.get("minutes", 0),
        "hardware": hardware(),
    }
    embeddings = embed_images(model, data.val_images, run.device)
    config = {
        "findings": list(FINDINGS),
        "training": training,
        "code_version": __version__,
        **search_settings(model, embeddings, data.val),
    }
    save_dual_encoder(model, options.out, config)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the retrieval model and write the best epoch's checkpoint."""
    options = parse_options(Options, argv, __doc__, MODULE)
    run = Run(options, find_unused_parameters=True)
    encoder, earlier = build_model(options)
    view, tokenize = encoder.preprocess, encoder.text_encoder.tokenize
    data = Data.load(options, view, run)
    per_step = options.batch_size * run.processes
    steps = len(data.epoch(options, 0)) // per_step
    if not steps:
        raise SystemExit(
            f"expected at least {per_step} images an epoch; give more or a smaller --batch-size"
        )
    average = run.moving_average(encoder, options.average, warmup=False)
    locked = LockedTexts(average.module) if options.lock_text else None
    model: nn.Module = TrainingModel(encoder)
    optimizer = torch.optim.AdamW(parameter_groups(model, options), fused=True)
    model, optimizer = run.prepare(model, optimizer)
    run.schedule(optimizer)
    weights = asdict(replace(LossWeights(), prompt=options.prompt_weight))
    rows = None
    for step in run.steps(Budget(steps * options.epochs)):
        epoch, within = divmod(step, steps)
        if within == 0 or rows is None:
            rows = data.epoch(options, epoch)
            model.train()
        first = within * per_step + run.rank * options.batch_size
        batch = np.sort(rows[first : first + options.batch_size])
        chosen = [data.studies[row] for row in batch]
        texts = texts_of(chosen, options, run)
        pixels = pixels_of(data.images[batch], options, view, run)
        known = data.attributes.rows(torch.from_numpy(batch)).to(run.device)
        with run.autocast():
            parts = loss_terms(model, tokenize, pixels, chosen, known, texts, locked)
        loss = sum(weights[name] * value for name, value in parts.items())
        run.optimize(loss, model, optimizer)
        average.update(encoder, step + 1)
        named = {f"{name}_loss": value for name, value in parts.items()}
        run.advance(loss=loss, temperature=encoder.temperature, **named)
        if run.evaluates(steps) and run.is_main:
            if options.lock_text:
                profiles.copy_text(encoder, average.module)
            scores = validate(average.module, data.val_images, data.val, run.device)
            run.report(scores, PANELS, epoch=epoch + 1)
            if run.improved(scores["score"]):
                save(average.module, data, epoch + 1, earlier, options, run)
