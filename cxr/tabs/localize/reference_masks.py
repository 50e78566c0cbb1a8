"""Masks drawn by hand on images of the gallery, where a data set with masks is at hand."""

from __future__ import annotations

import logging
import threading

import numpy as np
from PIL import Image

from cxr.anatomy import (
    AIRWAYS,
    HEART,
    HEART_ALONE,
    LEFT_LUNG,
    LUNGS,
    PARTS,
    RIGHT_LUNG,
    union_known,
)
from cxr.data import MaskedImage, load_masked_images
from cxr.findings import Study
from cxr.images import load_image
from cxr.localization import Target, parse, place_of

log = logging.getLogger(__name__)

ORGANS = (LUNGS, RIGHT_LUNG, LEFT_LUNG, HEART, HEART_ALONE, AIRWAYS)


class ReferenceMasks:
    """The masks below a folder, read when the first image is asked about.

    A study is one of the data set's images when both have the same name and the same size.
    """

    def __init__(self, root: str = "") -> None:
        """Read nothing yet. root: the folder of the data set; "" for no masks."""
        self.root = root
        self._lock = threading.Lock()
        self._masked: dict[str, MaskedImage] | None = None

    def of(self, study: Study | None, text: str, size: tuple[int, int]) -> np.ndarray | None:
        """Return what was drawn of the target that a text names, on the image of a study.

        Args:
            study: of the gallery; None for an image that is not.
            text: the visitor's words.
            size: width and height in pixels of the mask to return.

        Returns:
            bool [H, W], empty where the target is absent; None where the image or the target is not
            among those drawn.
        """
        query = parse(text)
        if study is None or study.image is None or query is None:
            return None
        masked = self._read().get(study.id)
        if masked is None or load_image(masked.image).size != load_image(study.image).size:
            return None
        mask = _drawn(masked, query.target, size)
        return None if mask is None else _part(masked, mask, query)

    def _read(self) -> dict[str, MaskedImage]:
        with self._lock:
            if self._masked is None:
                self._masked = {}
                if self.root:
                    try:
                        found = load_masked_images(self.root)
                        self._masked = {one.id: one for one in found}
                    except ValueError as error:
                        log.warning("no reference masks are shown: %s", error)
        return self._masked


def _drawn(masked: MaskedImage, target: str, size: tuple[int, int]) -> np.ndarray | None:
    """A target's mask, or the union of its parts', bool [H, W] at `size` (width, height).

    None when it was not looked for, and for an organ that nobody drew, since every image shows it.
    """
    parts = (target,) if target in masked.known else PARTS.get(target, ())
    if target not in masked.known and not union_known(target, masked.known):
        return None
    if any(part in ORGANS and part not in masked.masks for part in parts):
        return None
    whole = np.zeros(size[::-1], bool)
    for path in (path for part in parts for path in masked.masks.get(part, ())):
        whole |= np.asarray(load_image(path).resize(size, Image.Resampling.BILINEAR)) >= 128
    return whole


def _part(masked: MaskedImage, mask: np.ndarray, query: Target) -> np.ndarray | None:
    """The part of a mask on the side and in the zone asked for, by the lungs as drawn."""
    if not (query.side or query.zone):
        return mask
    size = (mask.shape[1], mask.shape[0])
    right, left = (_drawn(masked, lung, size) for lung in (RIGHT_LUNG, LEFT_LUNG))
    if right is None or left is None:
        return None
    return mask & place_of(right, left, query.side, query.zone, 0.5)
