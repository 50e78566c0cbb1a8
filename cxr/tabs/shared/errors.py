"""The one place where an error becomes a message."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from html import escape

import gradio as gr

log = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong here and was written to the log. Try again, or another film."


def guarded(
    work: Callable, show: Callable, busy: str | Callable[..., str] = ""
) -> Callable[..., Iterator[tuple]]:
    """A page handler that never fails, made of work(room, *inputs) -> room.

    It yields show(room, busy=busy) when there is something to say while it works, then show(room
    after), or after an error show(room before, message=...). A ValueError's own text is the
    message, since it says what was expected, what came and what to do; any other error is logged
    and the message is UNEXPECTED. busy may be a function of (room, *inputs).
    """

    @functools.wraps(work)
    def handler(room, *inputs):
        if said := busy(room, *inputs) if callable(busy) else busy:
            yield show(room, busy=said)
        try:
            page = show(work(room, *inputs))
        except ValueError as error:
            page = show(room, message=message_of(error))
        except Exception:
            log.exception("unexpected error in %s", work.__name__)
            page = show(room, message=UNEXPECTED)
        yield page

    return handler


def following(show: Callable) -> Callable[..., tuple]:
    """`show` for a handler that follows another: the message, its first output, stays as the other
    left it unless there is a new one.
    """

    def shown(room, message: str = "", busy: str = "") -> tuple:
        said, *rest = show(room, message=message, busy=busy)
        return (said if message else gr.skip(), *rest)

    return shown


def message_of(error: ValueError) -> str:
    """The text of an error as a sentence. Plain text."""
    text = " ".join(str(error).split()) or UNEXPECTED
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def notice(message: str) -> str:
    """A message as HTML that a screen reader speaks; "" shows nothing."""
    return f'<div class="notice" role="alert"><p>{escape(message)}</p></div>' if message else ""
