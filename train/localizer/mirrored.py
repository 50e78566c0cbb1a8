"""How well the place of the heart tells mirrored images, and at which limit.

    python -m train.localizer.mirrored --weights weights/localizer --data ROOT ROOT

Measures cxr.localization's heart offset on the validation films of each data set, as they are and
mirrored, and prints one JSON document: for each limit the share of both that would be called
mirrored, and the highest limit at which no more than FALSE_WARNINGS of the films as they are would.
That limit is MIRRORED in cxr.localization.mirrored.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cxr.anatomy import HEART
from cxr.localization import Localizer, heart_offset
from cxr.reporting import FRONTAL
from train.common.feature_cache import cached_features, module_fingerprint
from train.common.options import option, parse_options
from train.reporting.gate_films import hospital_parts, is_adult
from train.reporting.pictures import Picture, film_pictures

LIMITS = tuple(round(float(value), 3) for value in np.arange(-0.02, 0.0501, 0.005))
FALSE_WARNINGS = 0.01


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.localizer.mirrored."""

    weights: str = option("localizer that finds the heart", "weights/localizer")
    data: list[Path] = option("data sets whose validation films are measured")
    cache: Path = option("where offsets are kept", Path(".cache/mirrored"))


def offsets_of(
    localizer: Localizer, pictures: Sequence[Picture], cache: Path, title: str
) -> np.ndarray:
    """Heart offsets of N pictures, float64 [N]; NaN where none is measured. Kept in `cache`."""
    levels = "" if localizer.reader is None else repr(localizer.reader.levels)
    names = [picture.name for picture in pictures]
    key = [module_fingerprint(localizer.model), levels, "heart offset", *names]

    def measure() -> dict[str, torch.Tensor]:
        found = [
            heart_offset(*localizer.find(picture.open(), HEART).maps)
            for picture in tqdm(pictures, desc=title, unit="film")
        ]
        values = [np.nan if one is None else one for one in found]
        return {"offsets": torch.tensor(values, dtype=torch.float64)}

    return cached_features(cache, key, measure)["offsets"].numpy()


def shares_at(offsets: np.ndarray, limits: Sequence[float] = LIMITS) -> list[float]:
    """The share of images called mirrored at each limit. offsets: float [N], NaN for unmeasured."""
    return [round(float((offsets <= limit).mean()), 4) for limit in limits]


def best_limit(as_they_are: Sequence[float], limits: Sequence[float] = LIMITS) -> float | None:
    """The highest of the limits at which no more than FALSE_WARNINGS of images are called so."""
    fit = [limit for limit, share in zip(limits, as_they_are) if share <= FALSE_WARNINGS]
    return max(fit, default=None)


def measure(options: Options) -> dict:
    """Measure what the options ask for, as JSON-able values.

    Raises:
        ValueError: a data set or a checkpoint cannot be read.
    """
    localizer = Localizer.load(options.weights)
    found: dict[str, list[np.ndarray]] = {FRONTAL: [], "mirrored": []}
    sets = {}
    for root in options.data:
        studies = [study for study in hospital_parts(root)["val"] if is_adult(study)]
        sets[root.resolve().name] = len(studies)
        for kind, parts in found.items():
            pictures = film_pictures(studies, kind)
            parts.append(offsets_of(localizer, pictures, options.cache, f"{root.name} {kind}"))
    shares = {kind: shares_at(np.concatenate(parts)) for kind, parts in found.items()}
    limit = best_limit(shares[FRONTAL])
    by_set = {
        name: {kind: shares_at(parts[place], [limit or 0.0])[0] for kind, parts in found.items()}
        for place, name in enumerate(sets)
    }
    return {"films": sets, "limits": LIMITS, **shares, "limit": limit, "at_limit": by_set}


if __name__ == "__main__":
    chosen = parse_options(Options, sys.argv[1:], __doc__, "train.localizer.mirrored")
    print(json.dumps(measure(chosen), indent=1))
