"""The Generate tab: a text in; generated X-rays to slide through out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gradio as gr

from cxr.tabs.api import sample_endpoint
from cxr.tabs.generate.handlers import GenerateHandlers
from cxr.tabs.generate.state import COUNTS, GenerateState
from cxr.tabs.generate.views import GENERATING, examples, generated
from cxr.tabs.search.tab import FORGET
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import following, guarded
from cxr.tabs.shared.theme import asset

SETTINGS = "Where the slide starts, how many films, seed, truncation"


def build(services: Services) -> None:
    """Lay the tab out inside the Blocks that are open, and wire it to its handlers."""
    state = gr.State(GenerateState(), time_to_live=FORGET)
    with gr.Column(elem_classes="ask"):
        with gr.Row(elem_classes="ask-row"):
            text = gr.Textbox(
                label="What should the films show?",
                placeholder="Findings, and perhaps age, sex and view",
                lines=1,
                max_lines=4,
                elem_id="generate-text",
                elem_classes="ask-box",
                scale=5,
            )
            go = gr.Button(
                "Generate",
                variant="primary",
                elem_id="generate-go",
                elem_classes="ask-go",
                scale=0,
                min_width=120,
            )
        gr.HTML(examples(), apply_default_css=False)
        start, count, seed, truncation, other = _settings()
    notice = gr.HTML("", elem_id="generate-notice", apply_default_css=False)
    images = gr.HTML(
        generated(GenerateState(), services),
        elem_id="generated",
        js_on_load=asset("generate.js"),
        apply_default_css=False,
    )
    handlers = GenerateHandlers(services)
    controls = [text, start, count, seed, truncation]

    def wire(on: Callable, work: Callable, inputs=(), busy="", name: str = "", show=handlers.show):
        return on(
            fn=guarded(work, show, busy),
            inputs=[state, *inputs],
            outputs=[notice, images, state],
            api_name=f"generate_{name or work.__name__}",
            api_visibility="undocumented",
            show_progress="hidden",
            trigger_mode="always_last" if work == handlers.choose else "once",
        )

    gr.api(sample_endpoint(services), api_name="sample")
    submitted = partial(gr.on, [go.click, text.submit, start.submit, seed.submit])
    first = wire(submitted, handlers.generate, controls, GENERATING)
    compare = partial(
        wire, work=handlers.compare, busy=handlers.comparing, show=following(handlers.show)
    )
    compare(first.then)
    reseeded = other.click(
        handlers.another_seed, None, seed, api_visibility="private", show_progress="hidden"
    )
    again = wire(reseeded.then, handlers.generate, controls, GENERATING, name="again")
    compare(again.then, name="compare_again")
    chosen = wire(images.choose, handlers.choose)
    compare(chosen.then, name="compare_chosen")


def _settings() -> list[gr.components.Component]:
    """Where the slide starts, how many films, seed, truncation and the button for another seed."""
    with gr.Accordion(SETTINGS, open=False, elem_id="settings"), gr.Row(elem_classes="settings"):
        start = gr.Textbox(
            label="Slide from", placeholder="a normal film", max_lines=1, scale=2, min_width=200
        )
        count = gr.Radio(
            list(COUNTS), value=COUNTS[1], label="Films", elem_classes="pills", min_width=170
        )
        seed = gr.Textbox(
            "0", label="Seed", max_lines=1, max_length=18, min_width=100, elem_classes="seed"
        )
        other = gr.Button("Another seed", elem_id="another-seed", scale=0, min_width=130)
        truncation = gr.Slider(
            0, 1, 1, step=0.05, label="Truncation (1: most varied)", min_width=220
        )
    return [start, count, seed, truncation, other]
