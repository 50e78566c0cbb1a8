r"""Localization measured: overlap by target, false marks, sides and pointing, with intervals.

Every map is the one that the app shows: `Localizer.find` at the film's own size, asked in the
canonical words. Of NIH's and RSNA's boxes those of the split that is measured are pointed at.

    python -m train.evaluate localizer --weights weights/localizer --data ../shared/data/anatomy \\
        --boxes ../shared/data/nih --split test --compare "without phase 1=runs/scratch" ... --write
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
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
    TARGETS,
    union_known,
)
from cxr.checkpoints import fingerprint, read_config, resolve
from cxr.data import MaskedImage, load_boxes, load_masked_images, load_split, load_studies, stem
from cxr.findings import Study
from cxr.images import load_image
from cxr.localization import THRESHOLD, Localizer, Target, parse
from cxr.metrics import dice, iou, pointing_game, value_with_interval
from train.common.studies import frontal
from train.evaluate.groups import by_group, mean_of
from train.localizer.mask_data import normal_images

SIDED = (Target(RIGHT_LUNG), Target(LEFT_LUNG), Target(OPACITY, "right"), Target(OPACITY, "left"))
GROUPED = (LUNGS, HEART, OPACITY)
LEAST = 5  # films of a group: there are few with masks
NORMAL_FILMS = 60  # as many, from the first on, are asked for opacities


def add_localizer(commands) -> None:
    """The options of `python -m train.evaluate localizer`."""
    parser = commands.add_parser("localizer", help="masks by target, sides, boxes")
    add = parser.add_argument
    add("--weights", default="weights/localizer")
    add("--text", help="text tower; default: the folder that the checkpoint names, beside it")
    add("--data", type=Path, required=True, help="masks with splits: a folder or a ZIP archive")
    add("--boxes", type=Path, help="NIH's folder with boxes, for pointing and normal films")
    add("--compare", nargs="*", default=[], metavar="NAME=FOLDER", help="rows beside it")
    add("--split", default="test", choices=("train", "val", "test"))
    add("--rounds", type=int, default=1000, help="bootstrap rounds")
    add("--seed", type=int, default=0)
    add("--write", action="store_true", help="metrics.json and the model card")


def measure_localizer(options: argparse.Namespace) -> dict:
    """The report on a checkpoint, and one row for each of --compare, as JSON-able values.

    Raises ValueError for a data set or a checkpoint that cannot be read, a split without films, or
    a --compare without a name.
    """
    others = [name.partition("=") for name in options.compare]
    if any(not (name and folder) for name, _, folder in others):
        raise ValueError(f"expected --compare NAME=FOLDER; got {options.compare}")
    films = [film for film in load_masked_images(options.data) if film.split == options.split]
    if not films:
        raise ValueError(f"expected films in {options.data} ({options.split}), found none")
    localizer = Localizer.load(options.weights, options.text)
    report = {
        "data": options.data.resolve().name,
        "split": options.split,
        "films": len(films),
        "threshold": THRESHOLD,
        "weights_sha256": fingerprint(options.weights),
        **on_masks(localizer, films, options.rounds, options.seed),
    }
    report["seconds_per_map"] = seconds_per_map(localizer, load_image(films[0].image))
    if options.boxes:
        studies = load_split(options.boxes, load_studies(options.boxes, labels="mined"))[
            options.split
        ]
        report["pointing"] = on_boxes(localizer, frontal(studies), options.boxes)
        report["normal_films"] = on_normal_films(localizer, frontal(studies))
    report["compared"] = [row("this checkpoint", options.weights, report)]
    for name, _, folder in others:
        other = Localizer.load(folder, options.text or _tower_beside(options.weights, folder))
        scores = on_masks(other, films, options.rounds, options.seed)
        report["compared"].append(row(name, folder, scores))
    return report


def _tower_beside(weights: str, folder: str) -> Path | None:
    """A run's folder has no tower beside it: that of the checkpoint that is reported serves."""
    about = read_config(resolve(folder)).get("text_encoder")
    return resolve(weights).resolve().parent / about["weights"] if about else None


def seconds_per_map(localizer: Localizer, image: Image.Image) -> float:
    """Wall-clock seconds from a film and a text to a map, the median of five."""
    times = []
    for _ in range(6):
        start = time.perf_counter()
        localizer.locate(image, OPACITY)  # which takes as long as any
        times.append(time.perf_counter() - start)
    return round(float(np.median(times[1:])), 3)


def truth_of(film: MaskedImage, target: str, size: tuple[int, int]) -> np.ndarray | None:
    """Bool [H, W], where a film shows a target; None when nobody looked. size: (width, height)."""
    parts = (target,) if target in film.known else PARTS.get(target, ())
    if target not in film.known and not union_known(target, film.known):
        return None
    truth = np.zeros(size[::-1], bool)
    for path in (path for part in parts for path in film.masks.get(part, ())):
        mask = load_image(path)
        if mask.size != size:
            mask = mask.resize(size, Image.Resampling.BILINEAR)
        truth |= np.asarray(mask) > 127
    return truth


def on_masks(localizer: Localizer, films: Sequence[MaskedImage], rounds: int, seed: int) -> dict:
    """{"targets": overlap where a target is present and the share of the picture marked where it
    is absent, "sides": how often more is marked on the side that was not asked for, "groups": Dice
    of GROUPED by sex, age band and view}.
    """
    overlaps: dict[str, list[tuple[float, float]]] = {target: [] for target in TARGETS}
    falsely: dict[str, list[float]] = {target: [] for target in TARGETS}
    sides: dict[str, list[bool]] = {query.prompt: [] for query in SIDED}
    by_film = {target: np.full(len(films), np.nan) for target in GROUPED}  # Dice
    for place, film in enumerate(films):
        image = load_image(film.image)
        truths = {target: truth_of(film, target, image.size) for target in TARGETS}
        asked = [*TARGETS, *(query.prompt for query in SIDED)]
        found = dict(zip(asked, localizer.find_all(image, asked)))
        for target, truth in truths.items():
            if truth is None:
                continue
            marked = found[target].heat >= THRESHOLD
            if truth.any():
                overlaps[target].append((dice(marked, truth), iou(marked, truth)))
                if target in by_film:
                    by_film[target][place] = overlaps[target][-1][0]
            else:
                falsely[target].append(float(marked.mean()))
        lungs = [truths[lung] for lung in (RIGHT_LUNG, LEFT_LUNG)]
        for query in SIDED if all(lung is not None for lung in lungs) else ():
            marked = found[query.prompt].heat >= THRESHOLD
            right, left = (int((marked & lung).sum()) for lung in lungs)
            sides[query.prompt].append(left > right if "right" in query.prompt else right > left)
    return {
        "targets": {
            target: _entry(overlaps[target], falsely[target], rounds, seed)
            for target in TARGETS
            if overlaps[target] or falsely[target]
        },
        "sides": {
            prompt: {"films": len(wrong), "wrong": int(sum(wrong))}
            for prompt, wrong in sides.items()
            if wrong
        },
        "groups": by_group(
            films,
            {target: mean_of(values, LEAST) for target, values in by_film.items()},
            rounds,
            seed,
            LEAST,
        ),
    }


def _entry(overlaps: list, falsely: list, rounds: int, seed: int) -> dict:
    entry: dict = {"films": len(overlaps), "absent_films": len(falsely)}
    for place, name in enumerate(("dice", "iou")):
        if overlaps:
            entry[name] = _mean([pair[place] for pair in overlaps], rounds, seed)
    if falsely:
        entry["false_marks"] = _mean(falsely, rounds, seed)
    return entry


def _mean(values: Sequence[float], rounds: int, seed: int) -> dict[str, float]:
    """The mean over films and its 95% bootstrap interval."""
    numbers = np.array(values)
    return value_with_interval(lambda rows: float(numbers[rows].mean()), len(numbers), rounds, seed)


def on_boxes(localizer: Localizer, studies: Sequence[Study], root: Path) -> dict[str, dict]:
    """The pointing game by target: how often the hottest place lies in a box of it. `chance`: the
    boxes' mean share of the picture. Boxes of what cannot be located are left out.
    """
    boxes = load_boxes(root)
    found: dict[str, list[tuple[bool, float]]] = {}
    for study in studies:
        asked: dict[str, list] = {}
        for box in boxes.get(stem(study.image.name), ()):
            if query := parse(box.label):
                asked.setdefault(query.target, []).append(box.place)
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


def on_normal_films(localizer: Localizer, studies: Sequence[Study]) -> dict:
    """The mean share of the picture marked for each opacity in films read as normal."""
    films = normal_images(studies)[:NORMAL_FILMS]
    found = [localizer.find_all(load_image(film.image), OPACITIES) for film in films]
    shares = {
        target: [float((maps[place].heat >= THRESHOLD).mean()) for maps in found]
        for place, target in enumerate(OPACITIES)
    }
    return {
        "films": len(films),
        **{target: round(float(np.mean(values)), 4) for target, values in shares.items() if values},
    }


def row(name: str, weights: str | Path, scores: dict) -> dict:
    """One row of the table of checkpoints."""
    config = read_config(resolve(weights))
    training = config.get("training", {})
    targets = scores["targets"]
    wrong = [e["false_marks"]["value"] for e in targets.values() if "false_marks" in e]
    return {
        "name": name,
        "fusion": config["architecture"]["fusion"],
        "phase_1": bool(training.get("phase_1")),
        "step": training.get("step"),
        "shuffled_text": bool(training.get("shuffled_text")),
        "reading": config.get("shares", {}).get(OPACITY, 0.0),
        "dice": {t: e["dice"]["value"] for t, e in targets.items() if "dice" in e},
        "false_marks": round(float(np.mean(wrong)), 4) if wrong else None,
        "wrong_sides": sum(e["wrong"] for e in scores["sides"].values()),
    }
