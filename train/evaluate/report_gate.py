"""What the gate of the report suggester refuses, and how often an image is called mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr.findings import Study
from cxr.localization import MIRRORED, Localizer
from cxr.metrics import value_with_interval
from cxr.reporting import CHILD, FRONTAL, FilmFeatures, ReportSuggester
from train.localizer.mirrored import offsets_of, shares_at
from train.reporting.features import features_of
from train.reporting.gate_films import (
    ADULT_FROM,
    CHILD_UNTIL,
    MADE,
    children_of,
    hospital_parts,
    is_adult,
    is_child,
)
from train.reporting.pictures import film_pictures, other_pictures

HELD_OUT = 5_000  # added to the seeds of what is made for measuring
YOUNG_UNTIL = 25  # years, of the youngest adults, who are most like children


def refused_at_home(
    suggester: ReportSuggester,
    films: FilmFeatures,
    studies: Sequence[Study],
    cache: Path,
    others: int,
    seed: int,
) -> dict:
    """Share of adults' frontal films refused, and of each kind of other picture let through."""

    def refused(pictures, title: str) -> np.ndarray:
        return suggester.gate.refused(features_of(suggester.retriever, pictures, cache, title))

    kinds = {"other pictures": refused(other_pictures(True, others), "other")}
    for place, kind in enumerate(MADE, 1):
        kinds[kind] = refused(film_pictures(studies[place % 2 :: 2], kind, HELD_OUT), kind)
    alarms = suggester.gate.refused(films)[np.array([is_adult(study) for study in studies])]
    whole = np.concatenate([values for kind, values in kinds.items() if kind != "part"])
    return {
        "false_alarms": value_with_interval(
            lambda r: float(alarms[r].mean()), len(alarms), 1000, seed
        ),
        "misses": value_with_interval(lambda r: float(1 - whole[r].mean()), len(whole), 1000, seed),
        "frontal_films": len(alarms),
        "other_pictures": len(whole),
        "refused": {kind: _share(values) for kind, values in kinds.items()},
        "limits": suggester.gate.limits,
    }


def refused_elsewhere(
    suggester: ReportSuggester,
    studies: Sequence[Study],
    films: FilmFeatures,
    further: tuple[Sequence[Path], Sequence[Path]],
    cache: Path,
    split: str,
) -> dict:
    """Share of films refused: of other hospitals' adults, of children, and of those between.

    Args:
        suggester: whose gate is asked.
        studies: of the data set that the rest is measured on.
        films: their features.
        further: the data sets of other hospitals, and those of children.
        cache: where features are kept.
        split: which part of each data set is taken.

    Returns:
        "adults" and "children" by data set; "ages", the young of `studies` by their ages; and
        "made", of every second film of other hospitals, each made into one other kind.
    """
    gate = suggester.gate

    def features(studies: Sequence[Study], kind: str, title: str, seed: int = 0) -> FilmFeatures:
        pictures = film_pictures(studies, kind, seed)
        return features_of(suggester.retriever, pictures, cache, title)

    def of_children(features: FilmFeatures) -> dict:
        named = [gate.judge(features.rows(np.array([row]))).kind for row in range(len(features))]
        called = round(float(np.mean([kind == CHILD for kind in named])), 4)
        return _share(gate.refused(features)) | {"called_child": called}

    adults: dict[str, dict] = {}
    made: dict[str, list[np.ndarray]] = {kind: [] for kind in MADE}
    for root in further[0]:
        own = [study for study in hospital_parts(root)[split] if is_adult(study)]
        adults[root.name] = _share(gate.refused(features(own, FRONTAL, root.name)))
        for place, kind in enumerate(MADE):
            if part := own[2 * place :: 10]:
                made[kind].append(gate.refused(features(part, kind, kind, HELD_OUT)))
    children = {
        root.name: of_children(
            features(children_of(hospital_parts(root)[split]), FRONTAL, root.name)
        )
        for root in further[1]
    }
    ages = np.array([np.nan if study.age is None else study.age for study in studies], float)
    bands = {
        f"up to {CHILD_UNTIL} years": np.array([is_child(study) for study in studies]),
        f"{CHILD_UNTIL + 1} to {ADULT_FROM - 1} years": (ages > CHILD_UNTIL) & (ages < ADULT_FROM),
        f"{ADULT_FROM} to {YOUNG_UNTIL} years": (ages >= ADULT_FROM) & (ages <= YOUNG_UNTIL),
    }
    return {
        "adults": adults,
        "children": children,
        "ages": {name: of_children(films.rows(rows)) for name, rows in bands.items() if rows.any()},
        "made": {kind: _share(np.concatenate(parts)) for kind, parts in made.items() if parts},
    }


def warned_of_mirroring(
    localizer: Localizer, studies: Sequence[Study], cache: Path
) -> dict[str, float]:
    """How often every second image is called mirrored, as it is and when it is mirrored."""
    found = {}
    for kind in (FRONTAL, "mirrored"):
        offsets = offsets_of(localizer, film_pictures(studies[::2], kind), cache, kind)
        found[f"warned_{kind}"] = shares_at(offsets, [MIRRORED])[0]
    return found


def _share(refused: np.ndarray) -> dict:
    return {"pictures": len(refused), "share": round(float(refused.mean()), 4)}
