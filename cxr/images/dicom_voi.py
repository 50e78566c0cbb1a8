"""From the stored values of a DICOM image to gray levels: DICOM PS3.3 C.11.1, C.11.2, C.7.6.3."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels import apply_windowing

from cxr.images.pixels import ImageError, between, check_finite, stretch

BLOCK = 1_000_000  # pixels windowed at a time


def render(stored: np.ndarray, image: Dataset) -> np.ndarray:
    """Stored values [H, W] -> uint8 [H, W] as a viewer shows them: white bone, black air.

    In order: Modality LUT or rescale; the first VOI LUT, else the first window, else the full
    range for images of at most 8 bits, else `stretch`; MONOCHROME1 inverted; padding black.
    A window that leaves nothing to see (all black or all white) counts as absent.
    Raises ImageError for NaN, infinity or unreadable fields.
    """
    check_finite(stored)
    values = _rescaled(stored, image)
    check_finite(values)
    inside = _inside(stored, image)
    levels = _voi(values, image, inside)
    if image.PhotometricInterpretation == "MONOCHROME1":
        levels = 255 - levels
    if inside is not None:
        levels[~inside] = 0
    return levels


def window(values: np.ndarray, center: float, width: float, function: str) -> np.ndarray:
    """VOI LUT functions LINEAR, LINEAR_EXACT and SIGMOID of PS3.3 C.11.2.1, by pydicom.

    values: real numbers of any shape. Returns uint8 of the same shape.
    Raises ImageError unless the width is finite and above 0 (for LINEAR at least 1).
    """
    least = 1 if function == "LINEAR" else np.finfo(np.float32).tiny
    if not (np.isfinite(center) and np.isfinite(width) and width >= least):
        raise ImageError(
            f"expected a finite {function} window at least {least:g} wide; got center {center:g} "
            f"and width {width:g}. Correct the window of the image."
        )
    eight_bits = Dataset()  # so that pydicom's output range is 0 to 255
    eight_bits.PhotometricInterpretation, eight_bits.PixelRepresentation = "MONOCHROME2", 0
    eight_bits.BitsStored, eight_bits.VOILUTFunction = 8, function
    eight_bits.WindowCenter, eight_bits.WindowWidth = center, width
    levels = np.empty(values.size, np.uint8)
    flat = values.ravel()
    for start in range(0, flat.size, BLOCK):  # pydicom works in float64: eight bytes a pixel
        block = slice(start, start + BLOCK)
        with np.errstate(over="ignore"):  # far outside a sigmoid window, exp is infinite
            levels[block] = np.floor(apply_windowing(flat[block], eight_bits) + 0.5)
    return levels.reshape(values.shape)


def look_up(values: np.ndarray, item: Dataset) -> np.ndarray:
    """The table of one item of a Modality or VOI LUT Sequence (C.11.1.1): int32, same shape.

    Values before the first entry take the first, those past the last take the last. pydicom's
    own function does not take real values, entries of 8 bits that lie two in a word, or a table
    shorter than its descriptor says, all of which occur.
    """
    entries, first = int(item.LUTDescriptor[0]) or 2**16, int(item.LUTDescriptor[1])
    table = item.LUTData
    if isinstance(table, bytes):  # VR OW; 8-bit entries may lie two in a word
        word = "u2" if len(table) > entries + 1 else "u1"
        order = ">" if item.original_encoding[1] is False else "<"
        table = np.frombuffer(table, order + word)
    table = np.atleast_1d(np.asarray(table, np.int32))[:entries]
    whole = values if values.dtype.kind in "ui" else np.round(values)
    return table[(whole.astype(np.int32) - first).clip(0, len(table) - 1)]


def number(image: Dataset, keyword: str, default: float) -> float:
    """The first number of an element; the default where it is missing, empty or no number."""
    value = image.get(keyword)
    if isinstance(value, (MultiValue, list, tuple)):
        value = value[0] if len(value) else None
    try:
        return default if value is None else float(value)
    except (TypeError, ValueError):
        return default


def _rescaled(stored: np.ndarray, image: Dataset) -> np.ndarray:
    """Modality LUT, else slope and intercept; a slope of 0, which would erase all, is ignored."""
    if image.get("ModalityLUTSequence"):
        return look_up(stored, image.ModalityLUTSequence[0])
    slope = number(image, "RescaleSlope", 1) or 1
    intercept = number(image, "RescaleIntercept", 0)
    if (slope, intercept) == (1, 0):
        return stored
    wide = np.float32 if stored.dtype.itemsize <= 2 else np.float64
    return stored.astype(wide) * wide(slope) + wide(intercept)


def _inside(stored: np.ndarray, image: Dataset) -> np.ndarray | None:
    """Bool [H, W], False in the padding; None for an image without padding."""
    first = number(image, "PixelPaddingValue", np.nan)
    if np.isnan(first):
        return None
    low, high = sorted((first, number(image, "PixelPaddingRangeLimit", first)))
    inside = (stored < low) | (stored > high)
    return None if inside.all() else inside


def _voi(values: np.ndarray, image: Dataset, inside: np.ndarray | None) -> np.ndarray:
    if image.get("VOILUTSequence"):
        shown = look_up(values, image.VOILUTSequence[0])
        return between(shown, int(shown.min()), int(shown.max()))
    width = number(image, "WindowWidth", 0)
    function = str(image.get("VOILUTFunction") or "LINEAR").upper()
    if np.isfinite(width) and width >= (1 if function == "LINEAR" else 1e-6):
        levels = window(values, number(image, "WindowCenter", 0), width, function)
        if levels.min() < levels.max() or values.min() == values.max():
            return levels
    bits = number(image, "BitsStored", 16)
    if "PixelData" in image and 1 <= bits <= 8 and not image.get("ModalityLUTSequence"):
        return between(values, *_full_range(image, int(bits)))
    return stretch(values, inside)


def _full_range(image: Dataset, bits: int) -> tuple[float, float]:
    """Lowest and highest value that the stored bits can give, after slope and intercept."""
    lowest = -(2 ** (bits - 1)) if number(image, "PixelRepresentation", 0) else 0
    ends = np.array([lowest, lowest + 2**bits - 1], np.float64)
    low, high = sorted(_rescaled(ends, image))
    return float(low), float(high)
