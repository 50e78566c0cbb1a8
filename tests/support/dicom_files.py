"""DICOM films written for the tests, in every transfer syntax that the reader takes."""

from __future__ import annotations

import io
from typing import Any

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

PATIENT = "Rosenrot^Klara"
NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
LOSSLESS = (
    uid.RLELossless,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEG2000Lossless,
)
LOSSY = (uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000)


def ramp(bits: int = 12, signed: bool = False) -> np.ndarray:
    """A diagonal ramp over the whole range of the bits, [40, 64], uint16 or int16."""
    y, x = np.mgrid[:40, :64]
    values = (x + y) * (2**bits - 1) // 102
    return (values - 2 ** (bits - 1)).astype(np.int16) if signed else values.astype(np.uint16)


def dataset(stored: np.ndarray, bits: int = 12, **fields: Any) -> Dataset:
    """A grey or RGB film, one frame [H, W(, 3)] or frames [F, H, W]; fields added or replaced."""
    film = Dataset()
    film.SOPClassUID, film.SOPInstanceUID = uid.DigitalXRayImageStorageForPresentation, "1.2.3"
    film.PatientName, film.PatientID, film.PatientBirthDate = PATIENT, "K-4711", "19570401"
    film.SamplesPerPixel = 3 if stored.shape[-1] == 3 else 1
    film.PhotometricInterpretation = "RGB" if film.SamplesPerPixel == 3 else "MONOCHROME2"
    if film.SamplesPerPixel == 3:
        film.PlanarConfiguration = 0
    elif stored.ndim == 3:
        film.NumberOfFrames = len(stored)
    film.Rows, film.Columns = stored.shape[:2] if film.SamplesPerPixel == 3 else stored.shape[-2:]
    film.BitsAllocated, film.BitsStored, film.HighBit = 8 * stored.dtype.itemsize, bits, bits - 1
    film.PixelRepresentation = int(stored.dtype.kind == "i")
    film.PixelData = stored.tobytes()
    for name, value in fields.items():
        setattr(film, name, value)
    return film


def encode(stored: np.ndarray, bits: int, syntax: str) -> bytes:
    """One grey frame [H, W] as the codestream of a compressed transfer syntax."""
    stored = np.ascontiguousarray(stored)
    plain = stored.view(f"u{stored.dtype.itemsize}")
    plain = plain & plain.dtype.type(2**bits - 1)  # JPEG and JPEG-LS know no sign
    if syntax == uid.JPEGBaseline8Bit:
        return imagecodecs.jpeg8_encode(plain, level=98)
    if syntax == uid.JPEGExtended12Bit:
        return imagecodecs.jpeg8_encode(plain, level=98, bitspersample=12)
    if syntax in (uid.JPEGLossless, uid.JPEGLosslessSV1):
        return imagecodecs.jpeg8_encode(plain, lossless=True, predictor=1, bitspersample=bits)
    if syntax in (uid.JPEGLSLossless, uid.JPEGLSNearLossless):
        return imagecodecs.jpegls_encode(plain, level=0 if syntax == uid.JPEGLSLossless else 2)
    level = 0 if syntax == uid.JPEG2000Lossless else 60
    return imagecodecs.jpeg2k_encode(stored, level, codecformat="J2K", bitspersample=bits)


def write(film: Dataset, syntax: str = uid.ExplicitVRLittleEndian, frame: bytes = b"") -> bytes:
    """The bytes of a DICOM file; `frame`, a codestream, takes the pixels' place."""
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = syntax
    if frame:
        film.PixelData = encapsulate([frame])
        film["PixelData"].VR = "OB"
    elif syntax == uid.RLELossless:
        film.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        film.compress(syntax, encoding_plugin="pydicom", generate_instance_uid=False)
    elif syntax == uid.ExplicitVRBigEndian:
        values = np.frombuffer(film.PixelData, f"<u{film.BitsAllocated // 8}")
        film.PixelData = values.byteswap().tobytes()
    file = io.BytesIO()
    film.save_as(file, enforce_file_format=True)
    return file.getvalue()


def dicom(
    stored: np.ndarray, bits: int = 12, syntax: str = uid.ExplicitVRLittleEndian, **fields: Any
) -> bytes:
    """A whole DICOM file of the stored values."""
    plain = syntax in (*NATIVE, uid.RLELossless)
    frame = b"" if plain else encode(stored, bits, syntax)
    return write(dataset(stored, bits, **fields), syntax, frame)
