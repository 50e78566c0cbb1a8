"""A film on a stage as HTML, with the tools to look at it; assets/stage.js draws and moves it.

Window, level, zoom and the heat map's opacity change in the browser and ask nothing of the server.
"""

from __future__ import annotations

from html import escape

_PRESETS = (
    ("full", "As stored", "every grey level of the file"),
    ("lungs", "Lungs", "more contrast in the dark parts of the film"),
    ("middle", "Heart and spine", "more contrast in the bright parts of the film"),
    ("crisp", "Contrast", "the middle of the grey levels, stretched"),
)
HEAT_LIMITS = (
    "A rough hint of what moved the model's score. It often marks places beside the finding, even "
    "outside the chest; it is no outline."
)


def stage(
    address: str, said: str, top: str = "", badge: str = "", heat: str = "", note: str = ""
) -> str:
    """One film.

    address: of the film; "" where there is none. said: what a screen reader speaks. top: plain
    text in the upper left corner; badge: HTML in the upper right. heat: data: address of a layer
    over the film. note: plain text over the film while it is waited for.
    """
    layer = f'<img class="heat" alt="" src="{heat}">' if heat else ""
    return (
        f'<div class="stage" tabindex="0" role="group" data-film="{escape(address)}" '
        f'aria-label="{escape(said)}. Plus and minus zoom, arrows move, I inverts, 0 fits.">'
        f'<div class="stack"><canvas></canvas>{layer}</div>'
        f'<span class="corner top">{escape(top)}</span>'
        f'<span class="corner top right">{badge}</span>'
        '<span class="corner low" data-show="zoom"></span>'
        '<span class="corner low right" data-show="window"></span>'
        f'<p class="stage-note" role="status" data-said="{escape(note)}">{escape(note)}</p></div>'
    )


def tools(heat: bool) -> str:
    """The controls of every stage in the same pane. heat: whether a layer is to be faded."""
    presets = "".join(
        f'<button type="button" class="seg" data-preset="{name}" title="{title}" '
        f'aria-pressed="false">{label}</button>'
        for name, label, title in _PRESETS
    )
    opacity = _slider("heat", "Heat map", 0, 100) if heat else ""
    return (
        '<div class="tools">'
        f'<div class="segments" role="group" aria-label="Window presets">{presets}</div>'
        f"{_slider('window', 'Window', 1, 255)}{_slider('level', 'Level', 0, 255)}{opacity}"
        '<div class="segments" role="group" aria-label="Zoom and picture">'
        '<button type="button" class="seg" data-tool="out" aria-label="Zoom out">&#8722;</button>'
        '<button type="button" class="seg" data-tool="in" aria-label="Zoom in">+</button>'
        '<button type="button" class="seg" data-tool="fit">Fit</button>'
        '<button type="button" class="seg" data-tool="invert" aria-pressed="false">Invert</button>'
        '<button type="button" class="seg" data-tool="screen">Full screen</button>'
        '</div><p class="hint">Drag to move when zoomed in. Shift and drag for window and level.'
        "</p></div>"
    )


def _slider(name: str, label: str, low: int, high: int) -> str:
    return (
        f'<label class="slider"><span>{label}</span><input type="range" data-slider="{name}" '
        f'min="{low}" max="{high}" step="0.5"><output></output></label>'
    )
