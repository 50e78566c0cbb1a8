"""The judge of the whole image, fitted to drawn scores whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.metrics import auroc
from cxr.reporting.overall import LOOKS_ABNORMAL, LOOKS_NORMAL
from train.reporting.abnormality import LEAST_IMAGES, choose_overall_point, fit_abnormality


def drawn(count: int = 400, seed: int = 0):
    """Scores of five findings, abnormal where their sum is high but for noise; two a patient."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(count, 5)).astype(np.float32)
    abnormal = scores.sum(1) + random.normal(0, 0.4, count) > -1
    return scores, abnormal, [f"p{row // 2}" for row in range(count)]


def test_the_judge_tells_images_that_it_never_saw():
    judge, tried = fit_abnormality(*drawn(), refits=30, seed=0)
    assert judge.weights.shape == (31, 6) and judge.weights.dtype == np.float32
    assert tried["auroc"] > 0.9 and len(tried) == 6
    scores, abnormal, _ = drawn(seed=5)
    found = [judge.judge(row) for row in scores]
    assert auroc(np.array([one.probability for one in found]), abnormal) > 0.9
    words = np.array([one.word for one in found])
    assert (words[~abnormal] == LOOKS_ABNORMAL).mean() < 0.2
    assert (words[abnormal] == LOOKS_NORMAL).mean() < 0.08


def test_the_same_seed_gives_the_same_judge():
    first, second = (fit_abnormality(*drawn(), refits=5, seed=3)[0] for _ in range(2))
    assert np.array_equal(first.weights, second.weights) and first.point == second.point


@pytest.mark.parametrize("kind", [True, False])
def test_too_few_images_of_a_kind_give_no_judge(kind):
    scores, abnormal, patients = drawn()
    rare = np.flatnonzero(abnormal == kind)
    rows = np.concatenate([np.flatnonzero(abnormal != kind), rare[: LEAST_IMAGES - 1]])
    assert fit_abnormality(scores[rows], abnormal[rows], [patients[r] for r in rows], 2, 0) == (
        None,
        {},
    )


def test_thresholds_keep_what_they_promise():
    chances = np.concatenate([np.linspace(0.05, 0.8, 100), np.linspace(0.2, 0.99, 200)])
    abnormal = np.arange(300) >= 100
    point = choose_overall_point(chances, abnormal)
    assert point.specificity >= 0.9 and point.missed <= 0.03
    assert point.specificity == round((chances[:100] < point.abnormal_from).mean(), 4)
    assert point.recognized == round((chances[:100] < point.normal_below).mean(), 4)
    assert point.prevalence == round(2 / 3, 4) and point.images == 300


def test_images_told_apart_wholly_leave_one_threshold():
    chances, abnormal = np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])
    point = choose_overall_point(chances, abnormal)
    assert point.normal_below == point.abnormal_from and point.sensitivity == 1
