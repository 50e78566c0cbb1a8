"""What radiologists said and drew on a data set's images, in one form for a gallery to carry.

Outlines come from chestxdet.json, chestxdet10_*.json (ChestX-Det10 as published), nodules.csv, the
files of boxes (cxr.data.masks.BOXES) and mask files; readings from expert_labels.csv and from what
was looked for where outlines were drawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path

from cxr.data.expert_labels import load_expert_labels
from cxr.data.image_index import stem
from cxr.data.masks import BOXES, MASKS, MaskedImage, load_boxes, load_masked_images
from cxr.data.outlines import NODULE, NODULES, load_outlined_images
from cxr.data.shapes import CHESTXDET, Disc, Polygon, Shape, read_chestxdet
from cxr.data.tracing import trace_outlines
from cxr.findings import CHESTXDET_NAMES, FINDINGS, Study, canonical_finding

NORMAL = FINDINGS[0]
_FINDING_OF = {  # targets of masks that are findings by another name
    "diffuse nodule": "nodule",
    "ground-glass opacity": "lung opacity",
    "opacity": "lung opacity",
}
CHESTXDET10 = "chestxdet10_*.json"
_TEN = frozenset(CHESTXDET_NAMES.values()) - {
    "cardiomegaly",
    "diffuse nodule",
    "pleural thickening",
}
_NIH_SIDE = 1024  # pixels
_MASK_SIDE = 256  # pixels at which masks are traced
_CORNERS = 24  # of a polygon in place of a disc


@dataclass(frozen=True)
class Outline:
    """One shape that somebody drew.

    target: a name of FINDINGS, or another one such as "calcification". points: (x, y) of a closed
    polygon as fractions of the image's width and height. source: who drew it, in words.
    """

    target: str
    points: tuple[tuple[float, float], ...]
    source: str


@dataclass(frozen=True)
class Annotation:
    """What radiologists drew on one image, and what they said of it: finding -> 1, 0 or -1."""

    outlines: tuple[Outline, ...] = ()
    readings: Mapping[str, int] | None = None


def load_annotations(root: str | Path, studies: Sequence[Study]) -> dict[str, Annotation]:
    """Read all that radiologists said and drew on a data set's images.

    Args:
        root: the folder of the data set.
        studies: as cxr.load_studies reads them, whose labels readings are taken from.

    Returns:
        {id of a study: annotation}, without the studies that nobody drew on or read.

    Raises:
        ValueError: a file that is there cannot be read.
    """
    root = Path(root).expanduser()
    drawn: dict[str, list[Outline]] = {}
    read: dict[str, dict[str, int]] = {}
    _add_chestxdet(root, drawn, read)
    _add_chestxdet10(root, drawn, read)
    _add_boxes(root, drawn, read)
    _add_masks(root, drawn, read)
    panel = load_expert_labels(root)
    found = {}
    for study in studies:
        name = stem(study.image.name if study.image else study.id)
        said = dict(read.get(name, {}))
        if name in panel:
            said = {**said, **panel[name].findings}
        elif NORMAL in study.findings and name in read:
            said[NORMAL] = study.findings[NORMAL] if not _positive(said) else 0
        if study.label_source in ("expert", "outlined"):
            # Where a panel was divided, or two groups spoke, the labels hold what was believed.
            said = {finding: study.findings.get(finding, value) for finding, value in said.items()}
        if name in drawn or said:
            found[study.id] = Annotation(tuple(drawn.get(name, ())), said)
    return found


def _positive(said: Mapping[str, int]) -> bool:
    return any(value == 1 for finding, value in said.items() if finding != NORMAL)


def _finding(target: str) -> str | None:
    return canonical_finding(_FINDING_OF.get(target, target))


def _note(
    name: str,
    shapes: Mapping[str, Sequence[tuple[tuple[float, float], ...]]],
    known: frozenset[str],
    source: str,
    drawn: dict[str, list[Outline]],
    read: dict[str, dict[str, int]],
) -> None:
    """Add an image's shapes, and a reading of each target that is a finding."""
    for target in sorted(known):
        if finding := _finding(target):
            said = read.setdefault(name, {})
            said[finding] = max(said.get(finding, 0), int(bool(shapes.get(target))))
    for target, polygons in shapes.items():
        called = _finding(target) or target
        drawn.setdefault(name, []).extend(Outline(called, one, source) for one in polygons if one)


def _add_chestxdet(root: Path, drawn: dict, read: dict) -> None:
    if not (root / CHESTXDET).is_file():
        return
    known = frozenset(CHESTXDET_NAMES.values())
    for name, shapes in read_chestxdet(root).items():
        polygons = {target: [one.points for one in parts] for target, parts in shapes.items()}
        _note(name, polygons, known, "ChestX-Det", drawn, read)


def _add_chestxdet10(root: Path, drawn: dict, read: dict) -> None:
    """Boxes of ten findings in pixels of NIH's original; an image that is listed was read."""
    for path in sorted(root.glob(CHESTXDET10)):
        try:
            for entry in json.loads(path.read_text("utf-8")):
                shapes: dict[str, list[tuple[tuple[float, float], ...]]] = {}
                for name, (x1, y1, x2, y2) in zip(entry["syms"], entry["boxes"], strict=True):
                    corners = ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
                    points = tuple((x / _NIH_SIDE, y / _NIH_SIDE) for x, y in corners)
                    shapes.setdefault(CHESTXDET_NAMES[name], []).append(points)
                name = stem(entry["file_name"])
                _note(name, shapes, _TEN, "ChestX-Det10", drawn, read)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}: expected a list of images with syms and boxes, could not read it "
                f"({error!r}); fetch it again"
            ) from error


def _add_boxes(root: Path, drawn: dict, read: dict) -> None:
    if not any((root / file).is_file() for file in BOXES):
        return
    for name, boxes in load_boxes(root).items():
        shapes: dict[str, list[tuple[tuple[float, float], ...]]] = {}
        for box in boxes:
            x, y, w, h = box.place
            corners = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
            shapes.setdefault(box.label, []).append(corners)
        _note(name, shapes, frozenset(shapes), "boxed by radiologists", drawn, read)


def _add_masks(root: Path, drawn: dict, read: dict) -> None:
    images: list[MaskedImage] = []
    if (root / MASKS).is_file():
        images += load_masked_images(root)
    if (root / NODULES).is_file() and not (root / CHESTXDET).is_file():
        images += load_outlined_images(root)
    for image in images:
        known = frozenset(one for one in image.known if _finding(one) or one == NODULE)
        shapes = {target: _polygons(image, target) for target in known}
        _note(image.id, shapes, known, "drawn by radiologists", drawn, read)


def _polygons(image: MaskedImage, target: str) -> list[tuple[tuple[float, float], ...]]:
    shapes = image.shapes.get(target, ())
    if shapes:
        return [_points(one) for one in shapes]
    if not image.masks.get(target):
        return []
    mask = image.mask(target, (_MASK_SIDE, _MASK_SIDE))
    return [] if mask is None else trace_outlines(mask)


def _points(shape: Shape) -> tuple[tuple[float, float], ...]:
    if isinstance(shape, Polygon):
        return shape.points
    assert isinstance(shape, Disc)
    turns = [2 * pi * step / _CORNERS for step in range(_CORNERS)]
    return tuple(
        (shape.x + shape.radius * cos(turn), shape.y + shape.radius * sin(turn)) for turn in turns
    )
