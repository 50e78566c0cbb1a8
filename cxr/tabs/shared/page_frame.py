"""What stands around every tab: the name, the palette's switch and the note on every page."""

from __future__ import annotations

from cxr.tabs.shared.theme import asset

NOTE = "For education, not for diagnosis."
_SWITCH = (
    '<button type="button" id="palette" class="quiet" title="Dark or light" '
    'aria-label="Switch between the dark and the light room">'
    '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" fill="none" '
    'stroke="currentColor" stroke-width="1.5"><circle cx="10" cy="10" r="6.8"/>'
    '<path d="M10 3.2a6.8 6.8 0 0 1 0 13.6z" fill="currentColor"/></svg></button>'
)


def header() -> str:
    """The head of the page."""
    return (
        f'<header class="frame-head"><a class="skip" href="#query">Skip to the search box</a>'
        f'<span class="mark" aria-hidden="true">{asset("mark.svg")}</span><h1>CXR Reading Room</h1>'
        f'<p class="note" role="note">{NOTE}</p>{_SWITCH}</header>'
    )


def footer() -> str:
    """The foot of the page."""
    return (
        f'<footer class="frame-foot"><p><strong>{NOTE}</strong> Labels were partly mined from '
        "reports by software and contain mistakes; similarity is a model's, not a radiologist's. "
        "The patient's right is on the left of the picture.</p></footer>"
    )
