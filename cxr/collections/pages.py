"""A collection as pages for a teaching round: a title, then one study a page; PDF or PNG slides.

The layout is written once, in points from the upper left corner, for whatever can draw text, boxes
and images: cxr.collections.pdf and cxr.collections.slides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from cxr.collections.collection import Collection, find_studies, gallery_name
from cxr.data import SYNTHETIC
from cxr.findings import Study, caption, demographics
from cxr.images import load_image

if TYPE_CHECKING:
    from cxr.gallery import Gallery

MAX_EXPORTED = 60  # studies of one export
NOTE = "For education, not for diagnosis."
MARK = "SYNTHETIC"
SIDE = 1600  # pixels kept of an image's longer side
MARGIN, FOOT, GAP = 36.0, 34.0, 26.0
LINE = 1.4  # height of a line over the size of its letters


class Surface(Protocol):
    """A page to draw on, in points from its upper left corner; greys are 0 black to 1 white."""

    width: float
    height: float
    ground: float  # grey of the page
    ink: float
    muted: float

    def page(self) -> None:
        """Begin another page."""

    def measure(self, text: str, size: float, bold: bool = False) -> float:
        """Return the width of a text."""

    def text(self, x: float, y: float, text: str, size: float, grey: float, bold: bool) -> None:
        """Write one line whose upper edge is at y."""

    def box(self, x: float, y: float, width: float, height: float, grey: float) -> None:
        """Fill a rectangle."""

    def image(self, image: Image.Image, x: float, y: float, width: float, height: float) -> None:
        """Draw an image, mode "L"."""


@dataclass(frozen=True)
class Handout:
    """What is drawn: the studies of a collection that the gallery holds, and what it lacks.

    Attributes:
        name: of the collection.
        studies: in their order.
        missing: ids that the gallery does not hold.
        source: where the gallery's studies come from, in words.
        captions: whether findings, report, view, age and sex are printed.
    """

    name: str
    studies: tuple[Study, ...]
    missing: tuple[str, ...]
    source: str
    captions: bool = True

    @classmethod
    def of(cls, collection: Collection, gallery: Gallery, captions: bool = True) -> Handout:
        """Find the studies of a collection.

        Raises:
            ValueError: more than MAX_EXPORTED studies, or none that the gallery holds.
        """
        if len(collection.studies) > MAX_EXPORTED:
            raise ValueError(
                f"expected at most {MAX_EXPORTED} studies to export, got "
                f"{len(collection.studies)}; divide the collection"
            )
        found, missing = find_studies(gallery.studies, collection.studies)
        if not found:
            raise ValueError(
                "expected a collection with studies of this gallery, got none of them; choose the "
                "gallery that it was put together from"
            )
        source = gallery_name(gallery)["source"]
        return cls(collection.name, tuple(found), tuple(missing), source, captions)


def study_caption(study: Study) -> str:
    """The caption of a study's labels; age, sex and view alone where nobody has read it."""
    if study.labelled:
        return caption(study)
    return " ".join(filter(None, (demographics(study), "Not labelled.")))


def origin(study: Study) -> str:
    """Where a study comes from and under which licence, in words."""
    return ". ".join(part.rstrip(".") for part in (study.source, study.licence) if part)


def draw_handout(handout: Handout, surface: Surface) -> None:
    """Draw every page of a handout: the title, then one study a page."""
    _draw_title(handout, surface)
    for number, study in enumerate(handout.studies, 1):
        surface.page()
        _draw_study(handout, study, number, surface)


def _draw_title(handout: Handout, surface: Surface) -> None:
    width = surface.width - 4 * MARGIN
    y = _write(
        surface, handout.name, 2 * MARGIN, surface.height * 0.26, width, 34, bold=True, most=3
    )
    y += 10
    count = len(handout.studies)
    made = sum(_synthetic(study) for study in handout.studies)
    lines = [_films(count), f"Source: {handout.source}"]
    if made:
        are = "is" if made == 1 else "are"
        lines.append(f"{made} of {count} {are} synthetic: made by a generator, no patient's.")
    if handout.missing:
        lines.append(f"Left out, since this gallery lacks them: {_films(len(handout.missing))}.")
    licences = sorted({study.licence for study in handout.studies if study.licence})
    if licences:
        lines.append(f"Licence: {'; '.join(licences)}")
    for line in lines:
        y = _write(surface, line, 2 * MARGIN, y + 5, width, 15, surface.muted, most=3)
    _write(surface, NOTE, 2 * MARGIN, surface.height - 2 * MARGIN, width, 13, bold=True)


def _draw_study(handout: Handout, study: Study, number: int, surface: Surface) -> None:
    inner = surface.width - 2 * MARGIN
    top, bottom = MARGIN + 22, surface.height - MARGIN - FOOT
    place = f"{number} / {len(handout.studies)}"
    surface.text(MARGIN, MARGIN - 6, place, 12, surface.ink, True)
    left = MARGIN + surface.measure(place, 12, True) + 14
    _write(surface, handout.name, left, MARGIN - 6, inner * 0.8, 12, surface.muted, most=1)
    width = inner * 0.62 if handout.captions else inner
    _draw_image(study, MARGIN, top, width, bottom - top, surface)
    if handout.captions:
        _draw_words(study, MARGIN + width + GAP, top, inner - width - GAP, bottom, surface)
    right = surface.measure(NOTE, 9)
    _write(
        surface, origin(study), MARGIN, bottom + 12, inner - right - GAP, 9, surface.muted, most=2
    )
    surface.text(surface.width - MARGIN - right, bottom + 12, NOTE, 9, surface.muted, False)


def _draw_image(
    study: Study, x: float, y: float, width: float, height: float, surface: Surface
) -> None:
    """The image as large as it fits, in the middle, marked where no patient stood for it."""
    try:
        image = load_image(study.image) if study.image else None
    except (ValueError, OSError):
        image = None
    if image is None:
        surface.box(x, y, width, height, 0)
        said = "This film cannot be read."
        middle = x + (width - surface.measure(said, 13)) / 2
        surface.text(middle, y + height / 2, said, 13, 0.7, False)
        return
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    scale = min(width / image.width, height / image.height)
    shown = image.width * scale, image.height * scale
    left, top = x + (width - shown[0]) / 2, y + (height - shown[1]) / 2
    surface.image(image, left, top, *shown)
    if _synthetic(study):
        mark = surface.measure(MARK, 11, True) + 14
        surface.box(left + shown[0] - mark, top, mark, 21, 0)
        surface.text(left + shown[0] - mark + 7, top + 4, MARK, 11, 1, True)


def _draw_words(
    study: Study, x: float, y: float, width: float, bottom: float, surface: Surface
) -> None:
    y = _write(surface, study_caption(study), x, y, width, 15, bold=True, most=9)
    report = " ".join((study.report or "").split())
    room = int((bottom - 40 - y) / (11.5 * LINE)) - 2
    if report and room > 0:
        y = _write(surface, "Report", x, y + 12, width, 11.5, surface.muted)
        _write(surface, report, x, y + 2, width, 11.5, most=room)
    _write(surface, f"Film {study.id}", x, bottom - 16, width, 10, surface.muted, most=1)


def _write(
    surface: Surface,
    text: str,
    x: float,
    y: float,
    width: float,
    size: float,
    grey: float | None = None,
    bold: bool = False,
    most: int = 40,
) -> float:
    """Write a text in lines no wider than `width`, at most `most`, and return where it ends."""
    lines = list(_lines(surface, text, width, size, bold))
    if len(lines) > most:
        last = lines[most - 1]
        while last and surface.measure(last + "…", size, bold) > width:
            last = last[:-1]
        lines = [*lines[: most - 1], last.rstrip() + "…"]
    for line in lines:
        surface.text(x, y, line, size, surface.ink if grey is None else grey, bold)
        y += size * LINE
    return y


def _lines(surface: Surface, text: str, width: float, size: float, bold: bool) -> Iterator[str]:
    """Break a text between words, and inside of one that is wider than a line."""
    line = ""
    for word in text.split():
        joined = f"{line} {word}".strip()
        if surface.measure(joined, size, bold) <= width:
            line = joined
            continue
        if line:
            yield line
        line = ""
        for letter in word:
            if line and surface.measure(line + letter, size, bold) > width:
                yield line
                line = ""
            line += letter
    if line:
        yield line


def _synthetic(study: Study) -> bool:
    return study.source.startswith(SYNTHETIC)


def _films(count: int) -> str:
    return f"{count} film{'' if count == 1 else 's'}"
