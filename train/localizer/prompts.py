"""What the localizer is asked in training: queries, how often, and in which words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from cxr.anatomy import (
    AIRWAYS,
    CONSOLIDATION,
    DEVICES,
    GROUND_GLASS,
    HEART,
    LEFT_LUNG,
    LUNGS,
    OPACITIES,
    OPACITY,
    RIGHT_LUNG,
    SIDES,
    TARGETS,
    ZONES,
)
from cxr.localization import Target
from cxr.models import FrozenTextEncoder
from train.common.feature_cache import cached_features

PHRASES = {
    LUNGS: ("lungs", "both lungs", "the lung fields", "right and left lung", "lung"),
    RIGHT_LUNG: (
        "right lung",
        "lung on the right side",
        "the right lung field",
        "right-sided lung",
        "right hemithorax",
    ),
    LEFT_LUNG: (
        "left lung",
        "lung on the left side",
        "the left lung field",
        "left-sided lung",
        "left hemithorax",
    ),
    HEART: (
        "heart and mediastinum",
        "heart",
        "cardiac silhouette",
        "cardiomediastinal silhouette",
        "mediastinum",
    ),
    AIRWAYS: ("airways", "trachea and main bronchi", "trachea", "the windpipe"),
    OPACITY: ("opacity", "lung opacity", "opacities", "infiltrate", "pneumonia"),
    GROUND_GLASS: ("ground-glass opacity", "ground glass opacities", "hazy opacity", "GGO"),
    CONSOLIDATION: ("consolidation", "airspace consolidation", "dense consolidation"),
    DEVICES: (
        "tubes and lines",
        "tube",
        "catheter or tube",
        "support devices",
        "central line",
        "endotracheal tube",
    ),
}
_SIDED = ("{what} in the {side} lung", "{side} {what}", "{what} on the {side} side")
_ZONED = ("{what} in the {zone} zones", "{zone} zone {what}")
_PLACED = (
    "{what} in the {side} {zone} zone",
    "{side} {zone} zone {what}",
    "{what} in the {zone} third of the {side} lung",
)
_LUNG_ZONED = ("{zone} zone of the lungs", "{zone} zones", "{zone} lung fields")
_LUNG_PLACED = ("{side} {zone} zone of the lung", "{side} {zone} zone", "{side} {zone} lung field")
_WEIGHTS = {
    LUNGS: 1.5,
    RIGHT_LUNG: 1.5,
    LEFT_LUNG: 1.5,
    HEART: 2.0,
    AIRWAYS: 1.5,
    OPACITY: 1.5,
    GROUND_GLASS: 3.0,
    CONSOLIDATION: 3.0,
    DEVICES: 2.0,
}
_PLACED_WEIGHT, _LUNG_ZONE_WEIGHT = 3.0, 1.0  # of all queries with side or zone together


def weighted_queries() -> dict[Target, float]:
    """Every query of training -> how often it is drawn, relative to the others."""
    placed = [
        Target(what, side, zone)
        for what in OPACITIES
        for side in (None, *SIDES)
        for zone in (None, *ZONES)
        if side or zone
    ]
    zones = [Target(LUNGS, side, zone) for side in (None, *SIDES) for zone in ZONES]
    return {
        **{Target(target): _WEIGHTS[target] for target in TARGETS},
        **dict.fromkeys(placed, _PLACED_WEIGHT / len(placed)),
        **dict.fromkeys(zones, _LUNG_ZONE_WEIGHT / len(zones)),
    }


def wordings(query: Target) -> list[str]:
    """The canonical prompt and paraphrases of it, without repetition."""
    forms: tuple[str, ...] = ("{what}",)
    whats = PHRASES.get(query.target, (query.target,))
    if query.target == LUNGS and query.zone:
        forms, whats = (_LUNG_PLACED if query.side else _LUNG_ZONED), ("",)
    elif query.side and query.zone:
        forms = _PLACED
    elif query.side or query.zone:
        forms = _SIDED if query.side else _ZONED
    made = [
        form.format(what=what, side=query.side, zone=query.zone) for what in whats for form in forms
    ]
    return list(dict.fromkeys([query.prompt, *made]))


class TextBank:
    """Embeddings of many texts, computed once and kept on disk: the text encoder is frozen."""

    def __init__(self, encoder: FrozenTextEncoder, texts: Iterable[str], cache: Path) -> None:
        """Embed the texts, or find those of an earlier run under `cache`."""
        known = sorted(set(texts))
        key = [encoder.fingerprint, *known]
        self.rows = cached_features(cache, key, lambda: {"texts": encoder.encode_text(known)})[
            "texts"
        ]
        self._places = {text: row for row, text in enumerate(known)}

    def __call__(self, texts: Iterable[str]) -> torch.Tensor:
        """Texts that it was made with -> float32 [N, D], unit rows."""
        return self.rows[[self._places[text] for text in texts]]
