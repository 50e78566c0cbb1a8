"""What the training of the generator is made of: draws, conditions, augmentation, the guide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cxr.findings import NIH_FINDINGS, Study
from cxr.generation import ConditionFormat
from cxr.images import Preprocess
from cxr.models import FindingNetwork, FindingNetworkConfig
from cxr.models.discriminator import Discriminator
from cxr.models.losses import bce_discriminator_loss, bce_generator_loss, severity_loss
from train.gan.augment import cut_out, move, vary_tone
from train.gan.data import (
    LABEL_SHARE,
    MOST,
    SHARES,
    draw_step,
    draw_weights,
    image_conditions,
    imagined_condition,
    mixed_severities,
    nih_labels,
    typical_severities,
)
from train.gan.guide import COUNT, Guide, HeartRatioReading, Scale, typical_distances
from train.gan.objective import PROFILES, AdversarialObjective, Views

FILMS = 12
FORM = ConditionFormat(tuple(NIH_FINDINGS), (0.5, 0.05), (50.0, 20.0))


def study(number: int, **findings: int) -> Study:
    return Study(f"s{number}", "nih", f"p{number}", sex="F", age=50, view="PA", findings=findings)


def drawn(imagined: float, key: tuple[int, ...], imagine=lambda rng: np.ones(6, np.float32)):
    conditions = torch.arange(FILMS * 6).reshape(FILMS, 6).float() + 10
    return draw_step(conditions, np.full(FILMS, 1 / FILMS), 8, imagined, imagine, key)


def test_groups_and_findings_are_drawn_as_promised():
    studies = [study(row, edema=1) for row in range(9)] + [study(9, hernia=1), study(10), study(11)]
    groups = ["labelled"] * 10 + ["unlabelled", "normal"]
    weights = draw_weights(studies, groups)
    assert weights.sum() == pytest.approx(1)
    assert weights[:10].sum() == pytest.approx(SHARES["labelled"])
    assert weights[:9].sum() == pytest.approx(3 * weights[9])  # square root of 9 to that of 1
    without = draw_weights(studies[:10], groups[:10])
    assert without.sum() == pytest.approx(1)


def test_one_film_in_pairs_and_the_same_key_draws_the_same():
    one = drawn(0.5, (0, 3, 0))
    assert torch.equal(one.wanted[:4], one.wanted[4:])
    assert one.asked.tolist() == [0, 0, 1, 1] * 2
    assert torch.equal(one.wanted[2:4], one.shown[2:4])
    assert one.wanted[:2].eq(1).all() and one.shown.ge(10).all()
    again, other = drawn(0.5, (0, 3, 0)), drawn(0.5, (0, 4, 0))
    assert (one.rows == again.rows).all() and torch.equal(one.wanted, again.wanted)
    assert (one.rows != other.rows).any()
    assert drawn(0.5, (0, 3, 0), None).asked.eq(1).all()


def test_a_training_image_shows_what_guide_and_labels_say_together():
    studies = [study(0, edema=1, hernia=0), study(1, **{"no finding": 1})]
    studies[1] = replace(studies[1], age=None, sex="M", view=None)
    severities = torch.full((2, COUNT), 0.5)
    severities[:, NIH_FINDINGS.index("mass")] = 9
    mixed = mixed_severities(severities, nih_labels(studies))
    rows = image_conditions(FORM, studies, mixed, np.array([0.6, 0.5]))
    edema, hernia, mass = (NIH_FINDINGS.index(name) for name in ("edema", "hernia", "mass"))
    half = (1 - LABEL_SHARE) / 2
    assert rows[0, edema] == pytest.approx(half + LABEL_SHARE)
    assert rows[0, hernia] == pytest.approx(half)
    assert rows[0, mass] == MOST  # nobody labelled it: as the guide says, cut
    assert rows[0, COUNT:].tolist() == pytest.approx([2, 0, 1, 1])
    assert rows[1, COUNT:].tolist() == pytest.approx([0, 0, -1, 0])
    assert nih_labels(studies)[1].eq(0).all() and nih_labels(studies)[0].isnan().sum() == COUNT - 2


def test_imagined_images_show_what_goes_together_and_a_heart_that_goes_with_it():
    rng = np.random.default_rng(0)
    form = replace(FORM, typical={"edema": tuple(np.full(COUNT, 0.3))})
    rows = np.stack([imagined_condition(form, rng) for _ in range(400)])
    shown = (rows[:, :COUNT] > 0).sum(1)
    assert set(shown) == {0, 1, 2, COUNT}  # all of them where edema is among them
    big = rows[:, NIH_FINDINGS.index("cardiomegaly")] > 0.8
    assert rows[big, COUNT].mean() > rows[shown == 0, COUNT].mean() + 1


def test_typical_images_are_the_mean_of_enough_training_images():
    severities = torch.rand(40, COUNT, generator=rng())
    labels = torch.zeros(40, COUNT)
    labels[:30, 3] = 1
    labels[:4, 5] = 1
    typical = typical_severities(severities, labels)
    assert set(typical) == {NIH_FINDINGS[3]}
    assert typical[NIH_FINDINGS[3]] == pytest.approx(severities[:30].mean(0), abs=1e-3)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_augmentation_keeps_shape_and_passes_gradients():
    films = (torch.rand(4, 1, 32, 32) * 2 - 1).requires_grad_()
    assert vary_tone(films, rng()).shape == cut_out(films, rng()).shape == films.shape
    assert move(films, rng(), 24).shape == (4, 1, 24, 24)
    move(cut_out(vary_tone(films, rng()), rng()), rng(), 32).sum().backward()
    assert films.grad.abs().sum() > 0


def test_moving_by_whole_pixels_shifts_and_lets_the_edge_go_on():
    films = torch.rand(8, 1, 32, 32)
    moved = move(films, rng(), 32, zoom=0.0)
    inside = [
        any(
            torch.allclose(
                moved[row, 0, 8:24, 8:24], films[row, 0, 8 + y : 24 + y, 8 + x : 24 + x], atol=1e-4
            )
            for y in range(-3, 4)
            for x in range(-3, 4)
        )
        for row in range(8)
    ]
    assert all(inside)
    assert moved.min() > films.min() - 1e-4  # no black that the images do not show


def test_nothing_is_ever_mirrored():
    ramp = torch.linspace(-1, 1, 32).expand(16, 1, 32, 32).contiguous()
    moved = move(ramp, rng(), 32)[:, 0, 16, 6:26]
    assert (moved.diff(dim=1) > 0).all()


@pytest.fixture(scope="module")
def guide() -> Guide:
    torch.manual_seed(0)
    view = Preprocess(32, 0.5, 0.25, 1)
    network = FindingNetwork(FindingNetworkConfig("resnet10t", 3 * COUNT, view)).eval()
    return Guide(network, 32, torch.device("cpu"))


def test_the_guide_sees_what_its_network_sees(guide):
    torch.manual_seed(0)
    network = FindingNetwork(
        FindingNetworkConfig("resnet10t", 3 * COUNT, Preprocess(32, 0.5, 0.25, 1))
    ).eval()
    films = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        expected = network((films - 0.5) / 0.25).reshape(2, 3, COUNT).mean(1)
    films.requires_grad_()
    seen = guide.train()(films * 2 - 1)
    assert torch.allclose(seen.logits, expected, atol=0.05)
    assert [part.shape[1] for part in seen.maps] == list(guide.channels)
    seen.logits[:, 0].sum().backward()
    assert films.grad.abs().sum() > 0 and not any(p.requires_grad for p in guide.parameters())


def test_severities_are_measured_by_images_that_show_them():
    logits = torch.tensor([[1.0, 5.0], [0.8, 5.0], [0.1, 5.0], [0.3, 5.0]])
    labels = torch.tensor([[1.0, 0], [1, 0], [0, 0], [0, float("nan")]])
    scale = Scale(logits, labels)
    assert scale(torch.tensor([[0.9, 5.7]])).tolist()[0] == pytest.approx([1, 1])
    assert scale(torch.tensor([[0.2, 5.0]])).tolist()[0] == pytest.approx([0, 0], abs=1e-6)


def test_heart_ratio_is_read_off_the_features_that_hold_it():
    features = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    ratios = (0.5 + 0.05 * features[:, 2]).numpy().astype(float)
    ratios[::3] = np.nan
    reading = HeartRatioReading(features, ratios)
    unmeasured = 0.5 + 0.05 * features[::3, 2]
    assert torch.allclose(reading(features[::3]), unmeasured, atol=0.005)
    assert reading.error < 0.005
    few = HeartRatioReading(features, np.full(200, np.nan))
    assert few(features).unique().tolist() == pytest.approx([0.48]) and np.isnan(few.error)


def test_a_severity_is_neither_missed_nor_exaggerated():
    wanted = torch.tensor([[1.2, 0.0]])
    assert severity_loss(torch.tensor([[1.2, -3.0]]), wanted) == 0
    assert severity_loss(torch.tensor([[2.4, 0.0]]), wanted) > 0.1
    assert severity_loss(torch.tensor([[0.0, 0.0]]), wanted) > 0.1
    assert severity_loss(torch.tensor([[1.2, 1.0]]), wanted) > 0.1


def test_typical_distances_are_those_within_a_finding():
    rows = np.eye(16)
    labels = np.zeros((16, 2))
    labels[:8, 0] = 1
    near = rows.copy()
    near[:8] = rows[0]
    assert typical_distances(rows, rows, labels) == pytest.approx((1, 2**0.5))
    assert typical_distances(near, near, labels) == pytest.approx((0, 0))


def test_the_reference_judges_generated_films_as_the_generator_meets_its_judge():
    """With batch norm over real and generated films at once, one half gives the other away."""
    torch.manual_seed(0)
    profile = PROFILES["reference"]
    discriminator = Discriminator(replace(profile.discriminator, text=6)).train()
    objective = AdversarialObjective(profile, None, None, None, None, (1.0, 1.0))
    step = drawn(0.0, (0, 0))
    real, fake = (Views(torch.randn(8, 1, 128, 128) + shift, [], None, None) for shift in (2, 0))
    loss = objective.discriminator_loss(discriminator, real, fake, step)
    alone = discriminator(fake.pixels, step.wanted)
    torch.testing.assert_close(
        loss, bce_discriminator_loss(discriminator(real.pixels, step.shown), alone)
    )
    terms = objective.generator_losses(discriminator, fake.pixels, fake, step)
    torch.testing.assert_close(terms["adversarial"], bce_generator_loss(alone))
