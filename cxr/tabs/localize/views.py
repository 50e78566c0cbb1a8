"""The Localize tab's HTML; assets/localize.js draws the outline and answers the sliders."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from markupsafe import Markup

from cxr.checkpoints import read_config
from cxr.defaults import find_shipped
from cxr.images import heat_colors
from cxr.tabs.localize.outlines import START, THRESHOLDS
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.page_frame import NOTE
from cxr.tabs.shared.rendering import renderer

LOCATING = "Outlining…"
LOADING = "Loading the model; the first film takes a few seconds…"
render = renderer(Path(__file__).parent)


def located(state: LocalizeState, services: Services, busy: str = "") -> Markup:
    """The image with what was outlined; without an image, how to bring one.

    Args:
        state: what the visitor has.
        services: the models.
        busy: what is said over the image while something is computed; "" for what `state` waits
            for.

    Returns:
        HTML.
    """
    if state.image is None:
        return render("waiting.html", title=busy) if busy else start(services)
    if state.waiting and not busy:
        busy = LOCATING if services.localizer.ready else LOADING
    outline, (width, height) = state.outline, state.image.size
    return render(
        "located.html",
        state=state,
        outline=outline,
        busy=busy,
        key=_key(state),
        aspect=f"{width / height:.5f}",
        measures=json.dumps(outline.measures_dict()) if outline else "",
        start=START,
        thresholds=(THRESHOLDS[0], THRESHOLDS[-1]),
        file_name=_file_name(state.text),
        mark="SYNTHETIC" if state.study and study_text.is_synthetic(state.study) else "",
        note=NOTE,
        colors=_colors(),
        asked=study_text.findings_asked(state.text),
        taken=outline.taken if outline and outline.taken != state.text.lower() else "",
    )


def start(services: Services) -> Markup:
    """The tab without an image: how to bring one, or what is missing."""
    problem = services.localizer.missing()
    targets = [] if problem else _locatable(services.localizer.weights)
    return render("start.html", problem=problem, targets=targets)


@lru_cache(4)
def _locatable(weights: str) -> list[str]:
    """What a checkpoint in a folder says that it outlines; nothing for one on the Hub."""
    try:
        config = read_config(find_shipped(weights))
    except ValueError:
        return []
    levels = config.get("levels", {}).get("targets", {})
    return [name for name in config.get("targets", ()) if not levels.get(name, {}).get("refused")]


def _key(state: LocalizeState) -> str:
    """What changes when the page has something else to draw."""
    heat_map = state.outline.heat_map if state.outline else ""
    drawn = f"{state.image_url} {heat_map} {state.text}"
    return hashlib.sha256(drawn.encode("utf-8", "replace")).hexdigest()[:16]


def _colors() -> str:
    """The color of each of 256 levels, three bytes each, in base64."""
    return base64.b64encode(heat_colors(np.arange(256) / 255).tobytes()).decode()


def _file_name(text: str) -> str:
    """A text as the name of a file, without characters that a file system refuses."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "film"
