"""What stands around every tab: the name, the palette's switch and the note on every page."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.theme import asset

render = renderer(Path(__file__).parent)

NOTE = "For education, not for diagnosis."


def header() -> Markup:
    """Return the head of the page."""
    return render("header.html", note=NOTE, mark=Markup(asset("mark.svg")))


def footer() -> Markup:
    """Return the foot of the page."""
    return render("footer.html", note=NOTE)
