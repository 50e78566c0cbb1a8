"""Is a gallery whole? Everything that can be wrong with one, found without an encoder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr.data import IMAGES, image_name, read_studies
from cxr.findings import Study
from cxr.gallery.annotations import read_annotations
from cxr.gallery.format import INDEX, read_embeddings, read_header, read_places
from cxr.gallery.images import content_name
from cxr.gallery.index import NearestVectors
from cxr.gallery.logits import read_logits
from cxr.gallery.map import read_map

_TOLERANCE = 2e-3  # of a row's length; half precision alone changes it by up to 5e-4
_BLOCK = 16_384


def check_gallery(folder: str | Path, encoder: str | None = None) -> list[str]:
    """Problems of the gallery in `folder`, one sentence each; [] when it is whole.

    Args:
        folder: of the gallery.
        encoder: sha256 of the encoder that it should have been made by (None: any).
    """
    folder = Path(folder).expanduser()
    problems: list[str] = []
    header = _try(problems, read_header, folder)
    if header is None:
        return problems
    if encoder is not None and header.get("encoder") != encoder:
        problems.append(f"made by encoder {header.get('encoder')}, not by {encoder}")
    studies = _try(problems, read_studies, folder)
    embeddings = _try(problems, read_embeddings, folder)
    counts = {"header": header.get("studies")}
    if studies is not None:
        counts["studies"] = len(studies)
        _try(problems, read_annotations, folder, len(studies))
        problems += _identity_problems(studies) + _image_problems(folder / IMAGES, studies)
    if embeddings is not None:
        counts["embeddings"] = len(embeddings)
        problems += _row_problems(embeddings)
        _try(problems, NearestVectors.open, folder / INDEX, embeddings)
        _try(problems, read_map, folder, len(embeddings))
        _try(problems, read_places, folder, len(embeddings))
        _try(problems, read_logits, folder, len(embeddings))
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{count} in {name}" for name, count in counts.items())
        problems.append(f"counts disagree: {listed}")
    return problems


def _try(problems: list[str], read, *arguments):
    try:
        return read(*arguments)
    except ValueError as error:
        problems.append(str(error))
        return None


def _identity_problems(studies: Sequence[Study]) -> list[str]:
    counts = Counter((study.source, study.id) for study in studies)
    return [f"{n} studies are called {name!r}" for (_, name), n in counts.items() if n > 1]


def _image_problems(folder: Path, studies: Sequence[Study]) -> list[str]:
    problems = []
    expected = {image_name(study): study.id for study in studies}
    for name, study in expected.items():
        try:
            content = (folder / name).read_bytes()
        except OSError:
            problems.append(f"image {name} of {study} is missing")
            continue
        if content_name(content, Path(name).suffix) != name:
            problems.append(f"image {name} of {study} is damaged")
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    problems += [f"image {name} belongs to no study" for name in sorted(found - set(expected))]
    return problems


def _row_problems(embeddings: np.ndarray) -> list[str]:
    for start in range(0, len(embeddings), _BLOCK):
        length = np.linalg.norm(embeddings[start : start + _BLOCK].astype(np.float32), axis=1)
        bad = np.flatnonzero(~(np.abs(length - 1) < _TOLERANCE))  # ~: NaN is bad too
        if len(bad):
            row = int(bad[0])
            return [f"embedding {start + row} has length {length[row]:.4g}, expected 1"]
    return []
