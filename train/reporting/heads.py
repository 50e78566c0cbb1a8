"""Directions in the embedding that score findings: zero-shot, or with a learned linear head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxr.language import affirmative, negative
from cxr.metrics import auroc
from cxr.retrieval import Retriever

STRENGTHS = (0.0, 1e-4, 1e-3, 1e-2)  # inverse regularisation of the head; 0: no head
LEAST = 6  # positives that an AUROC needs to count in the choice
MARGIN = 0.005  # a head must be better than zero-shot by this much


@dataclass(frozen=True, eq=False)
class Directions:
    """directions: float32 [D, F]; offsets: float32 [F]; scores of training films have mean 0."""

    directions: np.ndarray
    offsets: np.ndarray
    source: str


def zero_shot_directions(retriever: Retriever, names: Sequence[str]) -> np.ndarray:
    """float32 [D, F]: mean embedding of the texts that affirm less that of those that deny."""
    return np.stack(
        [
            retriever.encode_text(affirmative(name)).mean(0)
            - retriever.encode_text(negative(name)).mean(0)
            for name in names
        ],
        1,
    )


def learned_directions(embeddings: np.ndarray, labels: np.ndarray, strength: float) -> np.ndarray:
    """float32 [D, F]: logistic regressions on standardize embeddings [N, D], labels [N, F]."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = embeddings.mean(0), embeddings.std(0) + 1e-6
    columns = []
    for column in labels.T:
        known = ~np.isnan(column)
        fitted = LogisticRegression(C=strength, max_iter=200, tol=1e-3).fit(
            (embeddings[known] - mean) / spread, column[known]
        )
        columns.append(fitted.coef_[0] / spread)
    return np.stack(columns, 1).astype(np.float32)


def choose_directions(
    retriever: Retriever,
    names: Sequence[str],
    train: tuple[np.ndarray, np.ndarray],
    val: tuple[np.ndarray, np.ndarray],
) -> tuple[Directions, list[dict]]:
    """The directions of the best mean AUROC on the validation films, and all that were tried.

    train, val: (embeddings float [N, D], labels float [N, F]). Where a head is used, its scores
    and the zero-shot ones are added after each was divided by its spread.
    """
    base = _scaled(zero_shot_directions(retriever, names), train[0])
    trials, best = [], None
    for strength in STRENGTHS:
        directions = (
            base
            if not strength
            else _scaled(base + _scaled(learned_directions(*train, strength), train[0]), train[0])
        )
        value = _mean_auroc(val[0] @ directions, val[1])
        trials.append({"head": strength, "mean_auroc": round(value, 4)})
        if best is None or value > best[0] + (MARGIN if best[1] == 0 else 0):
            best = value, strength, directions
    source = (
        "zero-shot prompts"
        if not best[1]
        else (f"zero-shot prompts and a linear head on the embedding (C = {best[1]:g}), added")
    )
    offsets = -(train[0] @ best[2]).mean(0)
    return Directions(best[2].astype(np.float32), offsets.astype(np.float32), source), trials


def _scaled(directions: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
    return directions / ((embeddings @ directions).std(0) + 1e-9)


def _mean_auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    found = [
        auroc(scores[known, i], labels[known, i] == 1)
        for i in range(labels.shape[1])
        if (known := ~np.isnan(labels[:, i])).any()
        and (labels[known, i] == 1).sum() >= min(LEAST, max(1, len(labels) // 10))
    ]
    return float(np.nanmean(found)) if found else 0.5
