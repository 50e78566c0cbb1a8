"""Components that tabs are laid out of: HTML whose buttons trigger events, and the query box."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from gradio.data_classes import FileData, ListFiles

from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.theme import asset

render = renderer(Path(__file__).parent)


def html(elem_id: str, value: str = "", *, events: Sequence[str] = (), script: str = "") -> gr.HTML:
    """Return a component of HTML.

    Args:
        elem_id: its id on the page.
        value: the HTML that it holds at first.
        events: what its buttons may trigger: the data-act of a button is one of them. Each is a
            listener of the component, as in `component.NAME(fn, ...)`.
        script: JavaScript that runs when the component is there.
    """
    if events:
        script += f"const EVENTS = {json.dumps(list(events))};\n{asset('clicks.js')}"
    return gr.HTML(value, elem_id=elem_id, js_on_load=script or None, apply_default_css=False)


def query_box(
    label: str, placeholder: str, elem_id: str, submit: str, submit_id: str
) -> tuple[gr.Textbox, gr.Button]:
    """Return a box to type a query into, and the button that submits it, for a row of ask-row.

    Args:
        label: stands above the box.
        placeholder: stands in the empty box.
        elem_id: of the box.
        submit: the button's text.
        submit_id: of the button.
    """
    query = gr.Textbox(
        label=label,
        placeholder=placeholder,
        lines=1,
        max_lines=4,
        elem_id=elem_id,
        elem_classes="ask-box",
        scale=5,
    )
    button = gr.Button(
        submit,
        variant="primary",
        elem_id=submit_id,
        elem_classes="ask-go",
        scale=0,
        min_width=120,
    )
    return query, button


def upload_button(
    label: str, elem_id: str, primary: bool = False, takes_drops: bool = True, width: int = 160
) -> gr.UploadButton:
    """Return a button that takes an image.

    Args:
        label: its text.
        elem_id: its id on the page.
        primary: whether it is the first thing to do on its tab.
        takes_drops: whether an image that is dropped or pasted goes the same way.
        width: the least, in pixels.
    """
    button = gr.UploadButton(
        label,
        variant="primary" if primary else "secondary",
        elem_id=elem_id,
        elem_classes="takes-film" if takes_drops else None,
        scale=0,
        min_width=width,
    )
    vars(button)["preprocess"] = _path  # Gradio's own leaves an empty file behind at each upload
    return button


def _path(payload: ListFiles | FileData | None) -> str | None:
    """Return the path of an uploaded file on this server, or None where none arrived."""
    first = payload[0] if isinstance(payload, ListFiles) else payload
    return first.path if first else None


def example_chips(
    texts: Sequence[str], label: str = "Examples", skip: tuple[str, str] | None = None
) -> gr.HTML:
    """Return texts as chips that fill the query box and submit it.

    Args:
        texts: one a chip.
        label: what a screen reader calls them.
        skip: a link before them for those who use the keyboard: its text, and CSS selectors of
            what it leads to, the first that is shown.
    """
    filled = render("example_chips.html", texts=texts, label=label, skip=skip)
    return gr.HTML(filled, apply_default_css=False)
