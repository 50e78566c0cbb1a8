"""Studies like the film that is read, and in what they are like it."""

from __future__ import annotations

from html import escape

from cxr.findings import Study
from cxr.tabs.read.findings import raised
from cxr.tabs.read.state import ReadState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words

NEAR_AGE = 10  # years between two people of much the same age


def similar(box: ReadState, services: Services) -> str:
    """The studies, most similar first; "" before a film was read, or when it was refused."""
    if box.suggestion is None or box.withheld:
        return ""
    head = "<h3>Similar studies</h3>"
    if not box.similar:
        line = services.missing() or "This gallery holds no other film."
        return f'<section class="read-similar">{head}<p>{escape(line)}</p></section>'
    unknown = (
        ""
        if box.study
        else "The view and age of your film are not known, so only findings are compared. "
    )
    cards = "".join(_card(index, box, services) for index in range(len(box.similar)))
    return (
        f'<section class="read-similar" aria-label="Similar studies">{head}'
        f'<p class="hint">{unknown}Choose one to see it beside the film.</p>'
        f'<ul class="films">{cards}</ul></section>'
    )


def why(study: Study, box: ReadState) -> str:
    """In what a study is like the film: findings, view, age. Plain text."""
    suggested = raised(box)
    shared = [name for name in suggested if study.findings.get(name) == 1]
    if shared:
        reasons = [f"both show {', '.join(shared)}"]
    elif study.labelled and not suggested and not study.positive:
        reasons = ["neither shows a finding"]
    elif study.labelled:
        reasons = ["no finding in common; it looks alike"]
    else:
        reasons = ["not labelled; it looks alike"]
    if box.study:
        reasons += _person(study, box.study)
    text = "; ".join(reasons)
    return text[0].upper() + text[1:]


def _person(one: Study, other: Study) -> list[str]:
    if one.patient == other.patient and one.source == other.source:
        return ["the same patient"]
    reasons = [f"the same view, {words.VIEW[one.view]}"] if one.view == other.view != None else []  # noqa: E711
    if one.age is not None and other.age is not None:
        apart = abs(one.age - other.age)
        if apart <= NEAR_AGE:
            years = "1 year" if apart == 1 else f"{apart} years"
            reasons.append("the same age" if apart == 0 else f"{years} apart in age")
    return reasons


def _card(index: int, box: ReadState, services: Services) -> str:
    match = box.similar[index]
    study = match.study
    reason, similarity = why(study, box), services.similarity(match)
    person = words.person(study) or "view, age and sex not known"
    said = f"{words.summary(study)}; {person}; {similarity[0]}. {reason}"
    chosen = box.beside is not None and box.beside.study is study
    current = ' aria-current="true"' if chosen else ""
    address = services.images.address(study, "small")
    return (
        f'<li><button type="button" class="card" data-act="compare" data-index="{index}"{current} '
        f'aria-label="Compare with film {escape(study.id)}: {escape(said)}">'
        f'<span class="film"><img src="{address}" alt="" loading="lazy" decoding="async">'
        f"{words.badge(study)}</span>"
        f'<span class="about"><span class="chips">{words.chips(study, most=words.CHIPS)}</span>'
        f'<span class="person">{escape(person)}</span>'
        f'<span class="because">{escape(reason)}</span>{words.meter(similarity)}</span>'
        "</button></li>"
    )
