"""Tables and numbers of a model card, in Markdown, and the card's template filled with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined


def fill_template(template: Path, parts: Mapping[str, str | Mapping[str, str]]) -> str:
    """Fill a model card's template.

    Args:
        template: Markdown with Jinja2's {{ name }}.
        parts: What stands for each name; for some, by names of their own.

    Raises:
        jinja2.UndefinedError: The template has a name that is not among the parts.
    """
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(template.read_text("utf-8")).render(parts)


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column to the left, the others to the right."""
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(value: float) -> str:
    """0.254 -> "25.4"."""
    return f"{100 * value:.1f}"


def percent_with_interval(entry: dict[str, float]) -> str:
    """{"value", "low", "high"} -> "25.4 (20.1–31.0)"."""
    return f"{percent(entry['value'])} ({percent(entry['low'])}–{percent(entry['high'])})"


def with_interval(entry: dict[str, float]) -> str:
    """{"value", "low", "high"} -> "0.76 (0.72–0.80)", three decimals."""
    return f"{entry['value']:.3f} ({entry['low']:.3f}–{entry['high']:.3f})"
