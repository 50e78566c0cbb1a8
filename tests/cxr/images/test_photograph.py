"""A photograph of an X-ray is cut out and seen from the front; an X-ray that fills it is left."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr.images.photograph import straighten

CORNERS = [
    (150, 90),
    (470, 130),
    (450, 560),
    (130, 520),
]  # of the film, clockwise from the top left


def photographed(film: Image.Image, grey: int, corners=CORNERS) -> Image.Image:
    """A film on a wall of one grey with a little grain, seen at an angle."""
    numbers = []
    places = [(0, 0), (film.width, 0), film.size, (0, film.height)]
    for (x, y), (u, v) in zip(corners, places):
        numbers.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        numbers.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    data = np.linalg.solve(np.array(numbers, float), np.array(places, float).ravel())
    size = (600, 640)
    seen = film.transform(size, Image.Transform.PERSPECTIVE, tuple(data))
    mask = Image.new("L", film.size, 255).transform(size, Image.Transform.PERSPECTIVE, tuple(data))
    grain = np.random.default_rng(0).normal(grey, 3, (size[1], size[0]))
    wall = Image.fromarray(grain.clip(0, 255).astype(np.uint8))
    return Image.composite(seen, wall, mask)


def alike(a: Image.Image, b: Image.Image) -> float:
    """The correlation of two pictures at one size."""
    left, right = (np.asarray(one.resize((64, 80)), float).ravel() for one in (a, b))
    return float(np.corrcoef(left, right)[0, 1])


@pytest.fixture
def xray() -> Image.Image:
    """Two dark lungs in a bright chest."""
    rows, columns = np.mgrid[:400, :320]
    lungs = sum(
        np.exp(-((((columns - x) / 55) ** 2 + ((rows - 190) / 120) ** 2) ** 2)) for x in (95, 225)
    )
    return Image.fromarray((220 - 150 * np.clip(lungs, 0, 1)).astype(np.uint8))


@pytest.mark.parametrize("grey", [20, 90])
def test_a_film_at_an_angle_is_seen_from_the_front(xray, grey):
    photograph = photographed(xray, grey)
    straightened = straighten(photograph)
    assert straightened is not None and straightened.mode == "L"
    assert alike(straightened, xray) > 0.95 > alike(photograph, xray) + 0.2
    assert straightened.width / straightened.height == pytest.approx(0.75, abs=0.06)


def test_an_xray_that_fills_the_picture_is_left(xray):
    assert straighten(xray) is None


@pytest.mark.parametrize("size", [(1, 1), (5, 900), (300, 300)])
def test_a_picture_without_anything_in_it_is_left(size):
    assert straighten(Image.new("L", size, 128)) is None


def test_a_background_of_many_things_is_left():
    noise = np.random.default_rng(1).integers(0, 256, (300, 300), np.uint8)
    assert straighten(Image.fromarray(noise)) is None


def test_a_speck_is_no_film():
    picture = Image.new("L", (256, 256), 10)
    picture.paste(200, (100, 100, 106, 106))
    assert straighten(picture) is None
