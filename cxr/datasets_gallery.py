"""The studies of a gallery folder, which holds gallery.json, studies.parquet and images/."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cxr.datasets_common import Loaded, Notes
from cxr.findings import Study

COLUMNS = (
    "id", "source", "patient", "image", "view", "sex", "age", "findings", "report", "licence",
)  # fmt: skip


def holds_gallery(root: Path) -> bool:
    """Whether root is a gallery."""
    return (root / "gallery.json").is_file() and (root / "studies.parquet").is_file()


def read_gallery(root: Path) -> Loaded:
    """The studies of the gallery whose image is there. Raises ValueError on another file format."""
    notes = Notes()
    present = set(os.listdir(root / "images")) if (root / "images").is_dir() else set()
    studies = []
    for row in _rows(root / "studies.parquet"):
        if row["image"] in present:
            about = {"image": root / "images" / row["image"]}
            about["findings"] = json.loads(row["findings"] or "{}")
            studies.append(Study.from_dict(row | about))
        else:
            notes.lack(str(row["image"]))
    return notes.loaded(studies, "gallery")


def _rows(path: Path) -> list[dict]:
    import pyarrow  # slow to import, and only galleries need it
    from pyarrow import parquet

    try:
        return parquet.read_table(path, columns=list(COLUMNS)).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(
            f"{path}: expected a gallery's table with the columns {', '.join(COLUMNS)}; "
            f"came {error}; build the gallery again"
        ) from error
