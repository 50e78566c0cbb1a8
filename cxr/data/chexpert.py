"""CheXpert as published: train.csv and valid.csv beside train/ and valid/ (Irvin et al. 2019).

Labels are 1 present, 0 absent, -1 uncertain; a blank means "not mentioned" and gives no key.
Age 0 means unknown, 90 means 90 or older. https://stanfordmlgroup.github.io/competitions/chexpert/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from cxr.data.csv_table import find_columns, noted, open_table, parse_age, read_labels
from cxr.data.image_index import stem
from cxr.data.loaded import Loaded, Notes
from cxr.findings import CHEXPERT_FINDINGS, CHEXPERT_NAMES, Study, canonical_finding, canonical_sex

ABOUT = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA")
TABLES = ("train.csv", "valid.csv")
_PUBLISHED = {ours: name for name, ours in CHEXPERT_NAMES.items()}
_LABEL_SOURCE = {"train.csv": "mined", "valid.csv": "expert"}  # the latter by three radiologists
_SEX = {"Female": "F", "Male": "M"}
LICENCE = "Stanford University Dataset Research Use Agreement"


def find_tables(root: Path) -> list[Path]:
    """train.csv and valid.csv in root, or in the one CheXpert folder inside it."""
    for folder in (root, *sorted(root.glob("CheXpert-v1.0*"))):
        if tables := [folder / name for name in TABLES if (folder / name).is_file()]:
            return tables
    return []


def read_chexpert(root: Path) -> Loaded:
    """All rows of train.csv and valid.csv whose image is there. ValueError on other columns."""
    tables = find_tables(root)
    if not tables:
        raise ValueError(
            f"{root}: expected CheXpert's train.csv or valid.csv; got a folder without them; "
            "give the folder CheXpert-v1.0-small or the one around it"
        )
    studies: list[Study] = []
    notes = Notes()
    for table in tables:
        studies.extend(_read_table(table, notes))
    return notes.loaded(studies, "chexpert")


def _read_table(table: Path, notes: Notes) -> Iterator[Study]:
    columns, rows = open_table(table)
    # The first release says "Airspace Opacity" for Lung Opacity.
    named = [_PUBLISHED.get(canonical_finding(name) or "", name) for name in columns]
    places = find_columns(table, named, (*ABOUT, *CHEXPERT_NAMES))
    cells = itemgetter(*places)
    locate = _Locator(table.parent)
    for row in rows:
        name, sex, age, side, projection, *labels = cells(row)
        name = name.strip()
        image = locate(name)
        if image is None:
            notes.lack(name)
            continue
        parts = name.rsplit("/", 3)
        yield Study(
            id=os.path.splitext("_".join(parts[-3:]))[0],
            source="CheXpert",
            patient=parts[-3] if len(parts) > 2 else stem(name),
            image=Path(image),
            view=_view(side, projection),
            sex=_SEX.get(sex) or noted(canonical_sex, sex, "sex not understood", notes),
            age=parse_age(age, notes) or None,
            findings=read_labels(labels, CHEXPERT_FINDINGS, notes),
            licence=LICENCE,
            label_source=_LABEL_SOURCE[table.name],
        )


def _view(side: str, projection: str) -> str | None:
    if side == "Lateral":
        return "lateral"
    if projection in ("AP", "PA"):
        return projection
    return "frontal" if side == "Frontal" else None


class _Locator:
    """Turns "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg" into a file's path.

    The data set's folder may be named or not, and a resized copy may have another suffix; what
    fitted last is tried first. Each image is asked for by itself: CheXpert has more folders (65,000
    patients, 188,000 studies) than images (224,000), so that listing them all costs more.
    """

    def __init__(self, folder: Path) -> None:
        suffixes = ("", ".jpg", ".png", ".jpeg", ".webp")
        tops = ((folder, True), (folder, False), (folder.parent, False))
        self._ways = [(f"{top}{os.sep}", drop, s) for s in suffixes for top, drop in tops]
        self._splits: dict[str, bool] = {}

    def __call__(self, name: str) -> str | None:
        for place, (prefix, drop, suffix) in enumerate(self._ways):
            tail = name.partition("/")[2] if drop else name
            if suffix:
                tail = os.path.splitext(tail)[0] + suffix
            image = prefix + tail
            if (not place or self._has_split(image)) and os.path.exists(image):
                if place:
                    self._ways.insert(0, self._ways.pop(place))
                return image
        return None

    def _has_split(self, image: str) -> bool:
        """Whether train/ or valid/ of this path exists: asked once, it saves 15 looks a row."""
        folder = image.rsplit("/", 3)[0]
        if folder not in self._splits:
            self._splits[folder] = os.path.isdir(folder)
        return self._splits[folder]
