"""From the stored values of a DICOM film to grey levels: DICOM PS3.3 C.11.1, C.11.2, C.7.6.3."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from cxr.images.pixels import ImageError, between, check_finite, stretch


def render(stored: np.ndarray, film: Dataset) -> np.ndarray:
    """Stored values [H, W] -> uint8 [H, W] as a viewer shows them: white bone, black air.

    In order: Modality LUT or rescale; the first VOI LUT, else the first window, else the full
    range for films of at most 8 bits, else `stretch`; MONOCHROME1 inverted; padding black.
    A window that leaves nothing to see (all black or all white) counts as absent.
    Raises ImageError for NaN, infinity or unreadable fields.
    """
    check_finite(stored)
    values = _rescaled(stored, film)
    check_finite(values)
    inside = _inside(stored, film)
    levels = _voi(values, film, inside)
    if film.PhotometricInterpretation == "MONOCHROME1":
        levels = 255 - levels
    if inside is not None:
        levels[~inside] = 0
    return levels


def window(values: np.ndarray, centre: float, width: float, function: str) -> np.ndarray:
    """VOI LUT functions LINEAR, LINEAR_EXACT and SIGMOID of PS3.3 C.11.2.1: uint8, same shape.

    Raises ImageError unless the width is finite and above 0 (for LINEAR at least 1).
    """
    least = 1 if function == "LINEAR" else np.finfo(np.float32).tiny
    if not (np.isfinite(centre) and np.isfinite(width) and width >= least):
        raise ImageError(
            f"expected a finite {function} window at least {least:g} wide; got centre {centre:g} "
            f"and width {width:g}. Correct the window of the film."
        )
    if function == "SIGMOID":
        steps = np.clip((values.astype(np.float64) - centre) * (-4 / width), -500, 500)
        return np.round(255 / (1 + np.exp(steps))).astype(np.uint8)
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    if width == 0:
        return np.where(values > centre, 255, 0).astype(np.uint8)
    return between(values, centre - width / 2, centre + width / 2)


def look_up(values: np.ndarray, item: Dataset) -> np.ndarray:
    """The table of one item of a Modality or VOI LUT Sequence (C.11.1.1): int32, same shape.

    Values before the first entry take the first, those past the last take the last.
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


def number(film: Dataset, keyword: str, default: float) -> float:
    """The first number of an element; the default where it is missing, empty or no number."""
    value = film.get(keyword)
    if isinstance(value, (MultiValue, list, tuple)):
        value = value[0] if len(value) else None
    try:
        return default if value is None else float(value)
    except (TypeError, ValueError):
        return default


def _rescaled(stored: np.ndarray, film: Dataset) -> np.ndarray:
    """Modality LUT, else slope and intercept; a slope of 0, which would erase all, is ignored."""
    if film.get("ModalityLUTSequence"):
        return look_up(stored, film.ModalityLUTSequence[0])
    slope = number(film, "RescaleSlope", 1) or 1
    intercept = number(film, "RescaleIntercept", 0)
    if (slope, intercept) == (1, 0):
        return stored
    wide = np.float32 if stored.dtype.itemsize <= 2 else np.float64
    return stored.astype(wide) * wide(slope) + wide(intercept)


def _inside(stored: np.ndarray, film: Dataset) -> np.ndarray | None:
    """Bool [H, W], False in the padding; None for a film without padding."""
    first = number(film, "PixelPaddingValue", np.nan)
    if np.isnan(first):
        return None
    low, high = sorted((first, number(film, "PixelPaddingRangeLimit", first)))
    inside = (stored < low) | (stored > high)
    return None if inside.all() else inside


def _voi(values: np.ndarray, film: Dataset, inside: np.ndarray | None) -> np.ndarray:
    if film.get("VOILUTSequence"):
        shown = look_up(values, film.VOILUTSequence[0])
        return between(shown, int(shown.min()), int(shown.max()))
    width = number(film, "WindowWidth", 0)
    function = str(film.get("VOILUTFunction") or "LINEAR").upper()
    if np.isfinite(width) and width >= (1 if function == "LINEAR" else 1e-6):
        levels = window(values, number(film, "WindowCenter", 0), width, function)
        if levels.min() < levels.max() or values.min() == values.max():
            return levels
    bits = number(film, "BitsStored", 16)
    if "PixelData" in film and 1 <= bits <= 8 and not film.get("ModalityLUTSequence"):
        return between(values, *_full_range(film, int(bits)))
    return stretch(values, inside)


def _full_range(film: Dataset, bits: int) -> tuple[float, float]:
    """Lowest and highest value that the stored bits can give, after slope and intercept."""
    lowest = -(2 ** (bits - 1)) if number(film, "PixelRepresentation", 0) else 0
    ends = np.array([lowest, lowest + 2**bits - 1], np.float64)
    low, high = sorted(_rescaled(ends, film))
    return float(low), float(high)
