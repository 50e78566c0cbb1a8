"""Drawn pictures that look like a chest X-ray; no patient."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def draw_film(seed: int = 0, size: tuple[int, int] = (96, 112)) -> Image.Image:
    """A drawn picture with two dark lungs and a bright heart, no patient's: mode "L", (W, H)."""
    random = np.random.default_rng(seed)
    width, height = size
    film = Image.new("L", size, 150)
    draw = ImageDraw.Draw(film)
    for left in (0.10, 0.56):
        top = 0.12 + 0.05 * random.random()
        draw.ellipse([left * width, top * height, (left + 0.34) * width, 0.85 * height], fill=45)
    radius = 0.10 + 0.10 * random.random()
    draw.ellipse(
        [(0.55 - radius) * width, 0.50 * height, (0.55 + radius) * width, 0.80 * height], fill=205
    )
    pixels = np.asarray(film.filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)
    pixels = (pixels + random.normal(0, 4, pixels.shape)).clip(0, 255)
    return Image.fromarray(pixels.astype(np.uint8))
