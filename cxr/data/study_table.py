"""The table of studies of a gallery: studies.parquet, whose images lie beside it under images/."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cxr.data.loaded import Loaded, Notes
from cxr.findings import Study

if TYPE_CHECKING:
    import pyarrow

STUDIES, IMAGES = "studies.parquet", "images"
SYNTHETIC = "synthetic"  # the source of an image made by a generator begins with this word
FOLDER = "folder "  # and that of an image from a plain folder so, whatever the folder is called


def schema() -> pyarrow.Schema:
    """The columns of studies.parquet."""
    import pyarrow as pa  # here and below: slow to import, and only galleries need it

    text = ("id", "source", "patient", "image", "view", "sex")  # image: a file name under images/
    return pa.schema(
        [
            *((name, pa.string()) for name in text),
            ("age", pa.int32()),  # years
            ("findings", pa.string()),  # JSON object {name: 1 present | 0 absent | -1 uncertain}
            ("report", pa.string()),
            ("licence", pa.string()),
            ("synthetic", pa.bool_()),
            ("label_source", pa.string()),  # absent in older galleries, which read as null
        ]
    )


def write_studies(folder: Path, studies: Sequence[Study], images: Sequence[str]) -> None:
    """Write studies.parquet; `images` are the file names under images/, one a study."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_row(study, image) for study, image in zip(studies, images, strict=True)]
    pq.write_table(pa.Table.from_pylist(rows, schema()), folder / STUDIES, compression="zstd")


def read_studies(folder: Path) -> list[Study]:
    """The studies of a gallery, each with the absolute path of its image.

    Raises:
        ValueError: a missing or corrupt table, findings that are no object of 1, 0 and -1, or an
            image name that leaves the folder.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(folder / STUDIES, schema=schema()).to_pylist()
        images = folder.absolute() / IMAGES
        return [_study(row, images) for row in rows]
    except (OSError, pa.ArrowException, json.JSONDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"expected the studies of a gallery in {folder / STUDIES}, could not read them "
            f"({reason}); build the gallery again"
        ) from error


def holds_gallery(root: Path) -> bool:
    """Whether root is a gallery."""
    return (root / "gallery.json").is_file() and (root / STUDIES).is_file()


def read_gallery(root: Path) -> Loaded:
    """The studies of the gallery whose image is there. Raises ValueError as read_studies."""
    notes = Notes()
    present = set(os.listdir(root / IMAGES)) if (root / IMAGES).is_dir() else set()
    studies = []
    for study in read_studies(root):
        name = image_name(study)
        if name in present:
            studies.append(study)
        else:
            notes.lack(name)
    return notes.loaded(studies, "gallery")


def image_name(study: Study) -> str:
    """The file name of a study's image under images/; "" for a study without one."""
    return "" if study.image is None else study.image.name


def _row(study: Study, image: str) -> dict:
    return {
        "id": study.id,
        "source": study.source,
        "patient": study.patient,
        "image": image,
        "view": study.view,
        "sex": study.sex,
        "age": study.age,
        "findings": json.dumps(study.findings),
        "report": study.report,
        "licence": study.licence,
        "label_source": study.label_source or None,
        "synthetic": study.source.startswith(SYNTHETIC),
    }


def plain_name(name: str | None, study: str) -> str:
    """A image's file name, if it is one: a gallery from elsewhere must reach no other folder.

    Raises:
        ValueError: nothing, a path, or a name with a separator of any system.
    """
    if not name or name in (".", "..") or set(name) & set("/\\\0"):
        raise ValueError(f"expected a plain file name as image of {study!r}, got {name!r}")
    return name


def read_findings(text: str | None, study: str) -> dict[str, int]:
    """The JSON of a study's findings; none where nothing is written.

    Raises:
        ValueError: something other than an object with values 1, 0 and -1.
    """
    findings = json.loads(text or "{}")
    if not isinstance(findings, dict) or not all(
        type(value) is int and value in (-1, 0, 1) for value in findings.values()
    ):
        raise ValueError(
            f"expected findings of {study!r} as an object of 1, 0 and -1, got {str(text)[:80]!r}; "
            "build the gallery again"
        )
    return findings


def _study(row: dict, images: Path) -> Study:
    findings = read_findings(row["findings"], row["id"])
    return Study(
        id=row["id"],
        source=row["source"],
        patient=row["patient"],
        image=images / plain_name(row["image"], row["id"]),
        view=row["view"],
        sex=row["sex"],
        age=row["age"],
        findings=findings,
        report=row["report"],
        licence=row["licence"],
        label_source=row["label_source"] or "",
    )
