"""Dice loss, Dice, IoU and the pointing game: answers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr.localization.lung_zones import apart, on_its_side, place_of, third
from cxr.localization.measure import measure_region
from cxr.metrics.segmentation import dice, iou, pointing_game
from cxr.models.losses import LARGEST_WEIGHT, SMOOTH, dice_bce, dice_loss

SURE = 40.0  # a logit whose sigmoid is 0 or 1


def logits(marked: np.ndarray) -> torch.Tensor:
    return torch.where(torch.from_numpy(marked), SURE, -SURE)[None].float()


def masks() -> dict[str, np.ndarray]:
    whole = np.zeros((10, 10), bool)
    whole[:, :4] = True
    half = np.zeros((10, 10), bool)
    half[:, 2:6] = True
    return {"whole": whole, "half": half, "other": ~whole, "empty": np.zeros((10, 10), bool)}


@pytest.mark.parametrize(
    ("marked", "truth", "dices", "ious"),
    [
        ("whole", "whole", 1.0, 1.0),
        ("whole", "other", 0.0, 0.0),
        ("whole", "half", 0.5, 1 / 3),  # 20 shared of 40 and 40
        ("empty", "empty", 1.0, 1.0),
        ("empty", "whole", 0.0, 0.0),
        ("whole", "empty", 0.0, 0.0),
    ],
)
def test_overlap(marked, truth, dices, ious):
    one, other = masks()[marked], masks()[truth]
    assert dice(one, other) == pytest.approx(dices)
    assert iou(one, other) == pytest.approx(ious)
    smooth = SMOOTH * one.size
    shared, total = int((one & other).sum()), int(one.sum() + other.sum())
    expected = 1 - (2 * shared + smooth) / (total + smooth)
    loss = dice_loss(logits(one), torch.from_numpy(other)[None].float())
    assert loss.item() == pytest.approx(expected, abs=1e-5)


def test_an_absent_target_is_learnt():
    """With an empty target the loss, and its gradient, ask for less to be marked."""
    empty = torch.zeros(1, 16, 16)
    losses = []
    for level in (3.0, 0.0, -3.0, -6.0):
        marked = torch.full((1, 16, 16), level, requires_grad=True)
        loss = dice_bce(marked, empty)
        loss.backward()
        assert (marked.grad > 0).all()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True) and losses[0] - losses[-1] > 1


def test_small_masks_weigh_more():
    def of(pixels: int) -> float:
        """Loss of missing every pixel of a mask, less its Dice part."""
        target = torch.zeros(1, 10, 10)
        target.view(-1)[:pixels] = 1
        flat = torch.zeros(1, 10, 10)
        return (dice_bce(flat, target) - dice_loss(flat, target).mean()).item()

    nat = np.log(2)
    assert of(60) == pytest.approx(nat, abs=1e-5)  # over half: nothing is added
    assert of(20) == pytest.approx(nat * (1 + 0.2 * (2 - 1)), abs=1e-4)  # sqrt(0.8 / 0.2) = 2
    assert of(1) == pytest.approx(nat * (1 + 0.01 * (LARGEST_WEIGHT - 1)), abs=1e-4)


def test_unknown_masks_do_not_count():
    target = torch.stack([torch.ones(8, 8), torch.zeros(8, 8)])
    marked = torch.full((2, 8, 8), SURE)
    first = dice_bce(marked, target, torch.tensor([1.0, 0.0]))
    assert first.item() == pytest.approx(dice_bce(marked[:1], target[:1]).item())
    assert dice_bce(marked, target, torch.zeros(2)).item() == 0


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        dice_bce(torch.zeros(1, 4, 4), torch.zeros(1, 4, 5))
    with pytest.raises(ValueError, match="bool"):
        dice(np.zeros((4, 4)), np.zeros((4, 4), bool))
    with pytest.raises(ValueError, match="one shape"):
        iou(np.zeros((4, 4), bool), np.zeros((4, 5), bool))


def test_pointing_game():
    heat = np.zeros((10, 20))
    heat[2, 15] = 1.0
    inside, outside = [0.7, 0.1, 0.2, 0.3], [0.0, 0.0, 0.5, 1.0]
    assert pointing_game(heat, np.array([inside]))
    assert not pointing_game(heat, np.array([outside]))
    assert pointing_game(heat, np.array([outside, inside]))
    assert not pointing_game(heat, np.empty((0, 4)))
    assert not pointing_game(np.zeros((10, 20)), np.array([[0, 0, 1, 1]]))  # points nowhere
    with pytest.raises(ValueError, match="finite"):
        pointing_game(np.full((2, 2), np.nan), np.array([inside]))


def test_sides_do_not_overlap():
    right, left = np.array([[0.9, 0.5, 0.1]]), np.array([[0.2, 0.5, 0.8]])
    one, other = apart(right, left)
    assert one.tolist() == [[0.9, 0.5, 0]] and other.tolist() == [[0, 0, 0.8]]


def test_the_wrong_half_is_emptied_only_where_it_has_more():
    right, left = np.zeros((4, 8)), np.zeros((4, 8))
    right[:, :3], left[:, 5:] = 1, 1
    heat = np.zeros((4, 8))
    heat[:, 0], heat[0, 7] = 1, 1
    assert np.array_equal(on_its_side(heat, "right", right, left), heat)
    assert on_its_side(heat, "left", right, left).sum() == 1


def test_thirds_cover_a_lung_and_ignore_a_speck():
    lung = np.zeros((100, 100), np.uint8)
    lung[10:70, 20:40] = 255
    parts = [third(lung, zone, 128) for zone in ("upper", "middle", "lower")]
    assert [int((part > 0).any(1).sum()) for part in parts] == [20, 20, 20]
    assert np.array_equal(np.max(parts, 0), lung)
    lung[95, 30] = 255
    assert int((third(lung, "middle", 128) > 0).any(1).sum()) == 20
    both = place_of(lung, np.roll(lung, 40, 1), None, "upper", 128)
    assert (both[10:30] > 0).sum() == 800 and both[30:].sum() == 0
    assert not third(np.zeros((9, 9)), "upper", 0.5).any()


def test_measures_in_words():
    right, left = np.zeros((90, 90)), np.zeros((90, 90))
    right[:, :30], left[:, 60:] = 1, 1

    def of(*places) -> tuple:
        heat = np.zeros((90, 90))
        for rows, columns in places:
            heat[rows, columns] = 1
        found = measure_region(heat, right, left, 0.5)
        return found.words, found.lungs

    lower, all_rows = slice(60, 90), slice(0, 90)
    assert of((lower, slice(0, 30))) == ("right lung, mostly the lower zone", 16.7)
    assert of((all_rows, slice(60, 90))) == ("left lung", 50.0)
    assert of((all_rows, slice(0, 90))) == ("both lungs", 100.0)
    assert of((all_rows, slice(0, 30)), (all_rows, slice(60, 70))) == (
        "both lungs, more on the right",
        66.7,
    )
    assert of((all_rows, slice(40, 50))) == ("outside the lungs", 0.0)
    assert of() == ("not found", 0.0)
    nowhere = measure_region(np.ones((9, 9)), np.zeros((9, 9)), np.zeros((9, 9)), 0.5)
    assert (nowhere.lungs, nowhere.words, nowhere.picture) == (None, "outside the lungs", 100.0)
    with pytest.raises(ValueError, match="threshold"):
        measure_region(np.ones((9, 9)), right, left, 0)
