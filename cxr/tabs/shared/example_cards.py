"""Images of the gallery that an empty tab offers to begin with.

They stand in a component of their own, which knows nothing of the visitor: it is filled when the
gallery has been loaded, and whatever the visitor has brought by then stays.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from markupsafe import Markup

from cxr.findings import Study
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.wiring import event_item

render = renderer(Path(__file__).parent)

EXAMPLES = ("cardiomegaly", "consolidation", "pleural effusion", "lung opacity")


def example_cards(services: Services) -> Markup:
    """Return the images as cards to click; nothing without a gallery."""
    cards = [study_text.card(study, services.images) for study in examples(services)]
    return render("example_cards.html", cards=cards)


def examples(services: Services) -> list[Study]:
    """Return a few studies of the gallery, those of EXAMPLES first; none without a gallery."""
    try:
        known = services.facts().examples
    except ValueError:  # the Search tab says what is missing
        return []
    chosen = [known[name] for name in EXAMPLES if name in known]
    found = {study.id: study for study in chosen if study.image}
    for study in services.retriever().gallery.studies[: len(EXAMPLES)]:
        if len(found) < len(EXAMPLES):
            found.setdefault(study.id, study)
    return list(found.values())


def clicked_example(services: Services, event: gr.EventData) -> Study:
    """Return the study whose card was clicked.

    Raises:
        ValueError: there is no such card.
    """
    return event_item(event, examples(services))
