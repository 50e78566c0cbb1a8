"""How other hospitals' images are divided for the gate."""

from __future__ import annotations

from pathlib import Path

from cxr.findings import Study
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
