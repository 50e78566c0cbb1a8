"""Set where a target's map crosses 0.5, on the validation split, and write it to config.json.

    python -m train.localizer.offsets --weights weights/localizer --data ROOT --folds runs/four

A network that has met its few masks often is too sure of itself there, and marks too little in
other images. For each target but the lungs the level with the best mean Dice, less the mean share
falsely marked, is found, and its logit becomes the offset. Where several levels are within 2% of
the best, the middle one is taken. --folds names localizers that were trained alike with a fold of
train and val left out (train.localizer --fold); what each says of its own fold counts beside the
validation split, which alone is small.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.anatomy import LEFT_LUNG, LUNGS, RIGHT_LUNG, TARGETS
from cxr.checkpoints import read_config
from cxr.data import MaskedImage, load_masked_images
from cxr.files import write_json
from cxr.images import load_image
from cxr.localization import THRESHOLD, Localizer
from cxr.metrics import dice
from train.common.options import command_line, option, parse_options
from train.evaluate.localizer import annotated_mask
from train.localizer.mask_data import folded
from train.localizer.validation import LEVELS

MODULE = "train.localizer.offsets"
SHIFTED = tuple(target for target in TARGETS if target not in (LUNGS, RIGHT_LUNG, LEFT_LUNG))


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.localizer.offsets."""

    weights: Path = option("localizer whose offsets are set", Path("weights/localizer"))
    text: str | None = option("text encoder; default: the folder beside the weights", None)
    data: Path = option("masks with a val split")
    folds: list[Path] = option("localizers trained alike with a fold left out", [])


def offset(level: float) -> float:
    """What brings the logit of a probability to 0."""
    return math.log((1 - level) / level)


def scores_at(seen: Sequence[tuple[Localizer, MaskedImage]]) -> np.ndarray:
    """Score localizers with the offsets that they have.

    Args:
        seen: Localizers, each with an image that it is asked about.

    Returns:
        Mean Dice of images that show a target less the mean share marked in those that do not:
        float [len(SHIFTED)], NaN for what no image shows.
    """
    overlaps: list[list[float]] = [[] for _ in SHIFTED]
    falsely: list[list[float]] = [[] for _ in SHIFTED]
    for localizer, masked in seen:
        image = load_image(masked.image)
        for place, found in enumerate(localizer.find_all(image, SHIFTED)):
            truth = annotated_mask(masked, SHIFTED[place], image.size)
            if truth is None:
                continue
            marked = found.heat >= THRESHOLD
            if truth.any():
                overlaps[place].append(dice(marked, truth))
            else:
                falsely[place].append(float(marked.mean()))
    return np.array(
        [
            (np.mean(shown) if shown else np.nan) - (np.mean(wrong) if wrong else 0)
            for shown, wrong in zip(overlaps, falsely)
        ]
    )


def best_level(scores: np.ndarray) -> float | None:
    """The middle of the levels that score within 2% of the best.

    Args:
        scores: Float [len(LEVELS)].

    Returns:
        A level, None for a target that no level marks.
    """
    if np.isnan(scores).all() or np.nanmax(scores) <= 0:
        return None
    good = np.flatnonzero(scores >= 0.98 * np.nanmax(scores))
    return LEVELS[good[len(good) // 2]]


def held_out(options: Options) -> tuple[list[tuple[Localizer, MaskedImage]], list[dict]]:
    """Every localizer with each image that was held out from its training.

    Returns:
        The pairs, and what the checkpoints of --folds say of their training.

    Raises:
        SystemExit: For a fold's localizer without a fold, or nothing held out.
    """
    images, seen, folds = load_masked_images(options.data), [], []
    for folder in (options.weights, *options.folds):
        training = dict(read_config(folder).get("training", {}))
        if folder != options.weights:
            if not training.get("fold"):
                raise SystemExit(
                    f"expected a localizer trained with --fold in {folder}, got one trained on "
                    "the whole split; train one with --fold K/N"
                )
            folds.append({key: value for key, value in training.items() if key != "earlier"})
        parts = folded(images, training.get("fold"))
        held = [image for image in parts if image.split == "val"]
        if not held:
            raise SystemExit(f"expected images of the val split in {options.data}, found none")
        localizer = Localizer.load(folder, options.text)
        seen += [(localizer, image) for image in held]
    return seen, folds


def main(argv: Sequence[str] | None = None) -> None:
    """Choose the offsets and write them into the checkpoint's config.json."""
    options = parse_options(Options, argv, __doc__, MODULE)
    seen, folds = held_out(options)
    table = []
    for level in LEVELS:
        for localizer, _ in seen:
            localizer.offsets = dict.fromkeys(SHIFTED, offset(level))
        table.append(scores_at(seen))
    levels = {target: best_level(scores) for target, scores in zip(SHIFTED, np.transpose(table))}
    found = {target: round(offset(level), 3) for target, level in levels.items() if level}
    config = read_config(options.weights)
    record = {
        "command": command_line(f"python -m {MODULE}", options),
        "films": len({image.id for _, image in seen}),
        "folds": folds,
    }
    training = {**config.get("training", {}), "offsets": record}
    write_json(options.weights / "config.json", {**config, "training": training, "offsets": found})
    print(json.dumps({"levels": levels, "offsets": found}, indent=1))


if __name__ == "__main__":
    main()
