"""One way to read a CSV: the usual encodings and delimiters, and errors that say what to do."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

_MEGABYTE = 1 << 20


def read_header(path: Path) -> list[str]:
    """Column names of a CSV, stripped. Raises ValueError as open_table does."""
    columns, rows = open_table(path)
    rows.close()
    return columns


def open_table(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """Column names, and an iterator over rows with a cell for each (short rows are padded).

    A byte order mark, UTF-8 or Windows-1252, and comma, semicolon or tab are all understood. Rows
    are read as they are asked for. Raises ValueError when the file is empty, binary or malformed.
    """
    rows = _rows(path)
    columns = [name.strip() for name in next(rows, [])]
    if not any(columns):
        raise ValueError(
            f"{path}: expected a CSV whose first line names the columns; came an empty file; "
            "fetch or write it again"
        )
    return columns, _padded(rows, len(columns))


def find_columns(path: Path, columns: list[str], expected: Iterable[str]) -> list[int]:
    """The place of each expected column; "A|B" takes either. ValueError names the absent ones."""
    places = {name: place for place, name in reversed(list(enumerate(columns)))}
    expected = list(expected)
    found = [next((places[n] for n in name.split("|") if n in places), None) for name in expected]
    absent = [name.replace("|", " or ") for name, place in zip(expected, found) if place is None]
    if absent:
        raise ValueError(
            f"{path}: expected the columns {', '.join(e.replace('|', ' or ') for e in expected)}; "
            f"came {', '.join(columns)}, without {', '.join(absent)}; "
            "restore the published header, or name another layout"
        )
    return found


def _rows(path: Path) -> Iterator[list[str]]:
    encoding = _encoding(path)
    try:
        with open(path, newline="", encoding=encoding) as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=header.count)
            yield from filter(None, csv.reader(file, delimiter=delimiter))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected a CSV; came {error}; save it as UTF-8 CSV") from error


def _padded(rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    for row in rows:
        yield row if len(row) >= width else row + [""] * (width - len(row))


def _encoding(path: Path) -> str:
    """ "utf-8-sig" unless some byte is no UTF-8: then the Windows code page that Excel writes."""
    try:
        with open(path, "rb") as file:
            if b"\0" in file.read(_MEGABYTE):
                raise ValueError(f"{path}: expected a CSV; came binary data; save it as UTF-8 CSV")
        with open(path, encoding="utf-8") as file:
            while file.read(_MEGABYTE):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    except OSError as error:
        raise ValueError(f"{path}: expected a readable CSV; came {error.strerror}") from error
    return "utf-8-sig"
