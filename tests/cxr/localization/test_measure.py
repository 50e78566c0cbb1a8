"""The measures that a person can work out on drawn masks."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.localization.measure import cardiothoracic_ratio, without_specks


def test_the_cardiothoracic_ratio_is_the_heart_over_the_chest():
    heart, right, left = (np.zeros((100, 100)) for _ in range(3))
    right[20:80, 10:40] = 1
    left[20:80, 60:90] = 1
    heart[45:80, 35:75] = 1
    heart[20:45, 45:55] = 1  # the mediastinum above it
    assert cardiothoracic_ratio(heart, right, left) == pytest.approx(0.5)
    heart[2, 99] = 1  # a stray pixel moves no edge
    left[2, 99] = 1
    assert cardiothoracic_ratio(heart, right, left) == pytest.approx(0.5)
    slanted = left.copy()
    slanted[20:80, 60:90] = np.tri(60, 30, 30)  # the outer edges lie in different rows
    assert cardiothoracic_ratio(heart, right, slanted) == pytest.approx(0.5)
    heart[20:45, 5:95] = 1  # nor does a wide mediastinum
    assert cardiothoracic_ratio(heart, right, left) == pytest.approx(0.5)
    for missing in range(3):
        masks = [heart, right, left]
        masks[missing] = np.zeros((100, 100))
        assert cardiothoracic_ratio(*masks) is None


def test_an_organ_has_no_specks_but_may_be_cut_in_two():
    heat = np.full((40, 40), 0.2, np.float32)
    heat[5:25, 5:15] = 0.9  # 200 px
    heat[28:36, 5:15] = 0.8  # 80 px below what hides it
    heat[2:5, 30:33] = 0.95  # 9 px far away
    cleaned = without_specks(heat)
    kept = heat >= 0.5
    kept[2:5, 30:33] = False
    assert ((cleaned >= 0.5) == kept).all()
    assert (cleaned[kept] == heat[kept]).all() and cleaned[3, 31] > 0.49
    assert (without_specks(np.where(kept, 0.1, heat)) >= 0.5).sum() == 9  # the only part there is
    assert (without_specks(np.zeros((4, 4))) == 0).all()
