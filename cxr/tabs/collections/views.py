"""The Collections tab as HTML: its frame, and each study as a card and on a stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from cxr.collections import origin, study_caption
from cxr.findings import Study
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.viewer import stage, tools

render = renderer(Path(__file__).parent)


def frame(services: Services) -> Markup:
    """Return the tab without films; its script fills it from what the browser keeps."""
    return render("frame.html", problem=services.missing())


def comparison() -> Markup:
    """Return the frame of films that are compared; its script fills it."""
    return render("comparison.html", tools=tools(False))


def study_parts(study: Study, services: Services) -> dict[str, Any]:
    """Return a study as the page shows it: its id, its card and its stage, both HTML."""
    person = study_text.person(study)
    said = "; ".join(filter(None, (f"film {study.id}", person)))
    shown = stage(
        services.images.address(study),
        f"Chest X-ray: {said}",
        badge=study_text.badge(study),
    )
    return {
        "id": study.id,
        "card": render(
            "card.html",
            study=study,
            card=study_text.card(study, services.images),
            full=services.images.address(study),
            text=study_caption(study),
            origin=origin(study),
        ),
        "stage": render("stage_figure.html", stage=shown, study=study, text=study_caption(study)),
    }
