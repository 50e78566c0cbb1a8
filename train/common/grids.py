"""Sample grids: images side by side. They may show patients' images and are not published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

GAP = 4  # pixels


def grid_picture(rows: Sequence[Sequence[np.ndarray]]) -> Image.Image:
    """Put images side by side.

    Args:
        rows: Rows of float arrays [S, S] in [0, 1], all of one size.

    Returns:
        One mode "L" image.
    """
    side = rows[0][0].shape[0] + GAP
    sheet = np.full((len(rows) * side, max(map(len, rows)) * side), 255, np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            levels = (np.asarray(picture, np.float32).clip(0, 1) * 255).round().astype(np.uint8)
            sheet[y * side : y * side + side - GAP, x * side : x * side + side - GAP] = levels
    return Image.fromarray(sheet)


def save_grid(rows: Sequence[Sequence[np.ndarray]], path: Path) -> None:
    """Write `grid_picture` of the rows to `path` (PNG)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grid_picture(rows).save(path)
