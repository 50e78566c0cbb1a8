"""Handlers of the Search tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from PIL import Image

from cxr.gallery import Where
from cxr.images import heat_colors, heat_opacity
from cxr.language import describe, without
from cxr.retrieval import EVIDENCE, MATCHED, Match, checked_query, read_region
from cxr.tabs.search.links import read_place
from cxr.tabs.search.query_notes import understand
from cxr.tabs.search.state import MAX_RESULTS, PAGE_SIZE, SearchQuery, SearchState
from cxr.tabs.search.views import detail, results, waiting, welcome
from cxr.tabs.services import Services, finding_choices
from cxr.tabs.shared import study_text
from cxr.tabs.shared.errors import notice
from cxr.tabs.shared.image_urls import inline, study_image
from cxr.tabs.shared.uploads import read_upload
from cxr.tabs.shared.wiring import Answer, answer, event_item, event_value

if TYPE_CHECKING:
    from cxr.findings import Study

BY_LOOK = EVIDENCE[1]
STALE_QUERY = "That search is no longer on the page; type what you are looking for."

SEARCHING, LOOKING = "Searching the gallery…", "Looking where it is…"
LOADING = "Loading the model; the first search takes a few seconds…"
HEAT_MAP_SIDE = 384  # pixels of a heat map; it is smooth, and stretched over its image


class SearchHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        """Serve from the models and the gallery of `services`."""
        self.services = services

    def welcome(self) -> str:
        """What stands where the results will be before anything was asked."""
        return welcome(self.services)

    def choices(self) -> list[Any]:
        """What the filters list: the views and findings that the gallery holds."""
        try:
            facts = self.services.facts()
        except ValueError:  # the page itself says what is missing
            return [gr.skip()] * 6
        findings = gr.update(choices=finding_choices(facts))
        views = gr.update(choices=[(study_text.VIEW[view], view) for view in facts.views])
        return [views, gr.skip(), gr.skip(), gr.skip(), findings, findings, gr.skip()]

    def search(self, state: SearchState, text: str, *filters: Any) -> SearchState:
        """Images that match findings typed in words; without words, all that pass the filters."""
        return self._ask(state, _query(filters, text=text.strip()))

    def search_by_film(self, state: SearchState, upload: str, *filters: Any) -> SearchState:
        """Images like an uploaded one; the upload is deleted as soon as it is read."""
        image = read_upload(upload)
        query = _query(filters, image=image, source="your film")
        encoded = self.services.retriever().encode(image)
        warning = self.services.ood_warning(image, encoded)
        return self._ask(state, replace(query, encoded=encoded, warning=warning))

    def more_like_this(self, state: SearchState, *filters: Any) -> SearchState:
        """Images like the open one."""
        return self._ask(state, _like(_query(filters), _open(state).study))

    def match(self, state: SearchState, event: gr.EventData) -> SearchState:
        """The last search for images like a study, matched for its view, sex or age, or not."""
        name, query = event_value(event, "name", str), state.query
        if query is None or not query.exclude or name not in MATCHED:
            raise ValueError(STALE_QUERY)
        matched = tuple(one for one in MATCHED if (one in query.matched) != (one == name))
        return self._ask(state, replace(query, matched=matched, k=PAGE_SIZE))

    def region(self, state: SearchState, event: gr.EventData) -> SearchState:
        """The last search for images like an image, by one region of it or by all."""
        name, query = event_value(event, "name", str), state.query
        if query is None or query.image is None:
            raise ValueError(STALE_QUERY)
        if name:
            read_region(name)
        return self._ask(state, replace(query, region=name, k=PAGE_SIZE))

    def like_region(self, state: SearchState, event: gr.EventData) -> SearchState:
        """Images like the open one in a box that was drawn on it, among those of the search."""
        box, last = event_value(event, "name", str), state.query or SearchQuery()
        read_region(box)
        asked = SearchQuery(where=last.where, evidence=last.evidence, region=box)
        return self._ask(state, _like(asked, _open(state).study))

    def open_contrast(self, state: SearchState, event: gr.EventData) -> SearchState:
        """The study that contrasts with the open one, alone, with the way back."""
        film = event_value(event, "name", str)
        found, query = self._find(SearchQuery(only=self._study(film).id))
        return replace(state.moved_to(query, found), selected=0)

    def open_tile(self, state: SearchState, event: gr.EventData) -> SearchState:
        """All images that are labelled with the finding of a tile, the most typical first."""
        finding = event_value(event, "name", str)
        count = dict(self.services.facts().findings).get(finding, 0)
        asked = Where(present=(finding,))
        k = min(MAX_RESULTS, max(PAGE_SIZE, count))
        return self._ask(state, SearchQuery(text=finding, where=asked, k=k))

    def drop_chip(self, state: SearchState, event: gr.EventData) -> SearchState:
        """The last search without one of the things that it was understood to ask for."""
        query = state.query
        if query is None or query.understood is None:
            raise ValueError(STALE_QUERY)
        asked = query.understood.query
        left = without(asked, event_item(event, describe(asked)))
        if not left.text and query.where == Where():
            return SearchState(history=state.moved_to(query, ()).history)
        return self._ask(
            state, SearchQuery(text=left.text, where=query.where, evidence=query.evidence)
        )

    def go_to(self, state: SearchState, event: gr.EventData) -> SearchState:
        """What an address asks for, so that a link, a reload and the way back show the same."""
        link = event_value(event, "place", str)
        place = read_place(link)
        if place.query is None:
            return SearchState(link=link, history=state.history)
        query = place.query
        if query.exclude:
            query = _like(query, self._study(query.exclude))
        if state.query == query:
            there = replace(state, selected=None, heat_map="", note="", link=link)
        else:
            query = self._encoded(query)
            found, query = self._find(query)
            there = SearchState(query, found, link=link, history=state.history)
        return self._with_film(there, place.film) if place.film else there

    def _with_film(self, state: SearchState, film: str) -> SearchState:
        """A search with one of its images open, further down if need be; or a note."""
        ids = [match.study.id for match in state.matches]
        if film not in ids and state.query is not None and not state.query.only:
            found, query = self._find(replace(state.query, k=MAX_RESULTS))
            ids = [match.study.id for match in found]
            if film in ids:
                pages = -(-(ids.index(film) + 1) // PAGE_SIZE)
                query = replace(query, k=pages * PAGE_SIZE)
                state = replace(state, query=query, matches=found[: query.k])
        if film in ids:
            return replace(state, selected=ids.index(film))
        note = (
            f"The link opens film {film[:60]}, which is not among these: "
            "the gallery has changed since the link was copied."
        )
        return replace(state, note=note)

    def _study(self, film: str) -> Study:
        """The study with an id. Raises ValueError where the gallery has none."""
        for study in self.services.retriever().gallery.studies:
            if study.id == film:
                return study
        raise ValueError(
            f"Film {film[:60]} is not in this gallery, which may be another than the link was "
            "made for. Ask in words instead."
        )

    def filter(self, state: SearchState, *filters: Any) -> SearchState | None:
        """The last search again, with other filters; before any, all that passes them.

        None where they are those of the last search, as when the keyboard walks past them: what
        has been opened meanwhile stays open.
        """
        wanted = _query(filters)
        last = state.query or SearchQuery(evidence=wanted.evidence)
        if (last.where, last.evidence) == (wanted.where, wanted.evidence):
            return None
        if last.browses and wanted.where == Where():
            return SearchState(history=state.history)
        k = last.k if last.where == wanted.where else PAGE_SIZE
        asked = replace(last, where=wanted.where, evidence=wanted.evidence, k=k, only="")
        found, query = self._find(self._encoded(asked))
        return SearchState(query, found, history=state.history)

    def more(self, state: SearchState) -> SearchState:
        """The last search with more images."""
        if state.query is None:
            return state
        query = self._encoded(replace(state.query, k=min(MAX_RESULTS, state.query.k + PAGE_SIZE)))
        found, query = self._find(query)
        return replace(state, query=query, matches=found, note="")

    def back(self, state: SearchState) -> SearchState:
        """The search before this one."""
        return state.back()

    def open_film(self, state: SearchState, event: gr.EventData) -> SearchState:
        """One of the images found, in the viewer."""
        return state.select(event_value(event, "index", int))

    def step(self, state: SearchState, event: gr.EventData) -> SearchState:
        """The image before or after the open one."""
        _open(state)
        return state.select(event_value(event, "by", int) + (state.selected or 0))

    def close_film(self, state: SearchState) -> SearchState:
        """The results alone again."""
        return state.select(None)

    def ask_heat_map(self, state: SearchState) -> Answer[str] | None:
        """Where in the open image the query matches; None where a heat map is to be hidden.

        It takes a while, in which the visitor may go on: it changes nothing on the page itself.
        """
        return None if state.heat_map else answer(_shown(state), self._heat_map, state)

    def heat_map(self, state: SearchState, answer: Answer[str] | None) -> SearchState | None:
        """The heat map over its image, or taken off again.

        None, and nothing on the page changes, when another image or search has come before it.
        """
        if answer is None:
            return replace(state, heat_map="")
        if answer.question != _shown(state):
            return None
        if answer.problem:
            raise ValueError(answer.problem)
        return replace(state, heat_map=answer.value or "")

    def _heat_map(self, state: SearchState) -> str:
        study = _open(state).study
        if state.query is None or not state.query.text:
            raise ValueError("Search for a finding in words first; then its place can be shown.")
        heat = self.services.retriever().heat_map(study_image(study), state.query.text)
        return inline(heat_layer(heat), HEAT_MAP_SIDE)

    def _ask(self, state: SearchState, query: SearchQuery) -> SearchState:
        found, query = self._find(self._encoded(query))
        return state.moved_to(query, found)

    def _encoded(self, query: SearchQuery) -> SearchQuery:
        """The query as it was read, with its vector, which further pages and filters need again."""
        if query.browses:
            if query.where == Where() and not query.only:
                checked_query(query.text)
            return query
        retriever = self.services.retriever()
        if query.text and query.evidence != BY_LOOK and query.understood is None:
            query = replace(query, understood=understand(retriever, query.text))
        if query.encoded is not None or query.exclude:
            return query
        return replace(query, encoded=retriever.encode(query.content))

    def _find(self, query: SearchQuery) -> tuple[tuple[Match, ...], SearchQuery]:
        """What a query finds, and the query with what is known of the whole."""
        retriever = self.services.retriever()
        if query.only:
            return (Match(self._study(query.only), 0.0),), query
        if query.browses:
            rows = retriever.gallery.passing(query.where)
            studies = [retriever.gallery.studies[row] for row in rows[: query.k]]
            return tuple(Match(study, 0.0) for study in studies), replace(query, total=len(rows))
        if query.exclude:
            study = self._study(query.exclude)
            alike = retriever.similar(
                study, query.k, query.where, query.evidence, query.matched, query.region
            )
            return tuple(alike), query
        asked = query.encoded or query.content
        if query.region:
            place = {"region": query.region}
            return tuple(retriever.similar(asked, query.k, query.where, **place)), query
        found = retriever.search(asked, query.k, query.where, query.evidence)
        return tuple(found), query

    def show_filtered(self, state: SearchState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of filter: as show, but for None the message goes."""
        said, *rest = self.show(state, message, busy)
        return (notice("") if state is None else said, *rest)

    def show_looking(self, state: SearchState) -> str:
        """The open image while its heat map is computed."""
        return detail(state, self.services, "" if state.heat_map else LOOKING)

    def show(self, state: SearchState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of every handler: the message, the results, the open image, the state.

        For None the page stays as it is.
        """
        if state is None:
            return (gr.skip(),) * 4
        if busy:
            return notice(message), waiting(busy if self.services.ready else LOADING), "", state
        return notice(message), results(state, self.services), detail(state, self.services), state


def where(
    views: list[str], sex: str, youngest: str, oldest: str, present: list[str], absent: list[str]
) -> Where:
    """Return the filter that the controls describe.

    Raises:
        ValueError: no study can pass it, or an age is no number.
    """
    if both := sorted(set(present or ()) & set(absent or ())):
        raise ValueError(f"No film can both show and lack {', '.join(both)}: take one away.")
    return Where(
        view=tuple(views or ()) or None,
        sex=sex or None,
        age_min=_age(youngest),
        age_max=_age(oldest),
        present=tuple(present or ()),
        absent=tuple(absent or ()),
    )


def _query(controls: Sequence[Any], **asked: Any) -> SearchQuery:
    """A query with the filters and the switch "By look alone", which stands after them."""
    filters, (by_look, *_) = controls[:6], (*controls[6:], False)
    evidence = BY_LOOK if by_look else EVIDENCE[0]
    return SearchQuery(where=where(*filters), evidence=evidence, **asked)


def _like(query: SearchQuery, study: Study) -> SearchQuery:
    """The query for images like that of a study, without the study itself."""
    source = f"film {study.id}"
    return replace(query, image=study_image(study), source=source, exclude=study.id)


def heat_layer(heat: np.ndarray) -> Image.Image:
    """Return a heat map as a layer of color.

    Args:
        heat: float32 [H, W] in [0, 1].

    Returns:
        Mode "RGBA", (W, H), clear where there is no heat.
    """
    alpha = np.round(255 * heat_opacity(heat)).astype(np.uint8)
    return Image.fromarray(np.dstack((heat_colors(heat), alpha)))


def _shown(state: SearchState) -> tuple[str, ...]:
    """What a heat map belongs to: the open study and the query."""
    if state.open is None or state.query is None:
        return ()
    return state.open.study.source, state.open.study.id, state.query.text


def _age(years: str | None) -> int | None:
    years = (years or "").strip()
    if years and not (years.isascii() and years.isdigit()):
        raise ValueError(f"expected an age in years, such as 40, got {years!r}; correct the age")
    return int(years) if years else None


def _open(state: SearchState) -> Match:
    if state.open is None:
        raise ValueError("No film is open: choose one of those found.")
    return state.open
