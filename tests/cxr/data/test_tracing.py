import numpy as np
import pytest

from cxr.data.shapes import Polygon
from cxr.data.tracing import trace_outlines


def test_a_square_has_its_four_corners():
    mask = np.zeros((100, 200), bool)
    mask[20:60, 40:120] = True
    (outline,) = trace_outlines(mask)
    assert set(outline) == {(0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)}


def test_parts_come_largest_first_and_specks_and_holes_are_left_out():
    rows, columns = np.mgrid[:200, :200]
    ring = np.hypot(rows - 60, columns - 60)
    mask = (ring < 40) & (ring > 15)
    mask[150:170, 150:160] = True
    mask[199, 0] = True
    large, small = trace_outlines(mask)
    drawn = Polygon(large).mask((200, 200))
    disc = ring < 40
    assert (drawn & disc).sum() / (drawn | disc).sum() == pytest.approx(1, abs=0.03)
    assert len(large) < 60 and max(x for x, _ in small) == pytest.approx(0.8)


def test_an_empty_mask_has_no_outline_and_a_full_one_the_whole():
    assert trace_outlines(np.zeros((9, 9), bool)) == []
    assert set(trace_outlines(np.ones((9, 9), bool))[0]) == {(0, 0), (1, 0), (1, 1), (0, 1)}
