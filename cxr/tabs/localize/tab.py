"""The Localize tab: an image and a text in; where in the image it is, and how much of it, out."""

from __future__ import annotations

import gradio as gr
from gradio.events import Dependency

from cxr.anatomy import AIRWAYS, CLAVICLES, CONSOLIDATION, GROUND_GLASS, HEART_ALONE, LUNGS
from cxr.localization import Target
from cxr.tabs.api import locate_endpoint
from cxr.tabs.localize.handlers import READING, LocalizeHandlers
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.localize.views import start
from cxr.tabs.read.tab import ReadTab
from cxr.tabs.search.tab import SearchTab
from cxr.tabs.services import Services
from cxr.tabs.shared.components import example_chips, html, query_box, upload_button
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import TabWiring, on_load, update, visitor_state

SUGGESTIONS = (
    LUNGS,
    HEART_ALONE,
    CLAVICLES,
    AIRWAYS,
    "cardiomegaly",
    "pleural effusion",
    Target(CONSOLIDATION, "left", "lower").prompt,
    GROUND_GLASS,
    "pleural thickening",
)
OPEN = "() => window.cxr.openTab('localize')"


def build(services: Services, search: SearchTab, reading: ReadTab) -> None:
    """Lay the tab out inside the Blocks that are open; wire it to its handlers, Search and Read."""
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
    image = html("located", start(services), script=asset("contour.js") + asset("localize.js"))
    examples = html("locate-examples", events=("pick",))

    handlers = LocalizeHandlers(services)
    wiring = TabWiring("localize", state, [notice, image], handlers.show)

    def asks(event: Dependency, name: str) -> None:
        """Ask the localizer after an event."""
        wiring.ask(event, handlers.ask, handlers.receive, model="localize", name=f"receive_{name}")

    gr.api(locate_endpoint(services), api_name="locate")
    on_load(handlers.examples, examples)
    asks(wiring.on([submit.click, query.submit], handlers.locate, [query]), "locate")
    asks(wiring.on(upload.upload, handlers.upload, [upload, query], busy=READING), "upload")
    asks(wiring.on(examples.pick, handlers.choose_example, [query], busy=READING), "choose_example")
    wiring.on(image.close, handlers.close)
    for event, carry, source, text in (
        (
            search.detail.locate,
            handlers.carry_from_search,
            search.state,
            handlers.text_from_search,
        ),
        (
            reading.findings.locate,
            handlers.carry_from_read,
            reading.state,
            handlers.text_from_read,
        ),
    ):
        event(None, js=OPEN)
        update(event, text, source, query)
        asks(wiring.on(event, carry, [source], busy=READING), carry.__name__)
