"""Images on their way into a gallery: made small enough, free of metadata, named by content."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import threading
from pathlib import Path

from PIL import Image

from cxr.images import load_image

MAX_SIDE = 1024  # pixels; NIH ChestX-ray14 is published at this size

# What a file may hold beside pixels and still be copied as it is; anything else, such as EXIF or
# a text chunk, can name a patient.
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"}
_PNG_CHUNKS |= {b"IDAT", b"IEND"}
_SCAN, _DATA = 0xDA, {b"\0", *(bytes([0xD0 + i]) for i in range(8))}
_JPEG_SEGMENTS = {"APP0", "APP14"}  # JFIF and Adobe headers: density, colour transform


def store_image(path: Path, folder: Path) -> tuple[str, Image.Image]:
    """Bring the image at `path` into `folder` -> (file name, the image as mode "L").

    A JPEG or PNG of at most 1024 x 1024 px without metadata is copied as it is; everything else
    (DICOM, TIFF, larger images, images with metadata) is stored as a PNG of at most that size.
    The same image twice is stored once.

    Raises:
        ValueError: an image that cannot be read.
        OSError: a folder that cannot be written.
    """
    image = load_image(path)
    if max(image.size) > MAX_SIDE:
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
        content, suffix = None, ".png"
    else:
        content, suffix = _as_it_is(path)
    if content is None:
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=4)
        content = buffer.getvalue()
    name = content_name(content, suffix)
    if not (folder / name).exists():
        part = folder / f"{name}.{threading.get_ident()}.part"  # a kill leaves no half image
        part.write_bytes(content)
        os.replace(part, folder / name)
    return name, image


def content_name(content: bytes, suffix: str) -> str:
    """The name of an image in a gallery: 20 hex digits of its sha256, and the suffix."""
    return hashlib.sha256(content).hexdigest()[:20] + suffix


def _as_it_is(path: Path) -> tuple[bytes | None, str]:
    """The file's bytes and suffix if it can be shown by any browser and holds pixels alone."""
    content = path.read_bytes()
    if content.startswith(b"\x89PNG\r\n\x1a\n") and _png_is_plain(content):
        return content, ".png"
    if content.startswith(b"\xff\xd8") and _jpeg_is_plain(content):
        return content, ".jpg"
    return None, ".png"


def _png_is_plain(content: bytes) -> bool:
    if content[24] > 8:  # bits a sample; browsers show 16 without a window
        return False
    at = 8
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind not in _PNG_CHUNKS:
            return False
        at += 12 + length
    return at == len(content)  # nothing hides behind the last chunk


def _jpeg_is_plain(content: bytes) -> bool:
    with Image.open(io.BytesIO(content)) as header:
        segments = {name for name, _ in getattr(header, "applist", [("?", b"")])}
        plain = header.format == "JPEG" and header.mode in ("L", "RGB")
    return plain and segments <= _JPEG_SEGMENTS and _jpeg_end(content) == len(content)


def _jpeg_end(content: bytes) -> int:
    """Where the first image of a JPEG ends, -1 when it does not: another may hide behind it."""
    at = 2  # after the start of the image
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # fill before a marker
            at += 1
            continue
        at += 2 + struct.unpack_from(">H", content, at + 2)[0]
        if marker != _SCAN:
            continue
        # Of a scan's bytes, 0xFF is followed by 0 where it is data, by 0xD0 to 0xD7 at a restart.
        while (at := content.find(b"\xff", at)) >= 0 and content[at + 1 : at + 2] in _DATA:
            at += 2
        if at < 0:
            return -1
        if content[at + 1 : at + 2] == b"\xd9":
            return at + 2
    return -1
