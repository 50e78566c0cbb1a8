"""The Generate tab's HTML; assets/generate.js slides through the images.

Every image that leaves here carries the mark in its pixels, so that none can be saved without it.
"""

from __future__ import annotations

import json
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from cxr.images import corner_mark
from cxr.tabs.generate.state import STEPS, Comparison, GenerateState, SampleRequest
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.page_frame import NOTE
from cxr.tabs.shared.rendering import renderer

MARK = "SYNTHETIC"
GENERATING = "Generating the films…"
_COPIED = {  # title and class of the copy check
    True: ("Too near to a training film", "bad"),
    False: ("Not a copy", "good"),
    None: ("Copy check", "open"),
}
render = renderer(Path(__file__).parent)


def generated(state: GenerateState, services: Services, busy: str = "") -> Markup:
    """The images with the one shown and what is known of it; before any, what the tab does.

    Args:
        state: what the visitor has.
        services: the models.
        busy: what is said over the image while something is computed; "" for nothing.

    Returns:
        HTML.
    """
    if problem := services.generator.missing():
        return _message("Nothing can be generated yet.", problem, "setup")
    if busy == GENERATING:
        line = "" if services.generator.ready else "The model is loaded first: a few seconds."
        return _message(busy, line, "waiting")
    request = state.request
    if request is None:
        return _message(
            "Generated films, of no patient",
            "Type a finding, and a model generates films that show it, each of them different. "
            "Slide through them, or from a normal film to the finding. They are 128 pixels wide "
            "and for teaching alone.",
        )
    urls = [marked_url(image) for image in state.images]
    comparison = state.comparison
    return render(
        "generated.html",
        state=state,
        request=request,
        settings=f"{request.text} {request.start} {request.count} {request.seed} "
        f"{request.truncation}",
        urls=urls,
        urls_json=json.dumps(urls),
        path_json=json.dumps(comparison.path) if comparison else "",
        note=f"{MARK}. No patient. {NOTE}",
        busy=busy,
        last_step=STEPS - 1,
        start=_short(_start_title(request)),
        end=_short(request.drawing.title if request.drawing else request.text),
        title=_short(request.text, 120),
        asked=study_text.findings_asked(request.text),
        drawn=[("", words) for words in request.drawing.drawn] if request.drawing else [],
        comparison=comparison,
        copy_check=_COPIED[comparison.copied] if comparison else None,
        nearest=_nearest(comparison, services) if comparison else None,
    )


def marked_url(image: Image.Image) -> str:
    """A generated image as the page gets it: data: address of a PNG with the mark in it."""
    return inline(corner_mark(image, MARK))


def _start_title(request: SampleRequest) -> str:
    """What stands at the slider's left end."""
    if request.start:
        return request.start_drawing.title if request.start_drawing else request.start
    return request.drawing.start_title if request.drawing else "a normal film"


def _nearest(comparison: Comparison, services: Services) -> dict[str, object] | None:
    """What the template says of the nearest real study."""
    match = comparison.nearest
    if match is None:
        return None
    study = match.study
    return {
        "url": services.images.address(study, "small"),
        "summary": study_text.summary(study),
        "chips": study_text.chips(study),
        "person": study_text.person(study) or "view, age and sex not known",
        "similarity": services.similarity(match),
        "source": study.source,
    }


def _message(title: str, line: str, kind: str = "") -> Markup:
    return render("empty.html", title=title, line=line, kind=kind)


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
