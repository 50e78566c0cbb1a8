"""Decode once: the films of a data set as one uint8 memory map of squares."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cxr.images import Preprocess, load_image


def _key(paths: Sequence[Path], preprocess: Preprocess) -> str:
    """A name for this list of files at this size; a changed file changes the name."""
    digest = hashlib.sha256(f"square-{preprocess.size}".encode())
    for path in paths:
        status = path.stat()
        digest.update(f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:20]


def pack(
    paths: Sequence[Path], preprocess: Preprocess, cache: Path, workers: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Films as squares, decoded once and memory-mapped afterwards.

    Returns (films uint8 [N, size, size] read-only memory map, readable bool [N]): a film
    that cannot be read is black and False in `readable`. Files appear under `cache` whole
    or not at all, so that several processes may ask for the same pack.
    """
    cache.mkdir(parents=True, exist_ok=True)
    key = _key(paths, preprocess)
    films_file, readable_file = cache / f"{key}.npy", cache / f"{key}.json"
    if not (films_file.exists() and readable_file.exists()):
        partial = cache / f"{key}.{os.getpid()}.partial.npy"
        films = np.lib.format.open_memmap(
            partial, "w+", np.uint8, (len(paths), preprocess.size, preprocess.size)
        )

        def read(row: int) -> bool:
            try:
                films[row] = preprocess.square(load_image(paths[row]))
            except ValueError:
                return False
            return True

        with ThreadPoolExecutor(workers) as pool:
            rows = tqdm(pool.map(read, range(len(paths))), "packing", len(paths), unit="film")
            readable = list(rows)
        films.flush()
        os.replace(partial, films_file)
        readable_file.write_text(json.dumps(readable))
    return np.load(films_file, mmap_mode="r"), np.array(json.loads(readable_file.read_text()), bool)
