"""The Localize tab: a film and a text in; where in the film it is, and how much of it, out."""

from __future__ import annotations

import gradio as gr

from cxr.anatomy import (
    AIRWAYS,
    CONSOLIDATION,
    DEVICES,
    GROUND_GLASS,
    HEART,
    LEFT_LUNG,
    LUNGS,
    RIGHT_LUNG,
)
from cxr.localization import Query
from cxr.tabs.api import locate_endpoint
from cxr.tabs.localize.handlers import READING, LocalizeHandlers
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.localize.views import start
from cxr.tabs.read.tab import ReadTab
from cxr.tabs.search.tab import SearchTab
from cxr.tabs.services import Services
from cxr.tabs.shared.components import example_chips, html, query_box, upload_button
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import Dependency, TabWiring, on_load, update, visitor_state

SUGGESTIONS = (
    LUNGS,
    RIGHT_LUNG,
    LEFT_LUNG,
    HEART,
    AIRWAYS,
    GROUND_GLASS,
    Query(CONSOLIDATION, "left", "lower").prompt,
    DEVICES,
)
OPEN = "() => window.cxr.openTab('localize')"


def build(services: Services, search: SearchTab, reading: ReadTab) -> None:
    """Lay the tab out inside the Blocks that are open, and wire it to its desk, Search and Read."""
    state = visitor_state(LocalizeState())
    with gr.Column(elem_classes="ask"):
        with gr.Row(elem_classes="ask-row"):
            query, submit = query_box(
                "What should be outlined?",
                "An organ or a finding, and its side",
                "locate-query",
                "Outline it",
                "locate-go",
            )
            upload = upload_button("Choose a film", "locate-upload")
        example_chips(SUGGESTIONS, "Suggestions")
    notice = html("locate-notice")
    film = html("located", start(services), script=asset("contour.js") + asset("localize.js"))
    examples = html("locate-offers", events=("pick",))

    handlers = LocalizeHandlers(services)
    wiring = TabWiring("localize", state, [notice, film], handlers.show)

    def asked(event: Dependency, name: str) -> None:
        wiring.ask(event, handlers.seek, handlers.hear, model="localize", name=f"hear_{name}")

    gr.api(locate_endpoint(services), api_name="locate")
    on_load(handlers.examples, examples)
    asked(wiring.on([submit.click, query.submit], handlers.locate, [query]), "locate")
    asked(wiring.on(upload.upload, handlers.take, [upload, query], busy=READING), "take")
    asked(wiring.on(examples.pick, handlers.pick, [query], busy=READING), "pick")
    wiring.on(film.away, handlers.away)
    for event, carry, source, text in (
        (search.detail.locate, handlers.carry, search.state, handlers.carry_text),
        (reading.findings.locate, handlers.carry_read, reading.state, handlers.carry_finding),
    ):
        event(None, js=OPEN)
        update(event, text, source, query)
        asked(wiring.on(event, carry, [source], busy=READING), carry.__name__)
