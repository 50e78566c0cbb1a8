"""What an unfinished gallery build has done so far, kept so that a kill loses one batch at most."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cxr.data import IMAGES
from cxr.files import read_json, write_json
from cxr.gallery.format import DIMENSIONS

_KEY, _RECORDS, _VECTORS = "build.json", "records.jsonl", "vectors.f16"
_PLACES, _SHAPE = "places.f16", "places.json"  # only where the encoder gives places
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
        self, records: list[Record], vectors: np.ndarray, places: np.ndarray | None = None
    ) -> None:
        """Add a batch.

        Args:
            records: of the batch.
            vectors: float16 [M, 512], one row for each record with an image.
            places: real [M, P, D] of the same images, or None for an encoder that gives none.
        """
        began = (self.folder / _VECTORS).stat().st_size > 0
        # A build that began without them goes on without them.
        if places is not None and (not began or self._shape() is not None):
            if not (self.folder / _SHAPE).is_file():
                write_json(self.folder / _SHAPE, {"shape": list(places.shape[1:])})
            with open(self.folder / _PLACES, "ab") as file:
                file.write(np.ascontiguousarray(places, dtype=np.float16).tobytes())
        with open(self.folder / _VECTORS, "ab") as file:
            file.write(np.ascontiguousarray(vectors, dtype=np.float16).tobytes())
        with open(self.folder / _RECORDS, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(record)) + "\n" for record in records)
        self.records += records

    def vectors(self) -> np.ndarray:
        """All embeddings so far, float16 [N, 512]."""
        return np.fromfile(self.folder / _VECTORS, dtype=np.float16).reshape(-1, DIMENSIONS)

    def places(self) -> np.ndarray | None:
        """All features of places so far, float16 [N, P, D]; None where there are none."""
        if (shape := self._shape()) is None:
            return None
        return np.fromfile(self.folder / _PLACES, dtype=np.float16).reshape(-1, *shape)

    def _shape(self) -> tuple[int, ...] | None:
        if not (self.folder / _SHAPE).is_file():
            return None
        return tuple(read_json(self.folder / _SHAPE, "the shape of places")["shape"])

    def _complete_records(self) -> list[Record]:
        """The longest beginning whose records, embeddings and images are all there."""
        vectors = (self.folder / _VECTORS).stat().st_size // _ROW_BYTES
        place_bytes = 2 * int(np.prod(self._shape() or ()))
        if self._shape() is not None:
            file = self.folder / _PLACES
            vectors = min(vectors, file.stat().st_size // place_bytes if file.is_file() else 0)
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
        if (self.folder / _PLACES).is_file() and self._shape() is not None:
            os.truncate(self.folder / _PLACES, done * place_bytes)
        lines = [json.dumps(asdict(record)) + "\n" for record in records]
        (self.folder / _RECORDS).write_text("".join(lines), "utf-8")
        return records


def remove_journal(folder: Path) -> None:
    """Take a journal's own files out of a folder, which is then a finished gallery's alone."""
    for name in (_KEY, _RECORDS, _VECTORS, _PLACES, _SHAPE):
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
