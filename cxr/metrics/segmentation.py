"""Measures of masks and heat maps: Dice, intersection over union, the pointing game."""

from __future__ import annotations

import numpy as np


def _two_masks(marked: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    marked, truth = np.asarray(marked), np.asarray(truth)
    if marked.shape != truth.shape or marked.dtype != bool or truth.dtype != bool:
        raise ValueError(
            f"expected two masks of type bool and one shape; got {marked.dtype} "
            f"{list(marked.shape)} and {truth.dtype} {list(truth.shape)}. Apply a threshold first."
        )
    return marked, truth


def dice(marked: np.ndarray, truth: np.ndarray) -> float:
    """Dice coefficient 2 |A and B| / (|A| + |B|) of two masks (Dice 1945).

    marked, truth: bool of one shape. Returns a float in [0, 1]. EMPTY: 1 when both are empty, since
    nothing was asked for and nothing marked; 0 when one of them is.
    """
    marked, truth = _two_masks(marked, truth)
    total = int(marked.sum()) + int(truth.sum())
    return 2 * int((marked & truth).sum()) / total if total else 1.0


def iou(marked: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union |A and B| / |A or B| (Jaccard 1912); empty masks as for `dice`."""
    marked, truth = _two_masks(marked, truth)
    union = int((marked | truth).sum())
    return int((marked & truth).sum()) / union if union else 1.0


def pointing_game(heat: np.ndarray, boxes: np.ndarray) -> bool:
    """Whether the hottest place lies inside one of the boxes (Zhang et al. 2016).

    heat: real [H, W]; boxes float [K, 4]: left, top, width and height as fractions of the picture.
    The hottest pixel's centre counts; of several equal ones, the middle of them. A map that
    is 0 everywhere points nowhere: False.
    """
    heat = np.asarray(heat)
    if heat.ndim != 2 or not np.isfinite(heat).all():
        raise ValueError(f"expected a finite map [H, W]; got shape {list(heat.shape)}.")
    if not heat.max() > 0:
        return False
    rows, columns = np.nonzero(heat == heat.max())
    y, x = (rows.mean() + 0.5) / heat.shape[0], (columns.mean() + 0.5) / heat.shape[1]
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    left, top, width, height = boxes.T
    inside = (left <= x) & (x <= left + width) & (top <= y) & (y <= top + height)
    return bool(inside.any())
