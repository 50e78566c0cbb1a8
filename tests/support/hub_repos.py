"""What the Hub on loopback holds: commits of files, branches, large files apart, faults to come."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = "hf_loopback"
SMALL = 4_000  # bytes up to which a text file is kept in git itself


def digest(content: bytes) -> str:
    """sha256 as hex digits."""
    return hashlib.sha256(content).hexdigest()


def git_hash(content: bytes) -> str:
    """The hash that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(name: str, size: int) -> bool:
    """Whether a file goes to large file storage."""
    return size > SMALL or not name.endswith((".json", ".md", ".txt", ".gitattributes"))


@dataclass(frozen=True)
class Blob:
    """The content of a file in a commit."""

    content: bytes
    large: bool

    @property
    def etag(self) -> str:
        """What the Hub calls the content: sha256 of a large file, git's hash of another."""
        return digest(self.content) if self.large else git_hash(self.content)

    def entry(self, path: str) -> dict:
        """A file in the listing of a tree."""
        about = {"type": "file", "path": path, "size": len(self.content)}
        if not self.large:
            return {**about, "oid": git_hash(self.content)}
        sha = digest(self.content)
        pointer = (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\n"
            f"size {len(self.content)}\n"
        ).encode()
        lfs = {"oid": sha, "size": len(self.content), "pointerSize": len(pointer)}
        return {**about, "oid": git_hash(pointer), "lfs": lfs}


@dataclass
class Repo:
    """A repository: kind is "models" or "datasets"."""

    kind: str
    name: str
    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, Blob], revision: str = "main") -> str:
        """Make a commit of these files, and nothing else, the newest of a branch."""
        listing = "".join(f"{name} {blob.etag}\n" for name, blob in sorted(files.items()))
        oid = hashlib.sha1(f"{len(self.commits)} {self.name}\n{listing}".encode()).hexdigest()
        self.commits[oid] = dict(files)
        self.refs[revision] = oid
        return oid

    def add_folder(self, folder: Path, revision: str = "main") -> str:
        """Commit the files of a folder."""
        files = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
        return self.commit(
            {name: Blob(content, is_large(name, len(content))) for name, content in files.items()},
            revision,
        )

    def find(self, revision: str) -> str | None:
        """The commit that a branch, tag or commit hash means."""
        return self.refs.get(revision) or (revision if revision in self.commits else None)

    def apply(self, operations: list[dict], storage: dict[str, bytes], revision: str) -> str:
        """Commit the operations of a request to /commit, one a line as they were sent."""
        files = dict(self.commits.get(self.refs.get(revision, ""), {}))
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = Blob(base64.b64decode(value["content"]), False)
            elif operation["key"] == "lfsFile":
                files[value["path"]] = Blob(storage[value["oid"]], True)
            elif operation["key"] == "deletedFile":
                files.pop(value["path"])
        return self.commit(files, revision)


@dataclass
class Fault:
    """What happens to the next requests whose "METHOD path" a pattern matches."""

    where: str
    times: int
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = -1  # bytes after which the connection is closed
    stall: bool = False  # no answer before the server is closed
    mask_patches: bool = False  # another byte at the end


class Hub:
    """The state of the server: repositories, large files, faults to come, and what was asked."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.storage: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}  # plain files at /files/..., for other servers' parts
        self.faults: list[Fault] = []
        self.log: list[str] = []  # "METHOD path", with " Range" after it when a part was asked for
        self.leaked: list[str] = []  # requests to a storage host that carried a token or key
        self.kaggle = ""  # the Authorization that Kaggle's API takes
        self.address = ""
        self.closing = threading.Event()

    def repo(self, name: str, kind: str = "models", **about) -> Repo:
        """A new empty repository."""
        return self.repos.setdefault((kind, name), Repo(kind, name, **about))

    def add(self, name: str, folder: Path, kind: str = "models", **about) -> str:
        """A repository of a folder's files -> its commit."""
        return self.repo(name, kind, **about).add_folder(folder)

    def fault(self, where: str, times: int = 1, **what) -> None:
        """Let something go wrong; see Fault."""
        self.faults.append(Fault(where, times, **what))

    def asked(self, pattern: str) -> list[str]:
        """The requests so far that match."""
        return [line for line in self.log if re.search(pattern, line)]

    def environment(self, home: Path) -> dict[str, str]:
        """Variables with which another process takes this server for the Hub."""
        return {
            "HF_ENDPOINT": self.address,
            "HF_HOME": str(home),
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "*",
        }

    def connect(self, monkeypatch, cache: Path, token: str | None = TOKEN) -> None:
        """Let this process take this server for the Hub, with a cache of its own."""
        from huggingface_hub import constants

        template = self.address + "/{repo_id}/resolve/{revision}/{filename}"
        for name, value in {
            "ENDPOINT": self.address,
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HUB_CACHE": str(cache),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_XET": True,
            "HF_TOKEN_PATH": str(cache / "no token"),
            "AGENT_HARNESSES_PATH": str(cache / "harnesses.json"),
        }.items():
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setenv("NO_PROXY", "*")
        if token:
            monkeypatch.setenv("HF_TOKEN", token)
        else:
            monkeypatch.delenv("HF_TOKEN", raising=False)
