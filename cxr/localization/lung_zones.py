"""Sides and zones of the lungs on a frontal image, from masks of the two lungs.

Sides are the patient's: the right lung is on the left of the image. A zone is a third of a lung
between its highest and its lowest row.
"""

from __future__ import annotations

import numpy as np

from cxr.anatomy import ZONES

NARROWEST = 0.02  # of the image's width: a row with less of a lung is no part of its height


def apart(right: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two maps [S, S] -> the same, each 0 where the other is higher: no pixel is on both sides."""
    return np.where(right >= left, right, 0), np.where(left > right, left, 0)


def place_of(
    right: np.ndarray, left: np.ndarray, side: str | None, zone: str | None, inside: float
) -> np.ndarray:
    """Cut the part of the lungs on one side and in one zone.

    Args:
        right: the right lung, real [S, S] in [0, 1].
        left: the left lung, as `right`.
        side: "right" or "left"; None: both.
        zone: of ZONES; None: all.
        inside: from which a pixel belongs to the lung when its height is measured.

    Returns:
        [S, S] of their type, the lungs' values there and 0 elsewhere.
    """
    chosen = [{"right": right, "left": left}[side]] if side else [right, left]
    return np.max([third(lung, zone, inside) if zone else lung for lung in chosen], 0)


def third(lung: np.ndarray, zone: str, inside: float) -> np.ndarray:
    """The part of a lung [S, S] in a zone; empty when there is no lung."""
    widths = (lung >= inside).sum(1)
    rows = np.nonzero(widths >= max(1, NARROWEST * lung.shape[1]))[0]
    cut = np.zeros_like(lung)
    if len(rows):
        top, height = rows[0], rows[-1] + 1 - rows[0]
        first, last = (top + round(height * (ZONES.index(zone) + end) / 3) for end in (0, 1))
        # The outer zones reach to the lung's very ends, narrow as these are.
        first = 0 if zone == ZONES[0] else first
        last = len(lung) if zone == ZONES[-1] else last
        cut[first:last] = lung[first:last]
    return cut


def middle_of(right: np.ndarray, left: np.ndarray) -> float:
    """The column midway between the centers of the lungs [S, S]; that of the image without them."""
    columns = np.arange(right.shape[1])
    centers = [
        float((lung.sum(0) * columns).sum() / lung.sum()) if lung.sum() else np.nan
        for lung in (right, left)
    ]
    return sum(centers) / 2 if centers[0] < centers[1] else right.shape[1] / 2


def half_of(
    right: np.ndarray, left: np.ndarray, side: str | None, zone: str | None, inside: float
) -> np.ndarray:
    """The half of the chest and the rows of a zone, for what reaches beyond the lungs.

    Args:
        right: the right lung, real [S, S] in [0, 1].
        left: the left lung, as `right`.
        side: "right" or "left"; None: both.
        zone: of ZONES; None: all.
        inside: from which a pixel belongs to a lung when its height is measured.

    Returns:
        bool [S, S].
    """
    columns = np.arange(right.shape[1])
    halves = {"right": columns < middle_of(right, left)}
    halves["left"] = ~halves["right"]
    chosen = np.zeros(right.shape, bool)
    for name, lung in (("right", right), ("left", left)):
        if side in (None, name):
            own = np.tile(halves[name], (len(right), 1))
            if zone:
                own &= _filled(third(lung, zone, inside) > 0)[:, None]
            chosen |= own
    return chosen


def _filled(mask: np.ndarray) -> np.ndarray:
    """The rows from the first to the last that a mask [S, S] has pixels in: bool [S]."""
    at = np.flatnonzero(mask.any(1))
    rows = np.arange(len(mask))
    return (rows >= at[0]) & (rows <= at[-1]) if len(at) else np.zeros(len(mask), bool)


def on_its_side(heat: np.ndarray, side: str, right: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Empty the other half of a side's map where that holds more of the map.

    The halves meet midway between the centers of the lungs; in the middle of the image where these
    are not in order.

    Args:
        heat: real [S, S].
        side: "right" or "left".
        right: the right lung, real [S, S].
        left: the left lung, as `right`.

    Returns:
        [S, S] of the type of `heat`.
    """
    columns, middle = np.arange(heat.shape[1]), middle_of(right, left)
    own = (columns < middle) if side == "right" else (columns >= middle)
    if heat[:, ~own].sum() > heat[:, own].sum():
        return np.where(own, heat, 0).astype(heat.dtype)
    return heat
