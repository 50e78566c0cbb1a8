"""The Read tab's film as HTML: how to bring one, the film, and a second beside it to compare."""

from __future__ import annotations

from html import escape

from cxr.tabs.read.state import REPORT, Beside, ReadState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.viewer import stage, tools

READING, LOOKING = "Reading the film…", "Looking where it is…"
LOADING = "Loading the model; the first film takes a few seconds…"


def pane(box: ReadState, services: Services) -> str:
    """The film on its stage; without a film, how to bring one."""
    if box.film is None:
        return start(services)
    beside = "" if box.beside is None else _second(box.beside)
    kind = "viewer comparing" if box.beside else "viewer"
    return (
        f'<section class="{kind}" aria-label="Film to read" data-key="{box.key}">{_bar(box)}'
        f'<div class="stages">{_first(box, services)}{beside}</div>{tools(bool(box.heat))}'
        "</section>"
    )


def start(services: Services) -> str:
    """The tab without a film."""
    if problem := services.unreadable():
        return _state("No film can be read yet.", problem, "setup")
    return _state(
        "Bring a film, get a second pair of eyes",
        "Drop it here, paste it, or choose a file: PNG, JPEG, TIFF, WebP or DICOM. You get likely "
        "findings with honest probabilities, a report to edit, and what each sentence rests on. "
        "The film stays in memory, for you alone, and goes when you leave the page.",
        "bring",
    )


def _state(title: str, line: str, kind: str) -> str:
    return (
        f'<div class="state {kind}" role="status"><h2>{escape(title)}</h2>'
        f"<p>{escape(line)}</p></div>"
    )


def _bar(box: ReadState) -> str:
    alone = (
        '<button type="button" class="quiet" data-act="alone">End comparison</button>'
        if box.beside
        else ""
    )
    title = f"{box.source} and {_lower(box.beside.source)}" if box.beside else box.source
    return (
        f'<header class="viewer-bar"><h2 tabindex="-1">{escape(title)}</h2>{alone}'
        '<button type="button" class="quiet" data-act="away">Another film</button></header>'
    )


def _first(box: ReadState, services: Services) -> str:
    top = words.person(box.study) if box.study else ""
    badge = words.badge(box.study) if box.study else ""
    if box.heat:
        top = "\n".join(filter(None, (top, f"Heat map: {box.finding}")))
    said = f"{box.source}, with a heat map of {box.finding}" if box.heat else box.source
    return stage(box.picture, said, top or box.source, badge, box.heat, _note(box, services))


def _second(beside: Beside) -> str:
    study = beside.study
    if study is None:
        return stage(beside.picture, beside.source, beside.source)
    top = "\n".join(filter(None, (words.person(study), words.summary(study))))
    return stage(
        beside.picture, f"{beside.source}: {words.summary(study)}", top, words.badge(study)
    )


def _note(box: ReadState, services: Services) -> str:
    if not box.wanted:
        return ""
    if box.wanted != REPORT:
        return LOOKING
    return READING if services.suggester.ready else LOADING


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
