"""Images of many data sets with what is known of each target, drawn at the size of the maps.

A target that nobody looked for in an image is unknown and takes no part in the loss; one that was
looked for and not found is an empty mask.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.anatomy import CONSOLIDATION, GROUND_GLASS, OPACITY
from cxr.data import MaskedImage, load_masked_images, load_outlined_images
from cxr.findings import OUTLINED
from cxr.images import Preprocess

OUTLINES = ("nih", "nih_expert", "nih_128", "adult_unlabelled", "adult_normal")
MASKS = ("heart_lungs", "jsrt", "anatomy", "covid", "lungs")
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


def load_films(root: Path, sources: Sequence[str] = OUTLINES + MASKS) -> list[Film]:
    """The images of the data sets below a folder, each once; patients of val and test never train.

    Args:
        root: holds a folder for each source.
        sources: of OUTLINES and MASKS, in the order in which the images come.

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
    held = {film.patient for film in films.values() if film.split != "train"}
    return [film for film in films.values() if film.split != "train" or film.patient not in held]


def _identities(folder: Path) -> Iterator[tuple[str, str]]:
    """Patients of the images that names.csv identifies: (stem of the image's name, patient)."""
    file = folder / "names.csv"
    if file.is_file():
        with open(file, newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                yield Path(row["image"]).stem, row["Patient ID"]
