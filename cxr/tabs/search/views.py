"""The Search tab as HTML: the first page, the results, and the open image with what is known of it.

Only "more like this", the heat map and the step to another image ask the server.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from cxr.findings import FINDINGS, Study, caption, demographics
from cxr.retrieval import AGE_BAND, MATCHED, REGIONS
from cxr.tabs.search.links import write_place
from cxr.tabs.search.query_notes import notes_of
from cxr.tabs.search.state import MAX_RESULTS, PAGE_SIZE, SearchQuery, SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.errors import message_of
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.viewer import HEAT_LIMITS, stage, tools

if TYPE_CHECKING:
    from cxr.retrieval import Match

render = renderer(Path(__file__).parent)

TILE_COUNT = 12  # findings to start from
QUERY_LENGTH = 32  # characters of the query on a button


def welcome(services: Services) -> Markup:
    """Before the first search: an image for each of the commonest findings.

    Where the gallery or the model is missing, one line that says what to do.
    """
    if problem := services.missing():
        return render("welcome.html", title="No gallery found.", line=problem, kind="setup")
    try:
        facts = services.facts()
    except ValueError as error:
        line = message_of(error)
        return render("welcome.html", title="The gallery cannot be read.", line=line, kind="setup")
    if not facts.findings:
        return render(
            "welcome.html",
            title=f"{facts.total:,} films, none of them labelled.",
            line="Search in words, or show a film to find others like it.",
            kind="",
        )
    tiles = [
        {
            "finding": finding,
            "count": count,
            "study": study_text.card(facts.examples[finding], services.images),
        }
        for finding, count in facts.findings[:TILE_COUNT]
    ]
    return render("welcome.html", title="", tiles=tiles, total=facts.total)


def waiting(sentence: str) -> Markup:
    """While a search runs: its sentence and the outlines of the cards to come."""
    return render("waiting.html", sentence=sentence, count=PAGE_SIZE)


def results(state: SearchState, services: Services) -> Markup:
    """The matches of the last search, or what to do when there are none; "" before the first."""
    query = state.query
    if query is None:
        return Markup()
    cards = [
        study_text.card(match.study, services.images, query.text) | _why(query, match, services)
        for match in state.matches
    ]
    nearest = any(one.kind == "nearest" for match in state.matches for one in match.evidence)
    return render(
        "results.html",
        query=query,
        cards=cards,
        selected=state.selected,
        back=bool(state.history),
        more=query.k <= len(cards) < (query.total or MAX_RESULTS) and query.k < MAX_RESULTS,
        found=_found(query, len(cards), nearest),
        nearest=nearest,
        child=_asks_for_a_child(query),
        unlabelled=_not_labelled(query, state.matches, services),
        reading=notes_of(query, query.evidence == "image" and _unread(services)),
        asked=query.understood.query.present if query.understood else (),
        note=state.note,
        place=write_place(state),
        controls=json.dumps(state.controls),
        link=state.link,
        picture="" if query.image is None else inline(query.image, 96),
        conditions=study_text.conditions(query.where),
        matching=_matching(query, services),
        regions=_regions(query, services),
    )


def _unread(services: Services) -> bool:
    retriever = services.retriever()
    return retriever.heads is not None and not retriever.reads_findings


def _not_labelled(
    query: SearchQuery, matches: Sequence[Match], services: Services
) -> tuple[str, ...]:
    """The findings asked for, where no film is labelled with one and none was found by words."""
    if query.understood is None or query.by_look:
        return ()
    labelled = {name for name, _ in services.facts().findings}
    asked = query.understood.query.present
    if labelled.intersection(asked):
        return ()
    kinds = {one.kind for match in matches for one in match.evidence}
    return asked if kinds == {"image"} else ()


def _asks_for_a_child(query: SearchQuery) -> bool:
    """Whether a text asks for somebody under 18 and nobody else."""
    oldest = query.understood.query.age_max if query.understood else None
    return oldest is not None and oldest < 18


def detail(state: SearchState, services: Services, waiting: str = "") -> Markup:
    """The open image with its tools and facts; "" when none is open. `waiting` is said over it."""
    match = state.open
    if match is None or state.query is None:
        return Markup()
    study = match.study
    person = study_text.person(study)
    said = "; ".join(filter(None, (study_text.summary(study), person)))
    image = stage(
        services.images.address(study),
        f"Chest X-ray: {said}",
        person,
        study_text.badge(study),
        state.heat_map,
        waiting,
    )
    return render(
        "detail.html",
        number=(state.selected or 0) + 1,
        total=len(state.matches),
        index=state.selected,
        image=image,
        tools=tools(bool(state.heat_map)),
        heat_map=bool(state.heat_map),
        heat_limits=HEAT_LIMITS,
        waiting=bool(waiting),
        text=_short(state.query.text),
        report=_report(study),
        study=study,
        absent=[name for name in FINDINGS[1:] if study.findings.get(name) == 0],
        rows=_facts(study),
        chips=study_text.chips(study, state.query.text),
        contrasts=_contrasts(study, services),
        places=services.retriever().gallery.places is not None,
        **_why(state.query, match, services),
    )


def _why(query: SearchQuery, match: Match, services: Services) -> dict[str, Any]:
    """Why a study is among the matches: the evidence in words, or how similar it is by look.

    The similarity is left out where the order follows something else and would contradict it.
    """
    said = () if query.by_look else match.evidence
    texts = [one.text for one in said if one.kind != "nearest"]
    if said and not texts:
        texts = ["comes nearest"]
    meter = not texts and not query.browses
    return {"evidence": texts, "similarity": services.similarity(match) if meter else None}


def _matching(query: SearchQuery, services: Services) -> list[dict[str, Any]]:
    """What a search for images like a study can be matched for, and whether it is."""
    if not query.exclude:
        return []
    studies = services.retriever().gallery.studies
    study = next((one for one in studies if one.id == query.exclude), None)
    known = {} if study is None else {name: getattr(study, name) for name in MATCHED}
    words = {"sex": study_text.SEX, "view": study_text.VIEW}
    return [
        {
            "name": name,
            "label": f"{words[name][value]}" if name in words else f"{value} ± {AGE_BAND} years",
            "on": name in query.matched,
        }
        for name, value in known.items()
        if value is not None
    ]


def _regions(query: SearchQuery, services: Services) -> list[dict[str, Any]]:
    """The regions that a search by an image may be narrowed to; [] where the gallery has none."""
    if query.image is None or services.retriever().gallery.places is None:
        return []
    return [{"name": name, "on": name == query.region} for name in ("", *REGIONS)]


def _contrasts(study: Study, services: Services) -> list[dict[str, Any]]:
    """Studies of a like person that show something else, as cards with what they show."""
    return [
        {"id": one.study.id, "text": one.evidence[0].text}
        | study_text.card(one.study, services.images)
        for one in services.retriever().contrast(study)
    ]


def _found(query: SearchQuery, shown: int, nearest: bool) -> str:
    """How many films are shown, of how many, in which order."""
    films = f"{shown:,} film{'' if shown == 1 else 's'}"
    if query.only:
        return "as the link names it"
    if query.browses:
        total = query.total or shown
        return films if total == shown else f"{shown:,} of {total:,} films"
    if nearest:
        return f"{films}, the nearest first"
    return f"{films}, {'most similar' if query.by_look or query.image else 'best match'} first"


def _facts(study: Study) -> list[tuple[str, str]]:
    """What is known of a study besides its findings: (name, value), both plain text."""
    rows = [
        ("View", _view(study)),
        ("Patient", _patient(study)),
        ("Source", ". ".join(filter(None, (study.source, study.licence)))),
    ]
    return [row for row in rows if row[1]]


def _report(study: Study) -> tuple[str, str, str]:
    """A heading, a note beside it and the report; without one, the caption of the labels."""
    if study.report and study.report.strip():
        return "Report", "", study.report.strip()
    note = "Written from the film's labels" if study.labelled else "Not labelled"
    text = caption(study) if study.labelled else demographics(study)
    return "Caption", f"{note}; there is no report", text


def _view(study: Study) -> str:
    if study.view is None:
        return ""
    return f"{study_text.VIEW[study.view]}: {study_text.VIEW_MEANING[study.view]}"


def _patient(study: Study) -> str:
    age = "" if study.age is None else f"{study.age} years"
    return ", ".join(filter(None, (age, study_text.SEX.get(study.sex or "", ""))))


def _short(text: str) -> str:
    return text if len(text) <= QUERY_LENGTH else text[: QUERY_LENGTH - 1].rstrip() + "…"
