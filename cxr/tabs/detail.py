"""The open film as HTML: the viewer, whose picture assets/viewer.js draws, and what is known of it.

Window, level, zoom and the heat map's opacity change in the browser; only "more like this", the
heat map and the step to another film ask the server.
"""

from __future__ import annotations

from html import escape

from cxr.findings import FINDINGS, Study, caption, demographics
from cxr.tabs import words
from cxr.tabs.room import Room
from cxr.tabs.services import Services

_PRESETS = (
    ("full", "As stored", "every grey level of the file"),
    ("lungs", "Lungs", "more contrast in the dark parts of the film"),
    ("middle", "Heart and spine", "more contrast in the bright parts of the film"),
    ("crisp", "Contrast", "the middle of the grey levels, stretched"),
)


def detail(room: Room, services: Services, waiting: str = "") -> str:
    """The pane of the open film; "" when none is open. `waiting` is said over the film."""
    match = room.open
    if match is None:
        return ""
    study = match.study
    return (
        f'<section class="viewer" aria-label="Open film" '
        f'data-film="{services.films.address(study)}" data-index="{room.selected}">'
        f"{_bar(room)}{_stage(room, study, waiting)}{_tools(bool(room.heat))}"
        f"{_actions(room, bool(waiting))}"
        f"{_facts(study, services.similarity(match), room)}</section>"
    )


def _bar(room: Room) -> str:
    last = len(room.matches) - 1
    first_off = "disabled" if room.selected == 0 else ""
    last_off = "disabled" if room.selected == last else ""
    return (
        f'<header class="viewer-bar"><h2 tabindex="-1">Film {room.selected + 1} '
        f'<span class="of">of {last + 1}</span></h2>'
        f'<button type="button" class="quiet" data-act="step" data-by="-1" {first_off} '
        'aria-label="Previous film">&#8592;</button>'
        f'<button type="button" class="quiet" data-act="step" data-by="1" {last_off} '
        'aria-label="Next film">&#8594;</button>'
        '<button type="button" class="quiet" data-act="close">Close</button></header>'
    )


def _stage(room: Room, study: Study, waiting: str) -> str:
    person = words.person(study)
    said = "; ".join(filter(None, (words.summary(study), person)))
    heat = f'<img class="heat" alt="" src="{room.heat}">' if room.heat else ""
    return (
        f'<div class="stage" tabindex="0" role="group" aria-label="Chest X-ray: {escape(said)}. '
        'Plus and minus zoom, arrows move, I inverts, 0 fits.">'
        f'<div class="stack"><canvas></canvas>{heat}</div>'
        f'<span class="corner top">{escape(person)}</span>'
        f'<span class="corner top right">{words.badge(study)}</span>'
        '<span class="corner low" data-show="zoom"></span>'
        '<span class="corner low right" data-show="window"></span>'
        f'<p class="stage-note" role="status">{escape(waiting)}</p></div>'
    )


def _tools(heat: bool) -> str:
    presets = "".join(
        f'<button type="button" class="seg" data-preset="{name}" title="{title}" '
        f'aria-pressed="false">{label}</button>'
        for name, label, title in _PRESETS
    )
    opacity = _slider("heat", "Heat map", 0, 100) if heat else ""
    return (
        '<div class="tools">'
        f'<div class="segments" role="group" aria-label="Window presets">{presets}</div>'
        f"{_slider('window', 'Window', 1, 255)}{_slider('level', 'Level', 0, 255)}{opacity}"
        '<div class="segments" role="group" aria-label="Zoom and picture">'
        '<button type="button" class="seg" data-tool="out" aria-label="Zoom out">&#8722;</button>'
        '<button type="button" class="seg" data-tool="in" aria-label="Zoom in">+</button>'
        '<button type="button" class="seg" data-tool="fit">Fit</button>'
        '<button type="button" class="seg" data-tool="invert" aria-pressed="false">Invert</button>'
        '<button type="button" class="seg" data-tool="screen">Full screen</button>'
        '</div><p class="hint">Drag to move when zoomed in. Shift and drag for window and level.'
        "</p></div>"
    )


def _slider(name: str, label: str, low: int, high: int) -> str:
    return (
        f'<label class="slider"><span>{label}</span><input type="range" data-slider="{name}" '
        f'min="{low}" max="{high}" step="0.5"><output></output></label>'
    )


def _actions(room: Room, off: bool) -> str:
    disabled = "disabled" if off else ""
    heat = ""
    if room.asked.text:
        asked = _short(room.asked.text)
        shown = "Hide the heat map" if room.heat else f"Where “{asked}” matched"
        heat = (
            f'<button type="button" class="plain" data-act="heat" {disabled}>'
            f"{escape(shown)}</button>"
        )
    return (
        '<div class="actions"><button type="button" class="strong" data-act="similar" '
        f"{disabled}>More like this</button>{heat}"
        f'<button type="button" class="plain" data-act="locate" {disabled}>Locate here</button>'
        "</div>"
    )


def _facts(study: Study, similarity: tuple[str, int], room: Room) -> str:
    absent = [name for name in FINDINGS[1:] if study.findings.get(name) == 0]
    rows = [
        ("Findings", f'<span class="chips">{words.chips(study, room.asked.text)}</span>'),
        ("Labelled absent", escape(", ".join(absent))),
        ("Similarity", words.meter(similarity)),
        ("View", escape(_view(study))),
        ("Patient", escape(_patient(study))),
        ("Source", escape(". ".join(filter(None, (study.source, study.licence))))),
        ("Film", f"<code>{escape(study.id)}</code>"),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value)
    return f'{_text(study)}<dl class="facts">{listed}</dl>'


def _text(study: Study) -> str:
    if study.report and study.report.strip():
        return (
            '<div class="report"><h3>Report</h3>'
            f'<p class="prose-text">{escape(study.report.strip())}</p></div>'
        )
    text = caption(study) if study.labelled else demographics(study)
    if not text:
        return ""
    note = "Written from the film's labels" if study.labelled else "Not labelled"
    return (
        f'<div class="report"><h3>Caption <span>{note}; there is no report</span></h3>'
        f'<p class="prose-text">{escape(text)}</p></div>'
    )


def _view(study: Study) -> str:
    if study.view is None:
        return ""
    return f"{words.VIEW[study.view]}: {words.VIEW_MEANING[study.view]}"


def _patient(study: Study) -> str:
    age = "" if study.age is None else f"{study.age} years"
    return ", ".join(filter(None, (age, words.SEX.get(study.sex, ""))))


def _short(text: str, most: int = 32) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
