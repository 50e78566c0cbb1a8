"""The Localize tab: a film and a text in; where in the film it is, and how much of it, out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

import gradio as gr
from gradio.context import Context

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
from cxr.tabs.search.tab import FORGET, SearchTab
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import guarded
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import in_turn, pane

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
    bench = gr.State(LocalizeState(), time_to_live=FORGET)
    with gr.Column(elem_classes="ask"):
        with gr.Row(elem_classes="ask-row"):
            query = gr.Textbox(
                label="What should be outlined?",
                placeholder="An organ or a finding, and its side",
                lines=1,
                max_lines=4,
                elem_id="locate-query",
                elem_classes="ask-box",
                scale=5,
            )
            go = gr.Button(
                "Outline it",
                variant="primary",
                elem_id="locate-go",
                elem_classes="ask-go",
                scale=0,
                min_width=120,
            )
            upload = gr.UploadButton(
                "Choose a film",
                elem_id="locate-upload",
                elem_classes="takes-film",
                scale=0,
                min_width=150,
            )
        gr.HTML(suggestions(), apply_default_css=False)
    notice = gr.HTML("", elem_id="locate-notice", apply_default_css=False)
    desk, turn = LocalizeHandlers(services), in_turn("localize")
    film = gr.HTML(
        start(services),
        elem_id="located",
        js_on_load=asset("contour.js") + asset("localize.js"),
        apply_default_css=False,
    )
    offered = pane("locate-offers", ("pick",))
    drawn = gr.State(None, time_to_live=FORGET)

    def wire(on: Callable, work: Callable, inputs=(), busy="", name: str = ""):
        return on(
            fn=guarded(work, desk.show, busy),
            inputs=[bench, *inputs],
            outputs=[notice, film, bench],
            api_name=f"localize_{name or work.__name__}",
            api_visibility="undocumented",
            show_progress="hidden",
            trigger_mode="always_last",
        )

    def answered(event, name: str):
        """What the model draws, after an event: asked apart, so that the page stays usable."""
        sought = event.then(
            desk.seek, bench, drawn, api_visibility="private", show_progress="hidden", **turn
        )
        wire(sought.then, desk.hear, [drawn], name=f"hear_{name}")

    gr.api(locate_endpoint(services), api_name="locate")
    Context.root_block.load(
        desk.offers, None, offered, api_visibility="private", show_progress="hidden"
    )
    answered(wire(partial(gr.on, [go.click, query.submit]), desk.locate, [query]), "locate")
    answered(wire(upload.upload, desk.take, [upload, query], READING), "take")
    answered(wire(offered.pick, desk.pick, [query], READING), "pick")
    wire(film.away, desk.away)
    for event, work, source, text in (
        (search.film.locate, desk.carry, search.room, desk.carry_text),
        (reading.findings.locate, desk.carry_read, reading.box, desk.carry_finding),
    ):
        event(None, js=OPEN)
        event(text, source, query, api_visibility="private", show_progress="hidden")
        answered(wire(event, work, [source], READING), work.__name__)


def suggestions() -> str:
    """What the model was taught, as chips that fill the box and ask."""
    chips = "".join(
        f'<li><button type="button" class="chip example" data-query="{escape(text)}">'
        f"{escape(text)}</button></li>"
        for text in SUGGESTIONS
    )
    return f'<ul class="examples" aria-label="Suggestions">{chips}</ul>'
