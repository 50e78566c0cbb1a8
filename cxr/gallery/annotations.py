"""annotations.parquet: what radiologists said and drew on a gallery's studies; it may be missing.

One row a study that has any: row, its place in studies.parquet; outlines, a JSON list of [target,
[[x, y], ...], source] with x and y as fractions of the image's sides; readings, a JSON object
{finding: 1 present | 0 absent | -1 uncertain}.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxr.data import Annotation, Outline
from cxr.findings import FINDINGS
from cxr.gallery.format import ANNOTATIONS

if TYPE_CHECKING:
    import pyarrow

_DIGITS = 4  # of a fraction: a tenth of a pixel at 1,024


def _schema() -> pyarrow.Schema:
    import pyarrow as pa  # slow to import, and many galleries have no annotations

    fields = [("row", pa.int32()), ("outlines", pa.string()), ("readings", pa.string())]
    return pa.schema(fields)


def write_annotations(folder: Path, annotations: Mapping[int, Annotation]) -> None:
    """Write the file of a gallery; none where there is nothing to write.

    Args:
        folder: of the gallery.
        annotations: row of studies.parquet -> what is known of it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not annotations:
        (folder / ANNOTATIONS).unlink(missing_ok=True)
        return
    rows = [
        {
            "row": row,
            "outlines": json.dumps([_plain(outline) for outline in one.outlines]),
            "readings": json.dumps(dict(one.readings or {})),
        }
        for row, one in sorted(annotations.items())
    ]
    table = pa.Table.from_pylist(rows, _schema())
    pq.write_table(table, folder / ANNOTATIONS, compression="zstd")


def _plain(outline: Outline) -> list[Any]:
    points = [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in outline.points]
    return [outline.target, points, outline.source]


def read_annotations(folder: Path, studies: int) -> dict[int, Annotation]:
    """Read the file of a gallery: {row: annotation}; empty where there is none.

    Args:
        folder: of the gallery.
        studies: how many it has.

    Raises:
        ValueError: the file is damaged, or speaks of a study that is not there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / ANNOTATIONS
    if not path.is_file():
        return {}
    try:
        rows = pq.read_table(path, schema=_schema()).to_pylist()
        found = {row["row"]: _annotation(row) for row in rows}
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"expected annotations in {path}, could not read them ({reason}); "
            "build the gallery again"
        ) from error
    if not all(0 <= row < studies for row in found):
        raise ValueError(
            f"expected annotations of {studies} studies in {path}, got one of another; "
            "build the gallery again"
        )
    return found


def _annotation(row: Mapping[str, Any]) -> Annotation:
    readings = json.loads(row["readings"])
    if not set(readings) <= set(FINDINGS) or not set(readings.values()) <= {-1, 0, 1}:
        raise ValueError(f"expected readings of findings, got {str(readings)[:80]}")
    outlines = []
    for target, points, source in json.loads(row["outlines"]):
        outlines.append(Outline(target, tuple((float(x), float(y)) for x, y in points), source))
    return Annotation(tuple(outlines), readings)
