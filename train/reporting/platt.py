"""Platt scaling of many findings at once, the rare ones leaning on the others."""

from __future__ import annotations

import numpy as np

from cxr.checkpoints import sigmoid
from cxr.reporting import Bands

PRIOR = 4.0  # how many units of information the shared slope weighs against a finding's own
NEVER_WRONG = 0.05  # share of findings called unlikely that may be there after all


def fit_slopes(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slopes float64 [F] of F logistic regressions, each shrunk to their common mean.

    scores, labels: float [N, F], labels 0, 1 or NaN (left out). weights: float [N], how often a
    film counts. The common slope is the mean weighted by each finding's information about it, so
    that a finding with few positives has the slope of the others.
    """
    first, _, information = _newton(scores, labels, weights, np.ones(scores.shape[1]), 1.0)
    shared = float((information * first).sum() / information.sum())
    return _newton(scores, labels, weights, np.full(scores.shape[1], shared), PRIOR)[0]


def _newton(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, centre: np.ndarray, prior: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes and intercepts [F] of the maximum a posteriori, and the information on the slopes."""
    known = ~np.isnan(labels) * weights[:, None]
    truth = np.nan_to_num(labels)
    slope, intercept = centre.astype(float), np.full(scores.shape[1], -2.0)
    for _ in range(40):
        chance = sigmoid(slope * scores + intercept)
        error, spread = known * (chance - truth), known * chance * (1 - chance)
        gradient = (error * scores).sum(0) + prior * (slope - centre), error.sum(0)
        gradient = gradient[0], gradient[1] + 0.05 * (intercept + 2.5)  # for findings never seen
        aa = (spread * scores**2).sum(0) + prior
        ab, bb = (spread * scores).sum(0), spread.sum(0) + 0.05
        determinant = aa * bb - ab**2
        slope = slope - np.clip((bb * gradient[0] - ab * gradient[1]) / determinant, -1, 1)
        intercept = intercept - np.clip((aa * gradient[1] - ab * gradient[0]) / determinant, -1, 1)
    return slope, intercept, np.maximum(aa - prior - ab**2 / bb, 1e-6)


def intercepts(scores: np.ndarray, slopes: np.ndarray, prevalence: np.ndarray) -> np.ndarray:
    """Intercepts float64 [F] with which the mean probability over the films is the prevalence.

    scores: float [N, F]; slopes, prevalence: float [F]. Found by bisection.
    """
    low, high = np.full(len(slopes), -30.0), np.full(len(slopes), 30.0)
    for _ in range(60):
        middle = (low + high) / 2
        above = sigmoid(slopes * scores + middle).mean(0) > prevalence
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def fit_platt(
    val: tuple[np.ndarray, np.ndarray], both: tuple[np.ndarray, np.ndarray], refits: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(platt float32 [2, F], refits float32 [B, 2, F]).

    val: scores and labels [N, F] of films that the encoder was not trained on: they give the
    slopes. both: those of all labelled films: they give the prevalence, which needs many.
    """

    def fit(rows: np.ndarray, all_rows: np.ndarray) -> np.ndarray:
        slopes = fit_slopes(val[0], val[1], np.bincount(rows, minlength=len(val[0])))
        # (sum + 1/2) / (n + 1): a finding that a resample misses is rare, not impossible
        present, known = (
            np.nan_to_num(both[1][all_rows]).sum(0),
            (~np.isnan(both[1][all_rows])).sum(0),
        )
        share = (present + 0.5) / (known + 1)
        return np.stack([slopes, intercepts(both[0][all_rows], slopes, share)])

    generator = np.random.default_rng(seed)
    drawn = [
        fit(
            generator.integers(0, len(val[0]), len(val[0])),
            generator.integers(0, len(both[0]), len(both[0])),
        )
        for _ in range(refits)
    ]
    whole = fit(np.arange(len(val[0])), np.arange(len(both[0])))
    return whole.astype(np.float32), np.stack(drawn).astype(np.float32)


def choose_bands(probabilities: np.ndarray, labels: np.ndarray) -> Bands:
    """Where the words change, on validation films. probabilities, labels: float [N, F].

    "possible": from where micro-F1 is best. "likely": from one half, or from "possible" if that
    is higher. "unlikely": below the highest probability under which at most NEVER_WRONG of the
    findings are there.
    """
    known = ~np.isnan(labels)
    chance, truth = probabilities[known], labels[known] == 1
    possible = best_threshold(chance, truth)
    order = np.argsort(chance)
    wrong = np.cumsum(truth[order]) / np.arange(1, len(order) + 1)
    safe = np.flatnonzero(wrong <= NEVER_WRONG)
    unlikely = float(chance[order][safe[-1]]) if len(safe) else 0.0
    return Bands(
        max(0.5, round(possible, 3)),
        round(possible, 3),
        min(round(unlikely, 3), round(possible, 3)),
    )


def best_threshold(chance: np.ndarray, truth: np.ndarray) -> float:
    """The probability from which on to call cases present for the best F1, pooled over cases.

    chance: float [N]; truth: bool [N]. Where the F1 is near its best (within 2%), the middle of
    those thresholds is taken, which rests on fewer accidents than the very best one.
    """
    from sklearn.metrics import f1_score

    grid = np.unique(np.round(np.quantile(chance, np.linspace(0, 1, 401)), 4))
    scores = np.array([f1_score(truth, chance >= threshold, zero_division=0) for threshold in grid])
    return float(np.median(grid[scores >= 0.98 * scores.max()]))
