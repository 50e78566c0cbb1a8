"""One file from the web to the disk: goes on where it was cut off, is checked, appears whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cxr.files import read_json, write_json
from cxr.hub import explained, patiently

_ELSEWHERE = "give another --out"


@dataclass(frozen=True)
class Received:
    """What was fetched: size in bytes, sha256 as 64 hex digits."""

    size: int
    sha256: str


def download(
    url: str, path: Path, md5: str = "", headers: Mapping[str, str] | None = None
) -> Received:
    """Fetch `url` to `path`, with a bar on stderr; until it is whole it lies in `path`.part.

    Args:
        url: of the file.
        path: where it goes.
        md5: what the publisher says that its hash is; "": not known, its size alone is checked.
        headers: to send along, to the host of `url` alone.

    Raises:
        ValueError: no answer, a refusal, another size or hash than stated, a full disk.
    """
    from huggingface_hub.file_download import http_get  # resumes, tries again and draws the bar

    part = path.with_name(path.name + ".part")
    asked = {"Accept-Encoding": "identity", **(headers or {})}
    with explained(f"to fetch {url}", elsewhere=_ELSEWHERE):
        size = _begin(url, part, asked)

        def go_on() -> None:
            with part.open("ab") as file:
                http_get(
                    url,
                    file,
                    resume_size=file.tell(),
                    headers=asked,
                    expected_size=size,
                    displayed_filename=path.name,
                )

        patiently(go_on)
        received = Received(part.stat().st_size, _hash(part, "sha256"))
        if md5 and (found := _hash(part, "md5")) != md5:
            _forget(part)
            raise ValueError(
                f"expected {path.name} with the published md5 {md5}, got {found}; it was thrown "
                "away: run this again"
            )
        os.replace(part, path)
        _forget(part)
    return received


def _begin(url: str, part: Path, headers: dict[str, str]) -> int | None:
    """The size of the file in bytes, where the server says it; drops the beginning of another."""
    from huggingface_hub import constants, get_session

    note = part.with_name(part.name + ".json")
    former = read_json(note, "a note on a download") if note.exists() else {}
    answer = get_session().head(
        url, headers=headers, follow_redirects=True, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT
    )
    if not answer.is_success and former.get("url") == url:
        size = former.get("size")
        return size if isinstance(size, int) else None
    length = answer.headers.get("Content-Length", "") if answer.is_success else ""
    size = int(length) if length.isdecimal() else None
    now = {
        "url": url,
        "size": size,
        "version": answer.headers.get("ETag") or answer.headers.get("Last-Modified"),
    }
    if now != former:
        part.unlink(missing_ok=True)
        write_json(note, now)
    return size


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".json").unlink(missing_ok=True)


def _hash(path: Path, name: str) -> str:
    digest = hashlib.new(name, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
