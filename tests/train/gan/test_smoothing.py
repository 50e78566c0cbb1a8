"""Smoothing takes off what a generator draws too finely, and no more."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from tiny_generator import save_condition_generator
from training_data import make_nih

from cxr.generation import Sampler
from cxr.generation.sampler import smoothed
from train.gan.smoothing import BAND, choose_smoothing, main, powers


def noises(count: int = 24, side: int = 128, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, 20, (count, side, side))


def as_levels(images: np.ndarray) -> np.ndarray:
    return images.round().clip(0, 255).astype(np.uint8)


def test_power_stands_in_the_band_of_its_cycles():
    across = np.arange(128) / 128
    waves = np.broadcast_to(100 * np.sin(2 * np.pi * 30 * across), (3, 128, 128))
    assert int(powers(waves).argmax()) == 30 // BAND


def test_where_real_images_are_as_fine_nothing_is_taken_off():
    found, record = choose_smoothing(as_levels(noises()), as_levels(noises(seed=1)))
    assert record["decibels_with"] <= record["decibels_without"] < 0.5
    blurred = gaussian_filter(noises(), (0, found, found))
    assert np.abs(blurred - noises()).mean() < 1.5  # of 20 that pixels vary by


@pytest.mark.parametrize("sigma", [0.5, 0.7])
def test_what_was_smoothed_is_found_again(sigma):
    """Real images are smooth to that degree, generated ones not at all."""
    real = as_levels(gaussian_filter(noises(seed=1), (0, sigma, sigma)))
    found, record = choose_smoothing(as_levels(noises()), real)
    assert found == pytest.approx(sigma, abs=0.051)
    assert record["decibels_with"] < 0.5 and record["decibels_without"] > 2


@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0])
def test_images_are_smoothed_by_a_gaussian(sigma):
    images = torch.from_numpy(noises(2, 32)).float()[:, None]
    expected = gaussian_filter(images.numpy(), (0, 0, sigma, sigma), mode="mirror")
    assert smoothed(images, sigma).numpy() == pytest.approx(expected, abs=0.05)
    flat = torch.full((1, 1, 16, 16), 0.3)
    assert torch.allclose(smoothed(flat, sigma), flat)
    assert smoothed(images, 0.0) is images


def test_the_choice_goes_into_the_checkpoint(tmp_path, capsys):
    folder = save_condition_generator(tmp_path / "g")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "training": {"step": 3}}))
    before = Sampler.load(folder)
    assert before.smoothing == 0
    words = ["--weights", str(folder), "--cache", str(tmp_path / "cache"), "--data"]
    with pytest.raises(ValueError, match="256 px or more"):
        main([*words, str(make_nih(tmp_path / "nih"))])
    large = make_nih(tmp_path / "large")
    for path in (large / "images").iterdir():
        Image.open(path).resize((300, 280)).save(path)
    assert main([*words, str(large)]) == 0
    said = json.loads(capsys.readouterr().out)
    written = json.loads((folder / "config.json").read_text())
    assert written["smoothing"] == said["smoothing"] == Sampler.load(folder).smoothing
    assert written["training"]["step"] == 3 and written["training"]["smoothing"]["images"] > 10


@pytest.mark.parametrize("value", [-0.1, "much", True, None])
def test_a_smoothing_that_is_none_is_refused(tmp_path, value):
    folder = save_condition_generator(tmp_path / "g")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "smoothing": value}))
    with pytest.raises(ValueError, match=r"train\.gan\.smoothing"):
        Sampler.load(folder)
