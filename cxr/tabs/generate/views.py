"""The Generate tab's films as HTML; assets/generate.js slides through them.

Every picture that leaves here carries the mark in its pixels, so that none can be saved without.
"""

from __future__ import annotations

import json
from html import escape

from cxr.images import corner_mark
from cxr.tabs.generate.state import STEPS, GenerateState, Look, Wish
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.page_frame import NOTE

MARK = "SYNTHETIC"
DRAWING = "Generating the films…"
_LAYOUTS = (("one", "One film"), ("grid", "All films"))
_BADGE = '<span class="badge">synthetic</span>'


def pane(studio: GenerateState, services: Services, busy: str = "") -> str:
    """The films, the one that is looked at and what is known of it; before any, what this does."""
    if problem := services.generator.missing():
        return _state("Nothing can be generated yet.", problem, "setup")
    if busy == DRAWING:
        line = "" if services.generator.ready else "The model is loaded first: a few seconds."
        return _state(busy, line, "waiting")
    if studio.wish is None:
        return _state(
            "No patient stood for these films",
            "Type a finding and a model draws films that show it, each of them different. Slide "
            "through them, or from a normal film to the finding. They are 128 pixels wide and for "
            "teaching alone.",
            "",
        )
    return (
        f'<section class="made" aria-label="Generated films" {_data(studio)}>'
        f"{_stage(studio, busy)}"
        f'<div class="made-side">{_side(studio, services)}</div></section>'
    )


def address(film) -> str:
    """A generated film as the page gets it: data: address of a PNG with the mark in it."""
    return inline(corner_mark(film, MARK))


def _state(title: str, line: str, kind: str) -> str:
    return (
        f'<div class="state {kind}" role="status"><h2>{escape(title)}</h2>'
        f"<p>{escape(line)}</p></div>"
    )


def _data(studio: GenerateState) -> str:
    wish = studio.wish
    values = {
        "run": f"{wish.text} {wish.start} {wish.count} {wish.seed} {wish.truncation}",
        "index": studio.index,
        "films": json.dumps([address(film) for film in studio.films]),
        "path": json.dumps(studio.look.path) if studio.look else "",
        "text": wish.text,
        "note": f"{MARK}. No patient. {NOTE}",
    }
    return " ".join(f'data-{name}="{escape(str(value))}"' for name, value in values.items())


def _stage(studio: GenerateState, busy: str) -> str:
    count = len(studio.films)
    grid = "".join(
        f'<li><button type="button" class="card" data-act="choose" data-index="{index}" '
        f'aria-label="Film {index + 1} of {count}, generated"><span class="film">'
        f'<img alt="" src="{address(film)}"></span></button></li>'
        for index, film in enumerate(studio.films)
    )
    wish = studio.wish
    return (
        '<div class="made-main"><div class="made-one"><div class="made-film">'
        '<canvas role="img" width="1024" height="1024" aria-label="Generated film"></canvas>'
        f'<span class="corner top right">{_BADGE}</span>'
        '<span class="corner low right" data-show="place"></span>'
        f'<p class="stage-note" role="status">{escape(busy)}</p></div>'
        f"{_slider('film', 'Film', 0, count - 1, f'1 of {count}')}"
        f"{_slider('step', 'Finding', 0, STEPS - 1, '', not studio.look)}"
        f'<p class="ends"><span>{escape(_start(wish))}</span><span>{escape(_short(wish.text))}'
        "</span></p></div>"
        f'<ul class="films made-grid">{grid}</ul></div>'
    )


def _slider(name: str, label: str, low: int, high: int, said: str, off: bool = False) -> str:
    return (
        f'<label class="slider"><span>{label}</span><input type="range" data-slider="{name}" '
        f'min="{low}" max="{high}" step="1" {"disabled" if off else ""}>'
        f"<output>{said}</output></label>"
    )


def _start(wish: Wish) -> str:
    return _short(wish.start) if wish.start else "a normal film"


def _side(studio: GenerateState, services: Services) -> str:
    wish = studio.wish
    rows = [
        ("Text", escape(wish.text)),
        ("Slides from", escape(wish.origin)),
        ("Seed", str(wish.seed)),
        ("Truncation", f"{wish.truncation:g}"),
        ("Resolution", "128 × 128 pixels, shown enlarged; a real film has some 2,500 a side"),
    ]
    layouts = "".join(
        f'<button type="button" class="seg" data-layout="{name}" aria-pressed="false">{said}'
        "</button>"
        for name, said in _LAYOUTS
    )
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return (
        f'<div class="made-bar"><h2 tabindex="-1">{escape(_short(wish.text, 120))}</h2>'
        f'<div class="segments" role="group" aria-label="How the films are shown">{layouts}</div>'
        "</div>"
        f"{_copied(studio.look)}{_near(studio.look, services)}"
        '<div class="actions"><button type="button" class="strong" data-act="save">Download this '
        'film</button><button type="button" class="plain" data-act="sheet">Download all</button>'
        f'</div><dl class="facts">{listed}</dl>'
    )


def _copied(look: Look | None) -> str:
    if look is None:
        return '<p class="check"><strong class="waiting">Comparing…</strong></p>'
    title, kind = {
        True: ("Too near to a training film", "bad"),
        False: ("Not a copy", "good"),
        None: ("Copy check", "open"),
    }[look.copied]
    return (
        f'<p class="check {kind}"><strong>{title}</strong> <span>{escape(look.copied_said)}</span>'
        "</p>"
    )


def _near(look: Look | None, services: Services) -> str:
    head = "<h3>The nearest real film</h3>"
    if look is None:
        body = '<p class="waiting">Looking through the gallery…</p>'
    elif look.near is None:
        body = f"<p>{escape(look.near_said)}</p>"
    else:
        study = look.near.study
        person = words.person(study) or "view, age and sex not known"
        body = (
            '<div class="near-row"><figure class="film">'
            f'<img alt="A real film: {escape(words.summary(study))}" '
            f'src="{services.films.address(study, "small")}"></figure>'
            f'<div><span class="chips">{words.chips(study)}</span>'
            f'<p class="person">{escape(person)}</p>'
            f"{words.meter(services.similarity(look.near))}"
            f'<p class="person">{escape(study.source)}</p></div></div>'
        )
    return f'<div class="near">{head}{body}</div>'


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
