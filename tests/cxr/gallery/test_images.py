"""Films are stored small enough, without metadata, losslessly, once."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cxr.gallery.images import content_name, store_image
from cxr.images.load import load_image


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_plain_films_are_copied_as_they_are(tmp_path, images, film, suffix, mode):
    path = tmp_path / f"a.{suffix}"
    film(0).convert(mode).save(path)
    name, image = store_image(path, images)
    assert (images / name).read_bytes() == path.read_bytes() and name.endswith(suffix)
    assert name == content_name(path.read_bytes(), f".{suffix}")
    assert image == load_image(path)


@pytest.mark.parametrize(
    "how", [{"progressive": True}, {"restart_marker_blocks": 3}, {"optimize": True}]
)
def test_every_kind_of_plain_jpeg_is_copied(tmp_path, images, film, how):
    path = tmp_path / "a.jpg"
    film(0).save(path, **how)
    name, _ = store_image(path, images)
    assert (images / name).read_bytes() == path.read_bytes() and name.endswith(".jpg")


def with_exif(film, path):
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe"
    film.save(path, exif=exif)


def with_comment(film, path):
    film.save(path, comment=b"Jane Doe")


def with_text(film, path):
    text = PngInfo()
    text.add_text("Patient", "Jane Doe")
    film.save(path, pnginfo=text)


def with_text_after_the_pixels(film, path):
    film.save(path)
    body = b"tEXtPatient\0Jane Doe"
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(path.read_bytes()[:-12] + chunk + path.read_bytes()[-12:])


def with_a_tail(film, path):
    film.save(path)
    path.write_bytes(path.read_bytes() + b"Jane Doe")


def with_another_film_behind_it(film, path):
    """Both end as a JPEG does; the second, which no viewer shows, names the patient."""
    film.save(path)
    first = path.read_bytes()
    with_exif(film, path)
    path.write_bytes(first + path.read_bytes())


@pytest.mark.parametrize(
    "write, suffix",
    [
        (with_another_film_behind_it, "jpg"),
        (with_exif, "jpg"),
        (with_exif, "png"),
        (with_comment, "jpg"),
        (with_text, "png"),
        (with_text_after_the_pixels, "png"),
        (with_a_tail, "png"),
        (with_a_tail, "jpg"),
    ],
)
def test_metadata_never_reaches_a_gallery(tmp_path, images, film, write, suffix):
    path = tmp_path / f"a.{suffix}"
    write(film(0), path)
    assert b"Jane" in path.read_bytes()
    name, image = store_image(path, images)
    assert b"Jane" not in (images / name).read_bytes() and name.endswith(".png")
    assert load_image(images / name) == image == load_image(path)


@pytest.mark.parametrize("suffix", ["tiff", "bmp", "webp"])
def test_other_formats_become_png_without_loss(tmp_path, images, film, suffix):
    path = tmp_path / f"a.{suffix}"
    film(0).save(path)
    name, _ = store_image(path, images)
    assert name.endswith(".png") and load_image(images / name) == load_image(path)


def test_dicom_becomes_png_without_the_patient(tmp_path, images, film):
    pydicom = pytest.importorskip("pydicom")
    dicom = pydicom.examples.ct
    dicom.PatientName = "Doe^Jane"
    dicom.save_as(tmp_path / "a.dcm")
    name, image = store_image(tmp_path / "a.dcm", images)
    content = (images / name).read_bytes()
    assert content.startswith(b"\x89PNG") and b"Doe" not in content
    assert Image.open(images / name).mode == "L" and image == load_image(images / name)
    assert np.asarray(image).std() > 10


def test_16_bit_png_is_stored_in_8(tmp_path, images):
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    name, image = store_image(tmp_path / "a.png", images)
    assert Image.open(images / name).mode == "L" and load_image(images / name) == image


def test_large_films_are_reduced(tmp_path, images, film):
    film(0, (1500, 1200)).save(tmp_path / "a.jpg")
    name, image = store_image(tmp_path / "a.jpg", images)
    assert image.size == (1024, 819) and name.endswith(".png")
    assert load_image(images / name) == image, "what is embedded is what is stored"


def test_the_same_film_twice_is_stored_once(tmp_path, images, film):
    for name in ("a.png", "b.png"):
        film(0).save(tmp_path / name)
    assert store_image(tmp_path / "a.png", images)[0] == store_image(tmp_path / "b.png", images)[0]
    assert len(list(images.iterdir())) == 1


def test_unreadable_film(tmp_path, images):
    (tmp_path / "a.png").write_bytes(b"text")
    with pytest.raises(ValueError):
        store_image(tmp_path / "a.png", images)
    assert list(images.iterdir()) == []
