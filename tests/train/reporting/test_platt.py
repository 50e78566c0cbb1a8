"""Platt scaling and the bands of probability: simulated images whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.checkpoints.finding_classifier import sigmoid
from cxr.reporting.calibration import Bands
from train.reporting.platt import (
    best_threshold,
    choose_bands,
    fit_platt,
    fit_slopes,
    intercepts,
)


def test_best_threshold_finds_the_gap():
    chance = np.array([0.1, 0.2, 0.3, 0.7, 0.8])
    truth = chance > 0.5
    threshold = best_threshold(chance, truth)
    assert 0.3 < threshold <= 0.7 and ((chance >= threshold) == truth).all()


def simulated(count: int = 4000, seed: int = 0):
    """Scores, and labels whose log odds are 1.5 x score - 2 for two findings; the third is rare."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(count, 3))
    labels = random.uniform(size=scores.shape) < sigmoid(1.5 * scores - [2, 2, 9])
    return scores, labels.astype(float)


def test_slopes_and_intercepts_of_simulated_films_are_found():
    scores, labels = simulated()
    platt, refits = fit_platt((scores, labels), (scores, labels), 5, 0)
    np.testing.assert_allclose(platt[0, :2], 1.5, atol=0.15)
    np.testing.assert_allclose(platt[1, :2], -2, atol=0.2)
    assert refits.shape == (5, 2, 3) and np.ptp(refits[:, 0, 0]) > 0


def test_a_finding_without_positives_has_the_slope_of_the_others():
    scores, labels = simulated()
    labels[:, 2] = 0
    slopes = fit_slopes(scores, labels, np.ones(len(scores)))
    assert slopes[2] == pytest.approx(slopes[:2].mean(), abs=0.25)


def test_the_mean_probability_is_the_prevalence():
    scores, _ = simulated(500)
    prevalence = np.array([0.1, 0.5, 0.01])
    found = intercepts(scores, np.ones(3), prevalence)
    np.testing.assert_allclose(sigmoid(scores + found).mean(0), prevalence, atol=1e-6)


def test_bands_are_in_order_and_words_follow_them():
    scores, labels = simulated()
    chances = sigmoid(1.5 * scores - [2, 2, 9])
    bands = choose_bands(chances, labels)
    assert 0 < bands.unlikely <= bands.possible <= bands.likely
    assert labels[chances < bands.unlikely].mean() <= 0.06
    assert [Bands(0.5, 0.3, 0.1).word(p) for p in (0.5, 0.3, 0.29, 0.1, 0.09)] == [
        "likely",
        "possible",
        "not sure",
        "not sure",
        "unlikely",
    ]
    with pytest.raises(ValueError, match="python -m train.reporting"):
        Bands(0.2, 0.3, 0.1)
