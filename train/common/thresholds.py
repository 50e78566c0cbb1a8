"""Thresholds on probabilities, and the F1 that they are chosen by."""

from __future__ import annotations

import numpy as np


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    """F1 = 2 TP / (2 TP + FP + FN) of bool arrays of one shape; 0 where nothing is found."""
    both = float((found & truth).sum())
    total = float(found.sum() + truth.sum())
    return 2 * both / total if total else 0.0


def best_threshold(chance: np.ndarray, truth: np.ndarray) -> float:
    """The probability from which on to call cases present for the best F1, pooled over cases.

    chance: float [N]; truth: bool [N]. Where the F1 is near its best (within 2%), the middle of
    those thresholds is taken, which rests on fewer accidents than the very best one.
    """
    grid = np.unique(np.round(np.quantile(chance, np.linspace(0, 1, 401)), 4))
    scores = np.array([f1(chance >= threshold, truth) for threshold in grid])
    return float(np.median(grid[scores >= 0.98 * scores.max()]))
