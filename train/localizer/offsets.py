"""Set where a target's map crosses 0.5, on the validation split, and write it to config.json.

    python -m train.localizer.offsets --weights weights/localizer --data ROOT --folds runs/four

A network that has met its few masks often is sure of itself, and timid on films that differ; where
it begins to doubt says more than its 0.5. For each target but the lungs the level with the best
mean Dice, less the mean share falsely marked, is found, and its logit becomes the offset. Where
several levels are near the best (within 2%), the middle one is taken. --folds names localizers that
were trained alike with a fold of train and val left out (train.localizer --fold); what each says of
its own fold counts beside the validation split, which alone is small.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr.anatomy import LEFT_LUNG, LUNGS, RIGHT_LUNG, TARGETS
from cxr.checkpoints import read_config
from cxr.data import MaskedFilm, load_masked_films
from cxr.files import write_json
from cxr.images import load_image
from cxr.localization import THRESHOLD, Localizer
from cxr.metrics import dice
from train.common.options import command_line
from train.evaluate.localizer import truth_of
from train.localizer.mask_data import folded
from train.localizer.validation import LEVELS

COMMAND = "python -m train.localizer.offsets"
SHIFTED = tuple(target for target in TARGETS if target not in (LUNGS, RIGHT_LUNG, LEFT_LUNG))


def offset(level: float) -> float:
    """What brings the logit of a probability to 0."""
    return math.log((1 - level) / level)


def scores_at(seen: Sequence[tuple[Localizer, MaskedFilm]]) -> np.ndarray:
    """Mean Dice of films that show a target less the mean share marked in those that do not:
    float [len(SHIFTED)], NaN for what no film shows. seen: films, and who looks at each.
    """
    overlaps, falsely = ([[] for _ in SHIFTED] for _ in range(2))
    for localizer, film in seen:
        image = load_image(film.image)
        for place, found in enumerate(localizer.find_all(image, SHIFTED)):
            truth = truth_of(film, SHIFTED[place], image.size)
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
    """The middle of the levels whose score, float [len(LEVELS)], is within 2% of the best; None
    for one that no level marks.
    """
    if np.isnan(scores).all() or np.nanmax(scores) <= 0:
        return None
    good = np.flatnonzero(scores >= 0.98 * np.nanmax(scores))
    return LEVELS[good[len(good) // 2]]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path, default=Path("weights/localizer"))
    parser.add_argument("--text", help="text tower; default: the folder beside the weights")
    parser.add_argument("--data", type=Path, required=True, help="masks with a val split")
    parser.add_argument(
        "--folds",
        type=Path,
        nargs="*",
        default=[],
        help="localizers trained alike with a fold left out",
    )
    options = parser.parse_args(argv)
    films, seen, folds = load_masked_films(options.data), [], []
    for folder in (options.weights, *options.folds):
        about = dict(read_config(folder).get("training", {}))
        if folder != options.weights and not about.get("fold"):
            raise SystemExit(
                f"expected a localizer trained with --fold in {folder}; got one "
                "trained on the whole split"
            )
        held = [film for film in folded(films, about.get("fold")) if film.split == "val"]
        if not held:
            raise SystemExit(f"expected films of the val split in {options.data}; found none")
        localizer = Localizer.load(folder, options.text)
        seen += [(localizer, film) for film in held]
        about.pop("earlier", None)
        folds += [about] if folder != options.weights else []
    table = []
    for level in LEVELS:
        for localizer, _ in seen:
            localizer.offsets = dict.fromkeys(SHIFTED, offset(level))
        table.append(scores_at(seen))
    levels = {target: best_level(scores) for target, scores in zip(SHIFTED, np.transpose(table))}
    found = {target: round(offset(level), 3) for target, level in levels.items() if level}
    config = read_config(options.weights)
    training = {
        **config.get("training", {}),
        "offsets": {
            "command": command_line(COMMAND, options, parser),
            "films": len({film.id for _, film in seen}),
            "folds": folds,
        },
    }
    write_json(options.weights / "config.json", {**config, "training": training, "offsets": found})
    print(json.dumps({"levels": levels, "offsets": found}, indent=1))


if __name__ == "__main__":
    main()
