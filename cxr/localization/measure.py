"""How large a marked area is and on which side, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cxr.anatomy import ZONES
from cxr.localization.lung_zones import third

_INSIDE = 0.5  # of a lung's map
_ONE_SIDE = 0.9  # of what is marked in the lungs: from here on the other side is not mentioned
_MORE = 0.65  # from here on one side, or one zone, has more
# Ratios that hearts have: of 190 measured by hand (the data set of cardiothoracic ratios) all lie
# between 0.34 and 0.78. Beyond, an opacity has hidden an edge of the heart or of a lung.
PLAUSIBLE_RATIOS = (0.3, 0.8)
_SPECK = 0.1  # of an organ's largest part; what is smaller is no part of it
_IN_LUNGS = 0.2  # of what is marked; with less it is said to lie outside the lungs


@dataclass(frozen=True)
class Measure:
    """How much of the lungs and of the image is marked, in percent and in words.

    Attributes:
        lungs: of the area of both lungs; None where no lung was found.
        right: of the right lung's area, as `lungs`.
        left: of the left lung's area, as `lungs`.
        picture: of the whole image, its padding counted in.
        words: such as "right lung, mostly the lower zone", "outside the lungs" or "not found".
    """

    lungs: float | None
    right: float | None
    left: float | None
    picture: float
    words: str

    @property
    def found(self) -> bool:
        """Whether anything is marked."""
        return self.picture > 0


@dataclass(frozen=True)
class Ratio:
    """A cardiothoracic ratio with its 90% interval, from how far others were off on validation."""

    value: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """Such as "0.57 (0.54 to 0.60)"; of one that no heart has, that it is no measurement."""
        if not self.plausible:
            return f"{self.value:.2f}, which no heart has: an edge of it or of a lung is hidden"
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"

    @property
    def plausible(self) -> bool:
        """Whether a heart can have it (PLAUSIBLE_RATIOS)."""
        return PLAUSIBLE_RATIOS[0] <= self.value <= PLAUSIBLE_RATIOS[1]


def measure_region(
    heat: np.ndarray, right: np.ndarray, left: np.ndarray, threshold: float
) -> Measure:
    """Measure what is marked, against the lungs and against the image.

    Args:
        heat: real [S, S] in [0, 1].
        right: the right lung, as `heat`.
        left: the left lung, as `heat`.
        threshold: in (0, 1]; what reaches it is marked.

    Raises:
        ValueError: a threshold outside of (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"expected a threshold above 0 and at most 1; got {threshold}.")
    marked = heat >= threshold
    sides = [right >= _INSIDE, left >= _INSIDE]
    lungs, right_share, left_share = (
        _percent(marked & lung, lung) for lung in (sides[0] | sides[1], *sides)
    )
    picture = round(100 * float(marked.mean()), 2)
    return Measure(lungs, right_share, left_share, picture, _words(marked, sides))


def _percent(part: np.ndarray, whole: np.ndarray) -> float | None:
    return round(100 * float(part.sum() / whole.sum()), 1) if whole.any() else None


def _words(marked: np.ndarray, sides: list[np.ndarray]) -> str:
    if not marked.any():
        return "not found"
    inside = [int((marked & side).sum()) for side in sides]
    if sum(inside) < _IN_LUNGS * marked.sum():
        return "outside the lungs"
    share = inside[0] / sum(inside)
    if share >= _ONE_SIDE or share <= 1 - _ONE_SIDE:
        words = "right lung" if share > 0.5 else "left lung"
    elif share >= _MORE or share <= 1 - _MORE:
        words = f"both lungs, more on the {'right' if share > 0.5 else 'left'}"
    else:
        words = "both lungs"
    zones = [sum(int((marked & third(side, zone, 1)).sum()) for side in sides) for zone in ZONES]
    most = int(np.argmax(zones))
    return f"{words}, mostly the {ZONES[most]} zone" if zones[most] >= _MORE * sum(zones) else words


def cardiothoracic_ratio(
    heart: np.ndarray, right: np.ndarray, left: np.ndarray, threshold: float = _INSIDE
) -> float | None:
    """Measure the width of the heart against that of the chest, as on a PA image (Danzer 1919).

    Args:
        heart: real [S, S] in [0, 1]; the mediastinum above the heart may be part of it.
        right: the right lung, as `heart`.
        left: the left lung, as `heart`.
        threshold: from which a pixel belongs to each.

    Returns:
        The largest width of the lower half of the heart, over the distance across from the outer
        edge of one lung to that of the other, each where it lies farthest out; None where one of
        the three is missing. On outlines drawn by hand that is within 0.002 of the ratio that
        radiologists measured on the same images (the data set of cardiothoracic ratios).
    """
    masks = [_largest_part(values >= threshold) for values in (heart, right, left)]
    if not all(mask.any() for mask in masks):
        return None
    rows = np.flatnonzero(masks[0].any(1))
    below = masks[0][(rows[0] + rows[-1]) // 2 :]  # the great vessels are narrower, or should be
    return _width(below) / _width(masks[1] | masks[2])


def heart_offset(heart: np.ndarray, right: np.ndarray, left: np.ndarray) -> float | None:
    """Measure how far the heart lies to the patient's left, as the image is meant to stand.

    Args:
        heart: real [S, S] in [0, 1]; the mediastinum above the heart may be part of it.
        right: the right lung, as `heart`.
        left: the left lung, as `heart`.

    Returns:
        How far the center of the lower half of the heart lies from the middle of the chest, or
        from the center of its upper half where that is more, over the width of the chest; below 0
        to the patient's right. The second keeps a chest that is turned or has lost a lung from
        counting. None where one of the three is missing.
    """
    masks = [_largest_part(values >= _INSIDE) for values in (heart, right, left)]
    if not all(mask.any() for mask in masks):
        return None
    rows = np.flatnonzero(masks[0].any(1))
    if len(rows) < 2:
        return None
    half = max(1, (rows[0] + rows[-1]) // 2 - rows[0])
    upper, lower = (
        np.nonzero(part)[1].mean()
        for part in (masks[0][: rows[0] + half], masks[0][rows[0] + half :])
        if part.any()
    )
    chest = np.flatnonzero((masks[1] | masks[2]).any(0))
    away = max(lower - (chest[0] + chest[-1]) / 2, lower - upper)
    return float(away / (chest[-1] + 1 - chest[0]))


def without_specks(heat: np.ndarray, threshold: float = _INSIDE) -> np.ndarray:
    """Take what is marked apart from an organ out of its map.

    Args:
        heat: real [S, S] in [0, 1].
        threshold: from which a pixel is marked.

    Returns:
        float32 [S, S], `heat` but just below `threshold` in each connected part that is smaller
        than a tenth of the largest: an organ may be cut in two by what hides it, but has no specks.
    """
    parts, count = ndimage.label(heat >= threshold)
    if count < 2:
        return np.asarray(heat, np.float32)
    sizes = np.bincount(parts.ravel())
    small = sizes < sizes[1:].max() * _SPECK
    small[0] = False
    below = np.nextafter(np.float32(threshold), np.float32(0))
    return np.where(small[parts], below, heat).astype(np.float32)


def _largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask, so that a stray pixel moves no edge."""
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return parts == 1 + int(np.bincount(parts.ravel())[1:].argmax())


def _width(mask: np.ndarray) -> int:
    """Columns from the first to the last that is marked; 0 where none is."""
    columns = np.flatnonzero(mask.any(0))
    return int(columns[-1] - columns[0] + 1) if columns.size else 0
