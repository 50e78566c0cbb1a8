"""Repositories on the Hugging Face Hub: folders out of its cache, checked, and folders sent to it.

Downloads, their resumption, the cache and its offline use are huggingface_hub's own. What is added:
each file is compared with the checksum that the repository states, no request waits for ever, and
every failure is one line that says what to do (cxr.hub.errors).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxr.hub.errors import explained, patiently

HUB = "hf://"


@dataclass(frozen=True)
class Repository:
    """A model or data set on the Hub.

    Attributes:
        name: owner/name.
        kind: "model" or "dataset".
        revision: a branch, tag or commit; None: the main branch.
    """

    name: str
    kind: str = "model"
    revision: str | None = None

    def __str__(self) -> str:
        prefix = "datasets/" if self.kind == "dataset" else ""
        return HUB + prefix + self.name + (f"@{self.revision}" if self.revision else "")

    @classmethod
    def at(cls, address: str) -> Repository:
        """The repository that hf://[datasets/]owner/name[@revision] names. Raises ValueError."""
        from huggingface_hub.errors import HfUriError  # here and below: slow to import
        from huggingface_hub.utils import parse_hf_uri

        try:
            uri = parse_hf_uri(address)
        except HfUriError:
            uri = None
        if (
            uri is None
            or uri.type not in ("model", "dataset")
            or uri.path_in_repo
            or (uri.id.count("/") != 1)
        ):
            raise ValueError(
                "expected hf://owner/name[@revision] or hf://datasets/owner/name[@revision], "
                f"got {address!r}; check the address"
            )
        return cls(uri.id, uri.type, uri.revision)


def is_hub_address(address: object) -> bool:
    """Whether something names a repository rather than a folder."""
    return str(address).startswith(HUB)


def fetch(address: str, patterns: Sequence[str]) -> Path:
    """The files of a repository in the local cache: a folder named by the commit.

    Nothing is sent again that lies in the cache; when the Hub cannot be reached, or with
    HF_HUB_OFFLINE=1, the cache alone serves. Every new file has the sha256 that the repository
    states for it (for a small text file: git's own hash), or it is thrown away.

    Args:
        address: hf://[datasets/]owner/name[@revision].
        patterns: which files to fetch, as shell patterns.

    Raises:
        ValueError: an address that cannot be read, no such repository, revision or permission, no
            network and nothing cached, a download that was cut off or damaged, a full disk.
    """
    repository = Repository.at(address)
    from huggingface_hub import constants, snapshot_download

    def download() -> str:
        _limit_waiting()
        return snapshot_download(
            repository.name,
            repo_type=repository.kind,
            revision=repository.revision,
            allow_patterns=list(patterns),
            etag_timeout=constants.HF_HUB_ETAG_TIMEOUT,
        )

    with explained(f"to fetch {repository}", repository.name):
        folder = Path(patiently(download))
        _check(folder, str(repository))
    return folder


def send(
    folder: Path, repository: Repository, private: bool, replaces: Sequence[str], message: str
) -> Repository:
    """Make a repository, or its next commit, out of a folder -> the repository at that commit.

    An upload that was cut off goes on where it stopped when it is called again.

    Args:
        folder: what to send.
        repository: where to; its revision is not looked at.
        private: keep it from the public; refused when the repository is public already.
        replaces: shell patterns of the files that go unless `folder` has them.
        message: of the commit.

    Raises:
        ValueError: as `fetch`, no token that may write there, or a repository that is public.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    name, kind = repository.name, repository.kind
    with explained(f"to push to {repository}", repository.name):
        _limit_waiting()
        patiently(lambda: api.create_repo(name, repo_type=kind, private=private, exist_ok=True))
        if private and not patiently(lambda: api.repo_info(name, repo_type=kind)).private:
            raise ValueError(
                f"expected a private repository at {repository}, it is public; push to another "
                "name, or with --public if everyone may see this"
            )
        commit = patiently(
            lambda: api.upload_folder(
                repo_id=name,
                repo_type=kind,
                folder_path=folder,
                commit_message=message,
                delete_patterns=list(replaces),
            )
        )
    return Repository(repository.name, repository.kind, commit.oid)


@contextmanager
def staged(files: Mapping[str, Path | str]) -> Iterator[Path]:
    """A temporary folder for `send`: links to files, or new ones with a text, by their names."""
    with tempfile.TemporaryDirectory(prefix="cxr-push-") as temporary:
        folder = Path(temporary)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                (folder / name).write_text(content, "utf-8")
            else:
                (folder / name).symlink_to(content.absolute())
        yield folder


def _limit_waiting() -> None:
    """Let no question to the Hub wait for ever: huggingface_hub asks some without a limit."""
    from huggingface_hub import get_session

    hooks = get_session().event_hooks["request"]
    if _with_limit not in hooks:
        hooks.append(_with_limit)


def _with_limit(request) -> None:
    from huggingface_hub import constants

    limits = request.extensions.get("timeout", {})
    if request.method in ("GET", "HEAD") and not any(limits.values()):
        names = ("connect", "read", "write", "pool")
        seconds = float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
        request.extensions = {**request.extensions, "timeout": dict.fromkeys(names, seconds)}


def _check(folder: Path, address: str) -> None:
    """Compare the files of a snapshot that came since it was last found whole with their checksums.

    Their names in the cache are the checksums that the repository stated. Raises ValueError.
    """
    began = time.time_ns()
    stamp = folder.parents[1] / "checked" / folder.name
    since = stamp.stat().st_mtime_ns if stamp.exists() else 0
    for file in sorted(folder.rglob("*")):
        # Where a disk has no links the cache holds plain files, known by their size alone.
        if not file.is_symlink() or max(file.lstat().st_mtime_ns, file.stat().st_mtime_ns) < since:
            continue
        stated = Path(os.readlink(file)).name
        found = _checksum(file, len(stated))
        if found != stated:
            (file.parent / os.readlink(file)).unlink()
            file.unlink()
            raise ValueError(
                f"expected {file.relative_to(folder)} of {address} with checksum {stated}, got "
                f"{found}; it was thrown away: run this again, and if that does not help, do not "
                "use this repository"
            )
    try:
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
        os.utime(stamp, ns=(began, began))
    except OSError:  # a cache that is read-only is checked each time
        pass


def _checksum(file: Path, digits: int) -> str:
    """sha256 of a file for 64 digits, the hash that git gives its content for others."""
    from huggingface_hub.utils.sha import git_hash, sha_fileobj

    if digits != 64:
        return git_hash(file.read_bytes())
    with file.open("rb") as content:
        return sha_fileobj(content).hex()
