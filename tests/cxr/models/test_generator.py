"""Generators and discriminators: shapes, ranges, both configurations, what depends on what."""

from __future__ import annotations

import pytest
import torch
from tiny_generator import TINY, tiny_generator

from cxr.models.discriminator import (
    REFERENCE_DISCRIMINATOR,
    Discriminator,
    DiscriminatorConfig,
)
from cxr.models.generator import (
    GRADED,
    REFERENCE,
    SIDE,
    ConditionalNorm,
    Generator,
    GeneratorConfig,
    double,
)


def inputs(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    text = torch.randn(count, 16, generator=generator)
    return torch.randn(count, 8, generator=generator), text / text.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("body", TINY)
def test_films_have_the_documented_shape_and_range(body):
    films = tiny_generator(body)(*inputs(3))
    assert films.shape == (3, 1, SIDE, SIDE) and films.dtype == torch.float32
    assert films.abs().max() <= 1
    assert films.std() > 0


@pytest.mark.parametrize("body", TINY)
def test_a_film_depends_on_its_own_noise_and_text_alone(body):
    model, (noise, text) = tiny_generator(body), inputs(3)
    films = model(noise, text)
    assert torch.allclose(model(noise[1:2], text[1:2]), films[1:2], atol=1e-5)
    assert not torch.allclose(model(noise, text.roll(1, 0)), films, atol=1e-3)
    assert not torch.allclose(model(noise.roll(1, 0), text), films, atol=1e-3)


def test_the_reference_is_built_as_it_is_described():
    kinds = [type(layer).__name__ for layer in Generator(REFERENCE).modules()]
    assert kinds.count("ConvTranspose2d") == 4 and kinds.count("Linear") == 1
    assert "BatchNorm2d" in kinds and "ReLU" in kinds
    layers = Discriminator(REFERENCE_DISCRIMINATOR).modules()
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in layers) == 4


def test_the_shipped_generator_is_small():
    assert sum(p.numel() for p in Generator(GRADED).parameters()) <= 5_000_000


def test_a_configuration_survives_json_and_bad_ones_are_refused():
    assert GeneratorConfig.from_dict(GRADED.to_dict()) == GRADED
    for bad in ({"body": "other"}, {"channels": (8, 8)}, {"noise": 0}):
        with pytest.raises(ValueError, match="expected"):
            GeneratorConfig(**{**GRADED.to_dict(), **bad})
    with pytest.raises(ValueError, match="wrong key"):
        GeneratorConfig.from_dict({"channels": (8, 8, 8, 8, 8), "depth": 3})
    with pytest.raises(ValueError, match="kind"):
        DiscriminatorConfig("other")


def test_inputs_of_another_length_are_refused():
    noise, text = inputs(2)
    with pytest.raises(ValueError, match=r"text \[2, 16\]; got \[2, 8\] and \[2, 15\]"):
        tiny_generator("residual")(noise, text[:, :15])


def test_doubling_repeats_every_pixel():
    maps = torch.arange(12.0).reshape(1, 3, 2, 2)
    assert torch.equal(double(maps), maps.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_the_gradient_of_the_conditional_norm_is_right():
    torch.manual_seed(0)
    norm = ConditionalNorm(3, 4).double().eval()
    torch.nn.init.normal_(norm.affine.weight)
    maps = torch.randn(2, 3, 4, 4, dtype=torch.double, requires_grad=True)
    style = torch.randn(2, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(norm, (maps, style))


def discriminator(**changes) -> Discriminator:
    torch.manual_seed(0)
    config = DiscriminatorConfig(**{"text": 16, "channels": (8, 8, 8, 8), "width": 8, **changes})
    return Discriminator(config).eval()


def test_logits_have_the_documented_shape():
    _, text = inputs(2)
    films = torch.rand(2, 1, SIDE, SIDE)
    assert discriminator(kind="convolutions")(films, text).shape == (2, 1)
    maps = [torch.randn(2, 12, 4, 4), torch.randn(2, 6, 8, 8)]
    logits = discriminator(features=(12, 6))(films, text, None, maps)
    assert logits.shape == (2, 3 * 64) and logits.dtype == torch.float32


def test_a_text_that_is_not_asked_for_has_no_influence():
    model, (_, text) = discriminator(), inputs(2)
    films = torch.rand(2, 1, SIDE, SIDE)
    asked = torch.tensor([1.0, 0.0])
    one, other = model(films, text, asked), model(films, text.flip(0), asked)
    assert not torch.allclose(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_a_missing_feature_map_is_refused():
    _, text = inputs(2)
    with pytest.raises(ValueError, match="zip"):
        discriminator(features=(12,))(torch.rand(2, 1, SIDE, SIDE), text)
