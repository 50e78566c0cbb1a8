"""What a gallery looks like on disk: names of its files, header, embeddings.

    gallery.json       format version, encoder's sha256, source, licence, counts
    studies.parquet    one row a study (cxr.data.study_table)
    embeddings.npy     float16 [N, 512], unit rows, in the order of studies.parquet
    places.npy         float16 [N, P, D], features of P places of each image by rows; optional, it
                       serves the comparison of regions
    index.faiss        the same vectors, searchable (cxr.gallery.index)
    annotations.parquet  what radiologists said and drew, where it is known; it may be missing
                       (cxr.gallery.annotations)
    findings.safetensors  optional: float16 [N, F], how much each image shows each finding
                       (cxr.gallery.logits)
    images/            the images, named by the sha256 of their content
    map.npy            optional: float32 [N, 2] in [0, 1], places on a map (cxr.gallery.map)

A name that follows from the content keeps a program that still holds an older gallery from
showing another patient's image under an old name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cxr.files import read_json

FORMAT_VERSION = 1
DIMENSIONS = 512
HEADER, EMBEDDINGS, INDEX = "gallery.json", "embeddings.npy", "index.faiss"
ANNOTATIONS, MAP, PLACES = "annotations.parquet", "map.npy", "places.npy"
LOGITS = "findings.safetensors"
OPTIONAL_FILES = (ANNOTATIONS, MAP, PLACES, LOGITS)
GALLERY_FILES = (HEADER, "studies.parquet", EMBEDDINGS, INDEX, *OPTIONAL_FILES, "images/*")  # all


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
    if isinstance(version, bool) or not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"expected gallery format {FORMAT_VERSION} or older in {folder}, got {version!r}; "
            "update this package to read it"
        )
    return header


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


def read_places(folder: Path, count: int) -> np.ndarray | None:
    """The features of places of a gallery's images: float16 [N, P, D], memory-mapped, read-only.

    Args:
        folder: of the gallery.
        count: N, its studies.

    Returns:
        None where the gallery was built without them.

    Raises:
        ValueError: a corrupt file, another shape, type or number of images.
    """
    path = folder / PLACES
    if not path.is_file():
        return None
    try:
        places = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(
            f"expected features of places in {path}, could not read them ({error}); build the "
            "gallery again"
        ) from error
    if places.dtype != np.float16 or places.ndim != 3 or len(places) != count:
        raise ValueError(
            f"expected float16 [{count}, P, D] in {path}, got {places.dtype} "
            f"{list(places.shape)}; build the gallery again"
        )
    return places
