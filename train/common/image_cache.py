"""The images of a data set, decoded once into a uint8 memory map of squares."""

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
_NAMED = 5  # unreadable images in a warning


def pack_key(paths: Sequence[Path], preprocess: Preprocess) -> str:
    """Name a list of files at a size; a changed file changes the name."""
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
    """Decode images as squares, or map those of an earlier call into memory.

    Files appear under `cache` whole or not at all, so that several processes may ask for the same
    ones. Images that cannot be read are logged.

    Args:
        paths: N image files.
        preprocess: How they are squared.
        cache: Folder of the memory maps.
        workers: Threads that decode.

    Returns:
        images: uint8 [R, size, size], a read-only memory map of those that can be read, in the
            order of `paths`.
        readable: bool [N], which they are.

    Raises:
        ValueError: When none of at least one image can be read.
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
            os.replace(partial_list, readable_file)  # last: it says that the images are there
        finally:
            partial.unlink(missing_ok=True)
    readable = np.array(json.loads(readable_file.read_text()), bool)
    return np.load(films_file, mmap_mode="r"), readable


def pack_studies(
    studies: Sequence[Study], preprocess: Preprocess, cache: Path
) -> tuple[list[Study], np.ndarray, np.ndarray]:
    """Decode the images of N studies.

    Args:
        studies: N studies with images.
        preprocess: As for `pack`.
        cache: As for `pack`.

    Returns:
        The studies whose image can be read, their images, and readable bool [N].

    Raises:
        ValueError: As `pack`.
    """
    images, readable = pack([study.image for study in studies], preprocess, cache)
    return list(compress(studies, readable)), images, readable


def _decode(
    paths: Sequence[Path], preprocess: Preprocess, target: Path, workers: int
) -> list[bool]:
    """Write the readable images to `target`. Returns which they are."""
    shape = (len(paths), preprocess.size, preprocess.size)
    images = np.lib.format.open_memmap(target, "w+", np.uint8, shape)

    def read(row: int) -> str:
        try:
            images[row] = preprocess.square(load_image(paths[row]))
        except (ValueError, OSError) as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(workers) as pool:
        problems = list(
            tqdm(pool.map(read, range(len(paths))), "packing", len(paths), unit="image")
        )
    images.flush()
    lost = [row for row, problem in enumerate(problems) if problem]
    if not lost:
        return [True] * len(paths)
    _log.warning(
        "%d of %d images cannot be read and are left out; the first: %s",
        len(lost),
        len(paths),
        "; ".join(f"{paths[row]}: {problems[row]}" for row in lost[:_NAMED]),
    )
    if len(lost) == len(paths):
        raise ValueError(
            f"expected readable images, all {len(lost)} failed; the first, "
            f"{paths[0]}: {problems[0]}"
        )
    _close_up(images, [row for row, problem in enumerate(problems) if not problem], target)
    return [not problem for problem in problems]


def _close_up(images: np.memmap, kept: Sequence[int], target: Path) -> None:
    """Write only the rows `kept` of `images`, which is mapped from `target`, back to it."""
    partial = target.with_suffix(".kept.npy")
    smaller = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(kept), *images.shape[1:]))
    for new, old in enumerate(kept):
        smaller[new] = images[old]
    smaller.flush()
    os.replace(partial, target)
