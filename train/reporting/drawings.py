"""Drawn pictures that are no film: shapes and textures from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 256  # pixels
HELD_OUT_DRAWINGS = ("checkerboard", "triangles", "clouds", "letters", "blank")


def drawings() -> tuple[str, ...]:
    """The families that a gate may be fitted on."""
    return tuple(name for name in _FAMILIES if name not in HELD_OUT_DRAWINGS)


def draw(family: str, seed: int) -> Image.Image:
    """A picture of mode "L", SIDE px high and 0.75 to 1.33 times as wide. KeyError: no family."""
    random = np.random.default_rng([seed, len(family)])
    width = int(SIDE * random.uniform(0.75, 1.33))
    return _FAMILIES[family](random, width)


def _field(random: np.random.Generator, width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, SIDE))


def _picture(values: np.ndarray) -> Image.Image:
    span = np.ptp(values) or 1.0
    return Image.fromarray(((values - values.min()) / span * 255).astype(np.uint8))


def _noise(random: np.random.Generator, width: int) -> Image.Image:
    return _picture(random.normal(size=(SIDE, width)))


def _spectrum(random: np.random.Generator, width: int, power: float) -> Image.Image:
    """Noise whose amplitude falls with the spatial frequency to `power`."""
    waves = np.fft.rfft2(random.normal(size=(SIDE, width)))
    y, x = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(width)[None]
    return _picture(
        np.fft.irfft2(waves / np.maximum(np.hypot(x, y), 1 / SIDE) ** power, (SIDE, width))
    )


def _stripes(random: np.random.Generator, width: int) -> Image.Image:
    x, y = _field(random, width)
    angle, waves = random.uniform(0, np.pi), random.uniform(3, 40)
    return _picture(np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle))))


def _gradient(random: np.random.Generator, width: int) -> Image.Image:
    x, y = _field(random, width)
    a, b, c = random.normal(size=3)
    return _picture(a * x + b * y + c * x * y)


def _rings(random: np.random.Generator, width: int) -> Image.Image:
    x, y = _field(random, width)
    centre = random.uniform(0.2, 0.8, 2)
    return _picture(np.cos(random.uniform(10, 80) * np.hypot(x - centre[0], y - centre[1])))


def _checkerboard(random: np.random.Generator, width: int) -> Image.Image:
    x, y = _field(random, width)
    squares = random.integers(3, 16)
    return _picture((np.floor(x * squares) + np.floor(y * squares)) % 2)


def _canvas(random: np.random.Generator, width: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("L", (width, SIDE), int(random.integers(0, 256)))
    return picture, ImageDraw.Draw(picture)


def _shapes(random: np.random.Generator, width: int, kind: str) -> Image.Image:
    picture, pen = _canvas(random, width)
    for _ in range(random.integers(2, 15)):
        grey = int(random.integers(0, 256))
        corners = random.uniform(0, 1, (3, 2)) * (width, SIDE)
        if kind == "triangles":
            pen.polygon([tuple(corner) for corner in corners], fill=grey)
            continue
        low, high = corners[:2].min(0), corners[:2].max(0) + 1
        (pen.ellipse if kind == "ellipses" else pen.rectangle)([*low, *high], fill=grey)
    return picture


def _soft(random: np.random.Generator, width: int) -> Image.Image:
    """Blurred ellipses over noise: grey levels and edges rather like a film's."""
    picture = _shapes(random, width, "ellipses").filter(
        ImageFilter.GaussianBlur(random.uniform(3, 14))
    )
    grain = np.asarray(picture, np.float32) + random.normal(0, 6, (SIDE, width))
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8))


def _cells(random: np.random.Generator, width: int) -> Image.Image:
    x, y = _field(random, width)
    seeds = random.uniform(0, 1, (random.integers(6, 30), 2))
    distance = np.hypot(x[..., None] - seeds[:, 0], y[..., None] - seeds[:, 1])
    return _picture(random.normal(size=len(seeds))[distance.argmin(-1)])


def _letters(random: np.random.Generator, width: int) -> Image.Image:
    picture, pen = Image.new("L", (width, SIDE), 250), None
    pen = ImageDraw.Draw(picture)
    alphabet = "abcdefghijklmnopqrstuvwxyz     "
    for line in range(8, SIDE - 12, int(random.integers(11, 20))):
        pen.text((8, line), "".join(random.choice(list(alphabet), 60)), fill=20)
    return picture


def _blank(random: np.random.Generator, width: int) -> Image.Image:
    return Image.fromarray(
        (random.integers(0, 256) + random.normal(0, 1, (SIDE, width))).clip(0, 255).astype(np.uint8)
    )


_FAMILIES: dict[str, Callable[[np.random.Generator, int], Image.Image]] = {
    "noise": _noise,
    "pink noise": lambda random, width: _spectrum(random, width, 1.0),
    "stripes": _stripes,
    "gradient": _gradient,
    "rings": _rings,
    "ellipses": lambda random, width: _shapes(random, width, "ellipses"),
    "rectangles": lambda random, width: _shapes(random, width, "rectangles"),
    "soft ellipses": _soft,
    "cells": _cells,
    "checkerboard": _checkerboard,
    "triangles": lambda random, width: _shapes(random, width, "triangles"),
    "clouds": lambda random, width: _spectrum(random, width, 2.0),
    "letters": _letters,
    "blank": _blank,
}
