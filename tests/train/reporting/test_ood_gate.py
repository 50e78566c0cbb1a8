"""How other hospitals' images are divided for the gate, and what is made of them."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cxr.findings import Study
from cxr.reporting import FRONTAL, KINDS, FilmFeatures
from train.reporting import train
from train.reporting.ood_gate import by_patient


def study(number: int, patient: int, view: str = "PA") -> Study:
    return Study(f"{number}", "elsewhere", f"{patient}", Path("x.png"), view=view)


def test_a_patient_is_in_one_part_and_half_of_them_are_to_train():
    studies = [study(3 * patient + copy, patient) for patient in range(200) for copy in range(3)]
    parts = by_patient(studies)
    assert sorted(one.id for part in parts.values() for one in part) == sorted(
        one.id for one in studies
    )
    patients = {name: {one.patient for one in part} for name, part in parts.items()}
    assert not patients["train"] & patients["val"] and not patients["val"] & patients["test"]
    assert 80 <= len(patients["train"]) <= 120 and 30 <= len(patients["test"]) <= 70


def test_lateral_images_are_left_out():
    assert by_patient([study(1, 1, "lateral")]) == {"train": [], "val": [], "test": []}


def test_the_gate_meets_films_of_every_hospital_in_every_kind(monkeypatch, tmp_path):
    for name in "ab":
        (tmp_path / name).touch()
    films = {
        name: [Study(f"{row}", name, f"{row}", tmp_path / name) for row in range(10)]
        for name in "ab"
    }

    def features_of(retriever, pictures, cache, title):
        rows = np.array([[ord(picture.name[0])] for picture in pictures], np.float32)
        return FilmFeatures(rows, np.zeros((len(rows), 64, 64), np.uint8), rows)

    found = {}
    monkeypatch.setattr(train, "features_of", features_of)
    monkeypatch.setattr(train, "other_pictures", lambda *_: films_of("a"))
    monkeypatch.setattr(
        train, "fit_gate", lambda pictures, val, *_: found.update(pictures, val=val)
    )

    def films_of(name):
        return train.film_pictures(films[name], FRONTAL)

    options = argparse.Namespace(cache=tmp_path, others=2, epochs=1, seed=0)
    train.fit_the_gate(None, list(films.values()), [films["b"], [], films["a"]], options)
    counts = {
        kind: [int((features.embeddings == ord(name)).sum()) for name in "ab"]
        for kind, features in found.items()
    }
    made = dict.fromkeys(set(KINDS) - {FRONTAL, "other"}, [2, 2])
    assert counts == made | {FRONTAL: [12, 12], "other": [10, 0], "val": [10, 10]}
