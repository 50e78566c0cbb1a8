"""The compressed picture inside a DICOM file: its own size, its end, and the rarer decoders."""

from __future__ import annotations

import struct

import numpy as np
from pydicom import uid

from cxr.images.pixels import ImageError

# libjpeg-turbo, CharLS and OpenJPEG as packed in imagecodecs: GDCM aborts the whole process on
# damaged lossless streams, and pylibjpeg-libjpeg is under the GPL.
DECODERS = {
    uid.JPEGExtended12Bit: "jpeg8_decode",
    uid.JPEGLossless: "jpeg8_decode",
    uid.JPEGLosslessSV1: "jpeg8_decode",
    uid.JPEGLSLossless: "jpegls_decode",
    uid.JPEGLSNearLossless: "jpegls_decode",
    uid.HTJ2KLossless: "jpeg2k_decode",
    uid.HTJ2KLosslessRPCL: "jpeg2k_decode",
    uid.HTJ2K: "jpeg2k_decode",
}
FAMILY = (*DECODERS, uid.JPEGBaseline8Bit, uid.JPEG2000Lossless, uid.JPEG2000)
START_OF_IMAGE, END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
J2K_START = b"\xff\x4f\xff\x51"
FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # ITU-T T.81 B.1.1.3, T.87


def decode(frame: bytes, syntax: uid.UID) -> np.ndarray:
    """One gray frame of a transfer syntax in DECODERS -> integers [H, W] as stored."""
    import imagecodecs  # large, and most images need none of it

    return getattr(imagecodecs, DECODERS[syntax])(frame)


def check_frame(frame: bytes, width: int, height: int) -> None:
    """Raise ImageError unless a JPEG, JPEG-LS or JPEG 2000 frame is whole and of this size.

    Decoders believe the stream's own size, so that a small image could declare a bomb; and some
    fill what is missing from a cut stream with gray, without a word.
    """
    actual = picture_size(frame)
    if actual is None or END_OF_IMAGE not in frame[-32:]:
        raise ImageError(
            "expected a whole compressed picture inside the DICOM file; got a truncated or "
            "damaged one. Copy or export it again."
        )
    if actual != (width, height):
        raise ImageError(
            f"expected a compressed picture of {width} x {height} as the DICOM header says; "
            f"got {actual[0]} x {actual[1]}. Export the image again."
        )


def picture_size(frame: bytes) -> tuple[int, int] | None:
    """(width, height) from the stream's own header; None where it has none."""
    start = frame[:1024].find(J2K_START)
    if start >= 0 and len(frame) >= start + 24:  # ISO 15444-1 A.5.1
        right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
        return right - left, bottom - top
    if not frame.startswith(START_OF_IMAGE):
        return None
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in FRAME_HEADERS:
            height, width = struct.unpack_from(">2H", frame, at + 5)
            return width, height
        else:
            at += 2 + length
    return None
