"""Measures of quality: pure functions of numpy arrays, with answers one can work out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def _similarity(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or 0 in values.shape or not np.isfinite(values).all():
        raise ValueError(
            f"expected finite similarities [queries, items]; got shape {list(values.shape)}. "
            "Look for NaN in the embeddings."
        )
    return values


def hit_probability(similarity: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """For each query, the chance that an item that counts is among the k most similar.

    similarity float [Q, N]; relevant bool [Q, N]; k >= 1. Returns float64 [Q] in [0, 1]: 0 or 1,
    or between where items with exactly equal similarity compete for the last places, all orders
    of equal items being as likely, so that a model that tells nothing apart scores as chance
    does. Raises ValueError for shapes that differ, k < 1, NaN, or a query without relevant item.
    """
    similarity, relevant = _similarity(similarity), np.asarray(relevant, bool)
    if similarity.shape != relevant.shape or k < 1:
        raise ValueError(
            f"expected relevant {list(similarity.shape)} and k >= 1; "
            f"got {list(relevant.shape)} and k = {k}."
        )
    if not relevant.any(1).all():
        raise ValueError("expected at least one relevant item for every query; got one without.")
    best = np.where(relevant, similarity, -np.inf).max(1, keepdims=True)
    above = (similarity > best).sum(1)
    tied = similarity == best
    good, bad, places = (tied & relevant).sum(1), (tied & ~relevant).sum(1), k - above
    return np.array([_any_of(g, b, p) for g, b, p in zip(good, bad, places)])


def _any_of(good: int, bad: int, places: int) -> float:
    """Chance that one of `good` is among the first `places` of good + bad in random order."""
    if places <= 0:
        return 0.0
    missed = 1.0
    for drawn in range(min(places, good + bad)):
        missed *= max(0, bad - drawn) / (good + bad - drawn)
    return 1.0 - missed


def recall_at_k(similarity: np.ndarray, k: int, relevant: np.ndarray | None = None) -> float:
    """Share of queries that find an item that counts among the k most similar.

    similarity float [Q, N]; relevant bool [Q, N], or None for pairs: item i belongs to query i.
    Returns a float in [0, 1]; chance is about k / N for pairs. Ties as in `hit_probability`.
    """
    if relevant is None:
        if np.shape(similarity)[0] != np.shape(similarity)[1]:
            raise ValueError(f"expected pairs [N, N]; got {list(np.shape(similarity))}.")
        relevant = np.eye(len(similarity), dtype=bool)
    return float(hit_probability(similarity, relevant, k).mean())


def random_recall_at_k(relevant: np.ndarray, k: int) -> float:
    """Recall at k of a random order. relevant bool [Q, N] -> float in [0, 1]."""
    return recall_at_k(np.zeros(np.shape(relevant)), k, relevant)


def precision_at_k(scores: np.ndarray, relevant: np.ndarray, k: int) -> float:
    """Share of relevant items among the k of the highest score.

    scores float [N], relevant bool [N], 1 <= k <= N. Equal scores are shared out evenly.
    """
    scores, relevant = _similarity(np.asarray(scores)[None])[0], np.asarray(relevant, bool)
    if not 1 <= k <= len(scores):
        raise ValueError(f"expected 1 <= k <= {len(scores)}; got {k}.")
    threshold = np.sort(scores)[-k]
    above, tied = scores > threshold, scores == threshold
    return float((relevant[above].sum() + (k - above.sum()) * relevant[tied].mean()) / k)


def average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Area under the precision-recall curve by steps (as scikit-learn's average_precision_score).

    scores float [N], relevant bool [N] with at least one True. Returns a float in (0, 1].
    """
    from sklearn.metrics import average_precision_score

    if not np.any(relevant):
        raise ValueError("expected at least one relevant item; got none.")
    return float(average_precision_score(np.asarray(relevant, int), scores))


def auroc(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half.

    scores float [N], relevant bool [N]. Returns a float in [0, 1]; NaN when one class is empty.
    """
    scores, relevant = _similarity(np.asarray(scores)[None])[0], np.asarray(relevant, bool)
    positive, negative = scores[relevant], np.sort(scores[~relevant])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, "left")
    not_above = np.searchsorted(negative, positive, "right")
    return float((below + not_above).mean() / (2 * len(negative)))


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float],
    count: int,
    rounds: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval (Efron 1979) of a statistic of `count` cases.

    statistic takes int64 [count] case numbers, drawn with replacement, and returns a float;
    rounds where it is NaN are left out. Returns (low, high).
    """
    generator = np.random.default_rng(seed)
    values = [statistic(generator.integers(0, count, count)) for _ in range(rounds)]
    values = np.array([value for value in values if np.isfinite(value)])
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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
