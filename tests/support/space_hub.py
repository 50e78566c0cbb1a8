"""The Hub on loopback, as far as making and filling one Space asks for it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_loopback"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class SpaceHub:
    """Where it is, and what a Space there holds. `created`: what it was asked to make."""

    url: str = ""
    created: dict = field(default_factory=dict)
    closed: bool = False  # whether the data sets are private
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def answer(self, path: str, body: bytes) -> tuple[int, object]:
        """What the Hub says to a request: status and JSON."""
        if path == "/api/repos/create":
            known = bool(self.created)
            self.created = self.created or json.loads(body)
            owner_name = f"{self.created['organization']}/{self.created['name']}"
            return (409 if known else 200), {"url": f"{self.url}/spaces/{owner_name}"}
        if path.endswith("/variables"):
            variable = json.loads(body)
            self.variables[variable["key"]] = variable["value"]
            return 200, {}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            return 200, {
                "files": [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for one in asked
                ]
            }
        if "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                self._commit(line["key"], line["value"])
            return 200, {
                "commitUrl": f"{self.url}/spaces/me/room/commit/{COMMIT}",
                "commitOid": COMMIT,
            }
        if "/tree/" in path:
            return 200, [
                {"type": "file", "path": name, "size": len(content), "oid": COMMIT}
                for name, content in self.files.items()
            ]
        if path.startswith("/api/spaces/"):
            siblings = [{"rfilename": name} for name in self.files]
            private = self.created.get("visibility") == "private"
            return 200, {"id": "me/room", "sha": COMMIT, "siblings": siblings, "private": private}
        if path == "/api/datasets/me/films":
            return 200, {"id": "me/films", "sha": COMMIT, "private": self.closed}
        return 404, {"error": f"nothing at {path}"}

    def _commit(self, kind: str, value: dict) -> None:
        if kind == "file":
            assert value["encoding"] == "base64"
            self.files[value["path"]] = base64.b64decode(value["content"])
        elif kind == "deletedFile":
            del self.files[value["path"]]


@contextmanager
def space_hub() -> Iterator[SpaceHub]:
    """Serve a Hub without any Space on a free port; whoever has TOKEN may write."""
    hub = SpaceHub()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, said = 401, {"error": "Invalid user token."}
            else:
                status, said = hub.answer(self.path.partition("?")[0], body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
