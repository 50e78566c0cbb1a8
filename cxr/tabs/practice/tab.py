"""The Practice tab: commit to an answer, be corrected, compare; assets/practice.js runs it."""

from __future__ import annotations

from starlette.routing import Route

from cxr.tabs.practice.handlers import PracticeHandlers
from cxr.tabs.practice.routes import practice_routes
from cxr.tabs.practice.views import LOADING, render
from cxr.tabs.services import Services
from cxr.tabs.shared.components import html
from cxr.tabs.shared.theme import asset


def build() -> None:
    """Lay the tab out inside the Blocks that are open. What it asks goes to `routes`."""
    scripts = ("stage.js", "practice_marks.js", "practice_strip.js", "practice.js")
    html("practice", render("frame.html", loading=LOADING), script="\n".join(map(asset, scripts)))


def routes(services: Services) -> list[Route]:
    """What the tab's script asks for, to hand to the server."""
    return practice_routes(PracticeHandlers(services))
