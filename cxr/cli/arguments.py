"""What the commands share: types of arguments, checks that need no model, and printing.

Everything here runs before a model is loaded, so that a wrong argument is answered at once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from cxr.defaults import GALLERY

MAX_TEXT = 2_000  # characters, as the models take
WITHHELD = " Nothing is said about it; --force reads it all the same."


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """An argparse type: a whole number from `low` on, up to and including `high`."""
    span = f"{low} or more" if high is None else f"a whole number from {low} to {high}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"invalid int value: {text!r}") from None
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"expected {span}, got {value}")
        return value

    return read


def fraction(text: str) -> float:
    """An argparse type: a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid float value: {text!r}") from None
    if not 0 <= value <= 1:  # also NaN
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text}")
    return value


def query_text(text: str) -> str:
    """An argparse type: a text that a model can read."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected a text, got an empty text; type a finding")
    if len(text) > MAX_TEXT:
        raise argparse.ArgumentTypeError(
            f"expected a text of at most {MAX_TEXT} characters, got {len(text)}; shorten it"
        )
    return text


def names(text: str) -> tuple[str, ...]:
    """An argparse type: "a, b" -> ("a", "b")."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def check_folder(value: str | Path | None, default: str, option: str) -> None:
    """Raise ValueError where a folder was named that is not there.

    Args:
        value: what was given; None and addresses such as hf://owner/name are not looked up.
        default: left to the model's own loader, which knows where the package keeps it.
        option: its name, for the message.
    """
    from cxr.hub import is_hub_address

    if value is None or str(value) == default or is_hub_address(str(value)):
        return
    if not Path(value).expanduser().is_dir():
        raise ValueError(f"expected a folder as {option}, found no folder {value}; check the path")


def check_gallery_folder(value: str | None) -> None:
    """Raise ValueError where a gallery was named that is none; addresses are not looked up."""
    from cxr.gallery import read_header

    if value is not None and value != GALLERY and ":" not in value:
        read_header(Path(value).expanduser())


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json to a command."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def print_json(document: Mapping) -> None:
    """Print one document on stdout."""
    print(json.dumps(document, indent=2))
