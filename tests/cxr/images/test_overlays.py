"""Pictures from numbers, against answers that a person can work out."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from PIL import Image

from cxr.images import overlays


def gray(values) -> Image.Image:
    return Image.fromarray(np.asarray(values, np.uint8))


@pytest.fixture
def ramp() -> Image.Image:
    """Mode "L", 256 x 40: column x has the level x."""
    return gray(np.tile(np.arange(256), (40, 1)))


def test_heat_colours_follow_inferno_and_grow_in_lightness():
    heat = np.linspace(0, 1, 128)
    ours = overlays.heat_colors(heat).astype(int)
    theirs = np.round(matplotlib.colormaps["inferno"](heat)[:, :3] * 255).astype(int)
    assert np.abs(ours - theirs).max() <= 8
    luminance = ours @ (0.299, 0.587, 0.114)
    assert (np.diff(luminance) > 0).all()


def test_heat_is_clear_when_low_half_in_the_middle_and_full_when_high():
    opacity = overlays.heat_opacity(np.array([0, 0.25, 0.5, 0.75, 1]))
    assert opacity.tolist() == [0, 0, 0.5, 1, 1]


def test_a_mask_of_another_size_is_refused(ramp):
    with pytest.raises(ValueError, match=r"expected a mask \[40, 256\].*got \[2, 2\]"):
        overlays.contour_overlay(ramp, np.zeros((2, 2), bool))


@pytest.mark.parametrize("thickness, drawn", [(1, 4 * 10 - 4), (2, 100 - 36), (9, 100)])
def test_a_contour_is_the_inner_edge_of_its_mask(thickness, drawn):
    film, mask = gray(np.full((40, 40), 90)), np.zeros((40, 40), bool)
    mask[10:20, 5:15] = True
    picture = np.asarray(overlays.contour_overlay(film, mask, (255, 0, 0), thickness))
    colored = (picture == (255, 0, 0)).all(axis=2)
    assert colored.sum() == drawn
    assert not colored[~mask].any() and colored[10, 5:15].all()
    assert (picture[~colored] == 90).all()


def test_a_mask_at_the_border_is_outlined_there_and_an_empty_one_nowhere():
    film = gray(np.zeros((40, 40)))
    full = np.asarray(overlays.contour_overlay(film, np.ones((40, 40), bool), thickness=1))
    assert (full.any(axis=2)).sum() == 4 * 39
    empty = overlays.contour_overlay(film, np.zeros((40, 40), bool))
    assert not np.asarray(empty).any()


def test_a_mask_of_probabilities_is_refused():
    with pytest.raises(ValueError, match="expected a bool mask.*float64"):
        overlays.contour_overlay(gray(np.zeros((40, 40))), np.zeros((40, 40)))


def test_another_mode_is_refused_with_the_remedy(ramp):
    with pytest.raises(ValueError, match='got "RGBA".*load_image'):
        overlays.contour_overlay(ramp.convert("RGBA"), np.zeros((40, 256), bool))
    with pytest.raises(ValueError, match='expected an image of mode L or RGB; got "P"'):
        overlays.corner_mark(ramp.convert("P"), "SYNTHETIC")


def test_a_corner_mark_is_burned_in_and_small():
    film = gray(np.full((128, 128), 200))
    changed = np.asarray(overlays.corner_mark(film, "SYNTHETIC")) != 200
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert rows.min() > 128 * 0.85 and columns.max() < 128 * 0.6 and changed.sum() > 300
    assert overlays.corner_mark(film.convert("RGB"), "SYNTHETIC").mode == "RGB"
    with pytest.raises(ValueError, match="got none"):
        overlays.corner_mark(film, " ")
