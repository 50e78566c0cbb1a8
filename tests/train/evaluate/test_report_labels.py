"""Suggested findings measured against labels: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from train.evaluate.report_labels import baseline_rows, commonest, label_scores

KNOWN = np.ones((2, 2), bool)


@pytest.mark.parametrize(
    ("found", "truth", "micro", "macro"),
    [
        ([[1, 0], [0, 1]], [[1, 0], [0, 1]], 1.0, 1.0),
        ([[0, 1], [1, 0]], [[1, 0], [0, 1]], 0.0, 0.0),
        ([[0, 0], [0, 0]], [[1, 0], [0, 1]], 0.0, 0.0),
        ([[1, 1], [1, 1]], [[1, 0], [0, 1]], 2 / 3, 2 / 3),
        ([[1, 0], [1, 0]], [[1, 0], [1, 1]], 0.8, 0.5),
    ],
)
def test_known_f1(found, truth, micro, macro):
    scores = label_scores(np.array(found, bool), np.array(truth, bool), KNOWN)
    assert scores["micro_f1"] == pytest.approx(micro)
    assert scores["macro_f1"] == pytest.approx(macro)


def test_cases_that_nobody_read_do_not_count():
    found, truth = np.array([[True, True]]), np.array([[True, False]])
    assert label_scores(found, truth, np.array([[True, False]]))["micro_precision"] == 1


def test_the_baselines_lend_what_they_say():
    labels = np.array([[1, 0], [0, 0], [0, 0], [0, 1]], bool)
    vectors = np.eye(4, dtype=np.float32)
    assert commonest(labels) == 1
    rows = baseline_rows(labels, vectors, vectors[[3, 0]], 0)
    assert rows["nearest neighbour's report"].tolist() == [3, 0]
    assert rows["commonest report"].tolist() == [1, 1]
