"""A DICOM image -> gray levels, by pydicom; fields about the patient are never read."""

from __future__ import annotations

import io
import logging
import zlib

import numpy as np
import pydicom
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels import pixel_array

from cxr.images.dicom_codecs import DECODERS, FAMILY, check_frame, decode
from cxr.images.dicom_voi import number, render
from cxr.images.pixels import MAX_BYTES, ImageError, brief, check_size, gray_levels

PREAMBLE, MAGIC = 128, b"DICM"
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")  # how files without a preamble begin
GRAY = ("MONOCHROME1", "MONOCHROME2")
COLOR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
PICTURES = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
TAGS = [  # all that a picture needs; nothing else leaves the file
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "PixelAspectRatio", "PixelSpacing"),
    *("ImagerPixelSpacing", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", *PICTURES),
]
NATIVE = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian)
PLUGINS = {uid.RLELossless: "pydicom", **dict.fromkeys(FAMILY, "pillow")}


def _without_trace(record: logging.LogRecord) -> bool:
    record.exc_info = record.exc_text = None
    return True


# pydicom logs a broken frame with its trace, and raises it too: one line is enough.
logging.getLogger("pydicom.pixels.decoders.base").addFilter(_without_trace)


def is_dicom(data: bytes) -> bool:
    """Whether a file's content looks like DICOM, with its preamble or without."""
    if data[PREAMBLE : PREAMBLE + 4] == MAGIC:
        return True
    return data[:2] in FIRST_GROUPS and data[3:4] == b"\x00"


def read_dicom(data: bytes) -> np.ndarray:
    """The bytes of a DICOM file -> uint8 [H, W], white bone on black air. Raises ImageError.

    Of several frames the first is read and a warning logged: a radiograph has one, and in a loop
    or a tomosynthesis the first is as good a still as any. Declared size and frames are checked
    before decoding, against the limit and against the compressed picture's own size. Pixels that
    are not square are made so by enlarging. Color images become their luminance.
    """
    try:
        image = _parse(data)
        _check(image)
        stored = _decode(image)
        levels = render(stored, image) if stored.ndim == 2 else _luminance(stored)
        return _square_pixels(levels, image)
    except ImageError:
        raise
    except Exception as error:  # pydicom and the decoders raise nearly anything on damaged bytes
        raise ImageError(
            f"expected a whole DICOM image; got a truncated or damaged one ({brief(error)}). "
            "Copy or export it again."
        ) from error


def dicom_frames(data: bytes) -> int:
    """Return how many frames a DICOM file declares, 1 or more.

    Raises:
        ImageError: it holds no picture.
    """
    return _frames(_parse(data))


def _parse(data: bytes) -> Dataset:
    if uid.DeflatedExplicitVRLittleEndian.encode() in data:
        data = _inflated(data)
    image = pydicom.dcmread(io.BytesIO(data), force=True, specific_tags=TAGS)
    if not any(keyword in image for keyword in PICTURES):
        raise ImageError(
            "expected a DICOM image; got a DICOM file without a picture, such as a report, a "
            "presentation state, a DICOMDIR, or one that was cut. Choose the image file."
        )
    if "TransferSyntaxUID" not in image.file_meta:
        implicit, little = image.original_encoding
        image.file_meta.TransferSyntaxUID = NATIVE[(not implicit) + (not little)]
    return image


def _inflated(data: bytes) -> bytes:
    """A deflated file (PS3.5 A.5) without its wrapping; never inflates past MAX_BYTES."""
    start = PREAMBLE + 16 + int.from_bytes(data[PREAMBLE + 12 : PREAMBLE + 16], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data[start:], MAX_BYTES)
    if inflater.unconsumed_tail:
        raise ImageError(
            f"expected at most {MAX_BYTES:,} bytes; got a deflated DICOM file of more. "
            "Export one image at a lower resolution."
        )
    return inflated


def _check(image: Dataset) -> None:
    """Raise ImageError for an image whose header promises what cannot be shown."""
    check_size(*_size(image), frames=_frames(image))
    syntax, photometric = image.file_meta.TransferSyntaxUID, image.get("PhotometricInterpretation")
    if syntax not in (*NATIVE, *PLUGINS):
        raise ImageError(
            "expected a still picture, uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000; "
            f'got "{syntax.name[:80]}". Export it as Explicit VR Little Endian.'
        )
    samples = number(image, "SamplesPerPixel", 1)
    if (photometric, samples) not in [*((p, 1) for p in GRAY), *((p, 3) for p in COLOR)]:
        raise ImageError(
            f"expected photometric interpretation {', '.join(GRAY)}, RGB or YBR; "
            f'got "{photometric}" with {samples:g} samples. Export the image as MONOCHROME2.'
        )


def _decode(image: Dataset) -> np.ndarray:
    """The first frame: numbers as stored [H, W], or RGB [H, W, 3]."""
    syntax, frames = image.file_meta.TransferSyntaxUID, _frames(image)
    if frames > 1:
        logging.getLogger(__name__).warning("DICOM of %d frames: the first is read", frames)
    if syntax in FAMILY:
        frame = get_frame(image.PixelData, 0, number_of_frames=frames)
        check_frame(frame, *_size(image))
        if syntax in DECODERS:
            return _signed(decode(frame, syntax), image)
    return pixel_array(image, index=0, decoding_plugin=PLUGINS.get(syntax, ""))


def _signed(stored: np.ndarray, image: Dataset) -> np.ndarray:
    """Undo that JPEG and JPEG-LS know no sign: two's complement of Bits Stored."""
    if stored.shape != (image.Rows, image.Columns):
        raise ImageError(
            f"expected a gray picture [{image.Rows}, {image.Columns}]; got {list(stored.shape)}. "
            "Export the image as MONOCHROME2, Explicit VR Little Endian."
        )
    if not image.PixelRepresentation or stored.dtype.kind != "u":
        return stored
    unused = 8 * stored.dtype.itemsize - image.BitsStored
    return (stored << unused).view(f"i{stored.dtype.itemsize}") >> unused


def _luminance(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(gray_levels(rgb)).convert("L"))


def _square_pixels(levels: np.ndarray, image: Dataset) -> np.ndarray:
    """Enlarge the side whose pixels are longer; differences below 1% are left."""
    tall = _pixel_aspect(image)
    if abs(tall - 1) < 0.01 or not 0.2 <= tall <= 5:
        return levels
    height, width = levels.shape
    size = (width, round(height * tall)) if tall > 1 else (round(width / tall), height)
    check_size(*size)
    return np.asarray(Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC))


def _pixel_aspect(image: Dataset) -> float:
    """Height of a pixel over its width; 1 where the image does not say."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        try:
            height, width = (float(side) for side in image.get(keyword))
            return height / width
        except (TypeError, ValueError, ZeroDivisionError):
            continue
    return 1.0


def _size(image: Dataset) -> tuple[int, int]:
    return int(number(image, "Columns", 0)), int(number(image, "Rows", 0))


def _frames(image: Dataset) -> int:
    return max(1, int(number(image, "NumberOfFrames", 1)))
