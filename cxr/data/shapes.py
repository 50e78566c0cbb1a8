"""Shapes on an image, in fractions of its sides, so that they can be drawn at any size.

chestxdet.json holds polygons of what radiologists saw; see cxr.data.outlines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cxr.data.image_index import stem
from cxr.findings import CHESTXDET_NAMES

if TYPE_CHECKING:
    import numpy as np

CHESTXDET = "chestxdet.json"
_NIH_SIDE = 1024  # pixels


@dataclass(frozen=True)
class Polygon:
    """A closed outline. points: (x, y) as fractions of the width and the height."""

    points: tuple[tuple[float, float], ...]

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """Bool [H, W] for a (width, height) in pixels; at least one pixel, however small it is."""
        import numpy as np  # here and below, since reading labels alone needs neither
        from PIL import Image, ImageDraw

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
        import numpy as np

        width, height = size
        rows, columns = np.ogrid[:height, :width]
        across, down = (columns + 0.5) / width - self.x, (rows + 0.5) / height - self.y
        mask = across**2 + down**2 <= self.radius**2
        mask[min(int(self.y * height), height - 1), min(int(self.x * width), width - 1)] = True
        return mask


Shape = Polygon | Disc


def read_chestxdet(root: Path) -> dict[str, dict[str, tuple[Polygon, ...]]]:
    """The polygons of chestxdet.json: {stem of the image's name: {name in OUTLINED: polygons}}.

    An image that was read and shows none of the thirteen has {}.

    Raises:
        ValueError: the file is no list of images with as many polygons as names.
    """
    path = root / CHESTXDET
    try:
        found: dict[str, dict[str, tuple[Polygon, ...]]] = {}
        for entry in json.loads(path.read_text("utf-8")):
            shapes: dict[str, tuple[Polygon, ...]] = {}
            for name, points in zip(entry["syms"], entry["polygons"], strict=True):
                polygon = Polygon(tuple((x / _NIH_SIDE, y / _NIH_SIDE) for x, y in points))
                target = CHESTXDET_NAMES[name]
                shapes[target] = (*shapes.get(target, ()), polygon)
            found[stem(entry["image"])] = shapes
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected a list of images with syms and polygons, could not read it "
            f"({error!r}); fetch it again"
        ) from error
    return found
