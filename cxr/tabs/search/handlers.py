"""Handlers of the Search tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import gradio as gr
import numpy as np
from PIL import Image

from cxr.gallery import Where
from cxr.images import heat_colors, heat_opacity, load_image
from cxr.tabs.search.detail import detail
from cxr.tabs.search.state import MOST, PAGE, Asked, SearchState
from cxr.tabs.search.views import results, waiting, welcome
from cxr.tabs.services import Services, finding_choices
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.errors import UNEXPECTED, log, message_of, notice
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.uploads import read_upload

SEARCHING, READING = "Searching the gallery…", "Reading the film…"
LOADING = "Loading the model; the first search takes a few seconds…"
HEAT_SIDE = 384  # pixels of a heat layer; it is smooth, and stretched over its film


@dataclass(frozen=True)
class Heat:
    """A heat map on its way to the page, or why there is none."""

    of: tuple[str, ...]  # source, film and query that it belongs to
    picture: str = ""  # data: address
    problem: str = ""


class SearchHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def welcome(self) -> str:
        """What stands where the films will be before anything was asked."""
        return welcome(self.services)

    def choices(self) -> list:
        """What the filters offer: the views and findings that the gallery holds."""
        try:
            facts = self.services.facts()
        except ValueError:  # the page itself says what is missing
            return [gr.skip()] * 6
        findings = gr.update(choices=finding_choices(facts))
        views = gr.update(choices=[(words.VIEW[view], view) for view in facts.views])
        return [views, gr.skip(), gr.skip(), gr.skip(), findings, findings]

    def filters(self, room: SearchState) -> list:
        """Every filter as it was in the search that is on the page."""
        asked = room.asked.where if room.asked else Where()
        ages = ["" if age is None else str(age) for age in (asked.age_min, asked.age_max)]
        return [list(asked.view or ()), asked.sex or "", *ages, [*asked.present], [*asked.absent]]

    def no_filters(self) -> list:
        """Every filter as it is on a fresh page."""
        return [[], "", "", "", [], []]

    def search(self, room: SearchState, query: str, *filters) -> SearchState:
        """Films that match findings typed in words."""
        return self._ask(room, Asked(text=query.strip(), where=where(*filters)))

    def search_by_film(self, room: SearchState, upload: str, *filters) -> SearchState:
        """Films like an uploaded one; the upload is deleted as soon as it is read."""
        film = read_upload(upload)
        doubt = self.services.doubt(film)
        asked = Asked(film=film, source="your film", warning=doubt, where=where(*filters))
        return self._ask(room, asked)

    def more_like_this(self, room: SearchState, *filters) -> SearchState:
        """Films like the open one."""
        study = _open(room).study
        film = load_image(study.image)
        asked = Asked(film=film, source=f"film {study.id}", study=study.id, where=where(*filters))
        return self._ask(room, asked)

    def filter(self, room: SearchState, *filters) -> SearchState:
        """The last search again, with other filters."""
        wanted = where(*filters)
        if room.asked is None or room.asked.where == wanted:
            return room
        asked = replace(room.asked, where=wanted, k=PAGE)
        return replace(room, asked=asked, matches=self._find(asked), selected=None, heat="")

    def more(self, room: SearchState) -> SearchState:
        """The last search with more films."""
        if room.asked is None:
            return room
        asked = replace(room.asked, k=min(MOST, room.asked.k + PAGE))
        return replace(room, asked=asked, matches=self._find(asked))

    def back(self, room: SearchState) -> SearchState:
        """The search before this one."""
        return room.back()

    def open_film(self, room: SearchState, event: gr.EventData) -> SearchState:
        """One of the films found, in the viewer."""
        return room.select(_number(event, "index"))

    def step(self, room: SearchState, event: gr.EventData) -> SearchState:
        """The film before or after the open one."""
        return room.select(_number(event, "by") + _index(room))

    def close_film(self, room: SearchState) -> SearchState:
        """The films alone again."""
        return room.select(None)

    def read_heat(self, room: SearchState) -> Heat | None:
        """Where in the open film the query matches; None when a heat map is there to be hidden.

        It takes a while, in which the visitor may go on: it changes nothing on the page itself.
        """
        if room.heat:
            return None
        try:
            return Heat(_shown(room), self._heat(room))
        except ValueError as error:
            return Heat(_shown(room), problem=message_of(error))
        except Exception:
            log.exception("unexpected error in read_heat")
            return Heat(_shown(room), problem=UNEXPECTED)

    def heat_map(self, room: SearchState, heat: Heat | None) -> SearchState | None:
        """The heat map as a layer of colour over its film, or taken off again; None, and nothing
        on the page changes, when another film or search has come in front of it.
        """
        if heat is None:
            return replace(room, heat="")
        if heat.of != _shown(room):
            return None
        if heat.problem:
            raise ValueError(heat.problem)
        return replace(room, heat=heat.picture)

    def _heat(self, room: SearchState) -> str:
        study, asked = _open(room).study, room.asked
        if not asked.text:
            raise ValueError("Search for a finding in words first; then its place can be shown.")
        film = load_image(study.image)
        heat = self.services.retriever().heat_map(film, asked.text)
        return inline(heat_layer(heat), HEAT_SIDE)

    def _ask(self, room: SearchState, asked: Asked) -> SearchState:
        return room.moved_to(asked, self._find(asked))

    def _find(self, asked: Asked) -> tuple:
        extra = 1 if asked.study else 0
        found = self.services.retriever().search(asked.query, k=asked.k + extra, where=asked.where)
        return tuple(match for match in found if match.study.id != asked.study)[: asked.k]

    def show(self, room: SearchState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of every handler: the message, the films, the open film, the state. For None
        the page stays as it is.
        """
        if room is None:
            return (gr.skip(),) * 4
        if busy == SEARCHING:
            return notice(message), waiting(busy if self.services.ready else LOADING), "", room
        films, film = results(room, self.services), detail(room, self.services, busy)
        return notice(message), films, film, room


def where(
    views: list[str], sex: str, youngest: str, oldest: str, present: list[str], absent: list[str]
):
    """The filter that the controls describe. Raises ValueError when no film can pass it."""
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


def _shown(room: SearchState) -> tuple[str, ...]:
    """What a heat map belongs to: the open film and the query."""
    if room.open is None:
        return ()
    return room.open.study.source, room.open.study.id, room.asked.text


def heat_layer(heat: np.ndarray) -> Image.Image:
    """Heat float32 [H, W] in [0, 1] -> mode "RGBA", clear where there is none."""
    alpha = np.round(255 * heat_opacity(heat)).astype(np.uint8)
    return Image.fromarray(np.dstack((heat_colors(heat), alpha)))


def _age(years: str | None) -> int | None:
    years = (years or "").strip()
    if years and not (years.isascii() and years.isdigit()):
        raise ValueError(f"expected an age in years, such as 40, came {years!r}; correct the age")
    return int(years) if years else None


def _open(room: SearchState):
    if room.open is None:
        raise ValueError("No film is open: choose one of those found.")
    return room.open


def _index(room: SearchState) -> int:
    _open(room)
    return room.selected


def _number(event: gr.EventData, name: str) -> int:
    value = (event._data or {}).get(name)
    if not isinstance(value, int):
        raise ValueError("That film is no longer on the page; choose one of those shown.")
    return value
