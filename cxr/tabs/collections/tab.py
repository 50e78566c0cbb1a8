"""The Collections tab: films that a visitor keeps, compared side by side and exported.

What is kept stays in the browser (assets/tray.js); the server is asked by collections/routes.py.
"""

from __future__ import annotations

import gradio as gr

from cxr.tabs.api import collection_endpoint
from cxr.tabs.collections.views import comparison, frame
from cxr.tabs.services import Services
from cxr.tabs.shared.components import html
from cxr.tabs.shared.theme import asset


def build(services: Services) -> None:
    """Lay the tab out inside the Blocks that are open; its scripts do the rest."""
    gr.api(collection_endpoint(services), api_name="collection")
    html("comparison", comparison(), script=asset("stage.js") + asset("compare.js"))
    html("collection", frame(services), script=asset("collections.js"))
