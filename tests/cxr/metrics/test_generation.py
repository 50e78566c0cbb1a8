"""Distances between sets of features: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.metrics.generation import (
    frechet_distance,
    kernel_distance,
    mean_pairwise_distance,
    nearest_distance,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(200, 3))


def test_a_set_is_at_no_distance_from_itself():
    assert frechet_distance(ROWS, ROWS) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(ROWS, ROWS[::-1]) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_a_shift_is_its_squared_length():
    assert frechet_distance(ROWS, ROWS + [3, 0, 4]) == pytest.approx(25)


def test_frechet_distance_of_a_stretch_along_one_line():
    line = np.array([[-1.0], [1.0]])  # standard deviation sqrt(2) with n - 1
    assert frechet_distance(line, 3 * line) == pytest.approx((3 - 1) ** 2 * 2)


def test_frechet_distance_when_there_are_fewer_rows_than_numbers():
    few = RNG.normal(size=(4, 30))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(frechet_distance(few, RNG.normal(size=(5, 30))))


def test_kernel_distance_is_around_zero_for_one_distribution_and_large_for_two():
    same = [
        kernel_distance(RNG.normal(size=(100, 4)), RNG.normal(size=(100, 4))) for _ in range(20)
    ]
    assert abs(np.mean(same)) < 0.05
    assert kernel_distance(ROWS, ROWS + 2) > 1


def test_kernel_distance_by_hand():
    one, other = np.array([[1.0], [-1.0]]), np.array([[0.0], [0.0]])
    # within one: (-1 + 1)^3 = 0; within other: 1; between: 1
    assert kernel_distance(one, other) == pytest.approx(0 + 1 - 2)


@pytest.mark.parametrize("measure", [frechet_distance, kernel_distance])
@pytest.mark.parametrize(
    ("real", "generated"),
    [
        (np.zeros((1, 3)), np.zeros((5, 3))),
        (np.zeros((5, 3)), np.zeros((5, 2))),
        (np.zeros(5), np.zeros(5)),
        (np.full((5, 3), np.nan), np.zeros((5, 3))),
    ],
)
def test_features_that_cannot_be_compared_are_refused(measure, real, generated):
    with pytest.raises(ValueError, match="expected"):
        measure(real, generated)


def test_mean_pairwise_distance():
    assert mean_pairwise_distance(np.ones((5, 2))) == pytest.approx(0)
    assert mean_pairwise_distance(np.eye(4)) == pytest.approx(1)
    assert mean_pairwise_distance(np.array([[1.0, 0], [-1, 0]])) == pytest.approx(2)


def test_nearest_distance_finds_the_nearest_that_is_allowed():
    others = np.array([[0.0, 0], [3, 4], [10, 0]])
    distance, row = nearest_distance(np.array([[0.0, 0], [9, 0]]), others)
    assert distance.tolist() == [0, 1] and row.tolist() == [0, 2]
    distance, row = nearest_distance(others, others, ~np.eye(3, dtype=bool), block=2)
    assert distance.tolist() == pytest.approx([5, 5, np.hypot(7, 4)]) and row.tolist() == [1, 0, 1]
    alone, _ = nearest_distance(others[:1], others[:1], np.zeros((1, 1), bool))
    assert np.isinf(alone).all()
    with pytest.raises(ValueError, match="N >= 1"):
        nearest_distance(others, np.empty((0, 2)))
