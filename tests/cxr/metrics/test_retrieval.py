"""Metrics: perfect, useless, half and empty, worked out by hand or against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cxr.metrics import retrieval as metrics


def test_recall_is_one_for_a_perfect_and_zero_for_a_reversed_order():
    assert metrics.recall_at_k(np.eye(5), 1) == 1
    assert metrics.recall_at_k(-np.eye(5), 4) == 0
    assert metrics.recall_at_k(-np.eye(5), 5) == 1


def test_a_model_that_tells_nothing_apart_scores_as_chance():
    assert metrics.recall_at_k(np.zeros((20, 20)), 5) == pytest.approx(5 / 20)
    relevant = np.zeros((1, 4), bool)
    relevant[0, :2] = True
    assert metrics.random_recall_at_k(relevant, 1) == pytest.approx(0.5)
    assert metrics.random_recall_at_k(relevant, 2) == pytest.approx(1 - (2 / 4) * (1 / 3))


def test_ties_share_the_last_places():
    similarity = np.array([[0.5, 0.9, 0.5, 0.1]])
    relevant = np.array([[True, False, False, False]])
    hits = [metrics.hit_probability(similarity, relevant, k)[0] for k in (1, 2, 3)]
    assert hits == pytest.approx([0, 0.5, 1])


def test_recall_of_ranks_that_are_known():
    similarity = np.array([[3.0, 2, 1], [3, 2, 1], [3, 2, 1]])  # the pair ranks 1st, 2nd, 3rd
    found = [metrics.recall_at_k(similarity, k) for k in (1, 2, 3)]
    assert found == pytest.approx([1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("bad", [np.full((2, 2), np.nan), np.zeros((2, 0)), np.zeros(3)])
def test_recall_refuses_what_is_no_similarity(bad):
    with pytest.raises(ValueError, match="expected"):
        metrics.recall_at_k(bad, 1, np.ones(np.shape(bad), bool))


def test_a_query_without_relevant_items_is_refused():
    with pytest.raises(ValueError, match="relevant"):
        metrics.recall_at_k(np.eye(2), 1, np.array([[True, False], [False, False]]))


def test_precision_counts_the_best_and_shares_ties():
    scores, relevant = np.array([4.0, 3, 2, 1]), np.array([True, False, True, False])
    assert metrics.precision_at_k(scores, relevant, 1) == 1
    assert metrics.precision_at_k(scores, relevant, 2) == 0.5
    assert metrics.precision_at_k(np.zeros(4), relevant, 3) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="k"):
        metrics.precision_at_k(scores, relevant, 5)


def test_average_precision_of_a_known_order():
    found = metrics.average_precision(np.array([3.0, 2, 1]), np.array([1, 0, 1]))
    assert found == pytest.approx(5 / 6)
    with pytest.raises(ValueError, match="relevant"):
        metrics.average_precision(np.array([1.0, 2]), np.array([0, 0]))


def test_auroc_agrees_with_scikit_learn_and_knows_its_limits():
    rng = np.random.default_rng(0)
    scores, present = rng.integers(0, 6, 200).astype(float), rng.random(200) < 0.3
    assert metrics.auroc(scores, present) == pytest.approx(roc_auc_score(present, scores))
    assert metrics.auroc(np.array([1.0, 0]), np.array([True, False])) == 1
    assert metrics.auroc(np.zeros(4), np.array([True, False, True, False])) == 0.5
    assert np.isnan(metrics.auroc(np.zeros(2), np.array([True, True])))
