"""Pictures from numbers, against answers that a person can work out."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from PIL import Image

from cxr.images import overlays


def grey(values) -> Image.Image:
    return Image.fromarray(np.asarray(values, np.uint8))


@pytest.fixture
def ramp() -> Image.Image:
    """Mode "L", 256 x 40: column x has the level x."""
    return grey(np.tile(np.arange(256), (40, 1)))


def test_the_full_window_changes_nothing(ramp):
    assert np.array_equal(overlays.window_level(ramp), ramp)


def test_a_window_spreads_its_own_levels_and_clips_the_rest(ramp):
    levels = np.asarray(overlays.window_level(ramp, centre=100, width=50))[0]
    assert levels[[0, 75, 85, 95, 105, 125, 255]].tolist() == [0, 0, 51, 102, 153, 255, 255]


@pytest.mark.parametrize("centre, width", [(100, 0), (100, -1), (np.nan, 50), (100, np.inf)])
def test_an_impossible_window_is_refused(ramp, centre, width):
    with pytest.raises(ValueError, match="expected a finite centre and a width above 0"):
        overlays.window_level(ramp, centre, width)


def test_heat_colours_follow_inferno_and_grow_in_lightness():
    heat = np.linspace(0, 1, 128)
    ours = overlays.heat_colors(heat).astype(int)
    theirs = np.round(matplotlib.colormaps["inferno"](heat)[:, :3] * 255).astype(int)
    assert np.abs(ours - theirs).max() <= 8
    luminance = ours @ (0.299, 0.587, 0.114)
    assert (np.diff(luminance) > 0).all()


def test_heat_is_clear_when_low_half_in_the_middle_and_full_when_high(ramp):
    heat = np.zeros((40, 256), np.float32)
    heat[10:20], heat[20:30], heat[30:] = 0.25, 0.5, 1.0
    mixed = np.asarray(overlays.heat_overlay(ramp, heat, opacity=1)).astype(int)
    film = np.asarray(ramp.convert("RGB")).astype(int)
    assert np.array_equal(mixed[:20], film[:20])
    assert np.array_equal(mixed[20:30], np.round((film[20:30] + (188, 55, 84)) / 2))
    assert (mixed[30:] == (252, 255, 164)).all()


def test_opacity_0_shows_the_film_alone_and_half_mixes_evenly(ramp):
    heat = np.ones((40, 256), np.float32)
    assert np.array_equal(overlays.heat_overlay(ramp, heat, 0), ramp.convert("RGB"))
    assert overlays.heat_overlay(ramp, heat, 0.5).getpixel((100, 5)) == (176, 178, 132)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_heat_outside_its_range_is_refused(ramp, value):
    with pytest.raises(ValueError, match=r"expected heat within \[0, 1\]"):
        overlays.heat_overlay(ramp, np.full((40, 256), value))


def test_a_map_of_another_size_is_refused(ramp):
    with pytest.raises(ValueError, match=r"expected a map \[40, 256\].*got \[256, 40\]"):
        overlays.heat_overlay(ramp, np.zeros((256, 40)))
    with pytest.raises(ValueError, match=r"expected a map \[40, 256\]"):
        overlays.contour_overlay(ramp, np.zeros((2, 2), bool))


def test_an_opacity_above_1_is_refused(ramp):
    with pytest.raises(ValueError, match="expected an opacity"):
        overlays.heat_overlay(ramp, np.zeros((40, 256)), 1.5)


@pytest.mark.parametrize("thickness, drawn", [(1, 4 * 10 - 4), (2, 100 - 36), (9, 100)])
def test_a_contour_is_the_inner_edge_of_its_mask(thickness, drawn):
    film, mask = grey(np.full((40, 40), 90)), np.zeros((40, 40), bool)
    mask[10:20, 5:15] = True
    picture = np.asarray(overlays.contour_overlay(film, mask, (255, 0, 0), thickness))
    coloured = (picture == (255, 0, 0)).all(axis=2)
    assert coloured.sum() == drawn
    assert not coloured[~mask].any() and coloured[10, 5:15].all()
    assert (picture[~coloured] == 90).all()


def test_a_mask_at_the_border_is_outlined_there_and_an_empty_one_nowhere():
    film = grey(np.zeros((40, 40)))
    full = np.asarray(overlays.contour_overlay(film, np.ones((40, 40), bool), thickness=1))
    assert (full.any(axis=2)).sum() == 4 * 39
    empty = overlays.contour_overlay(film, np.zeros((40, 40), bool))
    assert not np.asarray(empty).any()


def test_a_mask_of_probabilities_is_refused():
    with pytest.raises(ValueError, match="expected a bool mask.*float64"):
        overlays.contour_overlay(grey(np.zeros((40, 40))), np.zeros((40, 40)))


@pytest.mark.parametrize(
    "factor, centre, box",
    [
        (1, (0.5, 0.5), (0, 0, 100, 60)),
        (2, (0.5, 0.5), (25, 15, 75, 45)),
        (2, (0, 1), (0, 30, 50, 60)),
        (4, (1, 0), (75, 0, 100, 15)),
        (1000, (0.5, 0.5), (50, 30, 51, 31)),
    ],
)
def test_zoom_box_stays_inside(factor, centre, box):
    assert overlays.zoom_box((100, 60), factor, centre) == box


@pytest.mark.parametrize("factor, centre", [(0.5, (0.5, 0.5)), (2, (1.5, 0)), (np.nan, (0, 0))])
def test_an_impossible_zoom_is_refused(factor, centre):
    with pytest.raises(ValueError, match="expected a factor of at least 1"):
        overlays.zoom_box((100, 60), factor, centre)


def test_crop_takes_the_pixels_of_its_box(ramp):
    part = np.asarray(overlays.crop(ramp, (10, 5, 20, 8)))
    assert part.shape == (3, 10) and part[0].tolist() == list(range(10, 20))


@pytest.mark.parametrize("box", [(0, 0, 257, 40), (-1, 0, 5, 5), (5, 5, 5, 9), (9, 0, 5, 5)])
def test_a_box_outside_or_empty_is_refused(ramp, box):
    with pytest.raises(ValueError, match="expected a box .* inside 256 x 40"):
        overlays.crop(ramp, box)


@pytest.mark.parametrize(
    "box, size",
    [((64, 10, 192, 30), (256, 40)), ((0, 0, 40, 40), (40, 40)), ((0, 0, 20, 5), (160, 40))],
)
def test_zoom_fills_the_film_without_squashing(ramp, box, size):
    shown = overlays.zoom(ramp, box)
    assert shown.size == size and shown.mode == "L"


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_label_strip_lies_beneath_and_leaves_the_film_alone(ramp, mode):
    film = ramp.convert(mode)
    page = overlays.label_strip(film, "SYNTHETIC")
    assert page.mode == mode and page.width == 256 and 8 < page.height - 40 < 60
    assert np.array_equal(overlays.crop(page, (0, 0, 256, 40)), film)
    strip = np.asarray(page)[40:]
    assert strip[0].max() == 0 and strip.max() > 240


def test_a_long_label_is_broken_between_words_and_stays_inside():
    film = grey(np.zeros((64, 64)))
    one, many = (overlays.label_strip(film, "SYNTHETIC " * n) for n in (1, 6))
    assert many.height > one.height + 20
    strip = np.asarray(many)[64:]
    assert strip[:, [0, -1]].max() == 0 and strip[-1].max() == 0


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_label_is_refused(ramp, text):
    with pytest.raises(ValueError, match="expected a caption"):
        overlays.label_strip(ramp, text)


def test_another_mode_is_refused_with_the_remedy(ramp):
    with pytest.raises(ValueError, match='got "RGBA".*load_image'):
        overlays.window_level(ramp.convert("RGBA"))
    with pytest.raises(ValueError, match='expected an image of mode L or RGB; got "P"'):
        overlays.label_strip(ramp.convert("P"), "SYNTHETIC")


def test_a_corner_mark_is_burned_in_and_small():
    film = grey(np.full((128, 128), 200))
    changed = np.asarray(overlays.corner_mark(film, "SYNTHETIC")) != 200
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert rows.min() > 128 * 0.85 and columns.max() < 128 * 0.6 and changed.sum() > 300
    assert overlays.corner_mark(film.convert("RGB"), "SYNTHETIC").mode == "RGB"
    with pytest.raises(ValueError, match="got none"):
        overlays.corner_mark(film, " ")
