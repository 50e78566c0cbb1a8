"""From studies and an encoder to a gallery on disk; decoding overlaps encoding."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from cxr.data import IMAGES, Annotation, write_studies
from cxr.files import read_json, replace_folder, write_json
from cxr.findings import Study
from cxr.gallery.annotations import write_annotations
from cxr.gallery.format import (
    DIMENSIONS,
    EMBEDDINGS,
    FORMAT_VERSION,
    HEADER,
    INDEX,
    PLACES,
    is_gallery,
)
from cxr.gallery.images import store_image
from cxr.gallery.index import write_index
from cxr.gallery.journal import EXTRAS, Journal, Record, open_journal, remove_journal
from cxr.gallery.logits import FindingLogits, write_logits
from cxr.gallery.map import map_positions, write_map

Encode = Callable[[list[Any]], "np.ndarray | tuple[np.ndarray, ...]"]
Prepare = Callable[[Image.Image], Any]

_log = logging.getLogger(__name__)
_THREADS = min(8, max(2, os.cpu_count() or 1))
_LISTED = 100  # unreadable images named in the header


@dataclass(frozen=True)
class Origin:
    """What a gallery says about itself: encoder (sha256), source and licence in words."""

    encoder: str
    source: str = ""
    licence: str = ""


@dataclass(frozen=True)
class _Ready:
    record: Record
    prepared: Any = None


def write_gallery(
    studies: Sequence[Study],
    encode: Encode,
    out: Path,
    origin: Origin,
    *,
    batch_size: int,
    progress: bool,
    overwrite: bool,
    prepare: Prepare | None,
    annotations: Mapping[str, Annotation] | None = None,
    logits: FindingLogits | None = None,
) -> None:
    """What cxr.gallery.gallery.build_gallery does, save that it returns nothing."""
    if not studies:
        raise ValueError("expected at least one study, got none; check the data set's folder")
    if batch_size < 1:
        raise ValueError(f"expected batch_size >= 1, got {batch_size}")
    out = out.expanduser().absolute()
    annotations = annotations or {}
    key = _build_key(studies, origin, annotations)
    if _finished(out, key) and not overwrite:
        remove_journal(out)
        return
    check_target(out, overwrite)
    with open_journal(out.with_name(f".{out.name}.building"), key) as journal:
        if len(journal.records) < len(studies):
            _embed(studies, encode, journal, batch_size, progress, prepare)
        _finish(studies, journal, origin, key, annotations, logits)
        # Until the folder has its name, a kill must leave the journal that the next call goes on
        # from; after it, the next call takes away what is left of it.
        replace_folder(journal.folder, out)
        remove_journal(out)


def _build_key(
    studies: Sequence[Study], origin: Origin, annotations: Mapping[str, Annotation]
) -> str:
    """Names a build: the same images and labels through the same encoder."""
    digest = hashlib.sha256(repr(origin).encode())
    for study in studies:
        file = _signature(study.image) if study.image else None
        digest.update(json.dumps([study.to_dict(), file]).encode())
        if study.id in annotations:
            digest.update(repr(annotations[study.id]).encode())
    return digest.hexdigest()


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _finished(out: Path, key: str) -> bool:
    return is_gallery(out) and read_json(out / HEADER, "a gallery's header").get("build") == key


def check_target(out: Path, overwrite: bool = False) -> None:
    """Raise ValueError where a gallery cannot be written to `out`, a folder.

    Args:
        out: the folder; a new one and an empty one are always taken.
        overwrite: whether another gallery there may be replaced.
    """
    if is_gallery(out):
        if not overwrite:
            raise ValueError(
                f"expected a new folder, but {out} holds another gallery; "
                "add --overwrite to replace it"
            )
    elif out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ValueError(
            f"expected a new folder or a gallery to replace, but {out} holds something else; "
            "give another --out"
        )


def _embed(
    studies: Sequence[Study],
    encode: Encode,
    journal: Journal,
    batch_size: int,
    progress: bool,
    prepare: Prepare | None,
) -> None:
    images = journal.folder / IMAGES
    done = len(journal.records)
    with (
        ThreadPoolExecutor(_THREADS, thread_name_prefix="decode") as pool,
        tqdm(
            total=len(studies), initial=done, unit="img", desc="embedding", disable=not progress
        ) as bar,
    ):
        tasks = (pool.submit(_take_in, study, images, prepare) for study in studies[done:])
        try:
            results = _ahead(tasks, 4 * batch_size)
            while batch := list(islice(results, batch_size)):
                prepared = [one.prepared for one in batch if one.record.image]
                vectors, extras = _encoded(encode, prepared) if prepared else (_NO_ROWS, {})
                journal.append([one.record for one in batch], vectors, extras)
                bar.update(len(batch))
        finally:
            pool.shutdown(cancel_futures=True)


_NO_ROWS = np.empty((0, DIMENSIONS), dtype=np.float32)


def _take_in(study: Study, images: Path, prepare: Prepare | None) -> _Ready:
    try:
        if study.image is None:
            raise ValueError("expected an image, the data set has none for it")
        name, image = store_image(Path(study.image), images)
    except ValueError as error:
        _log.warning("%s left out: %s", study.id, error)
        return _Ready(Record(None, str(error)))
    return _Ready(Record(name), image if prepare is None else prepare(image))


def _ahead(tasks: Iterable[Future[_Ready]], count: int) -> Iterator[_Ready]:
    """Results in order, with up to `count` tasks submitted ahead of the one that is yielded."""
    tasks = iter(tasks)
    waiting = deque(islice(tasks, count))
    while waiting:
        result = waiting.popleft().result()
        waiting.extend(islice(tasks, 1))
        yield result


def _encoded(encode: Encode, prepared: list[Any]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Encode a batch of N -> unit rows float32 [N, 512], and what else there is by name."""
    found = encode(prepared)
    vectors, *others = found if isinstance(found, tuple) else (found,)
    return _unit_rows(vectors, len(prepared)), dict(zip(EXTRAS, others))


def _unit_rows(vectors: np.ndarray, count: int) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.shape != (count, DIMENSIONS):
        raise ValueError(
            f"expected [{count}, {DIMENSIONS}] from the encoder, got {list(vectors.shape)}; "
            "use an encoder with 512 dimensions"
        )
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(length) & (length > 0)).all():
        raise ValueError(
            "expected finite rows other than zero from the encoder, got NaN, infinity or zero; "
            "check the checkpoint"
        )
    return vectors / length


def _finish(
    studies: Sequence[Study],
    journal: Journal,
    origin: Origin,
    key: str,
    annotations: Mapping[str, Annotation],
    logits: FindingLogits | None,
) -> None:
    folder = journal.folder
    pairs = list(zip(studies, journal.records, strict=True))
    kept = [(study, record.image) for study, record in pairs if record.image]
    lost = [(study, record.reason) for study, record in pairs if not record.image]
    if not kept:
        shutil.rmtree(folder)
        raise ValueError(
            f"expected at least one readable image, all {len(lost)} failed; the first, "
            f"{lost[0][0].id}: {lost[0][1]}"
        )
    vectors = journal.vectors()
    write_studies(folder, [study for study, _ in kept], [image for _, image in kept])
    carried = {row: annotations[s.id] for row, (s, _) in enumerate(kept) if s.id in annotations}
    write_annotations(folder, carried)
    np.save(folder / EMBEDDINGS, vectors)
    if (places := journal.extra(EXTRAS[0])) is not None:
        np.save(folder / PLACES, places)
    if logits is not None and (values := journal.extra(EXTRAS[1])) is not None:
        write_logits(folder, replace(logits, values=values))
    kind = write_index(vectors, folder / INDEX)
    write_map(folder, map_positions(vectors))
    write_json(
        folder / HEADER,
        {
            "format_version": FORMAT_VERSION,
            "encoder": origin.encoder,
            "source": origin.source,
            "licence": origin.licence,
            "studies": len(kept),
            "dimensions": DIMENSIONS,
            "index": kind,
            "unreadable": len(lost),
            "unreadable_ids": [study.id for study, _ in lost[:_LISTED]],
            "build": key,
        },
    )
