"""The Hugging Face Hub on loopback: repositories out of local folders, and what was asked of it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub_server(repositories: dict[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Serve {"owner/name": folder} -> (its address, the names of the files that were sent)."""
    sent: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:  # noqa: N802
            self.do_GET()

        def do_GET(self) -> None:  # noqa: N802
            path = self.path.partition("?")[0].strip("/")
            api = path.startswith("api/models/")
            owner, name, what, *rest = path.removeprefix("api/models/").split("/") + [""]
            folder = repositories.get(f"{owner}/{name}")
            if folder is None:
                return self.reply(404, b"{}")
            files = {file.name: file.read_bytes() for file in folder.iterdir()}
            if api and what == "tree":
                tree = [{"type": "file", "path": file, "size": len(content), "oid": digest(content)}
                        for file, content in files.items()]
                return self.reply(200, json.dumps(tree).encode())
            if api:
                about = {"id": f"{owner}/{name}", "sha": COMMIT}
                return self.reply(200, json.dumps(about).encode())
            if rest[1] not in files:
                return self.reply(404, b"", {"X-Error-Code": "EntryNotFound"})
            if self.command == "GET":
                sent.append(rest[1])
            content = files[rest[1]]
            about = {"ETag": f'"{digest(content)}"', "X-Repo-Commit": COMMIT}
            return self.reply(200, content, about)

        def reply(self, status: int, content: bytes, headers: dict | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        server.server_close()


def digest(content: bytes) -> str:
    """What stands for a file's content."""
    return hashlib.sha1(content).hexdigest()
