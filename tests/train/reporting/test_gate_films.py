"""How images are divided for the gate, and what is made of them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.findings import Study
from cxr.reporting import CHILD, FRONTAL, KINDS, FilmFeatures
from train.reporting import gate_films
from train.reporting.ood_gate import by_patient
from train.reporting.pictures import film_pictures


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
    for name in "abc":
        (tmp_path / name).touch()
    ages = {"a": [40] * 7 + [8, 8, 15], "b": [None] * 10, "c": [None] * 10}
    films = {
        name: [Study(f"{row}", name, f"{row}", tmp_path / name, age=age) for row, age in rows]
        for name, rows in ((name, enumerate(ages[name])) for name in "abc")
    }

    def features_of(retriever, pictures, cache, title):
        rows = np.array([[ord(picture.name[0])] for picture in pictures], np.float32)
        return FilmFeatures(rows, np.zeros((len(rows), 64, 64), np.uint8), rows)

    found = {}
    monkeypatch.setattr(gate_films, "features_of", features_of)
    monkeypatch.setattr(gate_films, "other_pictures", lambda *_: films_of("a"))
    monkeypatch.setattr(
        gate_films, "fit_gate", lambda pictures, val, *_: found.update(pictures, val=val)
    )

    def films_of(name):
        return film_pictures(films[name], FRONTAL)

    def count(features):
        return [int((features.embeddings == ord(name)).sum()) for name in "abc"]

    options = argparse.Namespace(cache=tmp_path, others=2, epochs=1, seed=0)
    train, val = [films["a"], films["b"]], [films["b"], [], films["a"]]
    _, counts = gate_films.fit_the_gate(None, train, val, [films["c"]], options)
    assert [count(part) for part in found.pop("val")] == [[0, 10, 0], [7, 0, 0]]
    assert counts == {kind: len(features) for kind, features in found.items()}
    made = dict.fromkeys(set(KINDS) - {FRONTAL, CHILD, "other"}, [2, 2, 2])
    of_people = {FRONTAL: [9, 12, 0], CHILD: [2, 0, 12]}  # every fifth jittered as well
    assert {kind: count(features) for kind, features in found.items()} == made | of_people | {
        "other": [10, 0, 0]
    }

    found.clear()
    gate_films.fit_the_gate(None, train, val, [], options)
    assert CHILD not in found and count(found[FRONTAL]) == [9, 12, 0]


def test_a_data_sets_own_split_is_kept(tmp_path):
    rows = ["image,target,mask,split"]
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number, split in enumerate(("train", "test", "val", "train")):
        for folder in ("images", "masks"):
            Image.new("L", (20, 20), 90).save(tmp_path / folder / f"{number}.png")
        rows.append(f"{number}.png,lungs,{number}.png,{split}")
    (tmp_path / "masks.csv").write_text("\n".join(rows) + "\n")
    parts = gate_films.hospital_parts(tmp_path)
    assert {name: [one.id for one in part] for name, part in parts.items()} == {
        "train": ["0", "3"],
        "val": ["2"],
        "test": ["1"],
    }
    (tmp_path / "masks.csv").unlink()
    assert sum(map(len, gate_films.hospital_parts(tmp_path).values())) == 4


def test_children_are_those_whose_age_says_so_or_all_where_no_age_is_known():
    ages = [3, 12, 13, 40, None]
    studies = [replace(study(row, row), age=age) for row, age in enumerate(ages)]
    assert gate_films.children_of(studies) == studies[:2]
    assert gate_films.children_of(studies[-1:]) == studies[-1:]
    assert [gate_films.is_adult(one) for one in studies] == [False, False, False, True, True]
