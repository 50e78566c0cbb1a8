"""The VOI LUT functions against the formulas of DICOM PS3.3 C.11.2.1."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from cxr.images import dicom_voi
from cxr.images.dicom_voi import look_up, render, window
from cxr.images.pixels import ImageError

X = np.arange(-50, 300)


def test_linear():
    # y = ((x - (c - 0.5)) / (w - 1) + 0.5) * 255 for c = 100, w = 52
    expected = (((X - 99.5) / 51 + 0.5) * 255).clip(0, 255)
    levels = window(X, 100, 52, "LINEAR")
    assert levels.dtype == np.uint8 and np.abs(levels - expected).max() <= 0.501
    assert window(np.array([74, 75, 124, 125]), 100, 52, "LINEAR").tolist() == [0, 5, 250, 255]


def test_linear_exact():
    expected = (((X - 100) / 50 + 0.5) * 255).clip(0, 255)
    assert np.abs(window(X, 100, 50, "LINEAR_EXACT") - expected).max() <= 0.501


def test_sigmoid():
    expected = 255 / (1 + np.exp(-4 * (X - 100) / 50))
    assert np.abs(window(X, 100, 50, "SIGMOID") - expected).max() <= 0.501
    assert window(np.array([-1e9, 1e9]), 0, 1, "SIGMOID").tolist() == [0, 255]


def test_a_linear_window_of_width_1_is_a_threshold():
    assert window(np.array([99, 100]), 100, 1, "LINEAR").tolist() == [0, 255]


@pytest.mark.parametrize(
    "center, width, function",
    [(0, 0.5, "LINEAR"), (0, 0, "SIGMOID"), (0, -3, "LINEAR_EXACT"), (np.nan, 9, "LINEAR")],
)
def test_an_impossible_window_is_refused(center, width, function):
    with pytest.raises(ImageError, match=f"expected a finite {function} window"):
        window(X, center, width, function)


@pytest.mark.parametrize(
    "table",
    [[10, 20, 30], b"\x0a\0\x14\0\x1e\0", b"\x0a\x14\x1e\0"],
    ids=["US", "OW", "OW of 8 bits"],
)
def test_a_table_holds_its_first_and_last_entry(table):
    item = Dataset()
    item.add_new("LUTDescriptor", "SS", [3, -1, 8])
    item.add_new("LUTData", "OW" if isinstance(table, bytes) else "US", table)
    looked_up = look_up(np.array([[-9.0, -1, 0.4, 1, 99]]), item)
    assert looked_up.tolist() == [[10, 10, 20, 30, 30]]


def test_a_window_is_the_same_in_blocks(monkeypatch):
    whole = window(X, 100, 52, "SIGMOID")
    monkeypatch.setattr(dicom_voi, "BLOCK", 7)
    assert window(X.reshape(2, -1), 100, 52, "SIGMOID").ravel().tolist() == whole.tolist()


def image(**fields) -> Dataset:
    """A DICOM header of a signed image of 12 bits."""
    made = Dataset()
    made.PhotometricInterpretation, made.BitsStored, made.PixelRepresentation = "MONOCHROME2", 12, 1
    made.PixelData = b""
    for keyword, value in fields.items():
        setattr(made, keyword, value)
    return made


STORED = np.random.default_rng(0).integers(-2048, 2048, (40, 50)).astype(np.int16)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("slope, intercept", [(1, 0), (0.5, -100), (3, 7.5)])
def test_rescale_and_window_agree_with_pydicom(function, slope, intercept):
    header = image(RescaleSlope=slope, RescaleIntercept=intercept, WindowCenter=40.0)
    header.WindowWidth, header.VOILUTFunction = 700.0, function
    theirs = apply_voi_lut(apply_modality_lut(STORED, header), header)
    ends = np.array([-2048, 2047]) * slope + intercept  # pydicom's output range
    theirs = (theirs - ends[0]) / (ends[1] - ends[0]) * 255
    assert np.abs(render(STORED, header) - theirs).max() <= 0.51


def test_a_table_agrees_with_pydicom():
    item = Dataset()
    item.add_new("LUTDescriptor", "SS", [256, -100, 16])
    item.add_new("LUTData", "US", list(range(0, 5120, 20)))
    theirs = apply_voi_lut(STORED, image(VOILUTSequence=[item]))
    assert look_up(STORED, item).tolist() == theirs.tolist()
    assert (
        look_up(STORED, item).tolist()
        == apply_modality_lut(STORED, image(ModalityLUTSequence=[item])).tolist()
    )
