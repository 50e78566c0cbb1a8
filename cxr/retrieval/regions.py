"""Regions of an image compared with the same regions of others.

An image's features lie on a coarse grid of places (cxr.gallery.format, places.npy). Less what the
gallery shows there on the mean, since lungs look like lungs, the places of a region are compared by
cosine, each as far as the region covers it (compare RadIR, 2025).
"""

from __future__ import annotations

import math

import numpy as np

from cxr.gallery import Gallery, rebuild_command

# Boxes as (left, top, width, height) in shares of a frontal image; the patient's right is left.
REGIONS = {
    "right lung": (0.08, 0.1, 0.3, 0.72),
    "left lung": (0.62, 0.1, 0.3, 0.72),
    "upper zone": (0.08, 0.05, 0.84, 0.28),
    "middle zone": (0.08, 0.34, 0.84, 0.32),
    "lower zone": (0.08, 0.67, 0.84, 0.28),
    "heart": (0.34, 0.42, 0.36, 0.4),
}
Box = tuple[float, float, float, float]
_LEAST = 0.25  # a place that a region covers less of, beside the one it covers most, is left out
_SMALLEST = 0.02  # of a box's sides
_BLOCK = 8_192  # images whose places are converted to float32 at a time


def read_region(region: str) -> Box:
    """The box of a region.

    Args:
        region: a name out of REGIONS, or "x,y,w,h": left, top, width and height in shares of the
            image padded to a square.

    Raises:
        ValueError: another name, or no box inside the image.
    """
    if region in REGIONS:
        return REGIONS[region]
    try:
        left, top, width, height = (float(part) for part in region.split(","))
        inside = left >= 0 and top >= 0 and left + width <= 1.001 and top + height <= 1.001
    except (ValueError, AttributeError):
        inside, width, height = False, math.nan, math.nan
    if not inside or not (width >= _SMALLEST and height >= _SMALLEST):
        raise ValueError(
            f"expected a region out of {', '.join(REGIONS)}, or x,y,w,h in shares of the image, "
            f"at least {_SMALLEST} wide and high; got {str(region)[:60]!r}"
        )
    return left, top, width, height


def region_name(region: str) -> str:
    """A region in words: its name, or "the marked box"."""
    return f"the {region}" if region in REGIONS else "the marked box"


def covered_places(box: Box, side: int) -> np.ndarray:
    """How much of each place a box covers, as weights float32 [side * side] that sum to 1."""
    left, top, width, height = box
    edges = np.arange(side + 1) / side
    across = np.clip(np.minimum(edges[1:], left + width) - np.maximum(edges[:-1], left), 0, None)
    down = np.clip(np.minimum(edges[1:], top + height) - np.maximum(edges[:-1], top), 0, None)
    share = np.outer(down, across).ravel()
    share[share < _LEAST * share.max()] = 0
    return (share / share.sum()).astype(np.float32)


class RegionIndex:
    """The places of a gallery's images, to compare one region of an image with.

    Raises:
        ValueError: the gallery was built without places.
    """

    def __init__(self, gallery: Gallery) -> None:
        if gallery.places is None:
            raise ValueError(
                "expected a gallery with features of regions, this one was built without; rebuild "
                f"it: {rebuild_command(gallery.folder)}"
            )
        self.places = gallery.places
        self.side = math.isqrt(self.places.shape[1])
        sample = self.places[:: max(1, len(self.places) // 2_000)]
        self.center = np.asarray(sample, np.float32).mean(0)  # [P, D]

    def similarity(self, places: np.ndarray, region: str) -> np.ndarray:
        """Compare a region of an image with that of every image of the gallery.

        Args:
            places: of the image, real [P, D].
            region: as `read_region` takes it.

        Returns:
            float32 [N] in [-1, 1], 1 for the same features.
        """
        weights = covered_places(read_region(region), self.side)
        chosen = np.flatnonzero(weights)
        own = _unit(np.asarray(places, np.float32)[chosen] - self.center[chosen])
        out = np.empty(len(self.places), np.float32)
        for start in range(0, len(out), _BLOCK):
            rows = np.asarray(self.places[start : start + _BLOCK][:, chosen], np.float32)
            cosines = (_unit(rows - self.center[chosen]) * own).sum(2)
            out[start : start + _BLOCK] = cosines @ weights[chosen]
        return out


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6)
