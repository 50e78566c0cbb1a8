"""The Atlas tab: the gallery as a map; assets/atlas.js draws it and answers the pointer."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from cxr.findings import FINDINGS
from cxr.tabs.atlas.points import MOST_SELECTED, query_place
from cxr.tabs.search.state import SearchState
from cxr.tabs.search.tab import SearchTab
from cxr.tabs.services import Services
from cxr.tabs.shared.components import html
from cxr.tabs.shared.errors import attempt
from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import update

render = renderer(Path(__file__).parent)
COLORS = (
    ("finding", "Finding"),
    ("sex", "Sex"),
    ("view", "View"),
    ("tier", "Source of the labels"),
)


def build(services: Services, search: SearchTab) -> None:
    """Lay the tab out inside the Blocks that are open, and wire it to Search."""
    drawn = render("atlas.html", colors=COLORS, findings=FINDINGS[1:], most=MOST_SELECTED)
    script = f"const MOST = {MOST_SELECTED};\n{asset('atlas_points.js')}{asset('atlas.js')}"
    chart = html("atlas", drawn, script=script)
    point = html("atlas-query")
    update(chart.locate, lambda state: query_point(services, state), search.state, point)


def query_point(services: Services, state: SearchState) -> Markup:
    """The query of the Search tab as a point for the script; nothing where there is none."""
    query = state.query
    if query is None or query.encoded is None:
        return Markup()
    gallery = services.retriever().gallery
    place, _ = attempt(query_place, gallery, query.encoded.vector)
    return render("query.html", place=place, title=query.title) if place else Markup()
