"""The Generate tab: a text in; generated X-rays to slide through out."""

from __future__ import annotations

from functools import partial

import gradio as gr

from cxr.tabs.api import sample_endpoint
from cxr.tabs.generate.handlers import GenerateHandlers
from cxr.tabs.generate.state import COUNTS, GenerateState
from cxr.tabs.generate.views import GENERATING, generated
from cxr.tabs.services import Services
from cxr.tabs.shared.components import example_chips, html, query_box
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import TabWiring, following, update, visitor_state

EXAMPLES = (
    "severe cardiomegaly",
    "pleural effusion",
    "pneumothorax",
    "mild edema",
    "64-year-old female, frontal AP view. Findings: cardiomegaly, pleural effusion.",
    "clear lungs",
)
SETTINGS = "Where the slide starts, how many films, seed, truncation"


def build(services: Services) -> None:
    """Lay the tab out inside the Blocks that are open, and wire it to its handlers."""
    state = visitor_state(GenerateState())
    with gr.Column(elem_classes="ask"):
        with gr.Row(elem_classes="ask-row"):
            text, submit = query_box(
                "What should the films show?",
                "Findings, and perhaps age, sex and view",
                "generate-text",
                "Generate",
                "generate-go",
            )
        example_chips(EXAMPLES)
        start, count, seed, truncation, other = _settings()
    notice = html("generate-notice")
    images = html("generated", generated(GenerateState(), services), script=asset("generate.js"))

    handlers = GenerateHandlers(services)
    controls = [text, start, count, seed, truncation]
    wiring = TabWiring("generate", state, [notice, images], handlers.show)
    generate = partial(
        wiring.on, handler=handlers.generate, inputs=controls, busy=GENERATING, trigger_mode="once"
    )
    compare = partial(
        wiring.on,
        handler=handlers.compare,
        busy=handlers.comparing,
        show=following(handlers.show),
        trigger_mode="once",
    )
    gr.api(sample_endpoint(services), api_name="sample")
    first = generate([submit.click, text.submit, start.submit, seed.submit])
    compare(first.then)
    reseeded = update(other.click, handlers.another_seed, None, seed)
    again = generate(reseeded.then, name="again")
    compare(again.then, name="compare_again")
    chosen = wiring.on(images.choose, handlers.choose)
    compare(chosen.then, name="compare_chosen")


def _settings() -> tuple[gr.Textbox, gr.Radio, gr.Textbox, gr.Slider, gr.Button]:
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
    return start, count, seed, truncation, other
