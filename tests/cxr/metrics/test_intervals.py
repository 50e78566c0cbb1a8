"""Bootstrap intervals: of a mean, of a statistic that is sometimes undefined, of one case."""

import numpy as np
import pytest

from cxr.metrics.intervals import bootstrap_interval, value_with_interval
from cxr.metrics.retrieval import auroc


def test_the_bootstrap_interval_covers_a_mean_and_repeats():
    values = np.random.default_rng(1).normal(3, 1, 400)
    low, high = bootstrap_interval(lambda rows: float(values[rows].mean()), 400, 500)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.2)
    assert (low, high) == bootstrap_interval(lambda r: float(values[r].mean()), 400, 500)


def test_rounds_without_a_number_are_left_out():
    scores, present = np.arange(6.0), np.arange(6) == 5
    low, high = bootstrap_interval(lambda rows: auroc(scores[rows], present[rows]), 6, 200)
    assert (low, high) == (1, 1)
    assert np.isnan(bootstrap_interval(lambda rows: float("nan"), 6, 20)).all()


def test_a_value_stands_between_its_ends_and_one_case_has_no_spread():
    values = np.array([0.0, 1.0, 1.0, 1.0])
    found = value_with_interval(lambda rows: float(values[rows].mean()), 4, 200, 0)
    assert found["value"] == 0.75 and found["low"] < 0.75 < found["high"]
    one = value_with_interval(lambda rows: float(values[rows + 1].mean()), 1, 200, 0)
    assert one == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_the_numbers_are_those_of_a_plain_loop_over_the_same_draws():
    values = np.random.default_rng(2).normal(size=50)
    generator = np.random.default_rng(7)
    means = [values[generator.integers(0, 50, 50)].mean() for _ in range(300)]
    found = bootstrap_interval(lambda rows: float(values[rows].mean()), 50, 300, seed=7)
    assert found == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
