"""Numbers of any kind -> gray levels, and the limits on size: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.images.load import load_image
from cxr.images.pixels import MAX_PIXELS, ImageError, between, check_size, gray_levels, stretch


def ramp(top: float, dtype) -> np.ndarray:
    """[40, 50], from 0 to top."""
    return np.linspace(0, top, 2000).reshape(40, 50).astype(dtype)


def test_8_bits_stay_as_they_are_even_at_low_contrast():
    values = ramp(60, np.uint8) + np.uint8(100)
    assert np.array_equal(gray_levels(values), values)


def test_booleans_are_black_and_white():
    assert gray_levels(np.array([[False, True]])).tolist() == [[0, 255]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_from_0_to_1_are_fractions_of_white(dtype):
    assert gray_levels(np.array([[0, 0.2, 0.4]], dtype)).tolist() == [[0, 51, 102]]


@pytest.mark.parametrize(
    "top, dtype",
    [(65535, np.uint16), (4095, np.uint16), (4095, np.int32), (1e6, np.float32), (1e30, float)],
)
def test_deeper_numbers_use_their_actual_range(top, dtype):
    levels = gray_levels(ramp(top, dtype)).ravel().astype(int)
    assert levels[0] == 0 and levels[-1] == 255 and (np.diff(levels) >= 0).all()
    assert np.abs(levels - np.linspace(0, 255, 2000)).max() <= 1


def test_negative_numbers_are_shifted_up():
    levels = gray_levels(ramp(2000, np.int16) - np.int16(1000))
    assert levels.min() == 0 and levels.max() == 255 and abs(int(levels[20, 0]) - 128) <= 1


@pytest.mark.parametrize("dtype", [">u2", "<u2", ">i4", ">f4"])
def test_byte_order_does_not_matter(dtype):
    assert np.array_equal(gray_levels(ramp(4000, dtype)), gray_levels(ramp(4000, dtype[1:])))


def test_a_few_hot_pixels_do_not_darken_the_film():
    values = ramp(4095, np.uint16)
    values[0, 1] = 65535
    assert np.median(gray_levels(values)) >= 126


def test_a_mask_in_16_bits_keeps_its_few_bright_pixels():
    values = np.zeros((100, 100), np.uint16)
    values[0, 0] = 300
    assert gray_levels(values).max() == 255


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_picture_of_one_deep_value_is_black(value):
    assert (gray_levels(np.full((4, 4), value, np.uint16)) == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(value):
    values = ramp(1, np.float32)
    values[3, 4] = value
    with pytest.raises(ImageError, match="NaN or infinity in 1 of 2,000"):
        gray_levels(values)


@pytest.mark.parametrize("dtype", [complex, object, "U1", "datetime64[s]"])
def test_what_is_no_real_number_is_refused(dtype):
    with pytest.raises(ImageError, match="expected real numbers"):
        gray_levels(np.zeros((40, 40), dtype))


def test_a_span_beyond_floats_is_refused():
    with pytest.raises(ImageError, match="within the range of a float"):
        gray_levels(np.array([[-1.7e308, 1.7e308]]))


def test_between_is_linear_clips_and_rounds():
    values = np.array([-5, 0, 1, 5, 10, 99], np.int16)
    assert between(values, 0, 10).tolist() == [0, 0, 26, 128, 255, 255]
    assert between(values, 5, 5).tolist() == [0] * 6


def test_stretch_can_leave_padding_out_of_the_percentiles():
    values = ramp(1000, np.int16)
    values[:10] = -2000
    levels = stretch(values, inside=values > -2000)
    assert levels[10, 0] == 0 and levels[-1, -1] == 255 and (levels[:10] == 0).all()


@pytest.mark.parametrize("size", [(1, 1), (31, 500), (64, 31), (0, 0)])
def test_tiny_pictures_are_refused(size):
    with pytest.raises(ImageError, match="expected an image of at least 32 x 32 pixels; got"):
        check_size(*size)


@pytest.mark.parametrize("size", [(40, 201), (1000, 100)])
def test_extreme_shapes_are_refused(size):
    with pytest.raises(ImageError, match="expected sides of at most 5 to 1.*Crop"):
        check_size(*size)


def test_the_limit_counts_pixels_of_all_frames():
    check_size(8000, 8000)
    check_size(32, 160)
    with pytest.raises(ImageError, match=f"expected at most {MAX_PIXELS:,} pixels"):
        check_size(8001, 8000)
    with pytest.raises(ImageError, match="1000 x 1000 in 65 frames"):
        check_size(1000, 1000, frames=65)


@pytest.mark.parametrize("shape", [(40, 50, 1), (40, 50, 3), (40, 50, 4)])
def test_arrays_may_carry_channels(shape):
    image = load_image(np.full(shape, 255, np.uint8))
    assert image.size == (50, 40) and image.getextrema() == (255, 255)


@pytest.mark.parametrize("shape", [(), (50,), (40, 50, 2), (1, 3, 40, 50), (3, 40, 50)])
def test_other_arrays_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected an array \[H, W\].*channels last"):
        load_image(np.zeros(shape, np.uint8))
