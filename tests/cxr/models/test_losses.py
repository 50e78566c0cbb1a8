"""Losses with answers that can be worked out by hand."""

import math

import pytest
import torch

from cxr.models.losses import (
    bce_discriminator_loss,
    bce_generator_loss,
    contrastive_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    masked_bce,
    masked_smooth_l1,
    mode_seeking_loss,
    severity_loss,
)

ZERO = torch.zeros(3, 2)
NAN = float("nan")


def test_a_perfect_match_costs_almost_nothing_and_no_information_costs_log_n():
    perfect = contrastive_loss(torch.eye(4), torch.eye(4), 0.05)
    same = torch.ones(4, 4) / 2
    assert perfect.item() < 1e-6
    assert contrastive_loss(same, same, 0.2).item() == pytest.approx(math.log(4), abs=1e-6)


def test_a_swapped_match_costs_the_margin_over_the_temperature():
    swapped = torch.eye(2)[[1, 0]]
    expected = math.log1p(math.exp(1 / 0.2))
    assert contrastive_loss(torch.eye(2), swapped, 0.2).item() == pytest.approx(expected, rel=1e-5)


def test_ignored_items_are_no_negatives_but_pairs_always_count():
    image = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), dim=1)
    ignore = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    loss = contrastive_loss(image, image, 0.01, ignore)
    assert loss.item() < 1e-6  # rows 0 and 1 are equal: without `ignore` they would cost log 2
    unmasked = contrastive_loss(image, image, 0.01)
    assert unmasked.item() == pytest.approx(math.log(2) * 2 / 3, abs=1e-4)


def test_ignored_items_get_no_gradient_from_each_other():
    image = torch.nn.functional.normalize(torch.randn(3, 8), dim=1).requires_grad_()
    text = torch.nn.functional.normalize(torch.randn(3, 8), dim=1)
    contrastive_loss(image, text, 0.2, torch.ones(3, 3, dtype=torch.bool)).backward()
    assert image.grad.abs().max().item() < 1e-6


def test_contrastive_loss_refuses_other_shapes():
    with pytest.raises(ValueError, match="one shape"):
        contrastive_loss(torch.eye(3), torch.eye(2), 0.2)


def test_unknown_labels_count_neither_way():
    logits = torch.tensor([[0.0, 50.0]])
    labels = torch.tensor([[1.0, float("nan")]])
    assert masked_bce(logits, labels).item() == pytest.approx(math.log(2), abs=1e-6)
    assert masked_bce(logits, torch.full((1, 2), float("nan"))).item() == 0
    known = torch.tensor([1.0, float("nan")])
    assert masked_smooth_l1(torch.tensor([3.0, 9.0]), known).item() == 1.5


def test_an_undecided_discriminator():
    assert bce_discriminator_loss(ZERO, ZERO).item() == pytest.approx(math.log(2))
    assert bce_generator_loss(ZERO).item() == pytest.approx(math.log(2))
    assert hinge_discriminator_loss(ZERO, ZERO).item() == 1
    assert hinge_generator_loss(ZERO).item() == 0


def test_a_discriminator_that_tells_all_apart():
    assert bce_discriminator_loss(ZERO + 50, ZERO - 50).item() == pytest.approx(0)
    assert hinge_discriminator_loss(ZERO + 1, ZERO - 1).item() == 0
    assert hinge_discriminator_loss(ZERO - 1, ZERO + 1).item() == 2
    assert bce_generator_loss(ZERO - 50).item() == pytest.approx(50)
    assert hinge_generator_loss(ZERO - 2).item() == 2


@pytest.mark.parametrize(
    ("severity", "wanted", "loss"),
    [
        (1.2, 1.2, 0.0),  # as severe as asked for
        (0.2, 1.2, 0.375),  # hardly to be seen: smooth L1, halved
        (2.2, 1.2, 0.375),  # exaggerating gains nothing
        (-5.0, 0.0, 0.0),  # absent, however surely
        (0.6, 0.0, 0.25),  # shown without having been asked for
        (0.4, 0.3, 0.05),
    ],
)
def test_severity_is_to_be_the_one_that_was_asked_for(severity, wanted, loss):
    found = severity_loss(torch.tensor([[severity]]), torch.tensor([[wanted]]))
    assert found.item() == pytest.approx(loss)


def test_few_findings_that_are_asked_for_count_as_much_as_all_others():
    wanted = torch.tensor([[1.2, 0.0, 0.0, 0.0]])
    missed, added = torch.tensor([[0.2, 0.0, 0.0, 0.0]]), torch.tensor([[1.2, 0.6, 0.6, 0.6]])
    assert severity_loss(missed, wanted).item() == pytest.approx(0.375)
    assert severity_loss(added, wanted).item() == pytest.approx(0.25)


@pytest.mark.parametrize(("distance", "loss"), [(0.0, 1.0), (1.0, 0.5), (2.0, 0.0), (9.0, 0.0)])
def test_likeness_ends_where_films_are_as_far_apart_as_wanted(distance, loss):
    assert mode_seeking_loss(torch.full((3,), distance), 2.0).item() == pytest.approx(loss)
