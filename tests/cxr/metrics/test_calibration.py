"""Reliability and calibration error with answers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.metrics.calibration import expected_calibration_error, reliability


@pytest.mark.parametrize(
    ("probabilities", "labels", "error"),
    [
        ([0.0, 1.0], [0, 1], 0.0),
        ([1.0, 0.0], [0, 1], 1.0),
        ([0.5, 0.5], [0, 1], 0.0),
        ([0.25] * 4, [0, 0, 0, 0], 0.25),
        ([0.15, 0.15, 0.95, 0.95], [0, 0, 1, 1], 0.1),
    ],
)
def test_known_errors(probabilities, labels, error):
    found = expected_calibration_error(np.array(probabilities), np.array(labels))
    assert found == pytest.approx(error)


def test_bins_hold_every_case_once_and_the_last_holds_one():
    bins = reliability(np.array([0.0, 0.1, 0.55, 1.0]), np.array([0, 0, 1, 1]))
    assert sum(one.count for one in bins) == 4
    assert [round(one.low, 1) for one in bins] == [0.0, 0.1, 0.5, 0.9]
    assert bins[-1].probability == 1.0 and bins[-1].share == 1.0


@pytest.mark.parametrize("values", [[], [1.2], [-0.1], [float("nan")]])
def test_what_is_no_probability_is_refused(values):
    with pytest.raises(ValueError, match=r"expected probabilities in \[0, 1\]"):
        expected_calibration_error(np.array(values), np.zeros(len(values)))
    with pytest.raises(ValueError, match="expected probabilities"):
        reliability(np.array([0.1, 0.2]), np.zeros(3))
