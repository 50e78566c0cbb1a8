"""The one door for pixels: any common picture -> a safe grayscale image -> an encoder's input."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from cxr.images.dicom import dicom_frames, is_dicom, read_dicom
from cxr.images.pixels import MAX_BYTES, MAX_PIXELS, ImageError, brief, check_size, gray_levels
from cxr.images.raster import gray, raster_pages, read_raster

if TYPE_CHECKING:
    import torch

__all__ = ["MAX_PIXELS", "Preprocess", "frame_count", "load_image"]


def load_image(
    source: str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray,
) -> Image.Image:
    """Read a picture in any common form as a grayscale image of mode "L".

    Deeper pictures are scaled to 8 bits as in `pixels.gray_levels`, DICOM as in `dicom_voi.render`.

    Args:
        source: a file's path, its bytes or an open binary file (PNG, JPEG, WebP, TIFF, BMP, DICOM;
            the content decides, not the suffix), a Pillow image, or real numbers [H, W],
            [H, W, 1], [H, W, 3] (RGB) or [H, W, 4] (RGBA). It is left as it was; a file is read
            from its start and stays open.

    Returns:
        An upright image (EXIF) of mode "L" that holds nothing but pixels and shares no memory with
        the source.

    Raises:
        ValueError: anything unreadable, animated, below 32 pixels a side, over MAX_PIXELS or
            longer than 5 to 1; one line that says what was expected, what came and what to do.
    """
    try:
        return Image.fromarray(np.array(_levels(source)))
    except ImageError as error:
        name = os.path.basename(source) if isinstance(source, (str, os.PathLike)) else ""
        raise ValueError(f"{str(name)[-80:]}: {error}" if name else str(error)) from error


def frame_count(data: bytes) -> int:
    """Return how many frames or pages the bytes of a picture hold; load_image reads the first.

    Args:
        data: bytes that load_image can read.

    Returns:
        1 or more.
    """
    return dicom_frames(data) if is_dicom(data) else raster_pages(data)


def _levels(source: Any) -> np.ndarray:
    """uint8 [H, W] from anything that load_image takes."""
    if isinstance(source, Image.Image):
        return gray(source)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    data = _read(source)
    if not data:
        raise ImageError("expected a picture; got an empty file. Copy or export it again.")
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"expected a file of at most {MAX_BYTES:,} bytes; got a larger one. "
            "Export one image at a lower resolution."
        )
    return read_dicom(data) if is_dicom(data) else read_raster(data)


def _from_array(values: np.ndarray) -> np.ndarray:
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (1, 3, 4)):
        raise ImageError(
            f"expected an array [H, W] or [H, W, 1 | 3 | 4]; got {list(values.shape)}. "
            "Pass one picture at a time, channels last."
        )
    check_size(values.shape[1], values.shape[0])
    levels = gray_levels(values)
    if values.ndim == 3 and values.shape[2] > 1:
        return gray(Image.fromarray(levels))
    return levels.reshape(values.shape[:2])


def _read(source: Any) -> bytes:
    """All bytes of a path, a binary file or bytes, up to one more than MAX_BYTES."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _read_path(source)
    if not hasattr(source, "read"):
        raise ImageError(
            "expected a path, bytes, a binary file, a Pillow image or a numpy array; "
            f"got {type(source).__name__}. Convert it to one of these."
        )
    if hasattr(source, "seekable") and source.seekable():
        source.seek(0)
    data = source.read(MAX_BYTES + 1)
    if not isinstance(data, bytes):
        raise ImageError(
            f'expected a file opened in binary mode; got {type(data).__name__}. Open it with "rb".'
        )
    return data


def _read_path(path: str | os.PathLike[str]) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ImageError(
                "expected a picture file; got a folder or a device. Name one file inside it."
            )
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise ImageError(
            f"expected a readable picture file; got none ({brief(error)}). Check the path."
        ) from error


@dataclass(frozen=True)
class Preprocess:
    """From a grayscale image to what an encoder takes; travels inside every checkpoint.

    size: side of the square in pixels. mean, std: of pixel values in [0, 1].
    channels: how often the gray channel is repeated (3 for backbones that expect RGB).
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
        """Fit a mode "L" image into a square: aspect kept, centered, black padding, antialiased.

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

    def normalize(self, batch: torch.Tensor) -> torch.Tensor:
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

        return self.normalize(torch.from_numpy(self.square(image))[None])[0]

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
