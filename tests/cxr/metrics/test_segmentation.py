"""Dice, IoU and the pointing game: perfect, half, disjoint, empty."""

import numpy as np
import pytest

from cxr.metrics.segmentation import dice, iou, pointing_game

LEFT = np.array([[True, True, False, False]])
MIDDLE = np.array([[False, True, True, False]])
NONE = np.zeros((1, 4), bool)


@pytest.mark.parametrize(
    ("marked", "truth", "dices", "ious"),
    [
        (LEFT, LEFT, 1, 1),
        (LEFT, ~LEFT, 0, 0),
        (LEFT, MIDDLE, 1 / 2, 1 / 3),
        (NONE, NONE, 1, 1),
        (NONE, LEFT, 0, 0),
    ],
)
def test_overlaps_of_known_masks(marked, truth, dices, ious):
    assert dice(marked, truth) == pytest.approx(dices)
    assert iou(marked, truth) == pytest.approx(ious)


@pytest.mark.parametrize("other", [np.zeros((1, 4)), np.zeros((2, 4), bool)])
def test_masks_of_another_type_or_shape_are_refused(other):
    for measure in (dice, iou):
        with pytest.raises(ValueError, match="expected two masks"):
            measure(LEFT, other)


def test_the_hottest_place_must_lie_in_a_box():
    heat = np.zeros((10, 10))
    heat[2, 7] = 1
    assert pointing_game(heat, np.array([[0.7, 0.2, 0.1, 0.1]]))
    assert not pointing_game(heat, np.array([[0.2, 0.7, 0.1, 0.1]]))
    assert not pointing_game(np.zeros((10, 10)), np.array([[0, 0, 1, 1]]))
    with pytest.raises(ValueError, match="finite map"):
        pointing_game(np.full((2, 2), np.nan), np.zeros((0, 4)))
