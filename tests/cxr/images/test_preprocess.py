"""Preprocess: shapes, ranges, aspect, padding, and the way back for heat maps."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from cxr.images.load import Preprocess

SIZES = [(224, 224), (100, 50), (50, 100), (1000, 700), (333, 500), (4000, 900), (32, 32)]


@pytest.mark.parametrize("size", SIZES)
def test_square_is_uint8_of_its_size_with_black_centred_padding(size):
    width, height = size
    square = Preprocess(size=128).square(Image.new("L", size, 200))
    assert square.shape == (128, 128) and square.dtype == np.uint8
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert abs(len(columns) / len(rows) - width / height) < 0.06 * width / height
    for used in (rows, columns):
        assert abs(used[0] - (127 - used[-1])) <= 1  # as much black before as after
    assert (square[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 200).all()
    assert max(len(rows), len(columns)) == 128


def test_square_of_a_film_of_that_size_changes_nothing(film):
    image = film(size=(96, 96))
    assert np.array_equal(Preprocess(size=96).square(image), image)


def test_square_is_antialiased():
    board = np.indices((1024, 1024)).sum(axis=0) % 2 * 255
    square = Preprocess(size=64).square(Image.fromarray(board.astype(np.uint8)))
    assert square.min() >= 120 and square.max() <= 135  # not a moire of black and white


def test_square_keeps_left_and_right_up_and_down():
    film = np.zeros((200, 100), np.uint8)
    film[:100, :50] = 255
    square = Preprocess(size=64).square(Image.fromarray(film))
    assert square[10, 20] == 255 and square[10, 44] == 0 and square[54, 20] == 0


@pytest.mark.parametrize("mode", ["RGB", "1", "I;16", "RGBA"])
def test_square_refuses_what_is_not_grey(mode):
    with pytest.raises(ValueError, match=f'expected .* "L"; got mode "{mode}".*load_image'):
        Preprocess().square(Image.new(mode, (64, 64)))


@pytest.mark.parametrize("channels", [1, 3])
def test_normalise_is_the_documented_formula(channels):
    batch = torch.arange(2 * 16 * 16).reshape(2, 16, 16).to(torch.uint8)
    pixels = Preprocess(16, mean=0.4, std=0.2, channels=channels).normalize(batch)
    assert pixels.shape == (2, channels, 16, 16) and pixels.dtype == torch.float32
    for channel in range(channels):
        torch.testing.assert_close(pixels[:, channel], (batch / 255 - 0.4) / 0.2)
    assert batch.dtype == torch.uint8 and batch[0, 0, 5] == 5
    pixels[:, 0] = 7  # a tensor of its own: channels share no memory
    assert channels == 1 or not (pixels[:, 1] == 7).all()


@pytest.mark.parametrize(
    "batch",
    [torch.zeros(2, 16, 16), torch.zeros(16, 16, dtype=torch.uint8)]
    + [torch.zeros(2, 16, 17, dtype=torch.uint8), torch.zeros(2, 1, 16, 16, dtype=torch.uint8)],
)
def test_normalise_refuses_another_batch(batch):
    with pytest.raises(ValueError, match=r"expected uint8 \[B, 16, 16\]"):
        Preprocess(16).normalize(batch)


def test_a_call_is_square_and_normalize(film):
    preprocess, image = Preprocess(48, mean=0.3), film(size=(96, 112))
    expected = preprocess.normalize(torch.from_numpy(preprocess.square(image))[None])[0]
    assert expected.shape == (3, 48, 48)
    torch.testing.assert_close(preprocess(image), expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grid", [(7, 7), (16, 16), (224, 224)])
def test_unsquare_has_the_image_size_and_the_range_of_the_heat(size, grid):
    heat = np.random.default_rng(0).random(grid)
    shown = Preprocess().unsquare(heat, size)
    assert shown.shape == (size[1], size[0]) and shown.dtype == np.float32
    assert heat.min() - 1e-6 <= shown.min() and shown.max() <= heat.max() + 1e-6


@pytest.mark.parametrize("size", [(400, 300), (300, 400)])
def test_unsquare_puts_a_spot_where_the_film_has_it(size):
    film = np.zeros(size[::-1], np.uint8)
    film[60:80, 200:220] = 255
    preprocess = Preprocess(size=200)
    shown = preprocess.unsquare(preprocess.square(Image.fromarray(film)) / 255, size)
    assert np.abs(shown - film / 255).mean() < 0.005
    y, x = (axis.mean() for axis in np.nonzero(shown > 0.5))
    assert abs(y - 69.5) < 1 and abs(x - 209.5) < 1


def test_unsquare_drops_the_padding():
    heat = np.ones((8, 8), np.float32)
    heat[2:6] = 0  # the film is twice as wide as high: rows 2..5 of 8 hold it
    shown = Preprocess(size=64).unsquare(heat, (64, 32))
    assert (shown[8:24] == 0).all() and shown[0].max() < 0.5


@pytest.mark.parametrize("heat", [np.zeros((0, 0)), np.zeros(4), np.full((4, 4), np.nan)])
def test_unsquare_refuses_what_is_no_finite_map(heat):
    with pytest.raises(ValueError, match="expected a finite heat map"):
        Preprocess().unsquare(heat, (64, 64))


def test_it_travels_as_json():
    preprocess = Preprocess(size=320, mean=0.48, std=0.22, channels=1)
    assert Preprocess.from_dict(json.loads(json.dumps(preprocess.to_dict()))) == preprocess
    with pytest.raises(ValueError, match=r"got \['crop'\] besides"):
        Preprocess.from_dict({**preprocess.to_dict(), "crop": 5})


@pytest.mark.parametrize("wrong", [{"size": 0}, {"std": 0.0}, {"channels": 0}])
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ValueError, match="expected size >= 1"):
        Preprocess(**wrong)
