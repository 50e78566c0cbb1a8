"""Tables and numbers of a model card, in Markdown."""

from __future__ import annotations


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
