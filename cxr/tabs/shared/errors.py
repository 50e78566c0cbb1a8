"""The one place where an error becomes a message."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from markupsafe import Markup

from cxr.tabs.shared.rendering import renderer

log = logging.getLogger(__name__)
render = renderer(Path(__file__).parent)
T = TypeVar("T")

UNEXPECTED = "Something went wrong here and was written to the log. Try again, or another film."
STALE = "That film is no longer on the page; choose one of those shown."


def attempt(work: Callable[..., T], *args: object) -> tuple[T | None, str]:
    """Do a piece of work and catch whatever it raises.

    Returns:
        What work(*args) returns and ""; or, after an error, None and a message in plain text. The
        text of a ValueError is its message, since it says what was expected, what came and what to
        do. Any other error is logged, and the message is UNEXPECTED.
    """
    try:
        return work(*args), ""
    except ValueError as error:
        return None, message_of(error)
    except Exception:
        log.exception("unexpected error in %s", getattr(work, "__name__", work))
        return None, UNEXPECTED


def message_of(error: ValueError) -> str:
    """Return the text of an error as a sentence, in plain text."""
    text = " ".join(str(error).split()) or UNEXPECTED
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def notice(message: str) -> Markup:
    """Return a message as HTML that a screen reader speaks; "" shows nothing."""
    return render("notice.html", message=message)
