"""Holes in generated images: how they are told, and noise that draws none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import tiny_dual_encoder
from tiny_generator import save_condition_generator, save_generator

import cxr
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.generation import Condition
from cxr.generation.holes import CANDIDATES, black_share, first_whole, has_hole
from cxr.generation.sampler import Sampler


def body(hole: int = 0, side: int = 128) -> np.ndarray:
    """A grey image with a black square of `hole` px low in its middle, black beside the body."""
    square = np.full((side, side), 120, np.uint8)
    square[:, : side // 8] = 0
    square[side - hole - 2 : side - 2, 60 : 60 + hole] = 0
    return square


def test_a_hole_is_black_where_a_body_is():
    assert not has_hole(body()) and black_share(body()) == 0
    assert has_hole(body(12)) and black_share(body(12)) == pytest.approx(144 / (39 * 77), rel=0.02)
    assert not has_hole(body(3))  # a bowel's gas


def test_the_first_image_without_a_hole_is_taken_or_that_with_the_least():
    assert first_whole(np.stack([body(12), body(), body()])) == 1
    assert first_whole(np.stack([body(14), body(9), body(20)])) == 1


@pytest.fixture(scope="module")
def sampler(tmp_path_factory) -> Sampler:
    return cxr.Sampler.load(save_condition_generator(tmp_path_factory.mktemp("holes") / "g"))


def first_noise(sampler, seed: int, index: int) -> torch.Tensor:
    drawn = np.random.default_rng([seed, index]).standard_normal(sampler.generator.config.noise)
    return torch.from_numpy(drawn).float()


def test_noise_is_drawn_again_until_the_probe_has_no_hole(sampler, monkeypatch):
    """The probe is asked once for an image, whatever is then drawn with its noise."""
    asked = []

    def whole(squares):
        asked.append(len(squares))
        return 5

    monkeypatch.setattr("cxr.generation.sampler.first_whole", whole)
    chosen = sampler._chosen(31, 2)
    expected = np.random.default_rng([31, 2, 5]).standard_normal(sampler.generator.config.noise)
    assert np.array_equal(chosen.numpy(), expected.astype(np.float32))
    for severity in (0.5, 1.0):
        sampler.draw([Condition({"edema": severity})] * 3, seed=31)
    assert asked == [CANDIDATES] * 3  # images 0 and 1; that of 2 was kept


def test_the_first_noise_stays_where_it_draws_no_hole(sampler, monkeypatch):
    monkeypatch.setattr("cxr.generation.sampler.first_whole", lambda squares: 0)
    assert torch.equal(sampler._chosen(32, 1), first_noise(sampler, 32, 1))


def test_a_generator_that_texts_condition_is_asked_for_no_probe(tmp_path, monkeypatch):
    save_dual_encoder(tiny_dual_encoder(), tmp_path / "retrieval")
    length = tiny_dual_encoder().config.dimension
    sampler = Sampler.load(save_generator(tmp_path / "g", tmp_path / "retrieval", length))
    monkeypatch.setattr("cxr.generation.sampler.first_whole", lambda squares: 1 / 0)
    assert torch.equal(sampler._chosen(3, 1), first_noise(sampler, 3, 1))
