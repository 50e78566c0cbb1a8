"""Findings that radiologists outlined, as shapes that can be drawn at any size.

chestxdet.json             ChestX-Det (Lian et al. 2021): polygons of thirteen findings, in
                           pixels of NIH's original, 1024 a side. An image that is listed was
                           read for all thirteen: those without a polygon are absent.
nodules.csv                JSRT (Shiraishi et al. 2000): the center of each nodule in pixels of
                           the original, 2048 a side, and its size in mm; images without a
                           nodule are listed too.
cardiothoracic_ratio.csv   the ratio measured by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cxr.data.csv_table import find_columns, open_table, parse_age
from cxr.data.image_index import SUFFIXES, stem
from cxr.data.load import load_split, load_studies
from cxr.data.loaded import Notes
from cxr.data.masks import MaskedImage, load_masked_images
from cxr.data.shapes import CHESTXDET, Disc, Shape, read_chestxdet
from cxr.findings import OUTLINED, canonical_sex

NODULES, RATIOS = "nodules.csv", "cardiothoracic_ratio.csv"
NODULE = "nodule"
_JSRT_SIDE, _JSRT_PIXEL = 2048, 0.175  # pixels, mm


def load_outlined_images(root: str | Path) -> list[MaskedImage]:
    """Load the images below root with outlines and the targets that were looked for on each.

    Args:
        root: a folder with chestxdet.json, whose images have a table of NIH's or none, or with
            nodules.csv. Images that are listed and not there are left out.

    Returns:
        In the order of their ids. A target of `known` without shapes is absent: its mask is empty.
        The split is that of split.csv, of masks.csv, or train.

    Raises:
        ValueError: neither file is there, or what it holds cannot be read.
    """
    root = Path(root).expanduser()
    if (root / CHESTXDET).is_file():
        images = _from_chestxdet(root)
    elif (root / NODULES).is_file():
        images = _from_nodules(root)
    else:
        raise ValueError(
            f"{root}: expected {CHESTXDET} or {NODULES}; got a folder without them; give the "
            "folder that holds them"
        )
    return sorted(images, key=lambda image: image.id)


def load_cardiothoracic_ratios(root: str | Path) -> dict[str, float]:
    """The ratios that were measured by hand: {stem of the image's name: ratio in (0, 1)}.

    Images whose ratio is blank are left out. Raises ValueError when cardiothoracic_ratio.csv is not
    there, lacks a column, or holds anything but a ratio.
    """
    path = Path(root).expanduser() / RATIOS
    columns, rows = open_table(path)
    image, ratio = find_columns(path, columns, ("image", "ratio"))
    ratios = {}
    for row in rows:
        cell = row[ratio].strip()
        if not cell:
            continue
        value = _number(cell)
        if not 0 < value < 1:
            raise ValueError(f"{path}: expected a ratio between 0 and 1, got {cell!r}; correct it")
        ratios[stem(row[image])] = value
    return ratios


def _from_chestxdet(root: Path) -> list[MaskedImage]:
    studies = load_studies(root, labels="mined")
    split = {"train": studies}
    if (root / "split.csv").is_file():
        split = load_split(root, studies)
    outlines = read_chestxdet(root)
    return [
        MaskedImage(
            id=stem(study.image.name),
            image=study.image,
            patient=study.patient,
            split=name,
            known=frozenset(OUTLINED),
            shapes=outlines[stem(study.image.name)],
            sex=study.sex,
            age=study.age,
            view=study.view,
        )
        for name, part in split.items()
        for study in part
        if study.image is not None and stem(study.image.name) in outlines
    ]


def _from_nodules(root: Path) -> list[MaskedImage]:
    path = root / NODULES
    columns, rows = open_table(path)
    wanted = ("image", "size_mm", "age", "sex", "x_of_2048", "y_of_2048")
    places = find_columns(path, columns, wanted)
    images = {
        stem(file.name): file
        for file in (root / "images").glob("*")
        if file.suffix.lower() in SUFFIXES
    }
    splits = _splits(root)
    found: dict[str, MaskedImage] = {}
    for row in rows:
        name, *sides, age, sex = (row[places[i]].strip() for i in (0, 1, 4, 5, 2, 3))
        key = stem(name)
        if key not in images:
            continue
        if key not in found:
            about = (key, images[key], key, splits.get(key, "train"))
            found[key] = MaskedImage(
                *about,
                known=frozenset((NODULE,)),
                sex=canonical_sex(sex),
                age=parse_age(age, Notes()),
            )
        if any(sides):
            size, x, y = (_number(side) for side in sides)
            if not (size > 0 and 0 <= x < _JSRT_SIDE and 0 <= y < _JSRT_SIDE):
                raise ValueError(f"{path}: expected a size and a place, got {row}; correct it")
            disc = Disc(x / _JSRT_SIDE, y / _JSRT_SIDE, size / 2 / _JSRT_PIXEL / _JSRT_SIDE)
            former = found[key].shapes.get(NODULE, ())
            shapes: Mapping[str, tuple[Shape, ...]] = {NODULE: (*former, disc)}
            found[key] = replace(found[key], shapes=shapes)
    return list(found.values())


def _splits(root: Path) -> dict[str, str]:
    """The split of each image that masks.csv names; empty when there is none."""
    if not (root / "masks.csv").is_file():
        return {}
    return {image.id: image.split for image in load_masked_images(root)}


def _number(cell: str) -> float:
    """The number of a cell; NaN, which lies in no range, for anything else."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")
