"""Which encoder a checkpoint is: its sha256, and the check that models belong together."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from cxr.checkpoints.format import TOKENIZER, read_config, resolve
from cxr.checkpoints.shards import weight_files


def fingerprint(weights: str | Path) -> str:
    """sha256 (64 hex digits) over what an embedding depends on: the name of an encoder.

    It covers the architecture with its preprocessing, the tokenizer and the weight files, and no
    note beside them, such as how the model was trained or its similarity bands.

    Raises:
        ValueError: as load_checkpoint, for missing files.
    """
    folder = resolve(weights).resolve()
    architecture = json.dumps(read_config(folder).get("architecture"), sort_keys=True)
    tokenizer = [folder / TOKENIZER] if (folder / TOKENIZER).is_file() else []
    files = (*tokenizer, *weight_files(folder))
    return _digest(architecture, tuple((path, _version(path)) for path in files))


@lru_cache(32)
def _digest(architecture: str, files: tuple[tuple[Path, tuple[int, ...]], ...]) -> str:
    """The sha256 over an architecture and files. A file's version is there for the cache alone."""
    digest = hashlib.sha256(architecture.encode())
    for path, _ in files:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _version(path: Path) -> tuple[int, ...]:
    """What changes when a file is written again."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def check_fingerprint(
    kind: str, found: str, expected: object, weights: str | Path, address: str | Path
) -> None:
    """Refuse another encoder than the one that a model was trained with.

    Args:
        kind: of the encoder, for the message.
        found: its sha256.
        expected: the one in config.json.
        weights: of the model that builds on the encoder.
        address: of the encoder.

    Raises:
        ValueError: the two differ.
    """
    if found != expected:
        raise ValueError(
            f"expected {kind} {str(expected)[:12]}, with which {weights} was trained; "
            f"{address} is {found[:12]}; give the one it was trained with as text_weights, or "
            "train again"
        )
