"""Images and masks in memory for training and validation, and the mask that answers a query."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from cxr.anatomy import CONSOLIDATION, GROUND_GLASS, LUNGS, PARTS, union_known
from cxr.data import MaskedImage
from cxr.findings import Study
from cxr.images import Preprocess
from cxr.localization import Target, place_of
from train.common.image_cache import pack

INSIDE = 128  # grey level from which a pixel of a squared mask lies inside
SMALLEST_LUNG = 0.2  # of both lungs' area, for a lung to be told from a speck


class Answers(ABC):
    """N images and the masks that answer queries about them, from those of whole targets.

    Queries that nobody looked for in an image have no mask.

    Attributes:
        images: uint8 [N, S, S].
    """

    images: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    @abstractmethod
    def _target(self, row: int, target: str) -> np.ndarray | None:
        """The mask of a whole target in an image, uint8 [S, S], 255 inside; None when not known."""

    def known(self, row: int, query: Target) -> bool:
        """Whether it is known where the image shows what a query asks for, or that it does not."""
        whole = self._target(row, query.target)
        if whole is None or not (query.side or query.zone):
            return whole is not None
        return not whole.any() or all(self._target(row, lung) is not None for lung in PARTS[LUNGS])

    def present(self, row: int, query: Target) -> bool:
        """Whether the image is known to show it."""
        mask = self.mask(row, query)
        return mask is not None and bool((mask >= INSIDE).any())

    def mask(self, row: int, query: Target) -> np.ndarray | None:
        """What answers a query about an image: uint8 [S, S], 255 inside; None when not known."""
        if not self.known(row, query):
            return None
        whole = self._target(row, query.target)
        if not (query.side or query.zone) or not whole.any():
            return whole
        lungs = [self._target(row, lung) for lung in PARTS[LUNGS]]
        return np.minimum(whole, place_of(*lungs, query.side, query.zone, INSIDE))


class MaskData(Answers):
    """Images whose masks were drawn by hand."""

    def __init__(self, masked: Sequence[MaskedImage], view: Preprocess, cache: Path) -> None:
        paths = [path for one in masked for files in one.masks.values() for path in files]
        _check_sizes(masked)
        self.masked, self.view = list(masked), view
        self.images = _pack_all([one.image for one in masked], view, cache)
        self._squares = _pack_all(paths, view, cache)
        self._rows = {path: row for row, path in enumerate(paths)}
        self._nothing = np.zeros((view.size, view.size), np.uint8)
        self._target = lru_cache(None)(self._target)

    def _target(self, row: int, target: str) -> np.ndarray | None:
        masked = self.masked[row]
        if target in masked.known:
            return self._union(masked.masks.get(target, ()))
        parts = PARTS.get(target, ())
        if union_known(target, masked.known):
            return self._union([path for part in parts for path in masked.masks.get(part, ())])
        if target in PARTS[LUNGS] and LUNGS in masked.known:
            lungs = halves(self._union(masked.masks.get(LUNGS, ())))
            return lungs and lungs[PARTS[LUNGS].index(target)]
        return None

    def _union(self, paths: Sequence[Path]) -> np.ndarray:
        squares = [self._squares[self._rows[path]] for path in paths]
        return np.max(squares, 0) if squares else self._nothing


def folded(images: Sequence[MaskedImage], fold: str | None) -> list[MaskedImage]:
    """Deal the patients of train and val to N folds: the K-th is val, the others are train.

    Args:
        images: Images with masks; those of test stay.
        fold: "K/N" with K from 1 on; None changes nothing.

    Returns:
        The images with their new splits.

    Raises:
        ValueError: For another form of `fold`.
    """
    if fold is None:
        return list(images)
    number, _, count = fold.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count) > 1):
        raise ValueError(f"expected a fold such as 1/4, got {fold!r}")
    patients = sorted({image.patient for image in images if image.split != "test"})
    random.Random(0).shuffle(patients)
    val = set(patients[int(number) - 1 :: int(count)])
    return [
        image
        if image.split == "test"
        else replace(image, split="val" if image.patient in val else "train")
        for image in images
    ]


def halves(lungs: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Tell the lungs of a mask apart.

    Args:
        lungs: uint8 [S, S], 255 inside.

    Returns:
        The right and the left lung, uint8 [S, S], where the mask falls into two large pieces, else
        None. The patient's right is on the left of the image.
    """
    pieces, count = ndimage.label(lungs >= INSIDE)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    large = np.argsort(sizes)[::-1][:2] + 1
    if len(large) < 2 or sizes[large[1] - 1] < SMALLEST_LUNG * sizes.sum():
        return None
    columns = [ndimage.center_of_mass(pieces == piece)[1] for piece in large]
    right, left = (large[place] for place in np.argsort(columns))
    # The soft edge of a piece belongs to it too.
    return tuple(
        np.where(ndimage.binary_dilation(pieces == piece, iterations=2), lungs, 0).astype(np.uint8)
        for piece in (right, left)
    )


def normal_images(studies: Sequence[Study]) -> list[MaskedImage]:
    """Images read as normal, in which every opacity is absent.

    Args:
        studies: A data set; with labels those with "no finding" are taken, without labels all.

    Returns:
        The images, without masks, all of the train split.
    """
    labelled = any(study.labelled for study in studies)
    return [
        MaskedImage(
            study.id,
            study.image,
            study.patient,
            "train",
            {},
            frozenset((GROUND_GLASS, CONSOLIDATION)),
        )
        for study in studies
        if not labelled or study.findings.get("no finding") == 1
    ]


def _pack_all(paths: Sequence[Path], view: Preprocess, cache: Path) -> np.ndarray:
    squares, readable = pack(paths, view, cache)
    if len(paths) and not readable.all():
        raise SystemExit(f"expected readable pictures; {(~readable).sum()} of {len(paths)} are not")
    return squares


def _check_sizes(masked: Sequence[MaskedImage]) -> None:
    """A mask must have its image's proportions, else both would be squared differently."""
    for one in masked:
        for paths in one.masks.values():
            for path in paths:
                with Image.open(one.image) as image, Image.open(path) as mask:
                    if abs(image.width * mask.height - image.height * mask.width) > max(mask.size):
                        raise SystemExit(
                            f"expected {path} in the proportions of its image "
                            f"{image.size}, got {mask.size}; draw it on the image"
                        )
