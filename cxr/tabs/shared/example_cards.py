"""Films of the gallery that an empty tab offers to begin with.

They stand in a pane of their own, which knows nothing of the visitor: it is filled when the gallery
has been loaded, and whatever the visitor has brought by then stays.
"""

from __future__ import annotations

from html import escape

import gradio as gr

from cxr.findings import Study
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words

EXAMPLES = ("cardiomegaly", "consolidation", "pleural effusion", "lung opacity")


def offers(services: Services) -> str:
    """The films as cards to click, HTML; "" without a gallery."""
    tiles = "".join(
        f'<li><button type="button" class="card" data-act="pick" data-index="{index}">'
        f'<span class="film"><img src="{services.films.address(study, "small")}" alt="" '
        f'loading="lazy" decoding="async">{words.badge(study)}</span>'
        f'<span class="about"><strong>{escape(words.summary(study))}</strong></span></button></li>'
        for index, study in enumerate(examples(services))
    )
    if not tiles:
        return ""
    head = '<h3 class="or">Or begin with one from the gallery</h3>'
    return f'{head}<ul class="films few">{tiles}</ul>'


def examples(services: Services) -> list[Study]:
    """A few studies of the gallery to begin with, those of EXAMPLES first; none without one."""
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


def offered(services: Services, event: gr.EventData) -> Study:
    """The study that was clicked. Raises ValueError when there is no such one."""
    return one_of(examples(services), event)


def one_of(listed, event: gr.EventData):
    """The item of a list that an event's index names. Raises ValueError when there is none."""
    index = (event._data or {}).get("index")
    if not isinstance(index, int) or not 0 <= index < len(listed):
        raise ValueError("That film is no longer on the page; choose one of those shown.")
    return listed[index]
