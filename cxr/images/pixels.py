"""What counts as an acceptable picture, and how numbers of any kind become gray levels 0..255."""

from __future__ import annotations

from textwrap import shorten

import numpy as np

MAX_PIXELS = 64_000_000  # four times the largest flat-panel detector; decodes within about 1 GB
MAX_BYTES = 256 * 2**20
MIN_SIDE = 32
MAX_ASPECT = 5.0  # a long-leg or whole-spine image is about 3 to 1
TAILS = (0.1, 99.9)  # percent; what a few hot pixels or burned-in letters may not decide
SAMPLE = 1_000_000


class ImageError(ValueError):
    """A picture that cannot be used; the message is fit to be shown to a user."""


def brief(error: Exception) -> str:
    """An exception in at most a hundred characters of one line, to end a message with."""
    return shorten(" ".join(str(error).split()), 100, placeholder=" …") or type(error).__name__


def check_size(width: int, height: int, frames: int = 1) -> None:
    """Raise ImageError unless a picture of this declared size may be decoded."""
    if width < MIN_SIDE or height < MIN_SIDE:
        raise ImageError(
            f"expected an image of at least {MIN_SIDE} x {MIN_SIDE} pixels; got {width} x "
            f"{height}. Use the original instead of a thumbnail."
        )
    if width * height * frames > MAX_PIXELS:
        in_frames = f" in {frames} frames" if frames > 1 else ""
        raise ImageError(
            f"expected at most {MAX_PIXELS:,} pixels; got {width} x {height}{in_frames}. "
            "Export one image at a lower resolution."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(
            f"expected sides of at most {MAX_ASPECT:g} to 1; got {width} x {height}. "
            "Crop the picture to the chest."
        )


def gray_levels(values: np.ndarray) -> np.ndarray:
    """Real numbers of any shape -> uint8 of the same shape.

    bool: 0 and 255. uint8: unchanged. Floats within [0, 1]: fractions of white, as in
    scikit-image and torchvision. All else, 16-bit images above all: see `stretch`.
    Raises ImageError for NaN, infinity, and what is no real number.
    """
    if values.dtype.kind not in "buif":
        raise ImageError(
            f"expected real numbers as pixels; got dtype {values.dtype}. "
            "Convert them to uint8, uint16 or float32."
        )
    check_finite(values)
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "f" and values.size and values.min() >= 0 and values.max() <= 1:
        return between(values, 0, 1)
    return stretch(values)


def check_finite(values: np.ndarray) -> None:
    """Raise ImageError when a floating array holds NaN or infinity."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int(values.size - np.isfinite(values).sum())
        raise ImageError(
            f"expected finite pixels; got NaN or infinity in {bad:,} of {values.size:,}. "
            "Repair or mask them where the picture is made."
        )


def stretch(values: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
    """Linear from the 0.1th percentile (0) to the 99.9th (255), clipped: uint8, same shape.

    The actual range counts, not the container's: 12 bits stored in 16 come out neither black nor
    flat. Percentiles are taken over a regular sample of about a million values. Where the two
    coincide the extremes take their place; a picture of one value becomes black.
    inside: bool of the same shape, True for the values that percentiles are taken over.
    """
    counted = values[inside] if inside is not None and inside.any() else values
    if counted.size == 0:
        return np.zeros(values.shape, np.uint8)
    with np.errstate(over="ignore"):  # `between` refuses what overflows
        low, high = np.percentile(counted.ravel()[:: counted.size // SAMPLE + 1], TAILS)
    if not high > low:
        low, high = float(counted.min()), float(counted.max())
    return between(values, low, high)


def between(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Linear from low (0) to high (255), clipped and rounded: uint8, same shape; 0 if low == high.

    Raises ImageError when the span is too wide for a float.
    """
    span = float(high) - float(low)
    if not np.isfinite(span):
        raise ImageError(
            f"expected pixels within the range of a float; got {low:g} to {high:g}. "
            "Rescale the picture where it is made."
        )
    if span <= 0:
        return np.zeros(values.shape, np.uint8)
    wide = np.float32 if values.dtype.itemsize <= 2 else np.float64
    levels = np.clip(values, low, high).astype(wide)
    levels -= wide(low)
    levels *= wide(255 / span)
    levels += wide(0.5)
    return levels.clip(0, 255).astype(np.uint8)
