"""The Search tab: findings in words, or an image, in; real X-rays that show them out."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from cxr.tabs.api import search_endpoint, similar_endpoint
from cxr.tabs.search.handlers import SEARCHING, SearchHandlers
from cxr.tabs.search.state import SearchState
from cxr.tabs.search.views import waiting
from cxr.tabs.services import Services, finding_choices
from cxr.tabs.shared.components import example_chips, html, query_box, upload_button
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import Event, TabWiring, on_load, update, visitor_state

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
RESULTS = "#results h2, #results .state, #welcome h2, #welcome .state"
NO_FILTERS = """() => [[], "", "", "", [], [], { __type__: "update" }]"""  # the switch stays
FOLD = """() => { if (matchMedia("(max-width: 700px)").matches)
  document.querySelector("#filters > button[aria-expanded=true], #filters > .open")?.click(); }"""


@dataclass(frozen=True)
class SearchTab:
    """What other tabs take from this one: the visitor's state and the component of the open image.

    The component triggers `read` and `locate`, which carry the open image to another tab.
    """

    state: gr.State
    detail: gr.HTML


@dataclass(frozen=True)
class Filters:
    """The controls of handlers.where, in its order, and the switch after them."""

    view: gr.CheckboxGroup
    sex: gr.Radio
    youngest: gr.Textbox
    oldest: gr.Textbox
    present: gr.Dropdown
    absent: gr.Dropdown
    by_look: gr.Checkbox

    @property
    def all(self) -> list[Component]:
        """Every control, as an event takes them."""
        ages = [self.youngest, self.oldest]
        return [self.view, self.sex, *ages, self.present, self.absent, self.by_look]

    @property
    def settled(self) -> list[Event]:
        """The events at which a value is meant: a choice at once, a text when it is left."""
        typed = [event for age in (self.youngest, self.oldest) for event in (age.blur, age.submit)]
        chosen = (self.view, self.sex, self.present, self.absent, self.by_look)
        return [*typed, *(one.input for one in chosen)]


def build(services: Services) -> SearchTab:
    """Lay the tab out inside the Blocks that are open, and wire it to its handlers."""
    state = visitor_state(SearchState())
    with gr.Column(elem_classes="ask"):
        with gr.Row(elem_classes="ask-row"):
            query, submit = query_box(
                "What do you want to see?", "Findings in your own words", "query", "Search", "go"
            )
            upload = upload_button("Search by a film", "film-upload")
        example_chips(EXAMPLES, skip=("Skip to the results", RESULTS))
        filters = _filters()
    notice = html("notice")
    # A component of its own, so that the gallery, when it has been opened, undoes no search.
    first_page = html("welcome", waiting("Opening the gallery…"), events=("tile",))
    with gr.Row(elem_classes="search-columns"):
        results = html("results", script=asset("results.js"))
        detail = html("detail", script=asset("stage.js") + asset("viewer.js"))

    handlers = SearchHandlers(services)
    wiring = TabWiring("page", state, [notice, results, detail], handlers.show)
    gr.api(search_endpoint(services), api_name="search")
    gr.api(similar_endpoint(services), api_name="similar")
    on_load(handlers.welcome, first_page)
    on_load(handlers.choices, filters.all)
    on_load(None, None, FOLD)

    submitted = [submit.click, query.submit]
    wiring.on(submitted, handlers.search, [query, *filters.all], busy=SEARCHING)
    uploaded = [upload, *filters.all]
    wiring.on(upload.upload, handlers.search_by_film, uploaded, busy=SEARCHING)
    wiring.on(detail.similar, handlers.more_like_this, filters.all, busy=SEARCHING)
    wiring.on(detail.region, handlers.like_region, busy=SEARCHING)
    filtering = functools.partial(
        wiring.on, handler=handlers.filter, inputs=filters.all, show=handlers.show_filtered
    )
    filtering(filters.settled)
    cleared = update(results.unfilter, None, None, filters.all, js=NO_FILTERS)
    filtering(cleared.then, name="unfilter")
    wiring.on(results.open, handlers.open_film)
    wiring.on(results.more, handlers.more)
    asked = [query, *filters.all]
    for event, handler, busy in (
        (results.back, handlers.back, ""),
        (results.chip, handlers.drop_chip, SEARCHING),
        (results.match, handlers.match, SEARCHING),
        (results.region, handlers.region, SEARCHING),
        (detail.contrast, handlers.open_contrast, ""),
        (first_page.tile, handlers.open_tile, SEARCHING),
        (results.restore, handlers.go_to, SEARCHING),
    ):
        update(event, None, asked, None, js="window.cxr.keepControls", trigger_mode="multiple")
        led = wiring.on(event, handler, busy=busy)
        update(led.then, None, [results, *asked], asked, js="window.cxr.fillControls")
    wiring.on(detail.step, handlers.step)
    wiring.on(detail.shut, handlers.close_film)
    looking = update(detail.heat, handlers.show_looking, state, detail, queue=False)
    wiring.ask(looking, handlers.ask_heat_map, handlers.heat_map, model="heat")
    return SearchTab(state, detail)


def _filters() -> Filters:
    choices = finding_choices(None)
    with gr.Accordion("Filters", open=True, elem_id="filters"), gr.Row(elem_classes="filter-row"):
        return Filters(
            gr.CheckboxGroup(VIEWS, label="View", elem_classes="pills", min_width=240),
            gr.Radio(SEXES, value="", label="Sex", elem_classes="pills", min_width=210),
            # Text, since gr.Number shows 0 where nothing was typed.
            _age("Age from"),
            _age("to"),
            gr.Dropdown(choices, multiselect=True, label="Showing", min_width=200),
            gr.Dropdown(choices, multiselect=True, label="Not showing", min_width=200),
            gr.Checkbox(label="By look alone", elem_classes="by-look", min_width=150),
        )


def _age(label: str) -> gr.Textbox:
    return gr.Textbox(
        label=label, placeholder="any", max_lines=1, max_length=3, min_width=80, elem_classes="age"
    )
