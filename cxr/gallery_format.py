"""What a gallery looks like on disk: names of its files, header, table of studies.

    gallery.json       format version, encoder's sha256, source, licence, counts
    studies.parquet    one row a study (SCHEMA)
    embeddings.npy     float16 [N, 512], unit rows, in the order of studies.parquet
    index.faiss        the same vectors, searchable (cxr.gallery_index)
    images/            the films, named by the sha256 of their content

A name that follows from the content keeps a program that still holds an older gallery from
showing another patient's film under an old name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cxr.files import read_json
from cxr.findings import Study

FORMAT_VERSION = 1
DIMENSIONS = 512
HEADER, STUDIES, EMBEDDINGS, INDEX, IMAGES = (
    "gallery.json",
    "studies.parquet",
    "embeddings.npy",
    "index.faiss",
    "images",
)
SYNTHETIC = "synthetic"  # the source of a film made by a generator begins with this word

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("patient", pa.string()),
        ("image", pa.string()),  # file name under images/
        ("view", pa.string()),
        ("sex", pa.string()),
        ("age", pa.int32()),  # years
        ("findings", pa.string()),  # JSON object {name: 1 present | 0 absent | -1 uncertain}
        ("report", pa.string()),
        ("licence", pa.string()),
        ("synthetic", pa.bool_()),
    ]
)


def is_gallery(folder: Path) -> bool:
    """Whether `folder` holds a finished gallery."""
    return (folder / HEADER).is_file()


def read_header(folder: Path) -> dict:
    """The content of gallery.json.

    Raises:
        ValueError: no gallery, or one of a newer format.
    """
    if not is_gallery(folder):
        raise ValueError(
            f"expected a gallery at {folder}, found no {HEADER}; "
            "build one with: python -m cxr gallery build ROOT --out DIR"
        )
    header = read_json(folder / HEADER, "a gallery's header")
    version = header.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"expected gallery format {FORMAT_VERSION} or older in {folder}, got {version!r}; "
            "update this package to read it"
        )
    return header


def write_studies(folder: Path, studies: Sequence[Study], images: Sequence[str]) -> None:
    """Write studies.parquet; `images` are the file names under images/, one a study."""
    rows = [_row(study, image) for study, image in zip(studies, images, strict=True)]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / STUDIES, compression="zstd")


def read_studies(folder: Path) -> list[Study]:
    """The studies of a gallery, each with the absolute path of its film.

    Raises:
        ValueError: a missing or corrupt table, or an image name that leaves the folder.
    """
    try:
        rows = pq.read_table(folder / STUDIES, schema=SCHEMA).to_pylist()
        images = folder.absolute() / IMAGES
        return [_study(row, images) for row in rows]
    except (OSError, pa.ArrowException, json.JSONDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"expected the studies of a gallery in {folder / STUDIES}, could not read them "
            f"({reason}); build the gallery again"
        ) from error


def read_embeddings(folder: Path) -> np.ndarray:
    """The embeddings of a gallery: float16 [N, 512], unit rows, memory-mapped and read-only.

    Raises:
        ValueError: a missing or corrupt file, another shape or type.
    """
    path = folder / EMBEDDINGS
    try:
        embeddings = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(
            f"expected embeddings in {path}, could not read them ({error}); build the gallery again"
        ) from error
    if embeddings.dtype != np.float16 or embeddings.shape[1:] != (DIMENSIONS,):
        raise ValueError(
            f"expected float16 [N, {DIMENSIONS}] in {path}, got {embeddings.dtype} "
            f"{list(embeddings.shape)}; build the gallery again"
        )
    return embeddings


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
        "synthetic": study.source.startswith(SYNTHETIC),
    }


def _study(row: dict, images: Path) -> Study:
    name = row["image"]
    if Path(name).name != name:  # a gallery may come from the Hub
        raise ValueError(f"expected a plain file name as image of {row['id']!r}, got {name!r}")
    return Study(
        id=row["id"],
        source=row["source"],
        patient=row["patient"],
        image=images / name,
        view=row["view"],
        sex=row["sex"],
        age=row["age"],
        findings=json.loads(row["findings"]),
        report=row["report"],
        licence=row["licence"],
    )
