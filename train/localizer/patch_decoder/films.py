"""Images of many data sets with what is known of each target, drawn at the size of the maps.

A target that nobody looked for in an image is unknown and takes no part in the loss; one that was
looked for and not found is an empty mask.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.anatomy import CONSOLIDATION, GROUND_GLASS, OPACITY
from cxr.data import MaskedImage, Polygon, load_masked_images, load_outlined_images
from cxr.findings import OUTLINED
from cxr.images import Preprocess
from train.localizer.box_data import boxed_studies

OUTLINES = ("nih", "nih_expert", "nih_128", "adult_unlabelled", "adult_normal")
MASKS = ("heart_lungs", "jsrt", "anatomy", "covid", "lungs")
RSNA_TABLE = "boxes.csv"  # of a folder with studies.csv, in pixels of the original, 1024 a side
CORNERS = 24  # of an ellipse
Place = tuple[float, float, float, float]
CHILDREN = "lungs"  # its images are of children: a part of them is enough


@dataclass(frozen=True)
class Film:
    """An image with everything that is known of it.

    Attributes:
        source: folder of the data set.
        image: file.
        patient: with the source's name where it is the source's own number.
        split: "train", "val" or "test".
        parts: what was drawn, from one or two readers of masks.
    """

    source: str
    image: Path
    patient: str
    split: str
    parts: tuple[MaskedImage, ...] = field(repr=False, default=())

    @property
    def name(self) -> str:
        """The data set and the file's name."""
        return f"{self.source}/{self.image.name}"

    @property
    def known(self) -> bool:
        """Whether anything is known of it."""
        return any(part.known for part in self.parts)

    def mask(self, target: str, view: Preprocess, size: tuple[int, int]) -> np.ndarray | None:
        """The mask of a target in the square that the model sees.

        Args:
            target: one of the decoder's outputs, or LUNGS.
            view: how the image is squared.
            size: (width, height) of the image file.

        Returns:
            uint8 [S, S], 255 inside; None where nobody looked for the target.
        """
        drawn = self._drawn(target, size)
        return None if drawn is None else view.square(Image.fromarray(drawn.astype(np.uint8) * 255))

    def _drawn(self, target: str, size: tuple[int, int]) -> np.ndarray | None:
        for part in self.parts:
            if target in part.known:
                return part.mask(target, size)
        outlined = [part for part in self.parts if part.known.issuperset(OUTLINED)]
        masked = [part for part in self.parts if GROUND_GLASS in part.known]
        if target == OPACITY:
            if masked:
                drawn = [masked[0].mask(part, size) for part in (GROUND_GLASS, CONSOLIDATION)]
                return drawn[0] | drawn[1]
            if outlined and (not outlined[0].shapes or CONSOLIDATION in outlined[0].shapes):
                return outlined[0].mask(CONSOLIDATION, size)
        if target == GROUND_GLASS and outlined and not outlined[0].shapes:
            return np.zeros(size[::-1], bool)
        return None


def load_films(
    root: Path, sources: Sequence[str] = OUTLINES + MASKS, boxes: Sequence[str] = ()
) -> list[Film]:
    """The images of the data sets below a folder, each once; patients of val and test never train.

    Args:
        root: holds a folder for each source.
        sources: of OUTLINES and MASKS, in the order in which the images come.
        boxes: data sets with boxes around opacities, whose images come after the others unless
            they are among them.

    Raises:
        ValueError: a data set that cannot be read.
    """
    films: dict[Path, Film] = {}
    for source in sources:
        folder = root / source
        images: list[MaskedImage] = []
        if source in OUTLINES:
            images = load_outlined_images(folder)
        else:
            images = load_masked_images(folder)
            if (folder / "nodules.csv").is_file():
                images += load_outlined_images(folder)
        names = dict(_identities(folder))
        for image in images:
            former = films.get(image.image)
            patient = names.get(image.id, image.patient)
            if source in MASKS:
                patient = f"{source} {image.patient}"
            parts = (*former.parts, image) if former else (image,)
            films[image.image] = Film(source, image.image, patient, image.split, parts)
    for source in boxes:
        for film in _boxed_films(root / source):
            films.setdefault(film.image, film)
    held = {film.patient for film in films.values() if film.split != "train"}
    return [film for film in films.values() if film.split != "train" or film.patient not in held]


def _boxed_films(folder: Path) -> Iterator[Film]:
    """Films of the train split with RSNA's or NIH's boxes around opacities.

    The ellipse that fills a box is taken for its opacity. Of RSNA's own films those without a box
    were read as showing none; of others nothing is known then.
    """
    own = folder / RSNA_TABLE
    if own.is_file() and (folder / "studies.csv").is_file():
        places: dict[str, list[Place]] = {}
        with open(own, newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                x, y, width, height = (float(row[side]) / 1024 for side in ("x", "y", "w", "h"))
                places.setdefault(row["image"], []).append((x, y, width, height))
        with open(folder / "studies.csv", newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                name = row["image"]
                yield _boxed(folder, folder / "images" / name, name, places.get(name, ()))
        return
    studies, boxes = boxed_studies([folder])
    for study, found in zip(studies, boxes):
        yield _boxed(folder, study.image, study.patient, [box.place for box in found])


def _boxed(folder: Path, image: Path, patient: str, places: Sequence[Place]) -> Film:
    ellipses = tuple(_ellipse(*place) for place in places)
    part = MaskedImage(
        image.stem,
        image,
        patient,
        "train",
        known=frozenset((OPACITY,)),
        shapes={OPACITY: ellipses} if ellipses else {},
    )
    return Film(folder.name, image, patient, "train", (part,))


def _ellipse(x: float, y: float, width: float, height: float) -> Polygon:
    """The ellipse in a box, left, top, width and height in fractions of the sides."""
    turns = [2 * math.pi * step / CORNERS for step in range(CORNERS)]
    return Polygon(
        tuple(
            (x + width * (1 + math.cos(turn)) / 2, y + height * (1 + math.sin(turn)) / 2)
            for turn in turns
        )
    )


def _identities(folder: Path) -> Iterator[tuple[str, str]]:
    """Patients of the images that names.csv identifies: (stem of the image's name, patient)."""
    file = folder / "names.csv"
    if file.is_file():
        with open(file, newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                yield Path(row["image"]).stem, row["Patient ID"]
