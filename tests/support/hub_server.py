"""The Hugging Face Hub on loopback: its own endpoints over real HTTP, and faults on demand."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from hub_repos import TOKEN, Hub, Repo, digest, is_large

_API = re.compile(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(\w[\w-]*)(?:/([^/?]+))?)?(?:/.*)?")
_RESOLVE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_BATCH = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch")


@contextmanager
def hub_server() -> Iterator[Hub]:
    """A server on a free port of loopback, closed at the end."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def do_HEAD(self) -> None:  # noqa: N802
        self.answer()

    do_GET = do_POST = do_PUT = do_HEAD

    def answer(self) -> None:
        """Route one request."""
        self.path = unquote(urlsplit(self.path).path)
        line = f"{self.command} {self.path}"
        self.hub.log.append(line + (" Range" if self.headers.get("Range") else ""))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.fault = next(
            (
                fault
                for fault in self.hub.faults
                if fault.times > 0 and re.search(fault.where, line)
            ),
            None,
        )
        if self.fault:
            self.fault.times -= 1
            if self.fault.stall:
                self.hub.closing.wait(30)
                self.close_connection = True
                return
            if self.fault.status:
                return self.reply(self.fault.status, b"{}", self.fault.headers)
        for pattern, route in (
            (r"/api/repos/create", self.create),
            (r"/api/validate-yaml", self.valid),
            (_BATCH, self.batch),
            (r"/storage/(\w+)", self.stored),
            (r"/files/(.+)", self.plain),
            (r"/api/v1/datasets/download/ashery/(chexpert)", self.kaggle),
            (_RESOLVE, self.resolve),
            (_API, self.api),
        ):
            if match := re.fullmatch(pattern, self.path):
                return route(*match.groups())
        self.reply(404, b"{}")

    def reply(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a response, or what a fault makes of it."""
        cut, mask_patches = (self.fault.cut, self.fault.mask_patches) if self.fault else (-1, False)
        if mask_patches and content:
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[:cut] if cut >= 0 else content)
        if cut >= 0:
            self.close_connection = True

    def json(self, document: object, status: int = 200) -> None:
        """Send JSON."""
        self.reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def send_file(self, content: bytes, headers: dict[str, str]) -> None:
        """Send content, or the part of it that Range asks for."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if not asked:
            return self.reply(200, content, headers)
        first = int(asked[1])
        place = f"bytes {first}-{len(content) - 1}/{len(content)}"
        self.reply(206, content[first:], {**headers, "Content-Range": place})

    @property
    def known(self) -> bool:
        """Whether the request carries the token."""
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def allowed(self, kind: str, name: str) -> Repo | None:
        """The repository, or None after a refusal was sent."""
        repo = self.hub.repos.get((kind, name))
        if repo is None or (repo.private and not self.known):
            self.reply(404 if self.known else 401, b"{}", {"X-Error-Code": "RepoNotFound"})
            return None
        if repo.gated:
            self.reply(403 if self.known else 401, b"{}", {"X-Error-Code": "GatedRepo"})
            return None
        return repo

    def resolve(self, kind: str | None, name: str, revision: str, path: str) -> None:
        if (repo := self.allowed(kind or "models", name)) is None:
            return
        commit = repo.find(revision)
        if commit is None:
            return self.reply(404, b"", {"X-Error-Code": "RevisionNotFound"})
        blob = repo.commits[commit].get(path)
        if blob is None:
            return self.reply(404, b"", {"X-Error-Code": "EntryNotFound"})
        about = {"ETag": f'"{blob.etag}"', "X-Repo-Commit": commit}
        if not blob.large:
            return self.send_file(blob.content, about)
        self.hub.storage[blob.etag] = blob.content
        storage = self.hub.address.replace("127.0.0.1", "localhost")
        self.reply(
            302,
            b"",
            {
                **about,
                "X-Linked-Etag": f'"{blob.etag}"',
                "X-Linked-Size": str(len(blob.content)),
                "Location": f"{storage}/storage/{blob.etag}",
            },
        )

    def stored(self, oid: str) -> None:
        if self.headers.get("Authorization"):
            self.hub.leaked.append(self.path)
        if self.command == "PUT":
            if digest(self.body) != oid:
                return self.reply(400, b"{}")
            self.hub.storage[oid] = self.body
            return self.reply(200, b"")
        self.send_file(self.hub.storage[oid], {"ETag": f'"{oid}"'})

    def kaggle(self, name: str) -> None:
        """Kaggle's own API: sends whoever has the key on to its storage."""
        if self.headers.get("Authorization") != self.hub.kaggle:
            return self.reply(401, b"{}")
        storage = self.hub.address.replace("127.0.0.1", "localhost")
        self.reply(302, b"", {"Location": f"{storage}/files/{name}/{name}.zip"})

    def plain(self, path: str) -> None:
        if self.headers.get("Authorization"):
            self.hub.leaked.append(self.path)
        content = self.hub.files.get(path)
        if content is None:
            return self.reply(404, b"")
        self.send_file(content, {"ETag": f'"{digest(content)}"'})

    def create(self) -> None:
        asked = json.loads(self.body)
        kind, name = f"{asked.get('type', 'model')}s", f"{asked['organization']}/{asked['name']}"
        if not self.known:
            return self.json({"error": "no token"}, 401)
        url = {"url": f"{self.hub.address}/{'datasets/' if kind == 'datasets' else ''}{name}"}
        if (kind, name) in self.hub.repos:
            return self.json(url, 409)
        repo = self.hub.repo(name, kind, private=asked.get("visibility") == "private")
        repo.commit({})
        self.json(url)

    def valid(self) -> None:
        self.json({"errors": [], "warnings": []})

    def batch(self, kind: str | None, name: str) -> None:
        if not self.known or self.allowed(kind or "models", name) is None:
            return
        self.json(
            {
                "transfer": "basic",
                "objects": [
                    {
                        **one,
                        **(
                            {}
                            if one["oid"] in self.hub.storage
                            else {
                                "actions": {
                                    "upload": {"href": f"{self.hub.address}/storage/{one['oid']}"}
                                }
                            }
                        ),
                    }
                    for one in json.loads(self.body)["objects"]
                ],
            }
        )

    def api(self, kind: str, name: str, what: str | None, revision: str | None) -> None:
        if (repo := self.allowed(kind, name)) is None:
            return
        if what in ("preupload", "commit") and not self.known:
            return self.json({"error": "no token"}, 403)
        if what == "preupload":
            return self.json(
                {
                    "files": [
                        {
                            "path": one["path"],
                            "shouldIgnore": False,
                            "uploadMode": "lfs"
                            if is_large(one["path"], one["size"])
                            else "regular",
                        }
                        for one in json.loads(self.body)["files"]
                    ]
                }
            )
        if what == "commit":
            lines = [json.loads(line) for line in self.body.splitlines()]
            oid = repo.apply(lines, self.hub.storage, revision)
            place = f"{'datasets/' if kind == 'datasets' else ''}{name}/commit/{oid}"
            return self.json({"commitOid": oid, "commitUrl": f"{self.hub.address}/{place}"})
        commit = repo.find(revision or "main")
        if commit is None:
            return self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if what == "tree":
            return self.json([blob.entry(path) for path, blob in repo.commits[commit].items()])
        self.json({"id": name, "sha": commit, "private": repo.private})
