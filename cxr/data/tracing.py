"""A mask -> the polygons around its parts, as fractions of its sides."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

_LEAST = 1e-4  # of the picture, that a part must cover
_TOLERANCE = 1.0  # pixels that a polygon may stray from the mask's edge


def trace_outlines(mask: np.ndarray) -> list[tuple[tuple[float, float], ...]]:
    """The outer edges of a mask's parts, the largest first.

    Args:
        mask: bool [H, W].

    Returns:
        A closed polygon a part, (x, y) in [0, 1]; holes and specks are left out.
    """
    parts, count = label(mask)
    sizes = np.bincount(parts.ravel())[1:]
    order = [int(one) for one in np.argsort(-sizes) if sizes[one] >= _LEAST * mask.size]
    height, width = mask.shape
    return [
        tuple(
            (float(x) / width, float(y) / height) for x, y in _simplified(_edge(parts == one + 1))
        )
        for one in order
    ]


def _edge(part: np.ndarray) -> list[tuple[int, int]]:
    """The corners along a part's outer edge, by walking the sides of its pixels."""
    padded = np.pad(part, 1)
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    inside = padded[1:-1, 1:-1]
    sides = (  # the neighbor that is outside, from where to where the side runs
        (padded[:-2, 1:-1], (0, 0), (1, 0)),
        (padded[1:-1, 2:], (1, 0), (1, 1)),
        (padded[2:, 1:-1], (1, 1), (0, 1)),
        (padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    for neighbor, (x1, y1), (x2, y2) in sides:
        for y, x in zip(*np.nonzero(inside & ~neighbor)):
            start, end = (int(x) + x1, int(y) + y1), (int(x) + x2, int(y) + y2)
            following.setdefault(start, []).append(end)
    loops = []
    while following:
        at = next(iter(following))
        loop = []
        while at in following:
            loop.append(at)
            ends = following[at]
            after = ends.pop()
            if not ends:
                del following[at]
            at = after
        loops.append(loop)
    return max(loops, key=len)


def _simplified(points: list[tuple[int, int]]) -> np.ndarray:
    """The polygon without the corners that lie within _TOLERANCE (Douglas and Peucker 1973)."""
    line = np.array(points, float)
    far = int(np.hypot(*(line - line[0]).T).argmax())
    if far == 0:
        return line
    halves = (line[: far + 1], np.vstack([line[far:], line[:1]]))
    return np.vstack([_thinned(half)[:-1] for half in halves])


def _thinned(line: np.ndarray) -> np.ndarray:
    first, last = line[0], line[-1]
    along = last - first
    away = np.abs(along[0] * (line[:, 1] - first[1]) - along[1] * (line[:, 0] - first[0]))
    away /= max(float(np.hypot(*along)), 1e-9)
    worst = int(away.argmax())
    if len(line) < 3 or away[worst] <= _TOLERANCE:
        return line[[0, -1]]
    return np.vstack([_thinned(line[: worst + 1])[:-1], _thinned(line[worst:])])
