"""A data set that comes as a ZIP archive: unpacked once, into a cache, safely."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

CACHE = Path(".cache/unpacked")
MAX_BYTES = 100_000_000_000  # of all files together
MAX_FILES = 2_000_000
_MB = 1_000_000


def unpacked(
    root: str | Path, cache: Path = CACHE, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
) -> Path:
    """The folder of a data set: `root` itself, or what a ZIP archive holds.

    An archive is unpacked to `cache` the first time, under a name that changes when the archive
    does; the folder appears whole or not at all. A single folder at the top is entered.

    Raises:
        ValueError: neither folder nor archive, a damaged or encrypted one, a path that leads out of
            the folder, a link, or more than max_bytes or max_files.
    """
    root = Path(root).expanduser()
    if root.is_dir():
        return root
    if not root.is_file() or not zipfile.is_zipfile(root):
        raise ValueError(f"expected a folder or a ZIP archive, got {str(root)!r}; check the path")
    status = root.stat()
    about = f"{root.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    target = cache / f"{root.stem}-{hashlib.sha256(about.encode()).hexdigest()[:12]}"
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=cache))
        try:
            _unpack(root, new, max_bytes, max_files)
            _name(new, target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    inside = [entry for entry in target.iterdir() if entry.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target


def _name(new: Path, target: Path) -> None:
    try:
        os.rename(new, target)
    except OSError:  # another process was first
        if not target.is_dir():
            raise


def _unpack(archive: Path, folder: Path, max_bytes: int, max_files: int) -> None:
    try:
        with zipfile.ZipFile(archive) as file:
            entries = [entry for entry in file.infolist() if not entry.is_dir()]
            _check(archive, entries, max_bytes, max_files)
            left = max_bytes
            for entry in entries:
                left -= _copy(file, entry, folder.joinpath(*_parts(archive, entry)), left)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError,
            OSError) as error:  # fmt: skip
        raise ValueError(
            f"expected a readable ZIP archive, got {archive.name}: {error}; fetch it again"
        ) from error


def _check(archive: Path, entries: list[zipfile.ZipInfo], max_bytes: int, max_files: int) -> None:
    size = sum(entry.file_size for entry in entries)
    if size > max_bytes or len(entries) > max_files:
        raise ValueError(
            f"expected at most {max_files:,} files and {max_bytes // _MB:,} MB in {archive.name}, "
            f"got {len(entries):,} and {size // _MB:,} MB; unpack it yourself and give the folder"
        )
    for entry in entries:
        _parts(archive, entry)


def _parts(archive: Path, entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The parts of an entry's path; ValueError for one that leads out of the folder, or a link."""
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or link:
        raise ValueError(
            f"expected plain files inside {archive.name}, got {entry.filename!r}; "
            "do not use this archive"
        )
    return path.parts


def _copy(file: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, left: int) -> int:
    """Write one file, counting what really comes out: a header can lie about the size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with file.open(entry) as source, path.open("wb") as target:
        while block := source.read(1 << 20):
            written += len(block)
            if written > left:
                raise ValueError(
                    f"expected the size that {entry.filename!r} states, got more; "
                    "do not use this archive"
                )
            target.write(block)
    return written
