"""DICOM files that hold no usable film: one line that says what was expected, came, and to do."""

from __future__ import annotations

import struct

import numpy as np
import pydicom
import pytest
from dicom_files import LOSSLESS, LOSSY, NATIVE, PATIENT, dataset, dicom, encode, ramp, write
from pydicom import uid

from cxr.images.dicom_codecs import FAMILY, picture_size
from cxr.images.load import load_image

COMPRESSED = [syntax for syntax in (*LOSSLESS, *LOSSY) if syntax in FAMILY]


def refused(data: bytes) -> str:
    """The message for a file that load_image must refuse."""
    with pytest.raises(ValueError) as caught:
        load_image(data)
    message = str(caught.value)
    assert message.startswith("expected") and "; got" in message and "\n" not in message
    assert message.endswith(".") and len(message) < 400 and PATIENT not in message
    return message


@pytest.mark.filterwarnings("ignore")  # pydicom tells what it meets
@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS, *LOSSY])
@pytest.mark.parametrize("kept", [0.5, 0.9, 0.97])
def test_a_truncated_file(syntax, kept):
    data = dicom(ramp(), 12, syntax)
    message = refused(data[: int(kept * len(data))])
    assert "truncated or damaged" in message or "one that was cut" in message


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_a_codestream_that_was_cut_before_it_was_wrapped(syntax):
    frame = encode(ramp(), 12, syntax)
    data = write(dataset(ramp()), syntax, frame[: len(frame) // 2])
    assert "expected a whole compressed picture" in refused(data)


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_a_codestream_larger_than_declared_is_not_decoded(syntax):
    frame = encode(np.tile(ramp(), (8, 8)), 12, syntax)
    assert picture_size(frame) == (512, 320)
    message = refused(write(dataset(ramp()), syntax, frame))
    assert "64 x 40 as the DICOM header says; got 512 x 320" in message


@pytest.mark.parametrize("frame", [b"", b"\xff\xd8", b"\xff\xd8\xff\xff\xff", b"\xff\x4f\xff\x51"])
def test_a_codestream_without_a_size_has_none(frame):
    assert picture_size(frame) is None


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless])
@pytest.mark.parametrize("fields", [{"Rows": 4000}, {"Columns": 320}, {"NumberOfFrames": 40}])
def test_more_declared_than_there_is(syntax, fields):
    data = dicom(ramp(), 12, syntax)
    for keyword, value in fields.items():
        if keyword == "NumberOfFrames":
            data = dicom(ramp(), NumberOfFrames=value)
        else:
            tag = {"Rows": b"\x28\0\x10\0US\2\0", "Columns": b"\x28\0\x11\0US\2\0"}[keyword]
            at = data.index(tag) + len(tag)
            data = data[:at] + struct.pack("<H", value) + data[at + 2 :]
    refused(data)


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"Rows": 60_000, "Columns": 60_000}, "got 60000 x 60000"),
        ({"NumberOfFrames": 30_000}, "got 64 x 40 in 30000 frames"),
        ({"Rows": 0}, "got 64 x 0"),
        ({"Columns": 16}, "got 16 x 40"),
        ({"Columns": 400, "Rows": 32}, "got 400 x 32"),
        ({"PixelSpacing": [4.5, 1.0], "Columns": 20, "Rows": 128}, "got 20 x 128"),
    ],
)
def test_sizes_beyond_the_limits(fields, said):
    assert said in refused(dicom(ramp(), **fields))


def test_pixels_so_long_that_the_film_would_be_a_strip():
    assert "got 64 x 192" not in refused(dicom(ramp(), PixelSpacing=[0.1, 0.49]))
    assert load_image(dicom(ramp(), PixelSpacing=[0.48, 0.1])).size == (64, 192)


@pytest.mark.parametrize("kept", [(), ("Rows", "Columns")])
def test_a_file_without_a_picture(kept):
    film = dataset(ramp())
    for element in list(film):
        if element.tag.group in (0x28, 0x7FE0) and element.keyword not in kept:
            del film[element.tag]
    assert "a DICOM file without a picture" in refused(write(film))


@pytest.mark.parametrize("missing", ["Rows", "BitsAllocated", "PixelRepresentation"])
def test_a_header_that_lacks_what_pixels_need(missing):
    tag = pydicom.datadict.tag_for_keyword(missing)
    element = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"US", 2)
    data = dicom(ramp())
    at = data.index(element)
    refused(data[:at] + data[at + len(element) + 2 :])


@pytest.mark.parametrize(
    "photometric, said", [("PALETTE COLOR", '"PALETTE COLOR"'), ("RGB", '"RGB" with 1 samples')]
)
def test_another_photometric_interpretation(photometric, said):
    assert said in refused(dicom(ramp(), PhotometricInterpretation=photometric))


def test_a_video():
    data = write(dataset(ramp()), uid.MPEG4HP41, b"\0\0\1\xb3")
    assert 'got "MPEG-4 AVC/H.264 High Profile' in refused(data)


def test_a_deflated_bomb_is_inflated_no_further_than_the_limit(monkeypatch):
    monkeypatch.setattr("cxr.images.dicom.MAX_BYTES", 2**20)
    film = dataset(ramp())
    film.add_new(0x00090010, "LO", "TEST")
    film.add_new(0x00091001, "OB", bytes(2**23))
    data = write(film, uid.DeflatedExplicitVRLittleEndian)
    assert len(data) < 2**15
    assert "got a deflated DICOM file of more" in refused(data)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity(value):
    pixels = ramp().astype(np.float32)
    pixels[0, 0] = value
    film = dataset(pixels)
    del film.PixelData
    film.FloatPixelData = pixels.tobytes()
    assert "NaN or infinity in 1 of 2,560" in refused(write(film))


@pytest.mark.parametrize("data", [bytes(128) + b"DICM", bytes(128) + b"DICM" + b"\xff" * 500])
def test_a_preamble_and_nothing_behind(data):
    refused(data)


def test_a_text_that_begins_like_a_film_without_preamble():
    refused(b"\x08\x00\x05\x00" + b"CS and then something else entirely" * 20)


def test_a_broken_frame_leaves_no_trace_in_the_log(caplog):
    """Decoders log what they raise; the log of a server is not the place for their stack."""
    frame = encode(ramp(), 12, uid.JPEG2000Lossless)
    broken = frame[:100] + bytes(len(frame) - 102) + frame[-2:]
    refused(write(dataset(ramp()), uid.JPEG2000Lossless, broken))
    assert not any(record.exc_info or record.exc_text for record in caplog.records)
