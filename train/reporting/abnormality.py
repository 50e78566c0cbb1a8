"""A judge of the image as a whole, fitted to what a panel of radiologists called abnormal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr.data import load_expert_labels, stem
from cxr.findings import Study
from cxr.metrics import auroc
from cxr.reporting import Abnormality, OverallPoint
from train.reporting.operating_points import DENIED, SPECIFICITY

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)  # scikit-learn's C, tried in turn
FOLDS = 5
LEAST_IMAGES = 20  # of each kind; with fewer nothing is fitted
_DIGITS = 6


def fit_abnormality(
    scores: np.ndarray, abnormal: np.ndarray, patients: Sequence[str], refits: int, seed: int
) -> tuple[Abnormality | None, dict[str, float]]:
    """Fit the judge.

    Args:
        scores: float [N, F], findings' scores by heads that were not fitted on the image.
        abnormal: bool [N], as most of the panel said.
        patients: N names; the images of one are never on both sides.
        refits: B, on resampled images.
        seed: of the resampling.

    Returns:
        The judge, its thresholds from probabilities out of fold; None where fewer than LEAST_IMAGES
        are normal or abnormal. And what was tried: the log loss out of fold by strength, and the
        AUROC out of fold of the chosen one.
    """
    from sklearn.metrics import log_loss

    counts = int(abnormal.sum()), int((~abnormal).sum())
    if min(counts) < LEAST_IMAGES:
        return None, {}
    held = {one: _out_of_fold(scores, abnormal, patients, one) for one in STRENGTHS}
    losses = {one: float(log_loss(abnormal, chances)) for one, chances in held.items()}
    strength = min(losses, key=lambda one: losses[one])
    generator = np.random.default_rng(seed)
    drawn = [np.arange(len(scores))]
    drawn += [generator.integers(0, len(scores), len(scores)) for _ in range(refits)]
    weights = np.stack([_fit(scores[rows], abnormal[rows], strength) for rows in drawn])
    tried = {f"log_loss at {one}": round(loss, 4) for one, loss in losses.items()}
    tried["auroc"] = round(auroc(held[strength], abnormal), 4)
    point = choose_overall_point(held[strength], abnormal)
    return Abnormality(weights.astype(np.float32), point), tried


def choose_overall_point(chances: np.ndarray, abnormal: np.ndarray) -> OverallPoint:
    """Choose the thresholds: the least that keeps SPECIFICITY, and that which misses DENIED.

    Args:
        chances: float [N] in [0, 1].
        abnormal: bool [N], some of each kind.
    """
    there, absent = np.sort(chances[abnormal]), np.sort(chances[~abnormal])
    below = math.ceil(SPECIFICITY * len(absent) - 1e-9)
    high = (math.floor(absent[below - 1] * 10**_DIGITS) + 1) / 10**_DIGITS
    low = math.floor(there[int(DENIED * len(there))] * 10**_DIGITS) / 10**_DIGITS
    low = min(low, high)
    return OverallPoint(
        abnormal_from=min(high, 1.0),
        normal_below=low,
        sensitivity=round(float((there >= high).mean()), 4),
        specificity=round(float((absent < high).mean()), 4),
        missed=round(float((there < low).mean()), 4),
        recognized=round(float((absent < low).mean()), 4),
        prevalence=round(float(abnormal.mean()), 4),
        images=len(chances),
    )


def abnormal_of(root: Path, studies: Sequence[Study]) -> np.ndarray:
    """Whether most of the panel called each of N studies of a data set abnormal: bool [N].

    Raises KeyError for a study that the panel did not read.
    """
    panel = load_expert_labels(root)
    keys = [stem(one.image.name if one.image else one.id) for one in studies]
    return np.array([panel[key].abnormal for key in keys], bool)


def _fit(scores: np.ndarray, abnormal: np.ndarray, strength: float) -> np.ndarray:
    """float64 [F + 1], a weight for each score and what is added."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=strength, max_iter=1000).fit(scores, abnormal)
    return np.append(fitted.coef_[0], fitted.intercept_)


def _out_of_fold(
    scores: np.ndarray, abnormal: np.ndarray, patients: Sequence[str], strength: float
) -> np.ndarray:
    """Probabilities float [N] of fits that never saw the patient."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    folds = StratifiedGroupKFold(FOLDS)
    model = LogisticRegression(C=strength, max_iter=1000)
    predicted = cross_val_predict(
        model, scores, abnormal, groups=list(patients), cv=folds, method="predict_proba"
    )
    return np.asarray(predicted)[:, 1]
