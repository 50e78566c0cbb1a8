"""What the readers of all layouts share: their result, their notes, and the reading of one cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cxr.findings import Study

MAX_AGE = 120  # years; NIH's published table holds ages up to 414
_AGE = re.compile(r"([0-9]{1,9})(?:\.[0-9]*)?\s*([YMWD]?)")
_A_YEAR = {"": 1, "Y": 1, "M": 12, "W": 52, "D": 365}
_LABELS = {
    "1": 1, "1.0": 1, "true": 1, "yes": 1, "positive": 1, "present": 1,
    "0": 0, "0.0": 0, "false": 0, "no": 0, "negative": 0, "absent": 0,
    "-1": -1, "-1.0": -1, "uncertain": -1,
}


@dataclass(frozen=True)
class Loaded:
    """A data set as read: its studies, how many rows had no image, and what was odd about it."""

    studies: list[Study]
    missing: int  # rows left out because their image is not there
    layout: str
    notes: tuple[str, ...] = ()


class Notes:
    """Counts what a reader could not use, so that one line a kind tells it at the end."""

    def __init__(self) -> None:
        self._lacking: list[str] = []
        self._lines: list[str] = []
        self._counts: dict[str, Counter[str]] = {}

    def lack(self, name: str) -> None:
        """Count a row whose image is not there."""
        self._lacking.append(name)

    def say(self, line: str) -> None:
        self._lines.append(line)

    def count(self, kind: str, value: str, times: int = 1) -> None:
        self._counts.setdefault(kind, Counter())[value[:60]] += times

    def loaded(self, studies: list[Study], layout: str) -> Loaded:
        """The result of a reader; rows without an image are told first, with one to look for."""
        missing, lines = len(self._lacking), [*self._lines, *map(self._summary, self._counts)]
        if missing:
            rows = missing + len(studies)
            lines.insert(
                0, f"{missing} of {rows} rows have no image, the first: {self._lacking[0]}"
            )
        return Loaded(studies, missing, layout, tuple(lines))

    def _summary(self, kind: str) -> str:
        values = self._counts[kind]
        shown = ", ".join(f"{value!r} ({times})" for value, times in values.most_common(8))
        more = f" and {len(values) - 8} more" if len(values) > 8 else ""
        return f"{kind}: {shown}{more}"


def parse_age(text: str, notes: Notes) -> int | None:
    """ "64", "64.0", "058Y", "006M" -> whole years; blank, unreadable and above MAX_AGE -> None."""
    years = _years(text)
    if years is None and text.strip().lower() not in ("", "nan", "unknown"):
        notes.count("ages taken as unknown", text.strip())
    return years


@lru_cache(1024)  # a table of 224,316 rows has about a hundred ages
def _years(text: str) -> int | None:
    match = _AGE.fullmatch(text.strip().upper())
    years = int(match[1]) // _A_YEAR[match[2]] if match else None
    return None if years is None or years > MAX_AGE else years


def read_labels(
    cells: Sequence[str], findings: Sequence[str], notes: Notes
) -> dict[str, int]:
    """The cells of one row, one a finding -> 1, 0 or -1 by finding; blank gives no key.

    "1.0", "yes", "uncertain" and the like are understood.
    """
    try:
        return {name: _LABELS[cell] for name, cell in zip(findings, cells) if cell}
    except KeyError:  # a rare spelling: look at each cell
        pass
    labels = {}
    for name, cell in zip(findings, cells):
        cell = cell.strip().lower()
        if cell in _LABELS:
            labels[name] = _LABELS[cell]
        elif cell not in ("", "nan"):
            notes.count("labels not understood", f"{name}: {cell}")
    return labels


def noted(canonical, text: str, kind: str, notes: Notes) -> str | None:
    """canonical(text), with a note when the cell holds something that canonical does not know."""
    text = text.strip()
    known = canonical(text) if text else None
    if text and known is None and text.lower() not in ("unknown", "nan", "o"):
        notes.count(kind, text)
    return known
