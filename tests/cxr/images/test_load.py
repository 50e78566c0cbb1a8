"""load_image: every common form of a picture comes out as the same upright grayscale film."""

from __future__ import annotations

import io
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxr.images.load import load_image
from cxr.images.raster import ORIENTATION, PHOTOMETRIC

LOSSLESS = ("PNG", "TIFF", "BMP", "GIF", "WEBP")
TEXT = "Rosenrot^Klara"


@pytest.fixture
def levels(film) -> np.ndarray:
    """uint8 [112, 96], a drawn film with no symmetry."""
    return np.asarray(film(seed=3, size=(96, 112)))


def file_bytes(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **({"lossless": True} if kind == "WEBP" else {}), **options)
    return file.getvalue()


def loaded(source) -> np.ndarray:
    image = load_image(source)
    assert type(image) is Image.Image and image.mode == "L" and image.info == {}
    return np.asarray(image)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_lossless_file_keeps_every_level(levels, kind):
    assert np.array_equal(loaded(file_bytes(Image.fromarray(levels), kind)), levels)


def test_a_jpeg_stays_close(levels):
    data = file_bytes(Image.fromarray(levels), "JPEG", quality=95)
    assert np.abs(loaded(data).astype(int) - levels).mean() < 1.5


@pytest.mark.parametrize("form", ["str", "path", "bytes", "bytearray", "file", "pil", "array"])
def test_every_kind_of_source_gives_the_same_film(levels, tmp_path: Path, form):
    image, path = Image.fromarray(levels), tmp_path / "film.png"
    image.save(path)
    data = path.read_bytes()
    sources = {"str": str(path), "path": path, "bytes": data, "bytearray": bytearray(data)}
    sources |= {"file": io.BytesIO(data), "pil": image, "array": levels}
    assert np.array_equal(loaded(sources[form]), levels)


def test_a_file_is_read_from_its_start_and_stays_open(levels):
    file = io.BytesIO(file_bytes(Image.fromarray(levels)))
    file.seek(40)
    assert np.array_equal(loaded(file), levels) and not file.closed


def test_a_stream_that_cannot_seek_is_read(levels):
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert np.array_equal(loaded(Pipe(file_bytes(Image.fromarray(levels)))), levels)


def test_content_decides_not_the_suffix(levels, tmp_path: Path):
    path = tmp_path / "film.dcm"
    path.write_bytes(file_bytes(Image.fromarray(levels), "PNG"))
    assert np.array_equal(loaded(path), levels)


@pytest.mark.parametrize("from_array", [True, False])
def test_the_result_shares_no_memory_with_its_source(levels, from_array):
    ours = levels.copy()
    source = ours if from_array else Image.fromarray(ours)
    image = load_image(source)
    image.putpixel((0, 0), 255 - int(ours[0, 0]))
    assert np.array_equal(np.asarray(source), levels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_exif_orientation_is_applied(levels, orientation, kind):
    stored = {  # what a camera writes so that the orientation makes `levels` of it: EXIF 2.32
        1: levels,
        2: levels[:, ::-1],
        3: levels[::-1, ::-1],
        4: levels[::-1],
        5: levels.T,
        6: np.rot90(levels),
        7: levels[::-1, ::-1].T,
        8: np.rot90(levels, -1),
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"exif": exif} | ({"quality": 98} if kind == "JPEG" else {})
    upright = loaded(file_bytes(Image.fromarray(np.ascontiguousarray(stored)), kind, **options))
    assert upright.shape == levels.shape
    assert np.abs(upright.astype(int) - levels).max() <= (20 if kind == "JPEG" else 0)


def test_orientation_is_applied_to_deep_and_lazily_opened_pictures(levels):
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    deep = levels.astype(np.uint16) * 257
    data = file_bytes(Image.fromarray(np.rot90(deep, -1).copy()), "PNG", exif=exif)
    for source in (data, Image.open(io.BytesIO(data))):
        upright = loaded(source)
        assert upright.shape == levels.shape
        assert np.corrcoef(upright.ravel(), levels.ravel())[0, 1] > 0.999


def test_a_broken_exif_block_does_not_cost_the_film(levels):
    data = file_bytes(Image.fromarray(levels), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01")
    assert loaded(data).shape == levels.shape


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_metadata_is_dropped(levels, kind):
    exif = Image.Exif()
    exif[0x010E] = TEXT  # ImageDescription
    data = file_bytes(Image.fromarray(levels), kind, exif=exif)
    assert TEXT.encode() in data
    image = load_image(data)
    assert not image.getexif() and TEXT.encode() not in file_bytes(image, kind)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "PA", "CMYK", "YCbCr", "HSV", "RGBX"])
def test_colour_modes_of_a_grey_film_keep_its_levels(levels, mode):
    between = "RGB" if mode in ("CMYK", "YCbCr", "HSV", "RGBX") else "L"
    image = Image.fromarray(levels).convert(between).convert(mode)
    assert np.abs(loaded(image).astype(int) - levels).max() <= (1 if mode == "YCbCr" else 0)


def test_colours_become_luminance():
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 255
    assert (loaded(red) == 76).all()  # 0.299 * 255, ITU-R 601


def test_lab_keeps_its_lightness(levels):
    flat = Image.new("L", (96, 112), 128)
    assert np.array_equal(loaded(Image.merge("LAB", (Image.fromarray(levels), flat, flat))), levels)


def test_a_cmyk_jpeg_is_the_film_that_its_author_saw(levels):
    cmyk = Image.fromarray(levels).convert("RGB").convert("CMYK")
    assert np.abs(loaded(file_bytes(cmyk, "JPEG", quality=98)).astype(int) - levels).max() <= 25


def test_transparent_parts_become_black(levels):
    rgba = np.dstack([levels, levels, levels, np.full_like(levels, 255)])
    rgba[:20, :, 3], rgba[20:40, :, 3] = 0, 128
    shown = loaded(file_bytes(Image.fromarray(rgba)))
    assert (shown[:20] == 0).all() and np.array_equal(shown[40:], levels[40:])
    assert np.abs(shown[20:40] - levels[20:40] * (128 / 255)).max() <= 1


def test_a_transparent_palette_colour_becomes_black(levels):
    image = Image.fromarray((levels // 86 * 80).astype(np.uint8)).convert("P")
    shown = loaded(file_bytes(image, "PNG", transparency=image.getpixel((0, 0))))
    palette_shown = np.asarray(image.convert("L"))
    hidden = np.asarray(image) == image.getpixel((0, 0))
    assert (shown[hidden] == 0).all() and np.array_equal(shown[~hidden], palette_shown[~hidden])


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_becomes_black_and_white(levels, kind):
    bilevel = levels > 100
    assert np.array_equal(
        loaded(file_bytes(Image.fromarray(bilevel), kind)), bilevel.astype(np.uint8) * 255
    )


def test_a_16_bit_tiff_that_stores_white_as_0_is_inverted(levels):
    deep = levels.astype(np.uint16) * 257
    plain = file_bytes(Image.fromarray(deep), "TIFF")
    inverted = file_bytes(Image.fromarray(65535 - deep), "TIFF", tiffinfo={PHOTOMETRIC: 0})
    assert np.abs(loaded(inverted).astype(int) - loaded(plain)).max() <= 1


def test_of_a_tiff_with_pages_the_first_is_read_and_said(levels, caplog):
    first, second = Image.fromarray(levels), Image.fromarray(255 - levels)
    with caplog.at_level(logging.WARNING):
        data = file_bytes(first, "TIFF", save_all=True, append_images=[second])
        assert np.array_equal(loaded(data), levels)
    assert "TIFF of 2 pages: the first is read" in caplog.text


def test_a_phone_photograph_with_a_preview_is_a_still(levels):
    first = Image.fromarray(levels)
    file = io.BytesIO()
    first.save(file, "MPO", save_all=True, append_images=[first.resize((48, 56))], quality=98)
    assert loaded(file.getvalue()).shape == levels.shape


def test_many_threads_read_at_once(levels):
    sources = [file_bytes(Image.fromarray(levels), kind) for kind in LOSSLESS] * 8
    limit = Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(8) as pool:
        assert all(np.array_equal(shown, levels) for shown in pool.map(loaded, sources))
    assert limit == Image.MAX_IMAGE_PIXELS
