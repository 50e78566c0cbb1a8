"""The film open in the Search tab as HTML: its stage, and what is known of it.

Only "more like this", the heat map and the step to another film ask the server.
"""

from __future__ import annotations

from html import escape

from cxr.findings import FINDINGS, Study, caption, demographics
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.viewer import HEAT_LIMITS, stage, tools


def detail(room: SearchState, services: Services, waiting: str = "") -> str:
    """The pane of the open film; "" when none is open. `waiting` is said over the film."""
    match = room.open
    if match is None:
        return ""
    study = match.study
    return (
        f'<section class="viewer" aria-label="Open film" '
        f'data-index="{room.selected}">'
        f"{_bar(room)}{_film(room, services, waiting)}{_limits(room)}{tools(bool(room.heat))}"
        f"{_actions(room, bool(waiting))}"
        f"{_facts(study, services.similarity(match), room)}</section>"
    )


def _bar(room: SearchState) -> str:
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


def _film(room: SearchState, services: Services, waiting: str) -> str:
    study = room.open.study
    person = words.person(study)
    said = "; ".join(filter(None, (words.summary(study), person)))
    address = services.films.address(study)
    return stage(address, f"Chest X-ray: {said}", person, words.badge(study), room.heat, waiting)


def _limits(room: SearchState) -> str:
    return f'<p class="heat-limits">{HEAT_LIMITS}</p>' if room.heat else ""


def _actions(room: SearchState, off: bool) -> str:
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
        '<div class="actions pairs"><button type="button" class="strong" data-act="similar" '
        f"{disabled}>More like this</button>{heat}"
        f'<button type="button" class="plain" data-act="read" {disabled}>Read it</button>'
        f'<button type="button" class="plain" data-act="locate" {disabled}>Locate here</button>'
        "</div>"
    )


def _facts(study: Study, similarity: tuple[str, int], room: SearchState) -> str:
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
