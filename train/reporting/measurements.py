"""What the localizer measures on many images, measured once and kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cxr.localization import PLAUSIBLE_RATIOS, Localizer
from cxr.reporting import HeartRatio, Measurements, measure_image
from train.common.feature_cache import cached_features, module_fingerprint
from train.reporting.pictures import Picture


def measurements_of(
    localizer: Localizer, pictures: Sequence[Picture], cache: Path, title: str = "measured"
) -> list[Measurements]:
    """Measure N pictures; from `cache` where this localizer has seen this list before.

    Raises:
        ValueError: a picture cannot be read.
    """
    levels = "" if localizer.reader is None else repr(localizer.reader.levels)
    heads = "" if localizer.presence is None else localizer.presence.fingerprint
    key = [
        module_fingerprint(localizer.model),
        levels + heads + repr(PLAUSIBLE_RATIOS),
        *(picture.name for picture in pictures),
    ]

    def measure() -> dict[str, torch.Tensor]:
        found = [
            asdict(measure_image(localizer, picture.open()))
            for picture in tqdm(pictures, desc=title, unit="film")
        ]
        data = np.frombuffer(json.dumps(found).encode(), np.uint8)
        return {"json": torch.from_numpy(data.copy())}

    records = json.loads(cached_features(cache, key, measure)["json"].numpy().tobytes())
    return [
        Measurements(**one | {"heart": HeartRatio(**one["heart"]) if one["heart"] else None})
        for one in records
    ]


def values_of(measured: Sequence[Measurements | None], finding: str) -> np.ndarray:
    """What enters the probability of a finding on N images: float64 [N], NaN where nothing does."""
    return np.array(
        [np.nan if one is None else one.values.get(finding, np.nan) for one in measured], float
    )
