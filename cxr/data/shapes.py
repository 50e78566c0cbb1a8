"""Shapes on an image, in fractions of its sides, so that they can be drawn at any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw


@dataclass(frozen=True)
class Polygon:
    """A closed outline. points: (x, y) as fractions of the width and the height."""

    points: tuple[tuple[float, float], ...]

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """Bool [H, W] for a (width, height) in pixels; at least one pixel, however small it is."""
        width, height = size
        canvas = Image.new("1", size)
        # A pixel's number is its left edge; Pillow draws through the centers.
        corners = [(x * width - 0.5, y * height - 0.5) for x, y in self.points]
        if len(corners) > 1:
            ImageDraw.Draw(canvas).polygon(corners, fill=1, outline=1)
        mask = np.array(canvas)
        if not mask.any() and self.points:
            x, y = np.mean(self.points, axis=0)
            mask[min(int(y * height), height - 1), min(int(x * width), width - 1)] = True
        return mask


@dataclass(frozen=True)
class Disc:
    """A circle on a square image: x, y and radius as fractions of its side."""

    x: float
    y: float
    radius: float

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """Bool [H, W] for a (width, height) in pixels; at least the pixel of its center."""
        width, height = size
        rows, columns = np.ogrid[:height, :width]
        across, down = (columns + 0.5) / width - self.x, (rows + 0.5) / height - self.y
        mask = across**2 + down**2 <= self.radius**2
        mask[min(int(self.y * height), height - 1), min(int(self.x * width), width - 1)] = True
        return mask


Shape = Polygon | Disc
