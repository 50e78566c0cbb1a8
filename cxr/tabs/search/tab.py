"""The Search tab: findings in words, or a film, in; real X-rays that show them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape

import gradio as gr
from gradio.context import Context

from cxr.tabs.api import search_endpoint
from cxr.tabs.search.handlers import READING, SEARCHING, SearchHandlers
from cxr.tabs.search.state import SearchState
from cxr.tabs.search.views import waiting
from cxr.tabs.services import Services, finding_choices
from cxr.tabs.shared.errors import guarded
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import in_turn

EXAMPLES = (
    "enlarged heart with fluid at the left base",
    "big heart",
    "fluid around the lung",
    "collapsed lung",
    "a round spot in the lung",
    "clear lungs",
)
VIEWS = [("PA", "PA"), ("AP", "AP"), ("Lateral", "lateral"), ("Frontal", "frontal")]
SEXES = [("Any", ""), ("Female", "F"), ("Male", "M")]
FOLD = """() => { if (matchMedia("(max-width: 700px)").matches)
  document.querySelector("#filters > button[aria-expanded=true], #filters > .open")?.click(); }"""
FORGET = 3600  # seconds after which what a visitor had on the page is dropped


@dataclass(frozen=True)
class SearchTab:
    """What other tabs take from this one: the visitor's state and the pane of the open film."""

    room: gr.State
    film: gr.HTML


def build(services: Services) -> SearchTab:
    """Lay the tab out inside the Blocks that are open, and wire it to its SearchHandlers."""
    room = gr.State(SearchState(), time_to_live=FORGET)
    with gr.Column(elem_classes="ask"):
        with gr.Row(elem_classes="ask-row"):
            query = gr.Textbox(
                label="What do you want to see?",
                placeholder="Findings in your own words",
                lines=1,
                max_lines=4,
                elem_id="query",
                elem_classes="ask-box",
                scale=5,
            )
            go = gr.Button(
                "Search",
                variant="primary",
                elem_id="go",
                elem_classes="ask-go",
                scale=0,
                min_width=110,
            )
            upload = gr.UploadButton(
                "Search by a film",
                elem_id="film-upload",
                elem_classes="takes-film",
                scale=0,
                min_width=160,
            )
        gr.HTML(_examples(), apply_default_css=False)
        filters = _filters()
    notice = gr.HTML("", elem_id="notice", apply_default_css=False)
    # A pane of its own, so that the gallery, when it has been opened, undoes no search.
    shelf = gr.HTML(waiting("Opening the gallery…"), elem_id="shelf", apply_default_css=False)
    with gr.Row(elem_classes="desk"):
        films = gr.HTML(
            "",
            elem_id="results",
            js_on_load=asset("results.js"),
            apply_default_css=False,
        )
        film = gr.HTML(
            "",
            elem_id="detail",
            js_on_load=asset("stage.js") + asset("viewer.js"),
            apply_default_css=False,
        )

    desk = SearchHandlers(services)
    page = Context.root_block
    outputs = [notice, films, film, room]

    def wire(on: Callable, work: Callable, inputs=(), busy: str = "", name: str = ""):
        return on(
            fn=guarded(work, desk.show, busy),
            inputs=[room, *inputs],
            outputs=outputs,
            api_name=f"page_{name or work.__name__}",
            api_visibility="undocumented",
            show_progress="hidden",
            trigger_mode="always_last",
        )

    gr.api(search_endpoint(services), api_name="search")
    page.load(desk.welcome, None, shelf, api_visibility="private", show_progress="hidden")
    page.load(desk.choices, None, filters, api_visibility="private", show_progress="hidden")
    page.load(None, js=FOLD)
    wire(partial(gr.on, [go.click, query.submit]), desk.search, [query, *filters], SEARCHING)
    wire(upload.upload, desk.search_by_film, [upload, *filters], SEARCHING)
    wire(partial(gr.on, _settled(filters)), desk.filter, filters)
    cleared = films.unfilter(
        desk.no_filters, None, filters, api_visibility="private", show_progress="hidden"
    )
    wire(cleared.then, desk.filter, filters, name="unfilter")
    wire(films.open, desk.open_film)
    wire(films.more, desk.more)
    wire(films.back, desk.back).then(
        desk.filters, room, filters, api_visibility="private", show_progress="hidden"
    )
    wire(film.step, desk.step)
    wire(film.shut, desk.close_film)
    wire(film.similar, desk.more_like_this, filters, SEARCHING)
    heat = gr.State(None, time_to_live=FORGET)
    reading = film.heat(
        lambda room: desk.show(room, busy="" if room.heat else READING)[2],
        room,
        film,
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    )
    read = reading.then(
        desk.read_heat,
        room,
        heat,
        api_visibility="private",
        show_progress="hidden",
        **in_turn("heat"),
    )
    wire(read.then, desk.heat_map, [heat])
    return SearchTab(room, film)


def _settled(filters: list[gr.components.Component]) -> list:
    """The events at which a filter's value is meant: a choice at once, a text when it is left."""
    events = []
    for control in filters:
        typed = isinstance(control, gr.Textbox)
        events.extend((control.blur, control.submit) if typed else (control.input,))
    return events


def _examples() -> str:
    chips = "".join(
        f'<li><button type="button" class="chip example" data-query="{escape(text)}">'
        f"{escape(text)}</button></li>"
        for text in EXAMPLES
    )
    return f'<ul class="examples" aria-label="Examples">{chips}</ul>'


def _filters() -> list[gr.components.Component]:
    """The controls of desk.where, in its order."""
    choices = finding_choices(None)
    with gr.Accordion("Filters", open=True, elem_id="filters"), gr.Row(elem_classes="filter-row"):
        view = gr.CheckboxGroup(VIEWS, label="View", elem_classes="pills", min_width=240)
        sex = gr.Radio(SEXES, value="", label="Sex", elem_classes="pills", min_width=210)
        # Text, since gr.Number shows 0 where nothing was typed.
        youngest = _age("Age from")
        oldest = _age("to")
        present = gr.Dropdown(choices, multiselect=True, label="Showing", min_width=200)
        absent = gr.Dropdown(choices, multiselect=True, label="Not showing", min_width=200)
    return [view, sex, youngest, oldest, present, absent]


def _age(label: str) -> gr.Textbox:
    return gr.Textbox(
        label=label, placeholder="any", max_lines=1, max_length=3, min_width=80, elem_classes="age"
    )
