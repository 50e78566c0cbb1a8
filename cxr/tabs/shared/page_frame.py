"""What stands around every tab: the name, the palette's switch, help, the tour, and the note."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.theme import asset

render = renderer(Path(__file__).parent)

NOTE = "For education, not for diagnosis."

# Where keys work -> (keys, what they do).
KEYS = {
    "Everywhere": (
        ("?", "This sheet"),
        ("/", "The box to type in"),
        ("\u2190 \u2192", "The next tab, while one has the focus"),
        ("Esc", "Close this sheet, the tour or an open film"),
    ),
    "A film that has the focus": (
        ("+ \u2212", "Zoom in, zoom out"),
        ("0", "Fit the film again"),
        ("\u2190 \u2191 \u2192 \u2193", "Move a film that is zoomed"),
        ("I", "Invert"),
        ("Shift + drag", "Window (across) and level (up and down)"),
        ("Two fingers", "Zoom on a touch screen; one finger moves"),
    ),
    "Search": (
        ("Enter", "Search; Shift + Enter begins a line"),
        ("\u2190 \u2192", "From film to film among those found"),
    ),
    "Localize": (
        ("\u2190 \u2192", "Move the curtain between film and outline"),
        ("Home End", "The film alone, the outline alone"),
    ),
    "Practice": (
        ("N A", "Normal, abnormal"),
        ("R G", "Real, generated, where a set asks for that"),
        ("5 to 9", "How sure, from 50 to 90%"),
        ("/", "Type a finding"),
        (
            "\u2190 \u2191 \u2192 \u2193",
            "Move the mark; with Shift its size; Enter sets it, Esc leaves it out",
        ),
        ("C", "Commit; then the next film"),
        ("1 to 9", "Lay a film of the comparison over yours, and take it off"),
    ),
}

# Step by step: the tab that it opens, its title, what it says.
TOUR = (
    (
        "search",
        "Search in your own words",
        "Type what you want to see, or give a film. Each film says why it is there; open one for "
        "more like it, for its contrast, and for its window and level.",
    ),
    (
        "read",
        "Bring a film",
        "Read suggests findings and a report that you edit and save. From there, or in Localize, "
        "have lungs, heart or opacities outlined. What you upload goes when you leave.",
    ),
    (
        "generate",
        "Slide from normal to a finding",
        "Generate makes synthetic films of what you type. Move the slider to watch a finding "
        "appear, and compare with the nearest real film.",
    ),
    (
        "practice",
        "Commit, then be corrected",
        "Say normal or abnormal, what, where and how sure. Then see what was right and what looks "
        "alike. Your progress stays in this browser.",
    ),
    (
        "learn",
        "Lessons, and films to keep",
        "Learn has a short lesson on each finding. Keep any film with its + button; Collections "
        "compares films, and shares them by a link. Press ? for the keys.",
    ),
)


def header() -> Markup:
    """Return the head of the page, with the tour and the sheet of keys."""
    return render("header.html", note=NOTE, mark=Markup(asset("mark.svg")), keys=KEYS, tour=TOUR)


def footer() -> Markup:
    """Return the foot of the page."""
    return render("footer.html", note=NOTE)
