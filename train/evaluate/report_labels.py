"""Suggested findings against true ones: precision, recall and F1, micro and macro."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cxr.metrics import value_with_interval


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros(np.shape(below)), where=np.asarray(below) > 0)


def label_scores(found: np.ndarray, truth: np.ndarray, known: np.ndarray) -> dict[str, float]:
    """Micro and macro precision, recall and F1.

    Macro is the mean over findings that occur; where nothing is found, precision counts as 0.

    Args:
        found: bool [N, F], what is suggested.
        truth: bool [N, F], what is present.
        known: bool [N, F]; cases that are not known do not count.
    """
    hits = (found & truth & known).sum(0).astype(float)
    named, there = (found & known).sum(0).astype(float), (truth & known).sum(0).astype(float)
    occurs = there > 0
    parts = {
        "micro": (hits.sum(), named.sum(), there.sum()),
        "macro": (hits[occurs], named[occurs], there[occurs]),
    }
    scores = {}
    for kind, (both, claimed, present) in parts.items():
        values = {
            "precision": _ratio(both, claimed),
            "recall": _ratio(both, present),
            "f1": _ratio(2 * both, claimed + present),
        }
        for name, value in values.items():
            scores[f"{kind}_{name}"] = float(np.mean(value)) if np.size(value) else 0.0
    return scores


def with_intervals(
    score: Callable[[np.ndarray], dict[str, float]], count: int, rounds: int, seed: int
) -> dict[str, dict[str, float]]:
    """Every score of the films' numbers int64 [n], with its 95% bootstrap interval over films."""
    return {
        name: value_with_interval(lambda rows, n=name: score(rows)[n], count, rounds, seed)
        for name in score(np.arange(count))
    }


def commonest(labels: np.ndarray) -> int:
    """The row whose set of findings occurs most often. labels: bool [N, F]."""
    _, first, counts = np.unique(labels, axis=0, return_index=True, return_counts=True)
    return int(first[counts.argmax()])


def baseline_rows(
    labels: np.ndarray, embeddings: np.ndarray, films: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Which training film lends its report to each of N films: {baseline: int64 [N]}.

    labels: bool [M, F], embeddings: float [M, D] of the training films; films: float [N, D].
    """
    random = np.random.default_rng(seed).integers(0, len(labels), len(films))
    return {
        "commonest report": np.full(len(films), commonest(labels)),
        "random report": random,
        "nearest neighbour's report": (films @ embeddings.T).argmax(1),
    }


def per_finding(found: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> dict[str, dict]:
    """Precision, recall and F1 of each finding that occurs. found, truth: bool [N, F]."""
    out = {}
    for column, name in enumerate(names):
        if truth[:, column].any():
            one = label_scores(
                found[:, [column]], truth[:, [column]], np.ones((len(truth), 1), bool)
            )
            out[name] = {
                key: round(one[f"micro_{key}"], 4) for key in ("precision", "recall", "f1")
            }
    return out
