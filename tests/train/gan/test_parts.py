"""What the training of the generator is made of: draws, texts, augmentation, the frozen encoder."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import tiny_dual_encoder

from cxr.findings import Study
from cxr.models.discriminator import Discriminator
from cxr.models.losses import bce_discriminator_loss, bce_generator_loss
from train.gan.augment import cut_out, move, vary_tone
from train.gan.data import (
    SHARES,
    TextBank,
    draw_step,
    draw_weights,
    texts_of,
    with_parent_finding,
)
from train.gan.frozen_encoder import FindingScores, FrozenEncoder, typical_distances
from train.gan.objective import PROFILES, AdversarialObjective, Views

COUNT = 12


def study(number: int, **findings: int) -> Study:
    return Study(f"s{number}", "nih", f"p{number}", sex="F", age=50, view="PA", findings=findings)


def bank() -> TextBank:
    text = torch.nn.functional.normalize(torch.randn(COUNT, 2, 8), dim=2).half()
    words = [[f"{row} {which}" for which in range(2)] for row in range(COUNT)]
    imagined = torch.nn.functional.normalize(torch.randn(4, 8), dim=1).half()
    return TextBank(
        text,
        words,
        torch.zeros(COUNT, 3),
        imagined,
        [f"imagined {row}" for row in range(4)],
        torch.ones(4, 3),
    )


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
    weights = np.full(COUNT, 1 / COUNT)
    one = draw_step(bank(), weights, 8, 0.5, (0, 3, 0))
    assert torch.equal(one.wanted[:4], one.wanted[4:]) and one.words[:4] == one.words[4:]
    assert one.asked.tolist() == [0, 0, 1, 1] * 2
    assert torch.equal(one.wanted[2:4], one.text[2:4])
    assert one.labels[:2].eq(1).all() and one.labels[2:4].eq(0).all()
    again = draw_step(bank(), weights, 8, 0.5, (0, 3, 0))
    assert (one.rows == again.rows).all() and one.words == again.words
    assert (one.rows != draw_step(bank(), weights, 8, 0.5, (0, 4, 0)).rows).any()


def test_a_film_is_also_called_by_its_finding_s_parent():
    ill = study(0, nodule=1, edema=0)
    assert with_parent_finding(ill, random.Random(0)).findings == {"lung lesion": 1, "edema": 0}
    texts = texts_of(ill, 3, random.Random(0))
    assert len(texts) == 3 and "Findings: nodule." in texts[0] and "lung lesion" in texts[1]
    assert "Findings" not in texts_of(study(1), 3, random.Random(0))[0]


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_augmentation_keeps_shape_and_passes_gradients():
    films = (torch.rand(4, 1, 32, 32) * 2 - 1).requires_grad_()
    assert vary_tone(films, rng()).shape == cut_out(films, rng()).shape == films.shape
    assert move(films, rng(), 24).shape == (4, 1, 24, 24)
    move(cut_out(vary_tone(films, rng()), rng()), rng(), 32).sum().backward()
    assert films.grad.abs().sum() > 0


def test_moving_by_whole_pixels_shifts_and_fills_with_black():
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
    assert moved.min() == pytest.approx(-1, abs=1e-4)


def test_nothing_is_ever_mirrored():
    ramp = torch.linspace(-1, 1, 32).expand(16, 1, 32, 32).contiguous()
    moved = move(ramp, rng(), 32)[:, 0, 16, 6:26]
    assert (moved.diff(dim=1) > 0).all()


@pytest.mark.parametrize("backbone", ["resnet10t", "vit_tiny_patch16_224"])
def test_the_frozen_encoder_sees_what_the_encoder_sees(backbone):
    from dataclasses import replace

    from tiny import tiny_config, tiny_tokenizer

    from cxr.models.dual_encoder import DualEncoder

    model = tiny_dual_encoder()
    if backbone != "resnet10t":
        config = tiny_config()
        image = replace(config.image, backbone=backbone, pooling=("cls", "mean"), layers=(5, 11))
        torch.manual_seed(0)
        model = DualEncoder(replace(config, image=image), tiny_tokenizer()).eval()
    films = torch.rand(2, 1, 64, 64)
    expected = model.encode_image((films - 0.5) / 0.25)
    encoder = FrozenEncoder(model, 64, torch.device("cpu"))
    seen = encoder(films.requires_grad_() * 2 - 1)
    assert torch.allclose(seen.embedding, expected, atol=0.05)
    assert [part.shape[1] for part in seen.maps] == list(encoder.channels)
    seen.embedding[:, 0].sum().backward()
    assert films.grad.abs().sum() > 0 and not any(p.requires_grad for p in encoder.parameters())


def test_findings_are_measured_by_films_that_show_them():
    yes, no = torch.eye(2), torch.zeros(2, 2)
    real = np.array([[1.0, 0.5], [0.8, 0.5], [0.1, 0.5], [0.3, 0.5]], np.float32)
    labels = torch.tensor([[1.0, 0], [1, 0], [0, 0], [0, float("nan")]])
    found = FindingScores(yes, no, torch.from_numpy(real), labels)
    assert found.present[0].item() == pytest.approx(0.9)
    assert found.absent[0].item() == pytest.approx(0.2)
    assert found.present[1].item() == pytest.approx(0.5 + 0.7)  # no film shows it: the others' gap
    assert found(torch.tensor([[0.3, 0.4]])).tolist() == [pytest.approx([0.3, 0.4])]


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
    discriminator = Discriminator(replace(profile.discriminator, text=8)).train()
    objective = AdversarialObjective(profile, None, None, 0.2, (1.0, 1.0))
    step = draw_step(bank(), np.full(COUNT, 1 / COUNT), 6, 0.0, (0, 0))
    real, fake = (Views(torch.randn(6, 1, 128, 128) + shift, [], None) for shift in (2, 0))
    loss = objective.discriminator_loss(discriminator, real, fake, step)
    alone = discriminator(fake.pixels, step.wanted)
    torch.testing.assert_close(
        loss, bce_discriminator_loss(discriminator(real.pixels, step.text), alone)
    )
    terms = objective.generator_losses(discriminator, fake.pixels, fake, step)
    torch.testing.assert_close(terms["adversarial"], bce_generator_loss(alone))
