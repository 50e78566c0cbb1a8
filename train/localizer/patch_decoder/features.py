"""Patch features of images and of changed copies of them, extracted once from the frozen encoder.

A copy is turned, shifted, scaled, blurred and lit anew, so that the decoder meets other hospitals'
films; what was drawn on the image is moved alike.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from tqdm import tqdm

from cxr.devices import best_device, has_bf16
from cxr.models import PatchEncoder

CHUNK = 8  # images at a time


@dataclass(frozen=True)
class Change:
    """How a copy differs from its image; the default is no difference.

    Attributes:
        scale: of the content, above 1 larger.
        degrees: turned counterclockwise.
        shift: right and down, as a share of the side.
        gamma: exponent of gray levels in [0, 1].
        contrast: factor about the middle gray.
        blur: standard deviation in pixels of a square with 336 a side.
    """

    scale: float = 1.0
    degrees: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    gamma: float = 1.0
    contrast: float = 1.0
    blur: float = 0.0

    @classmethod
    def of(cls, name: str, copy: int) -> Change:
        """That of the copy-th copy of an image, always the same; copy 0 is the image itself."""
        if copy == 0:
            return cls()
        draw = random.Random(f"{name} {copy}")
        return cls(
            math.exp(draw.uniform(-0.2, 0.2)),
            draw.uniform(-7, 7),
            (draw.uniform(-0.07, 0.07), draw.uniform(-0.07, 0.07)),
            math.exp(draw.uniform(-0.4, 0.4)),
            draw.uniform(0.75, 1.25),
            draw.choice((0.0, draw.uniform(0, 2.5))),
        )

    def moved(self, squares: torch.Tensor) -> torch.Tensor:
        """Squares float [B, C, S, S], turned, scaled and shifted; black from outside."""
        if self == Change():
            return squares
        turn = math.radians(self.degrees)
        cos, sin = math.cos(turn) / self.scale, math.sin(turn) / self.scale
        right, down = (2 * part for part in self.shift)
        matrix = torch.tensor(
            [[cos, sin, -cos * right - sin * down], [-sin, cos, sin * right - cos * down]]
        )
        grid = F.affine_grid(matrix.expand(len(squares), 2, 3), list(squares.shape), False)
        return F.grid_sample(squares, grid, "bilinear", "zeros", False)

    def seen(self, square: np.ndarray) -> np.ndarray:
        """An image uint8 [S, S] as its copy, uint8 [S, S]."""
        if self == Change():
            return square
        pixels = self.moved(torch.from_numpy(square.astype(np.float32))[None, None])[0, 0].numpy()
        pixels = (np.clip(pixels / 255, 0, 1) ** self.gamma - 0.5) * self.contrast + 0.5
        if self.blur:
            pixels = ndimage.gaussian_filter(pixels, self.blur * len(square) / 336)
        return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def extract(
    images: np.ndarray,
    names: Sequence[str],
    rows: Sequence[int],
    copy: int,
    encoder: PatchEncoder,
    file: Path,
) -> np.ndarray:
    """The features of a copy of each image, from an earlier call where the file is there.

    A call that was interrupted goes on where it was.

    Args:
        images: uint8 [N, S, S].
        names: N of them, which decide how the copies differ.
        rows: R of their numbers.
        copy: which copy.
        encoder: on any device.
        file: target, .npy.

    Returns:
        float16 [R, channels, h, w], mapped into memory.
    """
    if file.exists():
        return np.load(file, mmap_mode="r")
    file.parent.mkdir(parents=True, exist_ok=True)
    partial, progress = file.with_suffix(".partial.npy"), file.with_suffix(".progress.json")
    done = json.loads(progress.read_text()) if progress.exists() and partial.exists() else 0
    out = np.load(partial, mmap_mode="r+") if done else None
    device = best_device()
    for first in tqdm(range(done, len(rows), CHUNK), desc=file.stem, unit=f"x{CHUNK}"):
        part = rows[first : first + CHUNK]
        seen = np.stack([Change.of(names[row], copy).seen(np.asarray(images[row])) for row in part])
        pixels = torch.from_numpy(seen)[:, None].to(device).float() / 255
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            grids = encoder(pixels).to("cpu", torch.float16).numpy()
        if out is None:
            out = np.lib.format.open_memmap(
                partial, "w+", np.float16, (len(rows), *grids.shape[1:])
            )
        out[first : first + len(part)] = grids
        if first // CHUNK % 20 == 19:
            progress.write_text(str(first + len(part)))
    if out is None:
        raise ValueError("expected images to extract features of, got none; name other sources")
    out.flush()
    os.replace(partial, file)
    progress.unlink(missing_ok=True)
    return np.load(file, mmap_mode="r")
