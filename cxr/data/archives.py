"""A data set that comes as a ZIP or tar archive: unpacked once, safely, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

CACHE = Path(".cache/unpacked")
MAX_BYTES = 100_000_000_000  # of all files together
MAX_FILES = 2_000_000
_MB = 1_000_000
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


def unpacked(
    root: str | Path, cache: Path = CACHE, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
) -> Path:
    """The folder of a data set: `root` itself, or what a ZIP or tar archive holds.

    An archive is unpacked to `cache` the first time, under a name that changes when the archive
    does; the folder appears whole or not at all. A single folder at the top is entered.

    Raises:
        ValueError: neither folder nor archive, a damaged or encrypted one, a path that leads out of
            the folder, a link, or more than max_bytes or max_files.
    """
    root = Path(root).expanduser()
    if root.is_dir():
        return root
    if not is_archive(root):
        raise ValueError(
            f"expected a folder or a ZIP or tar archive, got {str(root)!r}; check the path"
        )
    status = root.stat()
    about = f"{root.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    target = cache / f"{root.stem}-{hashlib.sha256(about.encode()).hexdigest()[:12]}"
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=cache))
        try:
            unpack(root, new, max_bytes, max_files)
            _name(new, target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return entered(target)


def entered(folder: Path) -> Path:
    """The single folder at the top of what an archive held, else all of it."""
    inside = [entry for entry in folder.iterdir() if entry.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def is_archive(path: Path) -> bool:
    """Whether a file can be unpacked."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def _name(new: Path, target: Path) -> None:
    try:
        os.rename(new, target)
    except OSError:  # another process was first
        if not target.is_dir():
            raise


def unpack(
    archive: Path, folder: Path, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
) -> None:
    """Write the files of a ZIP or tar archive to `folder`, which should be a new one.

    Raises:
        ValueError: a damaged or encrypted archive, a path that leads out of the folder, anything
            but plain files, or more than max_bytes or max_files.
    """
    try:
        left = max_bytes
        for number, entry in enumerate(_entries(archive), 1):
            if number > max_files or entry.size > left:
                raise ValueError(_too_much(archive, max_bytes, max_files))
            left -= _copy(entry, folder.joinpath(*_parts(archive, entry)), left)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        tarfile.TarError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        if getattr(error, "errno", None) in _OF_THE_DISK:
            raise
        raise ValueError(
            f"expected a readable ZIP or tar archive, got {archive.name}: {error}; fetch it again"
        ) from error


@dataclass(frozen=True)
class _Entry:
    """A file in an archive. plain: it is no link, device or the like."""

    name: str
    size: int
    plain: bool
    open: Callable[[], IO[bytes]]


def _entries(archive: Path) -> Iterator[_Entry]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield from _zipped(zipped)
    else:
        with tarfile.open(archive) as taped:
            yield from _taped(taped)


def _zipped(file: zipfile.ZipFile) -> Iterator[_Entry]:
    for entry in file.infolist():
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if not entry.is_dir():
            yield _Entry(
                entry.filename,
                entry.file_size,
                kind in (0, stat.S_IFREG),
                partial(file.open, entry),
            )


def _taped(file: tarfile.TarFile) -> Iterator[_Entry]:
    for entry in file:
        if not entry.isdir():
            yield _Entry(entry.name, entry.size, entry.isreg(), partial(_extracted, file, entry))


def _extracted(file: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = file.extractfile(entry)
    if content is None:  # a link or a device, which _parts refuses before
        raise tarfile.TarError(f"{entry.name} has no content")
    return content


def _too_much(archive: Path, max_bytes: int, max_files: int) -> str:
    return (
        f"expected at most {max_files:,} files and {max_bytes // _MB:,} MB in {archive.name}, "
        "got more; unpack it yourself and give the folder"
    )


def _parts(archive: Path, entry: _Entry) -> tuple[str, ...]:
    """The parts of an entry's path; ValueError for one that leads out of the folder, or a link."""
    path = PurePosixPath(entry.name.replace("\\", "/"))
    parts = path.parts
    if not parts or path.is_absolute() or ".." in parts or ":" in parts[0] or not entry.plain:
        raise ValueError(
            f"expected plain files inside {archive.name}, got {entry.name!r}; "
            "do not use this archive"
        )
    return parts


def _copy(entry: _Entry, path: Path, left: int) -> int:
    """Write one file, counting what really comes out: a header can lie about the size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with entry.open() as source, path.open("wb") as target:
        while block := source.read(1 << 20):
            written += len(block)
            if written > left:
                raise ValueError(
                    f"expected the size that {entry.name!r} states, got more; "
                    "do not use this archive"
                )
            target.write(block)
    return written
