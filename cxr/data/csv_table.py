"""One way to read a CSV: encodings, delimiters, columns, and the cells of ages and labels."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from cxr.data.loaded import Notes

_MEGABYTE = 1 << 20
MAX_AGE = 120  # years; NIH's published table holds ages up to 414
_AGE = re.compile(r"([0-9]{1,9})(?:\.[0-9]*)?\s*([YMWD]?)")
_A_YEAR = {"": 1, "Y": 1, "M": 12, "W": 52, "D": 365}
_LABELS = {
    "1": 1,
    "1.0": 1,
    "true": 1,
    "yes": 1,
    "positive": 1,
    "present": 1,
    "0": 0,
    "0.0": 0,
    "false": 0,
    "no": 0,
    "negative": 0,
    "absent": 0,
    "-1": -1,
    "-1.0": -1,
    "uncertain": -1,
}


def read_header(path: Path) -> list[str]:
    """Column names of a CSV, stripped. Raises ValueError as open_table does."""
    return open_table(path)[0]


def open_table(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """Column names, and an iterator over rows with a cell for each (short rows are padded).

    A byte order mark, UTF-8 or Windows-1252, and comma, semicolon or tab are all understood. Rows
    are read as they are asked for. Raises ValueError when the file is empty, binary or malformed.
    """
    rows = _rows(path)
    columns = [name.strip() for name in next(rows, [])]
    if not any(columns):
        raise ValueError(
            f"{path}: expected a CSV whose first line names the columns; got an empty file; "
            "fetch or write it again"
        )
    return columns, _padded(rows, len(columns))


def find_columns(path: Path, columns: list[str], expected: Iterable[str]) -> list[int]:
    """The place of each expected column; "A|B" takes either. ValueError names the absent ones."""
    places = {name: place for place, name in reversed(list(enumerate(columns)))}
    expected = list(expected)
    found = [[places[n] for n in name.split("|") if n in places] for name in expected]
    absent = [name.replace("|", " or ") for name, fits in zip(expected, found) if not fits]
    if absent:
        raise ValueError(
            f"{path}: expected the columns {', '.join(e.replace('|', ' or ') for e in expected)}; "
            f"got {', '.join(columns)}, without {', '.join(absent)}; "
            "restore the published header, or name another layout"
        )
    return [fits[0] for fits in found]


def _rows(path: Path) -> Iterator[list[str]]:
    encoding = _encoding(path)
    try:
        with open(path, newline="", encoding=encoding) as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=header.count)
            yield from filter(None, csv.reader(file, delimiter=delimiter))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected a CSV; got {error}; save it as UTF-8 CSV") from error


def _padded(rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    for row in rows:
        yield row if len(row) >= width else row + [""] * (width - len(row))


def _encoding(path: Path) -> str:
    """UTF-8 unless some byte is none of it: then the Windows code page that Excel writes."""
    try:
        with open(path, "rb") as file:
            if b"\0" in file.read(_MEGABYTE):
                raise ValueError(f"{path}: expected a CSV; got binary data; save it as UTF-8 CSV")
        with open(path, encoding="utf-8") as file:
            while file.read(_MEGABYTE):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    except OSError as error:
        raise ValueError(f"{path}: expected a readable CSV; got {error.strerror}") from error
    return "utf-8-sig"


def parse_age(text: str, notes: Notes) -> int | None:
    """An age such as "64", "64.0", "058Y" or "006M" in whole years.

    None for a blank cell, and, with a note, for one that cannot be read or is above MAX_AGE.
    """
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
    cells: Sequence[str], findings: Sequence[str], notes: Notes, row: int | None = None
) -> dict[str, int]:
    """The label cells of one row, one a finding: 1, 0 or -1 by finding; blank gives no key.

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
            notes.count("labels not understood", f"{name}: {cell}", row=row)
    return labels


def noted(canonical: Callable[[str], str | None], text: str, kind: str, notes: Notes) -> str | None:
    """canonical(text), with a note when the cell holds something that canonical does not know."""
    text = text.strip()
    known = canonical(text) if text else None
    if text and known is None and text.lower() not in ("unknown", "nan", "o"):
        notes.count(kind, text)
    return known
