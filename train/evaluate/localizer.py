r"""Localization measured: overlap by target, false marks, sides and pointing, with intervals.

Every map is the one that the app shows: `Localizer.find` at the image's own size, asked in the
canonical words. Of NIH's and RSNA's boxes those of the split that is measured are pointed at.

    python -m train.evaluate localizer --weights weights/localizer --data ../shared/data/anatomy \\
        --boxes ../shared/data/nih --split test --compare "without phase 1=runs/scratch" ... --write
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.anatomy import (
    HEART,
    LEFT_LUNG,
    LUNGS,
    OPACITIES,
    OPACITY,
    PARTS,
    RIGHT_LUNG,
    union_known,
)
from cxr.checkpoints import fingerprint, read_config, resolve
from cxr.data import (
    MaskedImage,
    load_boxes,
    load_masked_images,
    load_outlined_images,
    load_split,
    load_studies,
    stem,
)
from cxr.findings import Study
from cxr.images import load_image
from cxr.localization import THRESHOLD, Localizer, Target
from cxr.metrics import dice, iou, pointing_game, value_with_interval
from train.common.options import option
from train.common.studies import frontal
from train.evaluate.groups import by_group, mean_of
from train.evaluate.outlines import on_labels, on_outlines, on_ratios
from train.localizer.mask_data import normal_images

SIDED = (Target(RIGHT_LUNG), Target(LEFT_LUNG), Target(OPACITY, "right"), Target(OPACITY, "left"))
GROUPED = (LUNGS, HEART, OPACITY)
LEAST = 5  # images of a group: there are few with masks
NORMAL_IMAGES = 60  # as many, from the first on, are asked for opacities


@dataclass(frozen=True, kw_only=True)
class LocalizerOptions:
    """The options of train.evaluate localizer."""

    weights: str = option("localizer's checkpoint", "weights/localizer")
    text: str | None = option(
        "text encoder; default: the folder that the checkpoint names, beside it", None
    )
    data: Path = option("masks with splits: a folder or a ZIP archive")
    boxes: Path | None = option("NIH's folder with boxes, for pointing and normal images", None)
    outlines: list[Path] = option("folders with ChestX-Det's outlines", [])
    labelled: list[Path] = option("folders with splits whose films have labels of findings", [])
    organs: list[Path] = option("further folders with masks of lungs and heart", [])
    compare: list[str] = option("NAME=FOLDER of checkpoints that are rows beside it", [])
    split: str = option("of the data sets", "test", choices=("train", "val", "test"))
    rounds: int = option("bootstrap rounds", 1000)
    seed: int = option("of the bootstrap", 0)
    write: bool = option("write metrics.json and the model card", False)


def measure_localizer(options: LocalizerOptions) -> dict:
    """Measure a checkpoint, and add one row for each of --compare.

    Returns:
        The numbers, JSON-able.

    Raises:
        ValueError: a data set or a checkpoint that cannot be read, a split without images, or a
            --compare without a name.
    """
    others = [name.partition("=") for name in options.compare]
    if any(not (name and folder) for name, _, folder in others):
        raise ValueError(f"expected --compare NAME=FOLDER, got {options.compare}")
    masked = [one for one in load_masked_images(options.data) if one.split == options.split]
    if not masked:
        raise ValueError(
            f"expected images in {options.data} ({options.split}), got none; use another split"
        )
    localizer = Localizer.load(options.weights, options.text)
    report = {
        "data": options.data.resolve().name,
        "split": options.split,
        "films": len(masked),
        "threshold": THRESHOLD,
        "weights_sha256": fingerprint(options.weights),
        **on_masks(localizer, masked, options.rounds, options.seed),
    }
    report["seconds_per_map"] = seconds_per_map(localizer, load_image(masked[0].image))
    if options.boxes:
        studies = load_split(options.boxes, load_studies(options.boxes, labels="mined"))[
            options.split
        ]
        report["pointing"] = on_boxes(localizer, frontal(studies), options.boxes)
        report["normal_films"] = on_normal_images(localizer, frontal(studies))
    report |= _on_further_sets(localizer, options)
    report["compared"] = [checkpoint_row("this checkpoint", options.weights, report)]
    for name, _, folder in others:
        other = Localizer.load(
            folder, options.text or _text_encoder_beside(options.weights, folder)
        )
        scores = on_masks(other, masked, options.rounds, options.seed)
        report["compared"].append(checkpoint_row(name, folder, scores))
    return report


def _on_further_sets(localizer: Localizer, options: LocalizerOptions) -> dict:
    """Outlined findings over all folders together, and organs by folder, with the heart's size."""
    report: dict = {}
    outlined = [
        one
        for root in options.outlines
        for one in load_outlined_images(root)
        if one.split == options.split
    ]
    if outlined and localizer.reader is not None:
        report["outlines"] = {
            "data": [root.resolve().name for root in options.outlines],
            **on_outlines(localizer, outlined, options.rounds, options.seed),
        }
    if options.labelled and localizer.reader is not None:
        labelled = [
            study
            for root in options.labelled
            for study in frontal(load_split(root, load_studies(root))[options.split])
        ]
        report["labels"] = {
            "data": [root.resolve().name for root in options.labelled],
            "findings": on_labels(localizer, labelled),
        }
    for root in options.organs:
        images = [one for one in load_masked_images(root) if one.split == options.split]
        entry = on_masks(localizer, images, options.rounds, options.seed)
        report.setdefault("organs", {})[root.resolve().name] = entry["targets"]
        if (root / "cardiothoracic_ratio.csv").is_file() and localizer.reader is not None:
            report["cardiothoracic_ratio"] = on_ratios(localizer, images, root)
    return report


def _text_encoder_beside(weights: str, folder: str) -> Path | None:
    """The text encoder for a run's folder, which has none beside it: that of the checkpoint."""
    about = read_config(resolve(folder)).get("text_encoder")
    return resolve(weights).resolve().parent / about["weights"] if about else None


def seconds_per_map(localizer: Localizer, image: Image.Image) -> float:
    """Wall-clock seconds from an image and a text to a map, the median of five."""
    times = []
    for _ in range(6):
        start = time.perf_counter()
        localizer.locate(image, OPACITY)  # which takes as long as any
        times.append(time.perf_counter() - start)
    return round(float(np.median(times[1:])), 3)


def annotated_mask(image: MaskedImage, target: str, size: tuple[int, int]) -> np.ndarray | None:
    """Where an image shows a target, by those who drew its masks.

    Args:
        image: with masks.
        target: one of cxr.anatomy.TARGETS.
        size: of the image, (width, height).

    Returns:
        Bool [H, W]; None when nobody looked for the target.
    """
    parts = (target,) if target in image.known else PARTS.get(target, ())
    if target not in image.known and not union_known(target, image.known):
        return None
    truth = np.zeros(size[::-1], bool)
    for part in parts:
        mask = image.mask(part, size)
        truth |= False if mask is None else mask
    return truth


class _MaskScores:
    """What maps of N masked images score, gathered image by image."""

    def __init__(self, count: int, targets: Sequence[str]) -> None:
        self.overlaps: dict[str, list[tuple[float, float]]] = {target: [] for target in targets}
        self.false_marks: dict[str, list[float]] = {target: [] for target in targets}
        self.wrong_sides: dict[str, list[bool]] = {query.prompt: [] for query in SIDED}
        self.dice = {target: np.full(count, np.nan) for target in GROUPED}  # by image

    def add(self, row: int, masks: dict[str, np.ndarray | None], marked: dict) -> None:
        """Add an image: masks by target, and what is marked, bool [H, W], by target and prompt."""
        for target, mask in masks.items():
            if mask is None:
                continue
            if mask.any():
                self.overlaps[target].append(
                    (dice(marked[target], mask), iou(marked[target], mask))
                )
                if target in self.dice:
                    self.dice[target][row] = self.overlaps[target][-1][0]
            else:
                self.false_marks[target].append(float(marked[target].mean()))
        lungs = masks[RIGHT_LUNG], masks[LEFT_LUNG]
        if lungs[0] is None or lungs[1] is None:
            return
        for query in SIDED:
            right, left = (int((marked[query.prompt] & lung).sum()) for lung in lungs)
            wrong = left > right if "right" in query.prompt else right > left
            self.wrong_sides[query.prompt].append(wrong)


def on_masks(localizer: Localizer, images: Sequence[MaskedImage], rounds: int, seed: int) -> dict:
    """Measure maps where masks were drawn.

    Returns:
        "targets": overlap where a target is present and the share of the image marked where it is
        absent; "sides": how often more is marked on the side that was not asked for; "groups": Dice
        of GROUPED by sex, age band and view.
    """
    targets = localizer.locatable
    scores = _MaskScores(len(images), targets)
    asked = [*targets, *(query.prompt for query in SIDED)]
    for row, one in enumerate(images):
        image = load_image(one.image)
        masks = {target: annotated_mask(one, target, image.size) for target in targets}
        found = zip(asked, localizer.find_all(image, asked))
        scores.add(row, masks, {text: place.heat >= THRESHOLD for text, place in found})
    measures = {target: mean_of(values, LEAST) for target, values in scores.dice.items()}
    return {
        "targets": {
            target: _entry(scores.overlaps[target], scores.false_marks[target], rounds, seed)
            for target in targets
            if scores.overlaps[target] or scores.false_marks[target]
        },
        "sides": {
            prompt: {"films": len(wrong), "wrong": int(sum(wrong))}
            for prompt, wrong in scores.wrong_sides.items()
            if wrong
        },
        "groups": by_group(images, measures, rounds, seed, LEAST),
    }


def _entry(overlaps: list, false_marks: list, rounds: int, seed: int) -> dict:
    entry: dict = {"films": len(overlaps), "absent_films": len(false_marks)}
    for place, name in enumerate(("dice", "iou")):
        if overlaps:
            entry[name] = _mean([pair[place] for pair in overlaps], rounds, seed)
    if false_marks:
        entry["false_marks"] = _mean(false_marks, rounds, seed)
    return entry


def _mean(values: Sequence[float], rounds: int, seed: int) -> dict[str, float]:
    """The mean over images and its 95% bootstrap interval."""
    numbers = np.array(values)
    return value_with_interval(lambda rows: float(numbers[rows].mean()), len(numbers), rounds, seed)


def on_boxes(localizer: Localizer, studies: Sequence[Study], root: Path) -> dict[str, dict]:
    """Measure the pointing game by target: how often the hottest place lies in a box of it.

    Boxes of what cannot be located are left out. "chance" is the boxes' mean share of the image.
    """
    boxes = load_boxes(root)
    found: dict[str, list[tuple[bool, float]]] = {}
    for study in studies:
        asked: dict[str, list] = {}
        for box in boxes.get(stem(study.image.name), ()):
            try:
                asked.setdefault(localizer.query(box.label).target, []).append(box.place)
            except ValueError:
                continue  # what cannot be located
        image = load_image(study.image) if asked else None
        for target, places in asked.items():
            hit = pointing_game(localizer.find(image, target).heat, np.array(places))
            share = min(1.0, sum(place[2] * place[3] for place in places))
            found.setdefault(target, []).append((hit, share))
    return {
        target: {
            "films": len(pairs),
            "hits": int(sum(hit for hit, _ in pairs)),
            "accuracy": round(float(np.mean([hit for hit, _ in pairs])), 4),
            "chance": round(float(np.mean([share for _, share in pairs])), 4),
        }
        for target, pairs in found.items()
    }


def on_normal_images(localizer: Localizer, studies: Sequence[Study]) -> dict:
    """The mean share of the image marked for each opacity in images read as normal."""
    images = normal_images(studies)[:NORMAL_IMAGES]
    found = [localizer.find_all(load_image(one.image), OPACITIES) for one in images]
    shares = {
        target: [float((maps[place].heat >= THRESHOLD).mean()) for maps in found]
        for place, target in enumerate(OPACITIES)
    }
    return {
        "films": len(images),
        **{target: round(float(np.mean(values)), 4) for target, values in shares.items() if values},
    }


def checkpoint_row(name: str, weights: str | Path, scores: dict) -> dict:
    """One row of the table of checkpoints."""
    config = read_config(resolve(weights))
    training = config.get("training", {})
    targets = scores["targets"]
    wrong = [e["false_marks"]["value"] for e in targets.values() if "false_marks" in e]
    return {
        "name": name,
        "fusion": config["architecture"].get("fusion", "language"),
        "phase_1": bool(training.get("phase_1")),
        "step": training.get("step"),
        "shuffled_text": bool(training.get("shuffled_text")),
        "reading": config.get("shares", {}).get(
            OPACITY, 0.0 if "fusion" in config["architecture"] else 1.0
        ),
        "dice": {t: e["dice"]["value"] for t, e in targets.items() if "dice" in e},
        "false_marks": round(float(np.mean(wrong)), 4) if wrong else None,
        "wrong_sides": sum(e["wrong"] for e in scores["sides"].values()),
    }
