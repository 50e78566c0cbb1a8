"""Writing a handout: a PDF by reportlab, or PNG slides in a ZIP archive by Pillow.

Both use the typeface Bitstream Vera, which comes with reportlab; what it has no letter for is
written as "?".
"""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from cxr.collections.collection import Collection
from cxr.collections.pages import Handout, draw_handout

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFont

    from cxr.gallery import Gallery

FORMATS = ("pdf", "slides")
A4 = (841.89, 595.28)  # points, landscape
SLIDE = (960.0, 540.0)  # points of a slide of 1,920 x 1,080 pixels
_SCALE = 2  # pixels a point of a slide
_QUALITY = 95  # of the JPEGs inside a PDF
_SMOOTH = 1024  # pixels of an image's longer side below which it is enlarged in a PDF
_FACES = {False: "Vera", True: "VeraBd"}
_LOCK = threading.Lock()  # reportlab's registry of fonts belongs to the process


def export_collection(
    collection: Collection, gallery: Gallery, format: str = "pdf", captions: bool = True
) -> bytes:
    """Write a collection for a teaching round: a title page, then one study a page.

    Args:
        collection: at most 60 studies; those that the gallery lacks are counted on the title page.
        gallery: holds the studies.
        format: "pdf" (A4, images as JPEG of quality 95), or "slides" (PNG of 1,920 x 1,080 in a
            ZIP archive).
        captions: print findings, report, view, age and sex. Source and licence are always printed,
            and each synthetic image is marked.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: another format, too many studies, or none that the gallery holds.
    """
    if format not in FORMATS:
        raise ValueError(f"expected the format pdf or slides, got {str(format)[:20]!r}; correct it")
    handout = Handout.of(collection, gallery, captions)
    surface = _Pdf(handout.name) if format == "pdf" else _Slides()
    draw_handout(handout, surface)
    return surface.finish()


class _Pdf:
    """Pages of a PDF, black on white."""

    width, height = A4
    ground, ink, muted = 1.0, 0.07, 0.34

    def __init__(self, title: str) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self._stream = io.BytesIO()
        with _LOCK:
            _register_faces()
        self._canvas = Canvas(self._stream, pagesize=A4, pageCompression=1)
        self._canvas.setTitle(title)
        self._canvas.setCreator("CXR Reading Room")

    def page(self) -> None:
        self._canvas.showPage()

    def measure(self, text: str, size: float, bold: bool = False) -> float:
        from reportlab.pdfbase.pdfmetrics import stringWidth

        return float(stringWidth(_drawable(text), _FACES[bold], size))

    def text(self, x: float, y: float, text: str, size: float, grey: float, bold: bool) -> None:
        self._canvas.setFillGray(grey)
        self._canvas.setFont(_FACES[bold], size)
        self._canvas.drawString(x, self.height - y - size * 0.93, _drawable(text))

    def box(self, x: float, y: float, width: float, height: float, grey: float) -> None:
        self._canvas.setFillGray(grey)
        self._canvas.rect(x, self.height - y - height, width, height, stroke=0, fill=1)

    def image(self, image: Image.Image, x: float, y: float, width: float, height: float) -> None:
        from reportlab.lib.utils import ImageReader

        if max(image.size) < _SMOOTH:  # a reader of PDF would show the pixels of a small image
            factor = _SMOOTH / max(image.size)
            size = round(image.width * factor), round(image.height * factor)
            image = image.resize(size, Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=_QUALITY)
        stream.seek(0)
        self._canvas.drawImage(ImageReader(stream), x, self.height - y - height, width, height)

    def finish(self) -> bytes:
        self._canvas.showPage()
        self._canvas.save()
        return self._stream.getvalue()


class _Slides:
    """Slides as PNG, white on black, each written to the archive as soon as it is full."""

    width, height = SLIDE
    ground, ink, muted = 0.0, 0.95, 0.66

    def __init__(self) -> None:
        self._stream = io.BytesIO()
        self._archive = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_STORED)
        self._count = 0
        self._begin()

    def _begin(self) -> None:
        size = round(self.width * _SCALE), round(self.height * _SCALE)
        self._sheet = Image.new("L", size, round(255 * self.ground))
        self._pen = ImageDraw.Draw(self._sheet)

    def page(self) -> None:
        stream = io.BytesIO()
        self._sheet.save(stream, "PNG", compress_level=6)
        name = "00-title.png" if self._count == 0 else f"{self._count:02d}.png"
        self._archive.writestr(name, stream.getvalue())
        self._count += 1
        self._begin()

    def measure(self, text: str, size: float, bold: bool = False) -> float:
        return _pillow_face(bold, size).getlength(_drawable(text)) / _SCALE

    def text(self, x: float, y: float, text: str, size: float, grey: float, bold: bool) -> None:
        place = x * _SCALE, (y + size * 0.93) * _SCALE
        face = _pillow_face(bold, size)
        self._pen.text(place, _drawable(text), round(255 * grey), face, anchor="ls")

    def box(self, x: float, y: float, width: float, height: float, grey: float) -> None:
        corners = [x * _SCALE, y * _SCALE, (x + width) * _SCALE, (y + height) * _SCALE]
        self._pen.rectangle(corners, round(255 * grey))

    def image(self, image: Image.Image, x: float, y: float, width: float, height: float) -> None:
        size = max(1, round(width * _SCALE)), max(1, round(height * _SCALE))
        sized = image.resize(size, Image.Resampling.LANCZOS)
        self._sheet.paste(sized, (round(x * _SCALE), round(y * _SCALE)))

    def finish(self) -> bytes:
        self.page()
        self._archive.close()
        return self._stream.getvalue()


def _face_file(bold: bool) -> Path:
    import reportlab

    return Path(reportlab.__file__).parent / "fonts" / f"{_FACES[bold]}.ttf"


def _register_faces() -> None:
    """Have reportlab know both faces."""
    from reportlab.pdfbase import pdfmetrics

    for bold in _FACES:
        if _FACES[bold] not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(_face(bold))


@lru_cache(maxsize=2)
def _face(bold: bool) -> TTFont:
    from reportlab.pdfbase.ttfonts import TTFont

    return TTFont(_FACES[bold], str(_face_file(bold)))


@lru_cache(maxsize=64)
def _pillow_face(bold: bool, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_face_file(bold)), size * _SCALE)


def _drawable(text: str) -> str:
    """A text with "?" for what the typeface has no letter for."""
    known: Callable[[int], bool] = _face(False).face.charToGlyph.__contains__
    return "".join(char if known(ord(char)) else "?" for char in text)
