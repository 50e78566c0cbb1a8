"""A localizer measured on what radiologists outlined, on labels, and on the heart's size.

Maps and answers are those of `Localizer.find`: what the page shows. Where a finding counts as not
found its map stays below one half and marks nothing; how well maps lie where something is to be
found is said apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr.anatomy import HEART_ALONE
from cxr.data import MaskedImage, load_cardiothoracic_ratios
from cxr.findings import OUTLINED, Study
from cxr.images import load_image
from cxr.localization import THRESHOLD, Localizer
from cxr.metrics import dice, value_with_interval

POINTED = (  # the issue's: what the mean of pointing is taken over
    "consolidation",
    "pleural effusion",
    "cardiomegaly",
    "pneumothorax",
    "nodule",
    "fracture",
    "atelectasis",
)


def on_outlines(
    localizer: Localizer, images: Sequence[MaskedImage], rounds: int, seed: int
) -> dict:
    """Measure every outlined finding that is not refused.

    Args:
        localizer: with a patch decoder.
        images: read for OUTLINED.
        rounds: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        "targets": of each finding the films that show it; Dice as shown, and of the map alone
        ("dice_of_map", whether or not the film counts as showing it); how often the hottest place
        lies on the outline; how many are found; and the mean share of the image marked, and how
        many are found, where it is absent. "refused": findings without an answer. "pointing": over
        all films of POINTED. "without_finding": films read as showing none of them, and of each
        finding the share in which it is found; "any" of them.
    """
    targets = [name for name in OUTLINED if name in localizer.locatable]
    rows: dict[str, list[dict]] = {name: [] for name in targets}
    quiet = []
    for one in images:
        image = load_image(one.image)
        reading = {place.query.target: place for place in localizer.find_all(image, targets)}
        whole = localizer.maps_alone(image)
        for name in targets:
            truth = one.mask(name, image.size)
            assert truth is not None, "the images were read for all of OUTLINED"
            heat = reading[name].heat
            rows[name].append(_row(reading[name].present, heat, whole[name], truth))
        if not one.shapes:
            quiet.append({name: rows[name][-1]["found"] for name in targets})
    scored = {name: _entry(found, rounds, seed) for name, found in rows.items()}
    hits = [r["hit"] for name in POINTED for r in rows.get(name, ()) if r["shown"]]
    every = sum(bool(one.shapes.get(name)) for one in images for name in POINTED)
    return {
        "films": len(images),
        "targets": scored,
        "refused": [name for name in OUTLINED if name not in targets],
        "pointing": {
            "films": len(hits),
            "accuracy": round(float(np.mean(hits)), 4) if hits else None,
            "films_with_refused": every,
            "accuracy_with_refused": round(sum(hits) / every, 4) if every else None,
        },
        "without_finding": {
            "films": len(quiet),
            "any": round(float(np.mean([any(one.values()) for one in quiet])), 4)
            if quiet
            else None,
            "targets": {
                name: round(float(np.mean([one[name] for one in quiet])), 4) if quiet else None
                for name in targets
            },
        },
    }


def _row(present: bool, heat: np.ndarray, alone: np.ndarray, truth: np.ndarray) -> dict:
    """One film and finding. heat: as shown; alone: the map by itself; truth: bool; all [H, W]."""
    marked, shown = heat >= THRESHOLD, bool(truth.any())
    found = present and bool(marked.any())
    row = {"shown": shown, "found": found, "marked": float(marked.mean())}
    if shown:
        row["dice"] = dice(marked, truth)
        row["dice_of_map"] = dice(alone >= THRESHOLD, truth)
        row["hit"] = bool(truth.flat[int(alone.argmax())])
    return row


def _entry(rows: Sequence[dict], rounds: int, seed: int) -> dict:
    shown = [row for row in rows if row["shown"]]
    absent = [row for row in rows if not row["shown"]]
    entry: dict = {"films": len(shown), "absent_films": len(absent)}
    for name in ("dice", "dice_of_map", "hit", "found"):
        if shown:
            entry["pointing" if name == "hit" else name] = _mean(
                [float(row[name]) for row in shown], rounds, seed
            )
    if absent:
        entry["false_marks"] = _mean([row["marked"] for row in absent], rounds, seed)
        entry["falsely_found"] = round(float(np.mean([row["found"] for row in absent])), 4)
    return entry


def _mean(values: Sequence[float], rounds: int, seed: int) -> dict[str, float]:
    numbers = np.array(values)
    return value_with_interval(lambda rows: float(numbers[rows].mean()), len(numbers), rounds, seed)


def on_labels(localizer: Localizer, studies: Sequence[Study]) -> dict[str, dict]:
    """How often a finding counts as found where a film is labelled as showing it, and where not.

    Args:
        localizer: with a patch decoder.
        studies: frontal ones, with the best labels that there are of each.

    Returns:
        By finding that is not refused "films" that show it, "sensitivity", "absent" films and
        "falsely_found", the share of those; and of the films read by a panel alone the same with
        "panel_" before.
    """
    names = [name for name in OUTLINED if name in localizer.locatable]
    found: dict[str, list[tuple[bool, bool, bool]]] = {name: [] for name in names}
    for study in studies:
        if study.image is None:
            continue
        answers = localizer.find_all(load_image(study.image), names)
        for name, answer in zip(names, answers):
            label = study.findings.get(name)
            if label in (0, 1):
                panel = study.label_source == "expert"
                found[name].append((label == 1, answer.present, panel))
    return {name: _counted(rows) for name, rows in found.items() if rows}


def _counted(rows: Sequence[tuple[bool, bool, bool]]) -> dict:
    entry: dict = {}
    for prefix, chosen in (("", rows), ("panel_", [row for row in rows if row[2]])):
        shown = [found for label, found, _ in chosen if label]
        absent = [found for label, found, _ in chosen if not label]
        entry |= {f"{prefix}films": len(shown), f"{prefix}absent": len(absent)}
        if shown:
            entry[f"{prefix}sensitivity"] = round(float(np.mean(shown)), 4)
        if absent:
            entry[f"{prefix}falsely_found"] = round(float(np.mean(absent)), 4)
    return entry


def on_ratios(localizer: Localizer, images: Sequence[MaskedImage], root: Path) -> dict:
    """The cardiothoracic ratio against those measured by hand.

    Returns:
        "films", "mean_error" (absolute), "bias", "correlation", and "inside", the share of hand
        measures within the interval that is stated; films where none could be measured.
    """
    by_hand, pairs, missed, inside = load_cardiothoracic_ratios(root), [], 0, []
    for one in images:
        if one.id not in by_hand:
            continue
        ratio = localizer.find(load_image(one.image), HEART_ALONE).ratio
        if ratio is None:
            missed += 1
            continue
        pairs.append((ratio.value, by_hand[one.id]))
        inside.append(ratio.low <= by_hand[one.id] <= ratio.high)
    ours, theirs = np.array(pairs).reshape(-1, 2).T
    return {
        "films": len(pairs),
        "missed": missed,
        "mean_error": round(float(np.abs(ours - theirs).mean()), 4),
        "bias": round(float((ours - theirs).mean()), 4),
        "correlation": round(float(np.corrcoef(ours, theirs)[0, 1]), 4),
        "inside": round(float(np.mean(inside)), 4),
    }
