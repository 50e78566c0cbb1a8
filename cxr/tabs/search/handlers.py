"""Handlers of the Search tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from PIL import Image

from cxr.gallery import Where
from cxr.images import heat_colors, heat_opacity
from cxr.tabs.search.state import MAX_RESULTS, PAGE_SIZE, SearchQuery, SearchState
from cxr.tabs.search.views import detail, results, waiting, welcome
from cxr.tabs.services import Services, finding_choices
from cxr.tabs.shared import study_text
from cxr.tabs.shared.errors import notice
from cxr.tabs.shared.image_urls import inline, study_image
from cxr.tabs.shared.uploads import read_upload
from cxr.tabs.shared.wiring import Answer, answer, event_value

if TYPE_CHECKING:
    from cxr.retrieval import Match

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
        return [views, gr.skip(), gr.skip(), gr.skip(), findings, findings]

    def filters(self, state: SearchState) -> list[Any]:
        """Every filter as it was in the search that is on the page."""
        asked = state.query.where if state.query else Where()
        ages = ["" if age is None else str(age) for age in (asked.age_min, asked.age_max)]
        return [list(asked.view or ()), asked.sex or "", *ages, [*asked.present], [*asked.absent]]

    def no_filters(self) -> list[Any]:
        """Every filter as it is on a fresh page."""
        return [[], "", "", "", [], []]

    def search(self, state: SearchState, text: str, *filters: Any) -> SearchState:
        """Images that match findings typed in words."""
        return self._ask(state, SearchQuery(text=text.strip(), where=where(*filters)))

    def search_by_film(self, state: SearchState, upload: str, *filters: Any) -> SearchState:
        """Images like an uploaded one; the upload is deleted as soon as it is read."""
        image = read_upload(upload)
        query = SearchQuery(image=image, source="your film", where=where(*filters))
        encoded = self.services.retriever().encode(image)
        warning = self.services.ood_warning(image, encoded.vector)
        return self._ask(state, replace(query, encoded=encoded, warning=warning))

    def more_like_this(self, state: SearchState, *filters: Any) -> SearchState:
        """Images like the open one."""
        study = _open(state).study
        query = SearchQuery(
            image=study_image(study),
            source=f"film {study.id}",
            exclude=study.id,
            where=where(*filters),
        )
        return self._ask(state, query)

    def filter(self, state: SearchState, *filters: Any) -> SearchState:
        """The last search again, with other filters."""
        wanted = where(*filters)
        if state.query is None or state.query.where == wanted:
            return state
        query = self._encoded(replace(state.query, where=wanted, k=PAGE_SIZE))
        return replace(state, query=query, matches=self._find(query), selected=None, heat_map="")

    def more(self, state: SearchState) -> SearchState:
        """The last search with more images."""
        if state.query is None:
            return state
        query = self._encoded(replace(state.query, k=min(MAX_RESULTS, state.query.k + PAGE_SIZE)))
        return replace(state, query=query, matches=self._find(query))

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
        query = self._encoded(query)
        return state.moved_to(query, self._find(query))

    def _encoded(self, query: SearchQuery) -> SearchQuery:
        """The query with its vector, which further pages and filters need again."""
        if query.encoded is not None:
            return query
        return replace(query, encoded=self.services.retriever().encode(query.content))

    def _find(self, query: SearchQuery) -> tuple[Match, ...]:
        extra = 1 if query.exclude else 0
        search = self.services.retriever().search
        found = search(query.encoded or query.content, k=query.k + extra, where=query.where)
        return tuple(match for match in found if match.study.id != query.exclude)[: query.k]

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
