"""What every reader returns: the studies, how many rows had no image, and notes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cxr.findings import Study


@dataclass(frozen=True)
class Loaded:
    """A data set as read: its studies, how many rows had no image, and what was odd about it."""

    studies: list[Study]
    missing: int  # rows left out because their image is not there
    layout: str
    notes: tuple[str, ...] = ()


class Notes:
    """Counts what a reader could not use, so that one line a kind says it at the end."""

    def __init__(self) -> None:
        self._lacking: list[str] = []
        self._lines: list[str] = []
        self._counts: dict[str, Counter[str]] = {}
        self._rows: dict[tuple[str, str], int] = {}

    def lack(self, name: str) -> None:
        """Count a row whose image is not there."""
        self._lacking.append(name)

    def say(self, line: str) -> None:
        """Add a line of its own."""
        self._lines.append(line)

    def count(self, kind: str, value: str, times: int = 1, row: int | None = None) -> None:
        """Count a value of this kind; the eight most common ones are named at the end.

        Args:
            kind: what is wrong with it, in words.
            value: as the table has it.
            times: how often.
            row: of the table, 1 for its header; the first row of each value is named.
        """
        self._counts.setdefault(kind, Counter())[value[:60]] += times
        if row is not None:
            self._rows.setdefault((kind, value[:60]), row)

    def loaded(self, studies: list[Study], layout: str) -> Loaded:
        """The result of a reader; rows without an image come first, with one to look for."""
        missing, lines = len(self._lacking), [*self._lines, *map(self._summary, self._counts)]
        if missing:
            rows = missing + len(studies)
            lines.insert(
                0, f"{missing} of {rows} rows have no image, the first: {self._lacking[0]}"
            )
        return Loaded(studies, missing, layout, tuple(lines))

    def _summary(self, kind: str) -> str:
        values = self._counts[kind]
        shown = ", ".join(
            f"{value!r} ({times}{self._place(kind, value)})"
            for value, times in values.most_common(8)
        )
        more = f" and {len(values) - 8} more" if len(values) > 8 else ""
        return f"{kind}: {shown}{more}"

    def _place(self, kind: str, value: str) -> str:
        row = self._rows.get((kind, value))
        return "" if row is None else f", row {row}"
