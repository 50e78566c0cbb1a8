"""What stands around every tab: the name, the palette's switch and the note on every page."""

from __future__ import annotations

NOTE = "For education, not for diagnosis."
_MARK = (
    '<svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true" fill="none" '
    'stroke="currentColor" stroke-width="1.6" stroke-linecap="round">'
    '<rect x="2.8" y="2.8" width="26.4" height="26.4" rx="5"/>'
    '<path d="M16 7v16.5M13.4 9.6C9.4 9.4 8 14 7.7 20.6c0 2.2 1.4 2.9 3 2.3 1.6-.6 '
    '2.7-1.4 2.7-3.4z"/><path d="M18.6 9.6C22.6 9.4 24 14 24.3 20.6c0 2.2-1.4 '
    '2.9-3 2.3-1.6-.6-2.7-1.4-2.7-3.4z"/></svg>'
)
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
        f'<span class="mark">{_MARK}</span><h1>CXR Reading Room</h1>'
        f'<p class="note" role="note">{NOTE}</p>{_SWITCH}</header>'
    )


def footer() -> str:
    """The foot of the page."""
    return (
        f'<footer class="frame-foot"><p><strong>{NOTE}</strong> Labels were partly mined from '
        "reports by software and contain mistakes; similarity is a model's, not a radiologist's. "
        "The patient's right is on the left of the picture.</p></footer>"
    )
