"""The Collections tab: films that a visitor keeps, compared side by side and exported.

What is kept stays in the browser (assets/tray.js); the server is asked by collections/routes.py.
"""

from __future__ import annotations

from cxr.tabs.collections.views import comparison, frame
from cxr.tabs.services import Services
from cxr.tabs.shared.components import html
from cxr.tabs.shared.theme import asset


def build(services: Services) -> None:
    """Lay the tab out inside the Blocks that are open; its scripts do the rest."""
    html("comparison", comparison(), script=asset("stage.js") + asset("compare.js"))
    html("collection", frame(services), script=asset("collections.js"))
