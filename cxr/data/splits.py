"""Splits by patient, so that no patient is both learned from and tested on."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from pathlib import Path

from cxr.data.csv_table import find_columns, open_table
from cxr.data.image_index import stem
from cxr.findings import Study

SPLITS = ("train", "val", "test")
_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
log = logging.getLogger(__name__)


def split_studies(
    studies: Sequence[Study],
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> dict[str, list[Study]]:
    """Split studies into {"train": ..., "val": ..., "test": ...}, each in the order given.

    Arguments and errors as for split_by_patient.
    """
    split: dict[str, list[Study]] = {name: [] for name in SPLITS}
    for study in studies:
        split[split_by_patient(study.patient, fractions, seed)].append(study)
    return split


def split_by_patient(
    patient: str, fractions: tuple[float, float, float] = (0.8, 0.1, 0.1), seed: int = 0
) -> str:
    """The split of a patient: the same on every machine, whoever else is in the data set.

    Args:
        patient: the id, whose hash decides.
        fractions: expected shares of patients in train, val and test.
        seed: another one gives another split.

    Raises:
        ValueError: fractions are not three shares that sum to 1.
    """
    shares_are_odd = len(fractions) != 3 or min(fractions) < 0
    if shares_are_odd or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise ValueError(
            f"expected three shares (train, val, test) that sum to 1; got {fractions}; "
            "give for instance (0.8, 0.1, 0.1)"
        )
    place = _place(patient, seed)
    val_from, test_from = fractions[0], fractions[0] + fractions[1]
    return "train" if place < val_from else "val" if place < test_from else "test"


def _place(patient: str, seed: int) -> float:
    """The patient's place in [0, 1), uniform over patients."""
    digest = hashlib.sha256(f"{seed}:{patient}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48  # 48 bits: exact in a float, so never 1.0


def load_split(root: str | Path, studies: Sequence[Study]) -> dict[str, list[Study]]:
    """The published split in root/split.csv ("Image Index", "split"), else split_studies(studies).

    Rows and images are joined by stem; a study that split.csv does not name is left out with a
    warning. Raises ValueError when split.csv puts one patient into two splits.
    """
    path = Path(root) / "split.csv"
    if not path.is_file():
        return split_studies(studies)
    listed = _read_split(path)
    split: dict[str, list[Study]] = {name: [] for name in SPLITS}
    home: dict[str, str] = {}
    for study in studies:
        name = listed.get(stem(study.image.name if study.image else study.id))
        if name is None:
            continue
        if home.setdefault(study.patient, name) != name:
            raise ValueError(
                f"{path}: expected each patient in one split; got patient {study.patient} in "
                f"{home[study.patient]} and {name}; mend the split or delete it to have one made"
            )
        split[name].append(study)
    if unlisted := len(studies) - sum(map(len, split.values())):
        log.warning("%s does not name %d of %d studies: left out", path, unlisted, len(studies))
    return split


def _read_split(path: Path) -> dict[str, str]:
    columns, rows = open_table(path)
    image, split = find_columns(path, columns, ("Image Index", "split"))
    listed = {}
    for row in rows:
        name = _NAMES.get(row[split].strip().lower())
        if name is None:
            raise ValueError(
                f"{path}: expected train, val or test; got {row[split]!r} for {row[image]}; "
                "mend that row"
            )
        listed[stem(row[image])] = name
    return listed
