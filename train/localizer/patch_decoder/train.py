r"""Train a patch decoder: all masks and outlines at once, on the frozen image encoder's features.

    python -m train.localizer.patch_decoder.train --config train/configs/localizer.yaml:decoder

The encoder sees each image once, and each of its changed copies; after that a step costs little.
What was not looked for in an image takes no part in the loss, what is absent is an empty mask.
With --fold the patients of one part are left out; levels are set on what such decoders say of
them (train.localizer.patch_decoder.levels).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from cxr import __version__
from cxr.anatomy import DECODED, LEFT_LUNG, READ, RIGHT_LUNG
from cxr.checkpoints import (
    load_checkpoint,
    load_patch_encoder,
    load_text_encoder,
    read_config,
    save_checkpoint,
)
from cxr.images import Preprocess
from cxr.models import PatchDecoder, PatchDecoderConfig, dice_bce
from train.common.energy import hardware
from train.common.image_cache import pack
from train.common.options import command_line, parse_options
from train.common.run import Budget, Run
from train.localizer.patch_decoder.data import Batch, DecoderData
from train.localizer.patch_decoder.features import extract
from train.localizer.patch_decoder.films import CHILDREN, Film, load_films
from train.localizer.patch_decoder.options import FilmOptions, Options
from train.localizer.patch_decoder.teacher import teach

MODULE = "train.localizer.patch_decoder.train"
HEAVIEST = 30.0  # that a patch can count
WIDTHS, IMAGE_WIDTHS, HIDDEN = (64, 40, 24, 12), (16, 8, 8), 96
COARSER = 4  # than the maps of organs are the masks of findings, which are read off the patches
ROWS_FOR_SCALE = 200  # images whose features give the scale of each channel


def chosen_films(options: FilmOptions) -> list[Film]:
    """The films of the train and val splits that are used, always the same ones."""
    draw = random.Random(0)
    films = [
        film
        for film in load_films(options.data, options.sources, options.boxes)
        if film.source != CHILDREN or draw.random() < options.children
    ]
    return [film for film in films if film.split != "test" and film.known]


def load_data(options: FilmOptions, films: Sequence[Film]) -> DecoderData:
    """Squares, features and masks of the films, from the cache where they are there."""
    view = Preprocess(options.side, 0.5, 0.25, 1)
    images, readable = pack([film.image for film in films], view, options.cache)
    if not readable.all():
        raise SystemExit(f"expected readable images; {(~readable).sum()} are not")
    encoder = load_patch_encoder(options.text, options.layers, options.encoder_side)
    features, names = [], [film.name for film in films]
    for copy in range(1 + options.copies):
        rows = [row for row, film in enumerate(films) if copy == 0 or film.split == "train"]
        key = f"{encoder.fingerprint[:12]}-{'-'.join(map(str, options.layers))}-{len(films)}"
        file = options.cache / f"features-{key}-{options.encoder_side}-{copy}.npy"
        features.append((rows, extract(images, names, rows, copy, encoder, file)))
    taught = None
    if options.teacher is not None:
        drawn_on = [
            row
            for row, film in enumerate(films)
            if film.source in options.taught and film.split == "train"
        ][: options.taught_films]
        taught = teach(
            films, drawn_on, options.teacher, options.map_side, options.text, options.cache
        )
    return DecoderData(
        films, images, features, DECODED, view, options.cache, options.map_side, taught
    )


def part_of(film: Film, count: int) -> int:
    """Which of `count` parts a film's patient is dealt to."""
    return random.Random(f"part {film.patient}").randrange(count)


def left_out(films: Sequence[Film], fold: str | None) -> np.ndarray:
    """Bool [N]: films that are not trained on: those of the val split, and a part of the patients.

    Raises:
        SystemExit: for another form than K/N.
    """
    val = np.array([film.split != "train" for film in films])
    if fold is None:
        return val
    number, _, count = fold.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count) > 1):
        raise SystemExit(f"expected --fold K/N such as 1/3, got {fold!r}")
    return val | np.array([part_of(film, int(count)) == int(number) - 1 for film in films])


def build_model(options: Options, data: DecoderData, rows: np.ndarray) -> PatchDecoder:
    """A fresh decoder whose scale is that of the training images' features."""
    view = Preprocess(options.side, 0.5, 0.25, 1)
    some = data.batch(
        rows[:: max(1, len(rows) // ROWS_FOR_SCALE)],
        [0] * len(rows),
        np.zeros(data.known.shape[1], bool),
    ).features
    config = PatchDecoderConfig(
        DECODED,
        READ,
        tuple(options.layers),
        some.shape[1],
        WIDTHS,
        IMAGE_WIDTHS,
        HIDDEN,
        view,
        side=options.map_side,
        encoder_side=options.encoder_side,
    )
    torch.manual_seed(options.seed)
    model = PatchDecoder(config)
    model.mean.copy_(some.mean((0, 2, 3)))
    model.std.copy_(some.std((0, 2, 3)))
    if options.start is not None:
        start_from(model, load_checkpoint(options.start)[1])
    return model.to(memory_format=torch.channels_last)


def start_from(model: PatchDecoder, known: Mapping[str, torch.Tensor]) -> None:
    """Take over the weights of another decoder, also of one with fewer features or grids.

    Weights with fewer input channels fill the first of them, and the others begin at 0: features
    of further layers come last. What has another shape besides stays as it is.
    """
    own = model.state_dict()
    for name, value in known.items():
        if name not in own or (name in ("mean", "std") and value.shape != own[name].shape):
            continue
        wide = own[name]
        if value.shape == wide.shape:
            wide.copy_(value)
        elif value.ndim > 1 and value.shape[0] == wide.shape[0] and value.ndim == wide.ndim:
            if value.shape[1] < wide.shape[1] and value.shape[2:] == wide.shape[2:]:
                wide.zero_()
                wide[:, : value.shape[1]] = value.float()


def organ_loss(model: PatchDecoder, batch: Batch) -> torch.Tensor:
    """Dice and cross-entropy of the organs that somebody drew, both lungs together the last."""
    view = model.preprocess
    logits = model.draw((batch.pixels - view.mean) / view.std, batch.features).float()
    right, left = (DECODED.index(side) for side in (RIGHT_LUNG, LEFT_LUNG))
    both = torch.maximum(logits[:, right], logits[:, left])[:, None]
    drawn = torch.cat([logits, both], 1).flatten(0, 1)
    return dice_bce(drawn, batch.masks.flatten(0, 1), batch.weight.flatten())


def finding_loss(
    model: PatchDecoder, batch: Batch, weights: torch.Tensor, presence_weight: float
) -> torch.Tensor:
    """Cross-entropy of each patch, rare findings weighted, and of what an image shows at all.

    Args:
        model: that reads.
        batch: what is known of the findings.
        weights: float [F], of a patch that shows the finding.
        presence_weight: of the second part.

    Returns:
        A scalar.
    """
    logits, presence = (part.float() for part in model.read(batch.features))
    masks, known = batch.masks, batch.weight
    patches = F.interpolate(masks, size=logits.shape[-1], mode="area")
    each = F.binary_cross_entropy_with_logits(
        logits, patches, reduction="none", pos_weight=weights[:, None, None]
    ).mean((2, 3))
    shown = (masks.flatten(2).amax(-1) >= 0.25).float()
    said = F.binary_cross_entropy_with_logits(presence, shown, reduction="none")
    return ((each + presence_weight * said) * known).sum() / known.sum().clamp(min=1)


def patch_weights(data: DecoderData, rows: np.ndarray) -> torch.Tensor:
    """What a patch that shows a finding counts, float [F]: the root of how rare such are."""
    first = len(DECODED) - len(READ)
    found = []
    for place in range(first, len(DECODED)):
        known = np.flatnonzero(data.known[:, place])
        known = known[np.isin(known, rows)]
        share = float(data.masks[known, place].mean()) / 255 if len(known) else 0.0
        found.append(min(HEAVIEST, ((1 - share) / max(share, 1e-5)) ** 0.5))
    return torch.tensor(found)


def save(model: PatchDecoder, data: DecoderData, rows: np.ndarray, options: Options, run: Run):
    """Write the checkpoint, without levels."""
    record = {
        "command": command_line(f"python -m {MODULE}", options),
        "step": run.step,
        "minutes": round(run.seconds / 60, 1),
        "hardware": hardware(),
        "films": len(rows),
        "data": list(dict.fromkeys(film.source for film in data.films)),
        "fold": options.fold,
        "earlier": _earlier(options.start),
    }
    encoder = load_patch_encoder(options.text, options.layers, options.encoder_side)
    config = {
        "architecture": model.config.to_dict(),
        "targets": list(DECODED),
        "training": record,
        "code_version": __version__,
        "text_encoder": {
            "weights": options.text.name,
            "sha256": load_text_encoder(options.text).fingerprint,
            "image_sha256": encoder.fingerprint,
        },
    }
    save_checkpoint(options.out, model.state_dict(), config)


def _earlier(start: Path | None) -> list[dict]:
    """The records of the stages before this one, the first one first."""
    if start is None:
        return []
    training = read_config(start)["training"]
    return [*training.get("earlier", []), {k: v for k, v in training.items() if k != "earlier"}]


def main(argv: Sequence[str] | None = None) -> None:
    """Train the decoder and write its checkpoint."""
    options = parse_options(Options, argv, __doc__, MODULE)
    films = chosen_films(options)
    data = load_data(options, films)
    organs = len(DECODED) - len(READ)
    asked = np.zeros(len(DECODED) + 1, bool)
    asked[:organs] = asked[-1] = options.part == "organs"
    asked[organs : len(DECODED)] = options.part == "findings"
    rows = np.flatnonzero(~left_out(films, options.fold) & (data.weight[:, asked] > 0).any(1))
    chances = data.weights(rows, asked)
    run = Run(options, find_unused_parameters=True)
    model = build_model(options, data, rows)
    average = run.moving_average(model, options.average)
    trained = [
        parameter
        for name, parameter in model.named_parameters()
        if name.startswith(("reading", "presence")) == (options.part == "findings")
    ]
    optimizer = torch.optim.AdamW(trained, options.rate, weight_decay=options.weight_decay)
    optimizer = run.prepare(optimizer)
    model.to(run.device)
    run.schedule(optimizer)
    heavy = patch_weights(data, rows).to(run.device)
    for step in run.steps(Budget(options.steps, options.minutes)):
        model.train()
        drawn = np.random.default_rng([options.seed, step, run.rank])
        coarser = COARSER if options.part == "findings" else 1
        batch = data.draw(rows, chances, options.batch_size, drawn, asked, coarser).to(run.device)
        batch = batch.jittered(drawn, mirror=options.part == "findings")
        with run.autocast():
            if options.part == "organs":
                loss = organ_loss(model, batch)
            else:
                loss = finding_loss(model, batch, heavy, options.presence_weight)
        run.optimize(loss, model, optimizer)
        average.update(model, step + 1)
        run.advance(loss=loss)
    if run.is_main:
        save(average.module, data, rows, options, run)


if __name__ == "__main__":
    main()
