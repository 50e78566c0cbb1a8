"""The Localize tab's picture and numbers as HTML; assets/localize.js draws and slides."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape

import numpy as np

from cxr.images import heat_colors
from cxr.tabs.localize.outlines import START, THRESHOLDS, Outline
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.page_frame import NOTE

LOCATING = "Outlining…"
LOADING = "Loading the model; the first film takes a few seconds…"
_LAYOUTS = (("curtain", "Slide between"), ("beside", "Side by side"))
_DRAWINGS = (("both", "Heat and outline"), ("heat", "Heat"), ("contour", "Outline"))


def pane(bench: LocalizeState, services: Services, busy: str = "") -> str:
    """The film with what was found in it; without a film, how to bring one."""
    if bench.film is None:
        return _state(busy, "", "waiting") if busy else start(services)
    if bench.wanted and not busy:
        busy = LOCATING if services.localizer.ready else LOADING
    return (
        f'<section class="locate" aria-label="Film to outline findings in" data-layout="plain" '
        f"{_data(bench)}>{_stage(bench, busy)}"
        f'<div class="locate-side">{_side(bench, busy)}</div></section>'
    )


def start(services: Services) -> str:
    """The tab without a film."""
    if problem := services.localizer.missing():
        return _state("Nothing can be outlined yet.", problem, "setup")
    return (
        '<div class="state bring"><h2>Bring a film</h2><p>Drop it here, paste it, or choose a '
        "file: PNG, JPEG, TIFF, WebP or DICOM. It stays in memory, for you alone. In the Search "
        "tab, an open film has a button that brings it here.</p></div>"
    )


def _state(title: str, line: str, kind: str) -> str:
    return (
        f'<div class="state {kind}" role="status"><h2>{escape(title)}</h2>'
        f"<p>{escape(line)}</p></div>"
    )


def _data(bench: LocalizeState) -> str:
    outline = bench.outline
    values = {
        "key": _key(bench),
        "film": bench.picture,
        "map": outline.heat if outline else "",
        "truth": outline.truth if outline else "",
        "readings": _readings(outline) if outline else "",
        "threshold": START,
        "size": f"{bench.size[0]} {bench.size[1]}",
        "name": bench.text,
        "file": _file_name(bench.text),
        "mark": "SYNTHETIC" if bench.study and words.is_synthetic(bench.study) else "",
        "note": NOTE,
        "shades": _shades(),
    }
    return " ".join(f'data-{name}="{escape(str(value))}"' for name, value in values.items())


def _key(bench: LocalizeState) -> str:
    """What changes when the page has something else to draw."""
    heat = bench.outline.heat if bench.outline else ""
    return hashlib.sha256(f"{bench.picture} {heat} {bench.text}".encode()).hexdigest()[:16]


def _readings(outline: Outline) -> str:
    rows = [reading.to_dict() for reading in outline.readings]
    return json.dumps({"low": THRESHOLDS[0], "rows": rows})


def _shades() -> str:
    """The colour of each of 256 levels, three bytes each, in base64."""
    return base64.b64encode(heat_colors(np.arange(256) / 255).tobytes()).decode()


def _file_name(text: str) -> str:
    """A text as the name of a file, without what a file system would mind."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "film"


def _stage(bench: LocalizeState, busy: str) -> str:
    width, height = bench.film.size
    badge = words.badge(bench.study) if bench.study else ""
    curtain = (
        '<span class="curtain" role="slider" tabindex="0" aria-label="Between the film and the '
        'overlay" aria-valuemin="0" aria-valuemax="100" aria-valuenow="50"></span>'
        '<span class="corner low">Film</span><span class="corner low right">Overlay</span>'
        if bench.outline
        else ""
    )
    return (
        f'<div class="pair" style="--aspect: {width / height:.5f}">'
        '<figure class="plain-side"><canvas class="plain-film"></canvas></figure>'
        '<figure class="marked-side"><canvas class="marked-film" role="img" '
        f'aria-label="{escape(bench.source)}, with {escape(bench.text or "nothing")} marked">'
        f"</canvas></figure>{curtain}"
        f'<span class="corner top">{escape(bench.source)}</span>'
        f'<span class="corner top right">{badge}</span>'
        f'<p class="stage-note" role="status">{escape(busy)}</p></div>'
    )


def _side(bench: LocalizeState, busy: str) -> str:
    away = '<button type="button" class="quiet" data-act="away">Another film</button>'
    if bench.outline is None:
        say = busy or "Say above what should be outlined, or choose a suggestion."
        return (
            f'<div class="locate-bar"><h2>{escape(bench.source)}</h2>{away}</div>'
            f"{_warning(bench)}<p>{say}</p>"
        )
    truth = bench.outline.truth
    return (
        f'<div class="locate-bar"><h2 tabindex="-1">{escape(bench.text)}</h2>{away}</div>'
        f"{_warning(bench)}{_taken(bench)}{_measured(bool(truth))}{_tools(bool(truth))}"
        '<div class="actions"><button type="button" class="strong" data-act="picture">'
        'Download the picture</button><button type="button" class="plain" data-act="mask">'
        "Download the mask</button></div>"
        '<p class="hint">A model drew this from a few hundred outlined films. It can miss what is '
        "there and mark what is not.</p>"
    )


def _warning(bench: LocalizeState) -> str:
    if not bench.warning:
        return ""
    return (
        f'<div class="gate" role="alert"><p><strong>{escape(bench.warning)}</strong></p>'
        "<p>What is drawn in it may mean nothing.</p></div>"
    )


def _taken(bench: LocalizeState) -> str:
    taken = bench.outline.taken
    same = taken in ("", bench.text.lower())
    return "" if same else f'<p class="taken">Taken as: {escape(taken)}</p>'


def _measured(truth: bool) -> str:
    rows = [("Area", "area"), ("Each lung", "each")]
    rows += [("Overlap", "dice")] if truth else []
    listed = "".join(f'<dt>{name}</dt><dd data-read="{key}"></dd>' for name, key in rows)
    legend = (
        '<p class="legend"><span><i class="line found"></i>found by the model</span>'
        '<span><i class="line true"></i>drawn by hand</span></p>'
        if truth
        else ""
    )
    return (
        '<p class="verdict" role="status" aria-live="polite" data-read="verdict"></p>'
        f'<dl class="facts">{listed}</dl>{legend}'
    )


def _tools(truth: bool) -> str:
    known = (
        '<button type="button" class="quiet" data-set="truth" data-to="true">'
        "Outline drawn by hand</button>"
        if truth
        else ""
    )
    return (
        f'<div class="tools">{_slider("threshold", "Threshold", THRESHOLDS[0], THRESHOLDS[-1])}'
        f"{_slider('opacity', 'Opacity', 0, 100)}{_slider('split', 'Film / overlay', 0, 100)}"
        f"{_segments('drawing', 'What is drawn', _DRAWINGS)}"
        f"{_segments('layout', 'How the film stands beside it', _LAYOUTS)}{known}</div>"
    )


def _segments(name: str, label: str, choices: tuple) -> str:
    buttons = "".join(
        f'<button type="button" class="seg" data-set="{name}" data-to="{value}" '
        f'aria-pressed="false">{words}</button>'
        for value, words in choices
    )
    return f'<div class="segments" role="group" aria-label="{label}">{buttons}</div>'


def _slider(name: str, label: str, low: int, high: int) -> str:
    return (
        f'<label class="slider"><span>{label}</span><input type="range" data-slider="{name}" '
        f'min="{low}" max="{high}" step="1"><output></output></label>'
    )
