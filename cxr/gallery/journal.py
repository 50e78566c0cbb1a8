"""What an unfinished gallery build has done so far, kept so that a kill loses one batch at most."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cxr.data import IMAGES
from cxr.files import read_json, write_json
from cxr.gallery.format import DIMENSIONS

_KEY, _RECORDS, _VECTORS = "build.json", "records.jsonl", "vectors.f16"
EXTRAS = ("places", "findings")  # further features of an image, where the encoder gives them
_ROW_BYTES = DIMENSIONS * np.dtype(np.float16).itemsize


@dataclass(frozen=True)
class Record:
    """One study that was dealt with: the name of its image under images/, or why it has none."""

    image: str | None
    reason: str | None = None


class Journal:
    """Records and embeddings of the studies done, in the order of the studies, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = self._complete_records()

    def append(
        self,
        records: list[Record],
        vectors: np.ndarray,
        extras: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Add a batch.

        Args:
            records: of the batch.
            vectors: float16 [M, 512], one row for each record with an image.
            extras: name out of EXTRAS -> real [M, ...] of the same images.
        """
        began = (self.folder / _VECTORS).stat().st_size > 0
        for name, rows in (extras or {}).items():
            if began and self._shape(name) is None:
                continue  # a build that began without them goes on without them
            if self._shape(name) is None:
                write_json(self.folder / f"{name}.json", {"shape": list(rows.shape[1:])})
            with open(self.folder / f"{name}.f16", "ab") as file:
                file.write(np.ascontiguousarray(rows, dtype=np.float16).tobytes())
        with open(self.folder / _VECTORS, "ab") as file:
            file.write(np.ascontiguousarray(vectors, dtype=np.float16).tobytes())
        with open(self.folder / _RECORDS, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(record)) + "\n" for record in records)
        self.records += records

    def vectors(self) -> np.ndarray:
        """All embeddings so far, float16 [N, 512]."""
        return np.fromfile(self.folder / _VECTORS, dtype=np.float16).reshape(-1, DIMENSIONS)

    def extra(self, name: str) -> np.ndarray | None:
        """All rows so far of one of EXTRAS, float16 [N, ...]; None where there are none."""
        if (shape := self._shape(name)) is None:
            return None
        return np.fromfile(self.folder / f"{name}.f16", dtype=np.float16).reshape(-1, *shape)

    def _shape(self, name: str) -> tuple[int, ...] | None:
        file = self.folder / f"{name}.json"
        return tuple(read_json(file, f"the shape of {name}")["shape"]) if file.is_file() else None

    def _complete_records(self) -> list[Record]:
        """The longest beginning whose records, embeddings and images are all there."""
        vectors = (self.folder / _VECTORS).stat().st_size // _ROW_BYTES
        shapes = {name: shape for name in EXTRAS if (shape := self._shape(name)) is not None}
        files = {
            self.folder / f"{name}.f16": 2 * int(np.prod(shape)) for name, shape in shapes.items()
        }
        for file, row_bytes in files.items():
            vectors = min(vectors, file.stat().st_size // row_bytes if file.is_file() else 0)
        records: list[Record] = []
        done = 0
        for line in (self.folder / _RECORDS).read_text("utf-8").splitlines():
            try:
                record = Record(**json.loads(line))
            except (ValueError, TypeError):  # the line that a kill cut short
                break
            if record.image is not None:
                if done == vectors or not (self.folder / IMAGES / record.image).is_file():
                    break
                done += 1
            records.append(record)
        os.truncate(self.folder / _VECTORS, done * _ROW_BYTES)
        for file, row_bytes in files.items():
            if file.is_file():
                os.truncate(file, done * row_bytes)
        lines = [json.dumps(asdict(record)) + "\n" for record in records]
        (self.folder / _RECORDS).write_text("".join(lines), "utf-8")
        return records


def remove_journal(folder: Path) -> None:
    """Take a journal's own files out of a folder, which is then a finished gallery's alone."""
    extras = [f"{name}.{suffix}" for name in EXTRAS for suffix in ("f16", "json")]
    for name in (_KEY, _RECORDS, _VECTORS, *extras):
        (folder / name).unlink(missing_ok=True)
    for part in (folder / IMAGES).glob("*.part"):
        part.unlink()


@contextmanager
def open_journal(folder: Path, key: str) -> Iterator[Journal]:
    """The journal of the build `key` in `folder`: what it did before, or an empty one.

    What another build left there is removed. The folder is locked while it is open.

    Raises:
        ValueError: another process is building there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"expected to build alone, but another process is writing {folder}; "
                "wait for it or stop it"
            ) from None
        if not _same_build(folder, key):
            _empty(folder)
            (folder / IMAGES).mkdir()
            (folder / _RECORDS).touch()
            (folder / _VECTORS).touch()
            write_json(folder / _KEY, {"build": key})
        yield Journal(folder)
    finally:
        os.close(lock)


def _same_build(folder: Path, key: str) -> bool:
    try:
        return read_json(folder / _KEY, "a build's key")["build"] == key
    except (ValueError, KeyError):
        return False


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
