"""The one door for pixels: a picture in any common form -> a safe greyscale image -> model input."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import torch

MAX_PIXELS = 64_000_000


def load_image(source: str | Path | bytes | BinaryIO | Image.Image | np.ndarray) -> Image.Image:
    """Read a picture as greyscale: mode "L", no metadata. Raises ValueError on bad input."""
    if isinstance(source, Image.Image):
        image = source
    elif isinstance(source, np.ndarray):
        image = Image.fromarray(source)
    else:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        try:
            image = Image.open(os.fspath(stream) if isinstance(stream, Path) else stream)
        except OSError as error:
            raise ValueError(f"expected a readable picture; {error}") from error
    grey = image.convert("L")
    grey.info = {}
    return grey


@dataclass(frozen=True)
class Preprocess:
    """From a greyscale image to what an encoder takes; travels inside every checkpoint.

    size: side of the square in pixels. mean, std: of pixel values in [0, 1].
    channels: how often the grey channel is repeated (3 for backbones that expect RGB).
    """

    size: int = 224
    mean: float = 0.5
    std: float = 0.25
    channels: int = 3

    def __post_init__(self) -> None:
        if self.size < 1 or self.channels < 1 or not self.std > 0:
            raise ValueError(
                "expected size >= 1, channels >= 1 and std > 0; "
                f"got {self}. Correct the preprocessing configuration."
            )

    def square(self, image: Image.Image) -> np.ndarray:
        """Fit a mode "L" image into a square: aspect kept, centred, black padding, antialiased.

        Returns uint8 [size, size], row 0 at the top. Raises ValueError for any other mode.
        """
        if image.mode != "L":
            raise ValueError(
                f'expected an image of mode "L"; got mode "{image.mode}". '
                "Pass it through cxr.load_image first."
            )
        left, top, width, height = self._content(image.size)
        canvas = np.zeros((self.size, self.size), np.uint8)
        resized = image
        if image.size != (width, height):
            resized = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        canvas[top : top + height, left : left + width] = np.asarray(resized)
        return canvas

    def normalise(self, batch: torch.Tensor) -> torch.Tensor:
        """uint8 [B, size, size] -> float32 [B, channels, size, size], (x / 255 - mean) / std.

        Stays on the batch's device. Raises ValueError for another dtype or shape.
        """
        if str(batch.dtype) != "torch.uint8" or tuple(batch.shape[1:]) != (self.size, self.size):
            raise ValueError(
                f"expected uint8 [B, {self.size}, {self.size}]; got {batch.dtype} "
                f"{list(batch.shape)}. Make the batch with Preprocess.square."
            )
        scaled = batch.float().div_(255).sub_(self.mean).div_(self.std)
        return scaled.unsqueeze(1).repeat(1, self.channels, 1, 1)

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """A mode "L" image -> float32 [channels, size, size]."""
        import torch  # here, since reading pictures alone needs no torch and starts faster

        return self.normalise(torch.from_numpy(self.square(image))[None])[0]

    def unsquare(self, heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Undo `square` for a map over the square: drop the padding, resize bilinearly.

        heat: real numbers [h, w] at any resolution, for instance a 7 x 7 patch grid.
        size: (width, height) in pixels of the image that was squared.
        Returns float32 [height, width] within heat's own range.
        Raises ValueError for another shape, an empty map, NaN or infinity.
        """
        heat = np.asarray(heat, np.float32)
        if heat.ndim != 2 or heat.size == 0 or not np.isfinite(heat).all():
            raise ValueError(
                f"expected a finite heat map [h, w]; got shape {list(heat.shape)}. "
                "Pass one map without NaN or infinity."
            )
        left, top, width, height = self._content(size)
        rows, columns = np.array(heat.shape) / self.size  # cells for one pixel of the square
        box = (left * columns, top * rows, (left + width) * columns, (top + height) * rows)
        resized = Image.fromarray(heat).resize(size, Image.Resampling.BILINEAR, box=box)
        return np.asarray(resized).clip(heat.min(), heat.max())

    def _content(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Where an image of (width, height) lies in the square: left, top, width, height."""
        scale = self.size / max(size)
        width, height = (max(1, round(side * scale)) for side in size)
        return (self.size - width) // 2, (self.size - height) // 2, width, height

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `from_dict` gives it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocess:
        """Read what `to_dict` wrote. Raises ValueError for an unknown key."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(
                f"expected the keys {sorted(known)}; got {unknown} besides. "
                "Remove them or use the version that wrote them."
            )
        return cls(**values)
