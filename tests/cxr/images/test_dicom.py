"""DICOM films, written by the tests in every transfer syntax, and real ones where at hand."""

from __future__ import annotations

import base64
import io
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import LOSSLESS, LOSSY, NATIVE, PATIENT, dataset, dicom, ramp, write
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxr.images.dicom import _parse
from cxr.images.load import load_image
from cxr.images.pixels import stretch

HTJ2K = base64.b64decode(  # rows 0..19 of 40 x 64 are 0, the others 4095; reversible, by OpenJPH
    "/0//UQApQAAAAABAAAAAKAAAAAAAAAAAAAAAQAAAACgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB"
    "/1wAEyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAARwAAf+TwAArAA0I694N"
    "COveAsC0AKAACoBlsSz+AOI0AKAAC0xG4TpGwXWMwnWMwnX+AClAFrYAoAALrwA++vDhw4cPHz788wP++YF/fuCfH/jn"
    "B/75gX9+4J8f/AAEl1xJdnEICmkQgKdfAKAAC9JA/eEf+qN/6I/+oT/8Q3/0D/3hH/qjf+gP/1A/+of+8A/90T/0h3/o"
    "j/6hP/xDf/QP/eEf/v7wAAAHOBz5nOBz5nOBz5nOBzZ1AaAAF6oA/d//fu9//3u//33f/37vf/97v/993/9+73//e7//"
    "fd//fu9//3u//33f/37v/3l8AAAAAAGMB79mMB79mMB79mMB79mMB79mMB79mMB79mMB7LcC/9k="
)
WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}


def loaded(data: bytes) -> np.ndarray:
    image = load_image(data)
    assert image.mode == "L" and image.info == {}
    return np.asarray(image)


def near(shown: np.ndarray, expected: np.ndarray, within: float = 1) -> bool:
    return shown.shape == expected.shape and np.abs(shown - expected.astype(float)).max() <= within


def lut(table: list[int], first: int = 0, bits: int = 12) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(table) % 65536, first, bits])
    item.add_new("LUTData", "US", table)
    item.ModalityLUTType = "US"
    return item


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS, *LOSSY])
def test_every_transfer_syntax_gives_the_stored_values(syntax, signed):
    stored = ramp(12, signed)
    center = 0 if signed else 2048
    data = dicom(stored, 12, syntax, WindowCenter=center, WindowWidth=4096)
    expected = (stored - (center - 2048.0)) * (255 / 4095)
    assert near(loaded(data), expected, 3 if syntax in LOSSY else 0.6)


def test_high_throughput_jpeg_2000():
    stored = np.zeros((40, 64), np.uint16)
    for syntax in (uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K):
        shown = loaded(write(dataset(stored, **WINDOW), syntax, HTJ2K))
        assert (shown[:20] == 0).all() and (shown[20:] == 255).all()


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.JPEGLosslessSV1])
def test_every_depth_without_a_window_uses_its_actual_range(bits, syntax):
    stored = ramp(bits)
    assert np.array_equal(loaded(dicom(stored, bits, syntax)), stretch(stored))


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.JPEGBaseline8Bit])
def test_8_bits_without_a_window_stay_as_they_are(syntax):
    stored = (ramp(8) // 2 + 60).astype(np.uint8)
    assert near(loaded(dicom(stored, 8, syntax)), stored, 0 if syntax in NATIVE else 3)


def test_signed_8_bits_cover_their_whole_range():
    assert near(loaded(dicom(ramp(8, signed=True).astype(np.int8), 8)), ramp(8), 0)


def test_monochrome1_is_inverted():
    plain = loaded(dicom(ramp(), **WINDOW))
    inverted = loaded(dicom(ramp(), PhotometricInterpretation="MONOCHROME1", **WINDOW))
    assert np.array_equal(inverted, 255 - plain)


def test_the_first_window_counts():
    data = dicom(ramp(), WindowCenter=[1000, 3000], WindowWidth=[501, 4096])
    assert near(loaded(data), ((ramp() - 749.5) * (255 / 500)).clip(0, 255), 0.6)


def test_a_window_is_in_units_after_rescale():
    data = dicom(ramp(), RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=500, WindowWidth=1001)
    values = ramp() * 2.0 - 1000
    assert near(loaded(data), ((values + 0.5) * (255 / 1000)).clip(0, 255), 0.6)


def test_a_negative_slope_turns_the_greys_around():
    stored = ramp(8).astype(np.uint8)
    data = dicom(stored, 8, RescaleSlope=-1, RescaleIntercept=0)
    assert np.array_equal(loaded(data), 255 - stored)


@pytest.mark.parametrize(
    "fields",
    [
        {"WindowCenter": 50_000, "WindowWidth": 10},  # leaves nothing to see
        {"WindowCenter": 0, "WindowWidth": 0},
        {"WindowCenter": None, "WindowWidth": None},
        {"RescaleSlope": 0},
    ],
)
def test_a_useless_window_or_slope_counts_as_absent(fields):
    assert np.array_equal(loaded(dicom(ramp(), **fields)), stretch(ramp()))


@pytest.mark.parametrize("syntax", NATIVE)
def test_a_voi_lut_is_applied_before_any_window(syntax):
    table = [4095 - value for value in range(4096)]
    data = dicom(ramp(), 12, syntax, VOILUTSequence=Sequence([lut(table)]), **WINDOW)
    assert near(loaded(data), (4095.0 - ramp()) * (255 / 4095), 0.6)


@pytest.mark.parametrize("syntax", NATIVE)
def test_a_lut_of_words_is_read_in_its_byte_order(syntax):
    item = lut([0])
    item.LUTDescriptor = [4096, 0, 12]
    order = ">u2" if syntax == uid.ExplicitVRBigEndian else "<u2"
    item.add_new("LUTData", "OW", np.arange(4095, -1, -1).astype(order).tobytes())
    data = dicom(ramp(), 12, syntax, VOILUTSequence=Sequence([item]))
    assert near(loaded(data), (4095.0 - ramp()) * (255 / 4095), 0.6)


def test_a_modality_lut_comes_before_the_window():
    table = [value // 2 for value in range(4096)]
    fields = {"ModalityLUTSequence": Sequence([lut(table)]), **WINDOW}
    assert near(loaded(dicom(ramp(), **fields)), (ramp() // 2) * (255 / 4095), 0.6)


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_count(syntax, photometric):
    stored = ramp(12, signed=True)
    stored[:5] = -2000
    stored[-5:] = -1990
    film = dataset(stored, 12, PhotometricInterpretation=photometric)
    film.add_new("PixelPaddingValue", "SS", -2000)
    film.add_new("PixelPaddingRangeLimit", "SS", -1990)
    shown = loaded(write(film, syntax))
    assert (shown[:5] == 0).all() and (shown[-5:] == 0).all()
    assert shown[5:-5].min() == 0 and shown[5:-5].max() == 255


def test_unused_high_bits_are_ignored():
    stored = ramp() | np.uint16(0xA000)  # an old overlay in bits 12 to 15
    assert np.array_equal(loaded(dicom(stored, 12)), stretch(ramp()))


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
def test_floating_pixels(keyword):
    dtype = np.float32 if keyword == "FloatPixelData" else np.float64
    film = dataset(ramp().astype(dtype))
    del film.PixelData, film.BitsStored, film.HighBit, film.PixelRepresentation
    setattr(film, keyword, (ramp() * 0.37 - 5).astype(dtype).tobytes())
    assert near(loaded(write(film)), stretch(ramp()), 1)


def test_colour_becomes_luminance():
    rgb = np.zeros((40, 64, 3), np.uint8)
    rgb[..., 1] = 255
    assert (loaded(dicom(rgb, 8)) == 150).all()  # 0.587 * 255


@pytest.mark.parametrize("frames", [1, 3])
def test_of_several_frames_the_first_is_read_and_said(frames, caplog):
    stored = np.stack([ramp(), *[4095 - ramp()] * (frames - 1)])
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(loaded(dicom(stored)), stretch(ramp()))
    assert ("DICOM of 3 frames: the first is read" in caplog.text) == (frames == 3)


@pytest.mark.parametrize("with_meta", [True, False])
@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_a_file_without_preamble(with_meta, syntax):
    data = dicom(ramp(), 12, syntax)
    meta = 144 + int.from_bytes(data[140:144], "little")
    assert np.array_equal(loaded(data[132 if with_meta else meta :]), stretch(ramp()))


@pytest.mark.parametrize(
    "fields, size",
    [
        ({"PixelSpacing": [0.2, 0.1]}, (64, 80)),
        ({"PixelSpacing": [0.1, 0.2]}, (128, 40)),
        ({"ImagerPixelSpacing": [0.3, 0.15]}, (64, 80)),
        ({"PixelAspectRatio": [2, 1]}, (64, 80)),
        ({"PixelSpacing": [0.14, 0.1401]}, (64, 40)),
        ({"PixelSpacing": [0, 0.1]}, (64, 40)),
        ({"PixelSpacing": None, "PixelAspectRatio": [1, 1]}, (64, 40)),
        ({"PixelSpacing": [90, 0.1]}, (64, 40)),
    ],
)
def test_pixels_that_are_not_square_are_made_so(fields, size):
    assert load_image(dicom(ramp(), **fields)).size == size


def test_fields_about_the_patient_are_never_read():
    data = dicom(ramp())
    assert PATIENT.encode() in data
    film = _parse(data)
    assert "Rows" in film and not any("Patient" in element.keyword for element in film)
    assert PATIENT not in str(film)
    file = io.BytesIO()
    load_image(data).save(file, "TIFF")
    assert PATIENT.encode() not in file.getvalue()


def test_many_threads_read_at_once():
    sources = [dicom(ramp(), 12, syntax) for syntax in (*NATIVE, *LOSSLESS)] * 4
    with ThreadPoolExecutor(8) as pool:
        assert all(np.array_equal(shown, stretch(ramp())) for shown in pool.map(loaded, sources))


def test_real_films(real_data: Path):
    files = sorted((real_data / "dicom").glob("*.dcm"))
    assert len(files) == 10
    for path in files:
        image, header = load_image(path), pydicom.dcmread(path, stop_before_pixels=True)
        assert image.size == (header.Columns, header.Rows) and image.info == {}
        assert np.asarray(image).std() > 20
