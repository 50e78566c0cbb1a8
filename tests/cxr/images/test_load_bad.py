"""load_image on what is no usable film: one line that says what was expected, came, and to do."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from dicom_files import LOSSLESS, LOSSY, NATIVE, dicom, ramp
from PIL import Image

from cxr.images.load import MAX_PIXELS, load_image

RUNS = 60  # damaged copies of each kind of file
KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


def refused(source) -> str:
    """The message for a source that load_image must refuse."""
    with pytest.raises(ValueError) as caught:
        load_image(source)
    message = str(caught.value)
    assert "expected" in message and "; got" in message and "\n" not in message
    assert message.endswith(".") and len(message) < 400
    return message


def picture(kind: str, size: tuple[int, int] = (64, 40), **options) -> bytes:
    """A noisy picture, so that cutting its file always cuts pixels."""
    noise = np.random.default_rng(0).integers(0, 256, size[::-1], dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind, **options)
    return file.getvalue()


def png_that_declares(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises far more."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + checksum

    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("source", [b"", io.BytesIO()])
def test_nothing_at_all(source):
    assert "got an empty file" in refused(source)


def test_a_zero_byte_file_is_named(tmp_path: Path):
    (tmp_path / "film.png").touch()
    assert refused(tmp_path / "film.png").startswith("film.png: expected a picture; got an empty")


def test_a_missing_file_a_folder_and_impossible_paths(tmp_path: Path):
    assert "No such file" in refused(tmp_path / "nowhere.png")
    assert "got a folder" in refused(tmp_path)
    assert "got a folder or a device" in refused("/dev/zero")
    assert "null" in refused("film\0.png")
    assert "Check the path" in refused("x" * 5000)


@pytest.mark.parametrize(
    "data, name",
    [
        (b"%PDF-1.7 and so on", "a PDF document"),
        (b"PK\x03\x04 and so on", "a ZIP archive"),
        (b"\n<!doctype html><p>404", "an HTML, XML or SVG text"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC or AVIF photograph"),
        (b"Findings: none.", "15 bytes of another kind"),
        (bytes(500), "500 bytes of another kind"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data, name):
    message = refused(data)
    assert name in message and "expected a PNG, JPEG, WebP, TIFF, BMP or DICOM file" in message


@pytest.mark.parametrize("source", [None, 7, ["film.png"], {"path": "film.png"}])
def test_what_is_no_source_is_refused_by_type(source):
    assert f"got {type(source).__name__}" in refused(source)


def test_a_text_file_object_and_a_closed_image(tmp_path: Path):
    assert 'Open it with "rb"' in refused(io.StringIO("film"))
    image = Image.open(io.BytesIO(picture("PNG")))
    image.fp.close()
    assert "fails to convert" in refused(image)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_truncated_file(kind, kept):
    data = picture(kind)
    assert "truncated or damaged" in refused(data[: int(kept * len(data))])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation(kind):
    frames = [Image.new("L", (64, 40), level) for level in (0, 90, 255)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    assert f"got an animated {kind} of 3 frames" in refused(file.getvalue())


@pytest.mark.parametrize("kind", KINDS)
def test_tiny_and_extreme_pictures(kind):
    assert "got 1 x 1" in refused(picture(kind, (1, 1)))
    assert "got 31 x 64" in refused(picture(kind, (31, 64)))
    assert "Crop the picture" in refused(picture(kind, (400, 40)))


@pytest.mark.parametrize("side", [8001, 12_000, 40_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side):
    message = refused(png_that_declares(side, side))
    assert f"at most {MAX_PIXELS:,}" in message or "decompression bomb" in message


@pytest.mark.filterwarnings("error")
def test_a_bomb_is_a_value_error_where_warnings_are_errors():
    assert "decompression bomb" in refused(png_that_declares(10_000, 10_000))


def test_a_large_array_or_pillow_image_is_refused_too():
    wide = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (9000, 9000), (0, 0))
    assert "got 9000 x 9000" in refused(wide)
    assert "got 9000 x 8000" in refused(Image.open(io.BytesIO(png_that_declares(9000, 8000))))


def test_a_file_beyond_the_limit_of_bytes(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("cxr.images.load.MAX_BYTES", 100)
    (tmp_path / "film.png").write_bytes(picture("PNG"))
    assert "expected a file of at most 100 bytes" in refused(tmp_path / "film.png")
    assert "expected a file of at most 100 bytes" in refused(picture("PNG"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_in_arrays_images_and_tiff(value):
    values = np.ones((40, 64), np.float32)
    values[1, 2] = value
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF")
    for source in (values, Image.fromarray(values), file.getvalue()):
        assert "NaN or infinity in 1 of 2,560" in refused(source)


def damaged(data: bytes, seed: int) -> bytes:
    """Up to five bytes replaced, half of them near the start; one copy in ten is cut as well."""
    random = np.random.default_rng(seed)
    copy = bytearray(data)
    for _ in range(random.integers(1, 6)):
        start, stop = (0, len(copy)) if random.random() < 0.5 else (128, min(len(copy), 900))
        copy[random.integers(min(start, stop - 1), stop)] = random.integers(256)
    return bytes(copy[: random.integers(len(copy))] if random.random() < 0.1 else copy)


@pytest.mark.filterwarnings("ignore")  # Pillow and pydicom tell what they meet
@pytest.mark.parametrize("kind", [*KINDS, *NATIVE, *LOSSLESS, *LOSSY])
def test_damaged_bytes_give_a_film_or_a_value_error(kind):
    data = picture(kind) if kind in KINDS else dicom(ramp(), 12, kind, WindowWidth=4000)
    assert load_image(data).size == (64, 40)
    for seed in range(RUNS):
        try:
            assert load_image(damaged(data, seed)).mode == "L"
        except ValueError as error:
            assert str(error).startswith("expected"), f"seed {seed}: {error}"
