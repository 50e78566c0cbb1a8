"""The middle of the Search tab as HTML: the first page, the films found, and their empty states."""

from __future__ import annotations

from html import escape

from cxr.tabs.search.state import MOST, PAGE, Asked, SearchState
from cxr.tabs.services import Facts, Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.errors import message_of
from cxr.tabs.shared.image_urls import inline

TILES = 12


def results(room: SearchState, services: Services) -> str:
    """The films of the last search, or what to do when there are none; "" before the first."""
    if room.asked is None:
        return ""
    if not room.matches:
        return _heading(room) + _state(
            "No film passes these filters.",
            "Take a filter away and the search runs again. A film whose age, sex, view or label "
            "is not known passes no filter on it.",
        )
    cards = "".join(_card(i, room, services) for i in range(len(room.matches)))
    return f'{_heading(room)}<ul class="films">{cards}</ul>{_more(room)}'


def welcome(services: Services) -> str:
    """Before the first search: a film for each of the commonest findings, or the one line to read
    when the gallery or the model is missing.
    """
    if problem := services.missing():
        return _state("The shelves are empty.", problem, kind="setup")
    try:
        facts = services.facts()
    except ValueError as error:
        return _state("The shelves cannot be opened.", message_of(error), kind="setup")
    if not facts.findings:
        return _state(
            f"{facts.total:,} films, none of them labelled.",
            "Search in words, or show a film to find others like it.",
        )
    tiles = "".join(_tile(name, count, facts, services) for name, count in facts.findings[:TILES])
    return (
        f'<div class="results-head"><div><h2>Start from a finding</h2><p class="found">'
        f"{facts.total:,} films in this gallery</p></div></div>"
        f'<ul class="films tiles">{tiles}</ul>'
    )


def waiting(sentence: str) -> str:
    """While a search runs: its sentence and the outlines of the films to come."""
    card = '<li><div class="card ghost"><div class="film"></div><p></p><p></p></div></li>'
    return (
        f'<div class="results-head" role="status"><h2 class="waiting">{escape(sentence)}</h2></div>'
        f'<ul class="films" aria-hidden="true">{card * PAGE}</ul>'
    )


def _state(title: str, line: str, kind: str = "") -> str:
    return (
        f'<div class="state {kind}" role="status"><h2>{escape(title)}</h2>'
        f"<p>{escape(line)}</p></div>"
    )


def question(asked: Asked) -> str:
    """What was asked, in words. Plain text."""
    return f"“{asked.text}”" if asked.film is None else f"Films like {asked.source}"


def _heading(room: SearchState) -> str:
    asked = room.asked
    count = len(room.matches)
    found = f"{count} film{'' if count == 1 else 's'}, most similar first" if count else ""
    picture = (
        "" if asked.film is None else f'<img class="asked" alt="" src="{inline(asked.film, 96)}">'
    )
    back = '<button type="button" class="quiet" data-act="back">Back</button>' if room.trail else ""
    conditions = "".join(
        f'<span class="chip filter">{escape(words)}</span>'
        for words in words.conditions(asked.where)
    )
    if conditions:
        conditions += (
            '<button type="button" class="link" data-act="unfilter">Clear filters</button>'
        )
    title = escape(question(asked))
    return (
        f'<div class="results-head">{back}{picture}<div><h2 class="asked-for">{title}</h2>'
        f'<p class="found" role="status">{found}{conditions}</p></div></div>{_warning(asked)}'
    )


def _warning(asked: Asked) -> str:
    if not asked.warning:
        return ""
    return (
        f'<div class="gate" role="alert"><p><strong>{escape(asked.warning)}</strong></p>'
        "<p>The films below are the least unlike it, which may mean nothing.</p></div>"
    )


def _card(index: int, room: SearchState, services: Services) -> str:
    match = room.matches[index]
    study = match.study
    similarity = services.similarity(match)
    person = words.person(study) or "view, age and sex not known"
    said = f"{words.summary(study)}; {person}; {similarity[0]}"
    chips = words.chips(study, room.asked.text, words.CHIPS)
    chosen = ' aria-current="true"' if index == room.selected else ""
    return (
        f'<li><button type="button" class="card" data-act="open" data-index="{index}"{chosen} '
        f'aria-label="Open film {index + 1}: {escape(said)}">'
        f"{_film(study, services)}"
        f'<span class="about"><span class="chips">{chips}</span>'
        f'<span class="person">{escape(person)}</span>{words.meter(similarity)}</span>'
        "</button></li>"
    )


def _film(study, services: Services) -> str:
    address = services.films.address(study, "small")
    picture = f'<img src="{address}" alt="" loading="lazy" decoding="async">' if address else ""
    return f'<span class="film">{picture}{words.badge(study)}</span>'


def _tile(finding: str, count: int, facts: Facts, services: Services) -> str:
    films = "1 film" if count == 1 else f"{count:,} films"
    return (
        f'<li><button type="button" class="card" data-query="{escape(finding)}">'
        f"{_film(facts.examples[finding], services)}"
        f'<span class="about"><strong>{escape(finding)}</strong>'
        f'<span class="person">{films}</span></span></button></li>'
    )


def _more(room: SearchState) -> str:
    if len(room.matches) < room.asked.k or room.asked.k >= MOST:
        return ""
    return '<button type="button" class="quiet more" data-act="more">Show more films</button>'
