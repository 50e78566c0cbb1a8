"""PNG, JPEG, WebP, TIFF, BMP and GIF -> gray levels, by Pillow."""

from __future__ import annotations

import io
import logging

import numpy as np
from PIL import Image, ImageChops

from cxr.images.pixels import ImageError, brief, check_size, gray_levels

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
ANIMATED = ("GIF", "WEBP", "PNG")
ORIENTATION, PHOTOMETRIC = 0x0112, 0x0106  # tags of EXIF and TIFF 6.0
TURNS = {  # EXIF orientation -> what shows the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
KINDS = (  # how files begin that people mistake for pictures of ours
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<", "an HTML, XML or SVG text"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
)


def read_raster(data: bytes) -> np.ndarray:
    """The bytes of a picture file -> uint8 [H, W], upright. Raises ImageError.

    The content decides, never the suffix. The size is checked before anything is decoded. Of a
    TIFF with several pages the first counts; an animation is refused.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        check_size(*image.size)
        _check_pages(image)
        image.load()
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            "expected a picture of moderate size; got a decompression bomb, a small file that "
            "unpacks to an enormous picture. Export the image at a lower resolution."
        ) from error
    except Image.UnidentifiedImageError as error:
        raise ImageError(
            "expected a PNG, JPEG, WebP, TIFF, BMP or DICOM file; "
            f"got {_kind(data)}. Export the image in one of these formats."
        ) from error
    except Exception as error:  # a decoder raises nearly anything on damaged bytes
        raise ImageError(
            f"expected a whole picture; got a truncated or damaged file ({brief(error)}). "
            "Copy or export it again."
        ) from error
    return gray(image)


def gray(image: Image.Image) -> np.ndarray:
    """A Pillow image of any mode -> uint8 [H, W], EXIF orientation applied. Raises ImageError.

    Transparent parts become black, as the padding of images is. Modes deeper than 8 bits go
    through `gray_levels`.
    """
    check_size(*image.size)
    try:
        image.load()
        turn = TURNS.get(_orientation(image))
        upright = image.transpose(turn) if turn is not None else image
        if image.mode.startswith(("I", "F")):
            levels = gray_levels(np.asarray(upright))
            # Pillow undoes TIFF's WhiteIsZero for 8 bits and fewer only
            white_is_zero = getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == 0
            return 255 - levels if white_is_zero else levels
        return np.asarray(_luminance(upright))
    except ImageError:
        raise
    except Exception as error:  # a lazily opened image decodes here
        raise ImageError(
            f'expected a readable picture; got one of mode "{image.mode}" that fails to convert '
            f"({brief(error)}). Save it as PNG first."
        ) from error


def _luminance(image: Image.Image) -> Image.Image:
    """Any mode of at most 8 bits a channel -> mode "L" (ITU-R 601), over black."""
    if image.mode in ("L", "1") and "transparency" not in image.info:
        return image.convert("L")
    if image.mode == "LAB":
        return image.getchannel("L")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return ImageChops.multiply(rgba.convert("RGB").convert("L"), rgba.getchannel("A"))
    return image.convert("RGB").convert("L")


def raster_pages(data: bytes) -> int:
    """Return how many pages the bytes of a picture hold, 1 or more."""
    with Image.open(io.BytesIO(data)) as image:
        return int(getattr(image, "n_frames", 1))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8; 1 where there is none, or where the EXIF block is damaged."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a broken tag does not make the image unreadable
        return 1


def _check_pages(image: Image.Image) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format in ANIMATED:
        raise ImageError(
            f"expected a still picture; got an animated {image.format} of {frames} frames. "
            "Save the frame that you mean as PNG."
        )
    if frames > 1 and image.format == "TIFF":
        logging.getLogger(__name__).warning("TIFF of %d pages: the first is read", frames)


def _kind(data: bytes) -> str:
    start = data[:64].lstrip()
    for magic, name in KINDS:
        if start.startswith(magic):
            return name
    if data[4:8] == b"ftyp":
        return "a HEIC or AVIF photograph, or a video"
    return f"{len(data):,} bytes of another kind"
