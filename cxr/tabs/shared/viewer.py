"""An image on a stage as HTML, with the tools to look at it; assets/stage.js draws and moves it.

Window, level, zoom and the heat map's opacity change in the browser and ask nothing of the server.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from cxr.tabs.shared.rendering import renderer

render = renderer(Path(__file__).parent)

PRESETS = (
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
    address: str, said: str, top: str = "", badge: str = "", heat_map: str = "", note: str = ""
) -> Markup:
    """Return one image on its stage.

    Args:
        address: of the image; "" where there is none.
        said: what a screen reader speaks.
        top: text in the upper left corner.
        badge: Markup in the upper right corner.
        heat_map: data: address of a layer over the image; "" for none.
        note: what stands over the image while it is waited for.
    """
    return render(
        "stage.html",
        address=address,
        said=said,
        top=top,
        badge=badge,
        heat_map=heat_map,
        note=note,
    )


def tools(heat_map: bool) -> Markup:
    """Return the controls of every stage in the same component.

    Args:
        heat_map: whether there is a layer to fade.
    """
    return render("tools.html", presets=PRESETS, heat_map=heat_map)
