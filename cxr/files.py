"""Folders that appear whole: write beside the target, then swap the two names in one step."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

_AT_FDCWD = -100 if sys.platform.startswith("linux") else -2


def read_json(path: Path, what: str) -> dict:
    """Read a JSON object.

    Args:
        path: of the file.
        what: names it in the error, such as "a gallery".

    Raises:
        ValueError: when it is missing, is not JSON, or holds something other than an object.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"expected {what} at {path}, found no such file") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"expected {what} at {path}, could not read it: {error}") from None
    if not isinstance(document, dict):
        came = type(document).__name__
        raise ValueError(f"expected {what} at {path} to be a JSON object, got a {came}")
    return document


def write_json(path: Path, document: dict) -> None:
    """Write `document` as indented UTF-8 JSON, keys in the order given."""
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def replace_folder(new: Path, target: Path) -> None:
    """Give the folder `new` the name `target`; what was there before is removed afterwards.

    Both names are exchanged by one system call where the system has it (Linux, macOS), so a
    reader meets the old folder or the new one, never a mixture and never nothing.
    """
    if not target.exists():
        os.rename(new, target)
        return
    if not _exchange(new, target):
        aside = new.with_name(new.name + ".old")
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(target, aside)
        os.rename(new, target)
        new = aside
    shutil.rmtree(new)


def copy_folder(
    source: Path, folder: Path, mark: str, own: Sequence[str], overwrite: bool = False
) -> Path:
    """Copy a folder, links as what they lead to; the copy appears whole or not at all.

    Args:
        source: the folder to copy.
        folder: where the copy appears.
        mark: the file that a folder of this sort holds; only such a one is overwritten.
        own: all that it may hold, as shell patterns; one with anything else is left alone.
        overwrite: replace a folder that holds `mark`.

    Raises:
        ValueError: `folder` is taken, or it is or holds the working directory.
    """
    folder = folder.expanduser().absolute()
    here = Path.cwd().resolve()
    if folder.resolve() in (here, *here.parents):
        raise ValueError(
            f"expected a folder of its own, but {folder} is or holds the working directory; "
            "give another"
        )
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        if not (folder / mark).is_file():
            raise ValueError(
                f"expected a new folder, but {folder} holds something else; give another"
            )
        if not overwrite:
            raise ValueError(
                f"expected a new folder, but {folder} has a {mark}; add --overwrite to replace it"
            )
        names = [pattern.partition("/")[0] for pattern in own]
        for entry in sorted(folder.iterdir()):
            if not any(fnmatchcase(entry.name, name) for name in names):
                raise ValueError(
                    f"expected nothing of anyone else in {folder}, it holds {entry.name}; move "
                    "that away, or give another folder"
                )
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        new.chmod(0o755)  # mkdtemp makes it readable by its owner alone
        for file in (path for path in source.rglob("*") if path.is_file()):
            target = new / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        replace_folder(new, folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return folder


def _exchange(a: Path, b: Path) -> bool:
    """Swap two paths atomically (renameat2, renameatx_np); False where that is not offered."""
    libc = ctypes.CDLL(None, use_errno=True)
    swap = getattr(libc, "renameat2", None) or getattr(libc, "renameatx_np", None)
    if swap is None:
        return False
    exchange = ctypes.c_uint(2)  # RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS
    cwd = ctypes.c_int(_AT_FDCWD)
    return swap(cwd, os.fsencode(a), cwd, os.fsencode(b), exchange) == 0
