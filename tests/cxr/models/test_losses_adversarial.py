"""Adversarial losses: known answers."""

from __future__ import annotations

import math

import pytest
import torch

from cxr.models.losses_adversarial import (
    bce_discriminator_loss,
    bce_generator_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    likeness_loss,
    shortfall_loss,
)

ZERO = torch.zeros(3, 2)
NAN = float("nan")


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
    ("score", "label", "loss"),
    [
        (1.0, 1, 0.0),  # as films with the finding
        (3.0, 1, 0.0),  # exaggerating gains nothing
        (0.0, 1, 0.5),  # as films without it
        (0.5, 1, 0.25),
        (0.0, 0, 0.0),
        (1.0, 0, 0.5),
        (9.0, NAN, 0.0),
    ],
)
def test_shortfall_of_one_score(score, label, loss):
    scores, labels = torch.tensor([[score]]), torch.tensor([[float(label)]])
    found = shortfall_loss(scores, labels, torch.tensor([1.0]), torch.tensor([0.0]))
    assert found.item() == pytest.approx(loss)


def test_shortfall_is_measured_in_the_spread_of_each_finding():
    scores, labels = torch.zeros(1, 2), torch.ones(1, 2)
    found = shortfall_loss(scores, labels, torch.tensor([1.0, 10.0]), torch.zeros(2))
    assert found.item() == pytest.approx(0.5)


@pytest.mark.parametrize(("distance", "loss"), [(0.0, 1.0), (1.0, 0.5), (2.0, 0.0), (9.0, 0.0)])
def test_likeness_ends_where_films_are_as_far_apart_as_wanted(distance, loss):
    assert likeness_loss(torch.full((3,), distance), 2.0).item() == pytest.approx(loss)
