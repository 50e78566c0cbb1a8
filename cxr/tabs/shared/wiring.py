"""Panes of HTML whose buttons tell the server what was clicked."""

from __future__ import annotations

import json

import gradio as gr

from cxr.tabs.shared.theme import asset


def in_turn(model: str) -> dict:
    """Options of the events that ask a model: one after the other, and the last is never dropped,
    so that an answer cannot come before that to an earlier question.
    """
    return {"trigger_mode": "always_last", "concurrency_id": model, "concurrency_limit": 1}


def pane(name: str, events: tuple[str, ...] = (), script: str = "", value: str = "") -> gr.HTML:
    """A pane of HTML. events: what its buttons may tell the server, by clicks.js."""
    if events:
        script += f"const EVENTS = {json.dumps(events)};\n{asset('clicks.js')}"
    return gr.HTML(value, elem_id=name, js_on_load=script or None, apply_default_css=False)
