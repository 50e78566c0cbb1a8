r"""Phase 2 of the localizer: a U-Net learns to mark what a text names (Dice + BCE).

    accelerate launch -m train.localizer --data ROOT --out weights/localizer --minutes 25

--data has masks with train and val splits; --extra further masks (train split only); --normal
images read as normal, where every opacity is absent; --boxes images with boxes around opacities
(weak supervision, train split only); --pseudo-labeled images whose masks an earlier localizer
predicts. A target that an image does not show is learned as an empty mask. Prompts are worded anew
at every draw, for sides and zones too; images are mirrored only when what is asked has no side
(--mirrored-share). The text encoder is frozen: all prompts are encoded once. The validation split
chooses the moment whose averaged weights become the checkpoint. A run that was killed goes on after
its last saved state (--workdir).

The recipe of the shipped weights is train/configs/localizer.yaml: an earlier localizer predicts the
anatomy of images without masks, from which this one learns beside masks that were drawn by hand. A
dense probe of the frozen image encoder comes beside the U-Net (train.localizer.dense_probe), and a
second run with a fold left out helps to say where the maps cross 0.5 (train.localizer.offsets).
`--train-sizes 192 192 256` begins with small images, twice as fast a step as with large ones, and
ends with the size that is served. The card's table compares short runs (--steps 200): with
`--encoder none`, with `--shuffle-text`, and with every --fusion, of which `none` is the plain U-Net
with one output a target.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from cxr.anatomy import TARGETS
from cxr.checkpoints import load_text_encoder
from cxr.images import Preprocess
from cxr.models import (
    FrozenTextEncoder,
    LocalizerConfig,
    TextGuidedUNet,
    dice_bce,
)
from train.common.augment import random_affine, random_tone
from train.common.options import parse_options
from train.common.run import Budget, Run
from train.localizer.batch_sampler import Batch, BatchSampler
from train.localizer.checkpoint import load_encoder, save_localizer, training_record
from train.localizer.data import Sources, load_pseudo_labeled, load_sets
from train.localizer.mask_data import Answers, MaskData
from train.localizer.options import Options
from train.localizer.prompts import TextBank, weighted_queries, wordings
from train.localizer.validation import predict, save_samples, score_maps

MODULE = "train.localizer"
PANELS = {
    "loss": ("loss",),
    "validation": ("score", "false_marks"),
    "validation, Dice": tuple(f"dice {target}" for target in TARGETS),
}


@dataclass(frozen=True, eq=False)
class Data:
    """Images to train on and to validate with, and the embedded prompts."""

    sets: list[Answers]
    val: MaskData
    sampler: BatchSampler
    text_encoder: FrozenTextEncoder | None  # None for a U-Net that reads no text
    bank: TextBank | None

    @classmethod
    def load(cls, options: Options, view: Preprocess, run: Run) -> Data:
        """Read and decode them. Raises SystemExit where a split is empty."""
        sources = Sources(options.data, options.fold, options.extra, options.normal, options.boxes)
        encoder = bank = None
        with run.main_process_first():
            sets, val = load_sets(sources, view, options.cache)
            if not options.plain:
                encoder = load_text_encoder(options.text)
                texts = {text for query in weighted_queries() for text in wordings(query)}
                bank = TextBank(encoder, texts, options.cache)
            if options.pseudo_labeled:
                sets.append(load_pseudo_labeled(options, view, bank, run.device))
        if not len(sets[0]) or not len(val):
            raise SystemExit(
                f"expected images to train on and to validate with in {options.data}, "
                f"got {len(sets[0])} and {len(val)}; give masks with both splits"
            )
        counts = " + ".join(str(len(part)) for part in sets)
        run.print(f"{counts} images to train on, {len(val)} to validate with")
        given = (
            options.extra_share,
            options.normal_share,
            options.boxes_share,
            options.pseudo_labeled_share,
        )
        further = [share if len(part) else 0 for part, share in zip(sets[1:], given)]
        shares = [1 - sum(further), *further]
        sampler = BatchSampler(sets, shares, options.prompts, options.plain, options.mirrored_share)
        return cls(sets, val, sampler, encoder, bank)


def varied(
    batch: Batch, generator: torch.Generator, device: torch.device, size: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Move images and masks together, and vary the images' tone; nothing is mirrored here.

    Args:
        batch: B images with P masks each.
        generator: What is drawn from.
        device: Where to compute.
        size: The side s to shrink to; None keeps it.

    Returns:
        Images float32 [B, 1, s, s] and masks float32 [B, P, s, s], both in [0, 1].
    """
    layers = torch.cat([batch.images[:, None], batch.masks], 1).to(device).float() / 255
    layers = random_affine(layers, generator, 15, (0.75, 1.2), 0.08)
    if size and size != layers.shape[-1]:
        layers = F.interpolate(layers, size=size, mode="bilinear", antialias=True)
    images = random_tone(layers[:, :1], generator, 0.35, 0.15, 0.4, 0.03)
    return images, layers[:, 1:]


def size_at(used: float, sizes: list[int]) -> int | None:
    """The side to train at when a share `used` of the run is over; None: that of the images."""
    return sizes[min(int(used * len(sizes)), len(sizes) - 1)] if sizes else None


def build_model(options: Options, view: Preprocess, data: Data) -> TextGuidedUNet:
    """The U-Net, with phase 1's encoder where there is one."""
    config = LocalizerConfig(
        options.backbone,
        view,
        options.fusion,
        TARGETS if options.plain else (),
        data.text_encoder.dimension if data.text_encoder else 512,
    )
    model = TextGuidedUNet(config)
    if options.encoder != "none":
        load_encoder(model, options.encoder)
    return model.to(memory_format=torch.channels_last)


def optimizer_of(model: TextGuidedUNet, options: Options) -> torch.optim.Optimizer:
    """AdamW, with a learning rate of its own for the encoder."""
    rest = [p for name, p in model.named_parameters() if not name.startswith("encoder.")]
    groups = [
        {"params": list(model.encoder.parameters()), "lr": options.encoder_rate},
        {"params": rest, "lr": options.rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=options.weight_decay, fused=True)


def text_rows(
    batch: Batch, bank: TextBank | None, shape: Sequence[int], options: Options, run: Run
) -> torch.Tensor:
    """The prompts' embeddings float32 [B, P, D]; D is 0 for a U-Net that reads no text."""
    if bank is None:
        return torch.empty(*shape[:2], 0, device=run.device)
    rows = bank(batch.prompts)
    if options.shuffle_text:
        rows = bank.rows[torch.randint(len(bank.rows), (len(rows),), generator=run.generator())]
    return rows.unflatten(0, tuple(shape[:2])).to(run.device)


def evaluate(model: TextGuidedUNet, data: Data, options: Options, run: Run) -> None:
    """Score the averaged weights and keep the best as the checkpoint.

    Those that have met only the smaller --train-sizes are scored at that size, and not kept.
    """
    size = size_at(run.used, options.train_sizes)
    served = not size or size == options.train_sizes[-1]
    with run.autocast():
        maps = predict(model, data.val.images, data.bank, run.device, None if served else size)
    scores = score_maps(maps, data.val)
    run.report(scores, PANELS)
    if served and run.improved(scores["score"]):
        save_samples(maps, data.val, options.workdir / "samples.png")
        record = training_record(options, run.step, run.seconds, data.sets, scores["score"])
        save_localizer(model, options.out, options.text, data.text_encoder, record)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the localizer and write the best moment's checkpoint."""
    options = parse_options(Options, argv, __doc__, MODULE)
    budget = Budget(options.steps, options.minutes)
    run = Run(options)
    view = Preprocess(options.size, 0.5, 0.25, 1)
    data = Data.load(options, view, run)
    model = build_model(options, view, data)
    average = run.moving_average(model, options.average)
    optimizer = optimizer_of(model, options)
    model, optimizer = run.prepare(model, optimizer)
    run.schedule(optimizer)
    for step in run.steps(budget):
        model.train()
        rng = random.Random(f"{options.seed} {step} {run.rank}")
        batch = data.sampler.draw(options.batch_size, rng)
        size = size_at(run.used, options.train_sizes)
        images, masks = varied(batch, run.generator(), run.device, size)
        pixels = ((images - view.mean) / view.std).contiguous(memory_format=torch.channels_last)
        text = text_rows(batch, data.bank, masks.shape, options, run)
        with run.autocast():
            logits = model(pixels, text)
        known = batch.weights.flatten().to(run.device)
        loss = dice_bce(logits.float().flatten(0, 1), masks.flatten(0, 1), known)
        run.optimize(loss, model, optimizer)
        average.update(run.unwrap(model), step + 1)
        run.advance(loss=loss)
        if run.evaluates(options.look_every) and run.is_main:
            evaluate(average.module, data, options, run)
