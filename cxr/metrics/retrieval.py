"""Measures of an order: recall and precision at k, average precision, AUROC."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


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
    if not np.any(relevant):
        raise ValueError("expected at least one relevant item; got none.")
    return float(average_precision_score(np.asarray(relevant, int), scores))


def auroc(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half.

    scores float [N], relevant bool [N]. Returns a float in [0, 1]; NaN when one class is empty,
    which is what a bootstrap of a rare finding needs. Raises ValueError for NaN among the scores.
    """
    scores, relevant = _similarity(np.asarray(scores)[None])[0], np.asarray(relevant, bool)
    if relevant.all() or not relevant.any():
        return float("nan")
    return float(roc_auc_score(relevant, scores))
