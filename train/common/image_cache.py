"""Decode once: the films of a data set as one uint8 memory map of squares."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cxr.findings import Study
from cxr.images import Preprocess, load_image

_log = logging.getLogger(__name__)
_NAMED = 5  # unreadable films in a warning


def pack_key(paths: Sequence[Path], preprocess: Preprocess) -> str:
    """A name for this list of files at this size; a changed file changes the name."""
    digest = hashlib.sha256(f"square-{preprocess.size}".encode())
    for path in paths:
        try:
            status = path.stat()
            about = f"{status.st_size}|{status.st_mtime_ns}"
        except OSError:
            about = "missing"
        digest.update(f"{path.resolve()}|{about}\n".encode())
    return digest.hexdigest()[:20]


def pack(
    paths: Sequence[Path], preprocess: Preprocess, cache: Path, workers: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Films as squares, decoded once and memory-mapped afterwards.

    Returns (films uint8 [R, size, size], a read-only memory map of those that can be read, in the
    order of `paths`; readable bool [N], which they are). Unreadable films are logged. Files appear
    under `cache` whole or not at all, so that several processes may ask for the same pack.

    Raises:
        ValueError: none of at least one film can be read.
    """
    if not paths:
        return np.empty((0, preprocess.size, preprocess.size), np.uint8), np.empty(0, bool)
    cache.mkdir(parents=True, exist_ok=True)
    key = pack_key(paths, preprocess)
    films_file, readable_file = cache / f"{key}.npy", cache / f"{key}.json"
    if not (films_file.exists() and readable_file.exists()):
        partial = cache / f"{key}.{os.getpid()}.partial.npy"
        try:
            readable = _decode(paths, preprocess, partial, workers)
            partial_list = partial.with_suffix(".json")
            partial_list.write_text(json.dumps(readable))
            os.replace(partial, films_file)
            os.replace(partial_list, readable_file)  # last: it says that the films are there
        finally:
            partial.unlink(missing_ok=True)
    readable = np.array(json.loads(readable_file.read_text()), bool)
    return np.load(films_file, mmap_mode="r"), readable


def pack_studies(
    studies: Sequence[Study], preprocess: Preprocess, cache: Path
) -> tuple[list[Study], np.ndarray, np.ndarray]:
    """`pack` for studies -> (those whose film can be read, their films, readable bool [N])."""
    films, readable = pack([study.image for study in studies], preprocess, cache)
    return list(compress(studies, readable)), films, readable


def _decode(
    paths: Sequence[Path], preprocess: Preprocess, target: Path, workers: int
) -> list[bool]:
    """Write the readable films to `target` -> which they are."""
    shape = (len(paths), preprocess.size, preprocess.size)
    films = np.lib.format.open_memmap(target, "w+", np.uint8, shape)

    def read(row: int) -> str:
        try:
            films[row] = preprocess.square(load_image(paths[row]))
        except (ValueError, OSError) as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(workers) as pool:
        problems = list(tqdm(pool.map(read, range(len(paths))), "packing", len(paths), unit="film"))
    films.flush()
    lost = [row for row, problem in enumerate(problems) if problem]
    if not lost:
        return [True] * len(paths)
    _log.warning(
        "%d of %d films cannot be read and are left out; the first: %s",
        len(lost),
        len(paths),
        "; ".join(f"{paths[row]}: {problems[row]}" for row in lost[:_NAMED]),
    )
    if len(lost) == len(paths):
        raise ValueError(
            f"expected readable films, all {len(lost)} failed; the first, {paths[0]}: {problems[0]}"
        )
    _close_up(films, [row for row, problem in enumerate(problems) if not problem], target)
    return [not problem for problem in problems]


def _close_up(films: np.memmap, kept: Sequence[int], target: Path) -> None:
    """Write only the rows `kept` of `films`, which is mapped from `target`, back to it."""
    partial = target.with_suffix(".kept.npy")
    smaller = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(kept), *films.shape[1:]))
    for new, old in enumerate(kept):
        smaller[new] = films[old]
    smaller.flush()
    os.replace(partial, target)
