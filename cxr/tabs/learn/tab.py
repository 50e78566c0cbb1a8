"""The Learn tab: lessons, with films of the gallery and of the generator beside the text."""

from __future__ import annotations

import gradio as gr

from cxr.tabs.learn.handlers import LearnHandlers
from cxr.tabs.learn.state import OUTLINE, SLIDE, STUDIES, LearnState
from cxr.tabs.learn.views import lesson, lesson_list
from cxr.tabs.services import Services
from cxr.tabs.shared.components import html
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import TabWiring, visitor_state


def build(services: Services) -> None:
    """Lay the tab out inside the Blocks that are open, and wire it to its handlers."""
    state = visitor_state(LearnState())
    notice = html("learn-notice")
    with gr.Row(elem_classes="learn-columns"):
        html("learn-list", lesson_list())
        text = html("learn-lesson", lesson(LearnState()), script=asset("learn.js"))
        with gr.Column(elem_id="learn-beside"):
            studies = html("learn-studies")
            outline = html("learn-outline")
            slide = html("learn-slide", script=asset("learn_slide.js"))

    handlers = LearnHandlers(services)
    outputs = [notice, text, studies, outline, slide]
    event = TabWiring("learn", state, outputs, handlers.show).on(text.open, handlers.open)
    for part, model in ((STUDIES, "learn"), (OUTLINE, "localize"), (SLIDE, "generate")):
        # A wiring each: an answer for one part must not take the place of another's on its way.
        event = TabWiring("learn", state, outputs, handlers.show).ask(
            event, handlers.ask(part), handlers.receive(part), model=model, name=f"receive_{part}"
        )
