"""app.py as a Hugging Face Space runs it: its files read-only, no home, no network."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from cxr.cli.space import space_files

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 180  # a shared machine may be slow
# Runs at the start of the interpreter: every address but this machine's is noted and refused.
NO_NETWORK = """
import os, sys
def hook(event, args):
    if event not in ("socket.connect", "socket.getaddrinfo"):
        return
    host = args[0] if event == "socket.getaddrinfo" else args[1]
    host = host[0] if isinstance(host, tuple) else host
    if host not in (None, "", "127.0.0.1", "localhost", "::1", "0.0.0.0") and host[:1] != "/":
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{event} {host}\\n")
        raise OSError("no network here")
sys.addaudithook(hook)
"""


@dataclass(frozen=True)
class Space:
    """A running Space. cpu_s: seconds of processor time until the page was up."""

    url: str
    folder: Path  # its files
    cpu_s: float
    log: Path
    asked: Path  # addresses outside this machine that it wanted, if the file is there
    proxied: list[str]  # what went to the proxy that its variables name

    def says(self, words: str) -> str:
        """What it has said on the terminal, once `words` are among it."""
        for _ in range(PATIENCE_S * 2):
            if words in (said := self.log.read_text()):
                return said
            time.sleep(0.5)
        pytest.fail(f"{words!r} was never said:\n{said}")


@contextmanager
def space_process() -> Iterator[Space]:
    """Start a Space of this project's files."""
    base = Path(tempfile.mkdtemp())
    folder, own = base / "app", base / "tmp"
    own.mkdir()
    (own / "sitecustomize.py").write_text(NO_NETWORK)
    for name in space_files(REPOSITORY):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, folder / name)
    _writable(folder, False)
    with _proxy() as (proxy, proxied):
        url, settings = _settings(own, proxy)
        with open(own / "log", "wb") as log:
            app = subprocess.Popen(
                [*_unprivileged(), sys.executable, "app.py"],
                cwd=folder,
                env=settings,
                stdout=log,
                stderr=log,
            )
        try:
            seconds = _up(url, app, own / "log")
            yield Space(url, folder, seconds, own / "log", own / "asked", proxied)
        finally:
            app.terminate()
            app.wait(30)
            _writable(folder, True)
            shutil.rmtree(base)


def _settings(own: Path, proxy: str) -> tuple[str, dict[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}", {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "TMPDIR": str(own),
        "SYSTEM": "spaces",
        "SPACE_ID": "owner/room",
        "SPACE_HOST": "owner-room.hf.space",
        "SPACE_AUTHOR_NAME": "owner",
        "SPACE_REPO_NAME": "room",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "HTTP_PROXY": proxy,
        "HTTPS_PROXY": proxy,
        "ALL_PROXY": proxy,
        "PYTHONPATH": str(own),
        "ASKED": str(own / "asked"),
        "OMP_NUM_THREADS": "1",
    }


def _unprivileged() -> list[str]:
    """What goes before a command so that permissions apply to it; to root they do not."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("run by root, and setpriv (of util-linux), to be less than root, is missing")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def _writable(folder: Path, writable: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(
            (0o755 if path.is_dir() else 0o644) if writable else (0o555 if path.is_dir() else 0o444)
        )


def _up(url: str, app: subprocess.Popen, log: Path) -> float:
    for _ in range(PATIENCE_S * 10):
        if app.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return sum(psutil.Process(app.pid).cpu_times()[:2])
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the Space did not start:\n{log.read_text()}")


@contextmanager
def _proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that answers nothing, and what was asked of it."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:  # closed
                    return
                with caller:
                    asked.append(caller.recv(200).decode("latin-1"))

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
