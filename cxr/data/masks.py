"""Films with masks of what they show, and films with boxes, as they are published.

Masks come in two layouts:

    masks.csv      columns image, target, mask and perhaps split; images/ and masks/ beside it, and
                   perhaps images.csv with image, split and patient_id, perhaps sex, age and view.
                   A target that the file names anywhere was looked for in every film: where it has
                   no row it is absent; but a lung, which everyone has, was not drawn there.
    masked/        Open-I's films in images/images_normalized with indiana_reports.csv and
                   indiana_projections.csv; a mask has its film's name, perhaps with "_mask". A
                   folder inside masked/ names the target; else the report's problems do, or its
                   impression. What else a film shows is not known.

Boxes are NIH's BBox_List_2017.csv and rsna_boxes.csv, in pixels of the original, 1024 a side, or
boxes.csv with image, target, x, y, w and h as fractions of the picture, and perhaps split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cxr.anatomy import LEFT_LUNG, RIGHT_LUNG
from cxr.data.archives import unpacked
from cxr.data.csv_table import find_columns, open_table, parse_age
from cxr.data.image_index import SUFFIXES, stem
from cxr.data.loaded import Notes
from cxr.data.openi import PROJECTIONS, REPORTS
from cxr.data.splits import SPLITS, split_studies
from cxr.findings import canonical_sex, canonical_view

LUNGS = frozenset((RIGHT_LUNG, LEFT_LUNG))
MASKS, IMAGE_TABLE, MASKED = "masks.csv", "images.csv", "masked"
OPENI_FILMS = "images/images_normalized"
_NIH_BOX = ("Image Index", "Finding Label", "x|Bbox [x", "y", "w", "h")
BOXES = {  # file: (its columns, what one side of the picture is in its numbers)
    "BBox_List_2017.csv": (_NIH_BOX, 1024.0),
    "rsna_boxes.csv": (_NIH_BOX, 1024.0),
    "boxes.csv": (("image", "target", "x", "y", "w", "h"), 1.0),
}


@dataclass(frozen=True)
class MaskedFilm:
    """A film and its masks: files by target, white where it is. `known`: the targets that were
    looked for; one of them without a file is absent."""

    id: str
    image: Path
    patient: str
    split: str
    masks: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    sex: str | None = None
    age: int | None = None  # years
    view: str | None = None


@dataclass(frozen=True)
class Box:
    """What was boxed, and left, top, width and height as fractions of the picture; split: "" where
    the file names none."""

    label: str
    place: tuple[float, float, float, float]
    split: str = ""


def load_masked_films(root: str | Path) -> list[MaskedFilm]:
    """The films below root, a folder or a ZIP archive, that have a split; in a stable order.

    Raises ValueError when neither layout is there, a column is missing, a file that is named is
    not there, or one patient is in two splits.
    """
    root = unpacked(root)
    if (root / MASKS).is_file():
        films = _from_table(root)
    elif (root / MASKED).is_dir():
        films = _from_openi(root)
    else:
        raise ValueError(
            f"{root}: expected {MASKS}, or {MASKED}/ with Open-I's films; came a folder without "
            "them; give the folder that holds them"
        )
    home: dict[str, str] = {}
    for film in films:
        if home.setdefault(film.patient, film.split) != film.split:
            raise ValueError(
                f"{root}: expected each patient in one split; came patient {film.patient} in "
                f"{home[film.patient]} and {film.split}; mend the split"
            )
    return films


def _from_table(root: Path) -> list[MaskedFilm]:
    columns, rows = open_table(root / MASKS)
    image, target, mask = find_columns(root / MASKS, columns, ("image", "target", "mask"))
    place = columns.index("split") if "split" in columns else None
    films: dict[str, dict[str, list[Path]]] = {}
    about = _about(root)
    named: dict[str, str] = {}
    for row in rows:
        name = row[image].strip()
        films.setdefault(name, {}).setdefault(row[target].strip(), []).append(
            _there(root / "masks" / row[mask].strip())
        )
        if place is not None:
            named[name] = row[place].strip()
    known = frozenset(target for masks in films.values() for target in masks)
    for name in about:
        films.setdefault(name, {})
    result = []
    for name, masks in films.items():
        person = about.get(name, {"patient": stem(name), "split": named.get(name, "train")})
        if person["split"] not in SPLITS:
            raise ValueError(
                f"{root}: expected train, val or test; came {person['split']!r} for {name}; mend "
                "that row"
            )
        files = {target: tuple(paths) for target, paths in masks.items()}
        result.append(
            MaskedFilm(
                stem(name),
                _there(root / "images" / name),
                masks=files,
                known=known - (LUNGS - files.keys()),
                **person,
            )
        )
    return sorted(result, key=lambda film: film.id)


def _about(root: Path) -> dict[str, dict]:
    """images.csv -> {image: patient, split, sex, age and view as a MaskedFilm holds them}; empty
    when there is none."""
    if not (root / IMAGE_TABLE).is_file():
        return {}
    columns, rows = open_table(root / IMAGE_TABLE)
    image, patient, split = find_columns(
        root / IMAGE_TABLE, columns, ("image", "patient_id", "split")
    )
    readers = {
        "sex": canonical_sex,
        "age": lambda cell: parse_age(cell, Notes()),
        "view": canonical_view,
    }
    places = {name: columns.index(name) for name in readers if name in columns}
    return {
        row[image].strip(): {
            "patient": row[patient].strip(),
            "split": row[split].strip(),
            **{name: readers[name](row[place]) for name, place in places.items()},
        }
        for row in rows
    }


def _there(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"expected the file {path}, which a table names; fetch it again")
    return path


def _from_openi(root: Path) -> list[MaskedFilm]:
    films = {stem(path.name): path for path in _pictures(root / OPENI_FILMS)}
    texts = _texts(root)
    found: dict[str, dict[str, list[Path]]] = {}
    for path in _pictures(root / MASKED):
        name = stem(path.name)
        name = name if name in films else name.removesuffix("_mask").removesuffix("-mask")
        uid = name.partition("_")[0]
        folder = path.parent.name if path.parent != root / MASKED else ""
        target = folder.replace("_", " ") or texts.get(uid, "")
        if name in films and target:
            found.setdefault(name, {}).setdefault(target, []).append(path)
    if not found:
        raise ValueError(
            f"{root}: expected masks in {MASKED}/ named as the films in {OPENI_FILMS}/; came none "
            "that has a film and a report; check the names"
        )
    made = [
        MaskedFilm(
            name,
            films[name],
            name.partition("_")[0],
            "train",
            {target: tuple(paths) for target, paths in masks.items()},
            frozenset(masks),
        )
        for name, masks in sorted(found.items())
    ]
    split = split_studies(made)
    return [
        MaskedFilm(film.id, film.image, film.patient, name, film.masks, film.known)
        for name, part in split.items()
        for film in part
    ]


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
    """The boxes of the files in root that BOXES names -> {stem of the film's name: boxes}.

    Raises ValueError when none of them is there, or a number cannot be read.
    """
    root = unpacked(root)
    files = [root / name for name in BOXES if (root / name).is_file()]
    if not files:
        raise ValueError(
            f"{root}: expected one of {', '.join(BOXES)}; came none; give the folder that holds it"
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
                place = tuple(float(row[side]) / unit for side in sides)
            except ValueError as error:
                raise ValueError(f"{path}: expected four numbers; came {row}; mend it") from error
            boxes.setdefault(stem(row[image]), []).append(
                Box(
                    row[label].strip().lower(),
                    place,
                    row[split].strip() if split is not None else "",
                )
            )
    return boxes
