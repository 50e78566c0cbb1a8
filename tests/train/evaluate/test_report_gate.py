"""What the gate refuses of other hospitals' films and of children's, counted by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cxr.findings import Study
from cxr.reporting import CHILD, FRONTAL, FilmFeatures
from train.evaluate import report_gate
from train.reporting.pictures import Picture


class Gate:
    """Refuses what its embedding says, and calls it a child's where that is above 1."""

    limits = {"kind": 1.0}

    def refused(self, films: FilmFeatures) -> np.ndarray:
        return films.embeddings[:, 0] > 0

    def judge(self, films: FilmFeatures) -> SimpleNamespace:
        return SimpleNamespace(kind=CHILD if films.embeddings[0, 0] > 1 else FRONTAL)


def studies(source: str, ages: list[int | None]) -> list[Study]:
    return [
        Study(f"{row}", source, f"{row}", Path(source), age=age) for row, age in enumerate(ages)
    ]


def features(values: list[float]) -> FilmFeatures:
    rows = np.array(values, float)[:, None]
    return FilmFeatures(rows, np.zeros((len(rows), 64, 64), np.uint8), rows)


@pytest.fixture
def suggester(monkeypatch) -> SimpleNamespace:
    parts = {
        "far": studies("far", [None] * 10),
        "kids": studies("kids", [5, 12, 13, 60]),
    }
    monkeypatch.setattr(report_gate, "hospital_parts", lambda root: {"val": parts[root.name]})

    def pictures(studies, kind, seed=0):
        return [Picture(f"{one.image}|{kind}|{one.id}|{seed}", None) for one in studies]

    def features_of(retriever, pictures, cache, title):
        told = {"far|frontal": 0, "kids|frontal": 2}  # what is made of films is refused
        names = [picture.name.split("|") for picture in pictures]
        return features([told.get("|".join(name[:2]), 1) for name in names])

    monkeypatch.setattr(report_gate, "film_pictures", pictures)
    monkeypatch.setattr(report_gate, "features_of", features_of)
    return SimpleNamespace(gate=Gate(), retriever=None)


def test_each_share_is_of_those_whom_it_names(suggester):
    own = studies("home", [40, 22, 25, 26, 15, 8, None])
    films = features([1, 0, 1, 0, 0, 2, 0])
    further = [Path("far")], [Path("kids")]
    found = report_gate.refused_elsewhere(suggester, own, films, further, Path(), "val")
    assert found["adults"] == {"far": {"pictures": 10, "share": 0.0}}
    assert found["children"] == {"kids": {"pictures": 2, "share": 1.0, "called_child": 1.0}}
    assert found["made"] == dict.fromkeys(report_gate.MADE, {"pictures": 1, "share": 1.0})
    assert found["ages"] == {
        "up to 12 years": {"pictures": 1, "share": 1.0, "called_child": 1.0},
        "13 to 17 years": {"pictures": 1, "share": 0.0, "called_child": 0.0},
        "18 to 25 years": {"pictures": 2, "share": 0.5, "called_child": 0.0},
    }


def test_false_alarms_are_counted_on_adults_alone(suggester, monkeypatch):
    monkeypatch.setattr(
        report_gate, "other_pictures", lambda *_: [Picture("other|other|0", None)] * 4
    )
    own = studies("home", [40, 50, 8, None])
    films = features([1, 0, 2, 0])
    found = report_gate.refused_at_home(suggester, films, own, Path(), 4, 0)
    assert found["frontal_films"] == 3
    assert found["false_alarms"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["misses"]["value"] == 0 and found["other_pictures"] == 4 + 4 * 2
