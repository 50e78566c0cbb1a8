"""Images with masks of what they show, and images with boxes, as they are published.

Masks come in two layouts:

    masks.csv      columns image, target, mask and perhaps split; images/ and masks/ beside it, and
                   perhaps images.csv with image, split and patient_id, or studies.csv with image
                   and patient_id, both perhaps with sex, age and view. A target that the file names
                   anywhere was looked for in every image of it and of images.csv: where it has no
                   row it is absent; but one of ALWAYS, which everyone has, was not drawn there.
    masked/        Open-I's images in images/images_normalized with indiana_reports.csv and
                   indiana_projections.csv; a mask has its image's name, perhaps with "_mask". A
                   folder inside masked/ names the target; else the report's problems do, or its
                   impression. What else an image shows is not known.

Boxes are NIH's BBox_List_2017.csv and rsna_boxes.csv, in pixels of the original, 1024 a side, or
boxes.csv with image, target, x, y, w and h as fractions of the picture, and perhaps split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.anatomy import LEFT_LUNG, LUNGS, RIGHT_LUNG
from cxr.data.archives import unpacked
from cxr.data.csv_table import find_columns, open_table, parse_age, read_header
from cxr.data.image_index import SUFFIXES, stem
from cxr.data.loaded import Notes
from cxr.data.openi import PROJECTIONS, REPORTS
from cxr.data.shapes import Shape
from cxr.data.splits import SPLITS, split_by_patient
from cxr.findings import canonical_sex, canonical_view
from cxr.images import load_image

ALWAYS = frozenset((RIGHT_LUNG, LEFT_LUNG, LUNGS, "heart", "right clavicle", "left clavicle"))
MASKS, MASKED = "masks.csv", "masked"
IMAGE_TABLE, STUDY_TABLE = "images.csv", "studies.csv"
OPENI_IMAGES = "images/images_normalized"
_NIH_BOX = ("Image Index", "Finding Label", "x|Bbox [x", "y", "w", "h")
BOXES = {  # file: (its columns, what one side of the picture is in its numbers)
    "BBox_List_2017.csv": (_NIH_BOX, 1024.0),
    "rsna_boxes.csv": (_NIH_BOX, 1024.0),
    "boxes.csv": (("image", "target", "x", "y", "w", "h"), 1.0),
}


@dataclass(frozen=True)
class MaskedImage:
    """An image and where it shows what.

    masks: files by target, white where it is. shapes: outlines by target. known: the targets that
    were looked for; one of them without a file or a shape is absent.
    """

    id: str
    image: Path
    patient: str
    split: str
    masks: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    sex: str | None = None
    age: int | None = None  # years
    view: str | None = None
    shapes: Mapping[str, tuple[Shape, ...]] = field(default_factory=dict)

    def mask(self, target: str, size: tuple[int, int]) -> np.ndarray | None:
        """Where a target is.

        Args:
            target: a name out of `known`.
            size: (width, height) in pixels of the mask that is wanted.

        Returns:
            bool [H, W], all False where the target is absent; None where it was not looked for.

        Raises:
            ValueError: a file that cannot be read.
        """
        if target not in self.known:
            return None
        whole = np.zeros(size[::-1], bool)
        for path in self.masks.get(target, ()):
            resized = load_image(path).resize(size, Image.Resampling.BILINEAR)
            whole |= np.asarray(resized) >= 128
        for shape in self.shapes.get(target, ()):
            whole |= shape.mask(size)
        return whole


@dataclass(frozen=True)
class Box:
    """What was boxed, and where: left, top, width and height as fractions of the picture.

    split: "" where the file names none.
    """

    label: str
    place: tuple[float, float, float, float]
    split: str = ""


def load_masked_images(root: str | Path) -> list[MaskedImage]:
    """The images below root, a folder or a ZIP archive, that have a split; in a stable order.

    Raises ValueError when neither layout is there, a column is missing, a file that is named is
    not there, or one patient is in two splits.
    """
    root = unpacked(root)
    if (root / MASKS).is_file():
        images = _from_table(root)
    elif (root / MASKED).is_dir():
        images = _from_openi(root)
    else:
        raise ValueError(
            f"{root}: expected {MASKS}, or {MASKED}/ with Open-I's images; got a folder without "
            "them; give the folder that holds them"
        )
    home: dict[str, str] = {}
    for image in images:
        if home.setdefault(image.patient, image.split) != image.split:
            raise ValueError(
                f"{root}: expected each patient in one split; got patient {image.patient} in "
                f"{home[image.patient]} and {image.split}; mend the split"
            )
    return images


def _from_table(root: Path) -> list[MaskedImage]:
    columns, rows = open_table(root / MASKS)
    image, target, mask = find_columns(root / MASKS, columns, ("image", "target", "mask"))
    place = columns.index("split") if "split" in columns else None
    drawn: dict[str, dict[str, list[Path]]] = {}
    about = _about(root)
    named: dict[str, str] = {}
    for row in rows:
        name = row[image].strip()
        drawn.setdefault(name, {}).setdefault(row[target].strip(), []).append(
            _there(root / "masks" / row[mask].strip())
        )
        if place is not None:
            named[name] = row[place].strip()
    known = frozenset(target for masks in drawn.values() for target in masks)
    if (root / IMAGE_TABLE).is_file():  # studies.csv names images that nobody drew on
        for name in about:
            drawn.setdefault(name, {})
    result = []
    for name, masks in drawn.items():
        person = about.get(name, {"patient": stem(name), "split": named.get(name, "train")})
        if person["split"] not in SPLITS:
            raise ValueError(
                f"{root}: expected train, val or test; got {person['split']!r} for {name}; mend "
                "that row"
            )
        files = {target: tuple(paths) for target, paths in masks.items()}
        result.append(
            MaskedImage(
                stem(name),
                _there(root / "images" / name),
                masks=files,
                known=known - (ALWAYS - files.keys()),
                **person,
            )
        )
    return sorted(result, key=lambda image: image.id)


def _about(root: Path) -> dict[str, dict]:
    """What images.csv or studies.csv says of each image; empty when there is neither.

    {image: patient, split, sex, age and view as a MaskedImage holds them}.
    """
    table = root / IMAGE_TABLE
    wanted: tuple[str, ...] = ("image", "patient_id", "split")
    if not table.is_file():
        table, wanted = root / STUDY_TABLE, ("image", "patient_id")
        if not table.is_file() or not set(wanted) <= set(read_header(table)):
            return {}
    columns, rows = open_table(table)
    image, patient, *split = find_columns(table, columns, wanted)
    readers: dict[str, Callable[[str], object]] = {
        "sex": canonical_sex,
        "age": lambda cell: parse_age(cell, Notes()),
        "view": canonical_view,
    }
    places = {name: columns.index(name) for name in readers if name in columns}
    return {
        row[image].strip(): {
            "patient": row[patient].strip(),
            "split": row[split[0]].strip() if split else "train",
            **{name: readers[name](row[place]) for name, place in places.items()},
        }
        for row in rows
    }


def _there(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"expected the file {path}, which a table names; fetch it again")
    return path


def _from_openi(root: Path) -> list[MaskedImage]:
    pictures = {stem(path.name): path for path in _pictures(root / OPENI_IMAGES)}
    texts = _texts(root)
    found: dict[str, dict[str, list[Path]]] = {}
    for path in _pictures(root / MASKED):
        name = stem(path.name)
        name = name if name in pictures else name.removesuffix("_mask").removesuffix("-mask")
        uid = name.partition("_")[0]
        folder = path.parent.name if path.parent != root / MASKED else ""
        target = folder.replace("_", " ") or texts.get(uid, "")
        if name in pictures and target:
            found.setdefault(name, {}).setdefault(target, []).append(path)
    if not found:
        raise ValueError(
            f"{root}: expected masks in {MASKED}/ named as the images in {OPENI_IMAGES}/; got none "
            "that has an image and a report; check the names"
        )
    made = [
        MaskedImage(
            id=name,
            image=pictures[name],
            patient=name.partition("_")[0],
            split=split_by_patient(name.partition("_")[0]),
            masks={target: tuple(paths) for target, paths in masks.items()},
            known=frozenset(masks),
        )
        for name, masks in sorted(found.items())
    ]
    return sorted(made, key=lambda image: SPLITS.index(image.split))


def _texts(root: Path) -> dict[str, str]:
    """Report number -> what it names: the problems, else the impression; normal ones nothing."""
    _there(root / PROJECTIONS)
    columns, rows = open_table(root / REPORTS)
    places = find_columns(root / REPORTS, columns, ("uid", "Problems", "impression"))
    texts = {}
    for row in rows:
        uid, problems, impression = (row[place].strip() for place in places)
        words = "" if problems.lower() in ("normal", "no indexing") else problems
        texts[uid] = ", ".join(words.lower().split(";")) or impression
    return texts


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def load_boxes(root: str | Path) -> dict[str, list[Box]]:
    """The boxes of the files in root that BOXES names -> {stem of the image's name: boxes}.

    Raises ValueError when none of them is there, or a number cannot be read.
    """
    root = unpacked(root)
    files = [root / name for name in BOXES if (root / name).is_file()]
    if not files:
        raise ValueError(
            f"{root}: expected one of {', '.join(BOXES)}; got none; give the folder that holds it"
        )
    boxes: dict[str, list[Box]] = {}
    for path in files:
        wanted, unit = BOXES[path.name]
        columns, rows = open_table(path)
        columns = [column.strip("[]") for column in columns]
        image, label, *sides = find_columns(path, columns, wanted)
        split = columns.index("split") if "split" in columns else None
        for row in rows:
            try:
                left, top, width, height = (float(row[side]) / unit for side in sides)
            except ValueError as error:
                raise ValueError(f"{path}: expected four numbers; got {row}; mend it") from error
            boxes.setdefault(stem(row[image]), []).append(
                Box(
                    row[label].strip().lower(),
                    (left, top, width, height),
                    row[split].strip() if split is not None else "",
                )
            )
    return boxes
