"""Heights, areas and angles of lungs, on shapes whose answers a person can work out."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.localization.lung_measures import (
    LEFT_ANGLE,
    LEFT_HEIGHT,
    LUNG_MEASURES,
    RIGHT_ANGLE,
    RIGHT_AREA,
    RIGHT_HEIGHT,
    costophrenic_angle,
    measure_lungs,
    with_intervals,
)


def lungs(rise: float) -> tuple[np.ndarray, np.ndarray]:
    """Two lungs of 80 columns, 300 rows high at the outer edge, the floor rising inwards."""
    rows, columns = np.indices((400, 400))
    right = (rows >= 50) & (columns >= 100) & (columns < 180)
    right &= rows < 350 - rise * (columns - 100)
    return right.astype(float), right[:, ::-1].astype(float)


def test_the_measures_of_drawn_lungs():
    right, left = lungs(0.0)
    found = measure_lungs(right, left)
    assert set(found) == set(LUNG_MEASURES)
    assert found[RIGHT_HEIGHT] == found[LEFT_HEIGHT] == pytest.approx(300 / 200)
    assert found[RIGHT_AREA] == pytest.approx(0.5)
    assert found[RIGHT_ANGLE] == pytest.approx(90, abs=1)
    left[:250] = 0
    shorter = measure_lungs(right, left)
    assert shorter[LEFT_HEIGHT] == pytest.approx(100 / 200)
    assert shorter[RIGHT_AREA] == pytest.approx(0.75)


@pytest.mark.parametrize("angle", [30, 45, 60])
def test_a_floor_that_rises_makes_the_angle_sharp(angle):
    right, left = lungs(1 / np.tan(np.radians(angle)))
    found = measure_lungs(right, left)
    assert found[RIGHT_ANGLE] == pytest.approx(angle, abs=2)
    assert found[LEFT_ANGLE] == pytest.approx(found[RIGHT_ANGLE], abs=0.5)


def test_what_is_missing_is_not_measured():
    right, left = lungs(0.0)
    assert measure_lungs(right, np.zeros_like(left)) == {}
    assert costophrenic_angle(np.zeros((20, 20), bool)) is None
    dot = np.zeros((20, 20), bool)
    dot[5, 5] = True
    assert costophrenic_angle(dot) is None


def test_only_what_has_an_interval_is_given():
    (only,) = with_intervals({RIGHT_ANGLE: 40.0, RIGHT_AREA: 0.5}, {RIGHT_AREA: 0.03})
    assert (only.low, only.high) == pytest.approx((0.47, 0.53))
    assert only.words == "0.50 (0.47 to 0.53)"
    (angle,) = with_intervals({RIGHT_ANGLE: 40.4}, {RIGHT_ANGLE: 9.8})
    assert angle.words == "40 (31 to 50) degrees"
