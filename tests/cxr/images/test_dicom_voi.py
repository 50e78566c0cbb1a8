"""The VOI LUT functions against the formulas of DICOM PS3.3 C.11.2.1."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from cxr.images.dicom_voi import look_up, window
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
    "centre, width, function",
    [(0, 0.5, "LINEAR"), (0, 0, "SIGMOID"), (0, -3, "LINEAR_EXACT"), (np.nan, 9, "LINEAR")],
)
def test_an_impossible_window_is_refused(centre, width, function):
    with pytest.raises(ImageError, match=f"expected a finite {function} window"):
        window(X, centre, width, function)


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
