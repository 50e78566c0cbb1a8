"""app.py as a process of its own, on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 180  # a shared machine may be slow; a quick one waits for nothing


@dataclass(frozen=True)
class Server:
    """A running app: its address, and the folder in which Gradio keeps uploads."""

    url: str
    uploads: Path


@contextmanager
def serving(
    folder: Path, gallery: Path, weights: Path, script: str = "app.py", **env: str
) -> Iterator[Server]:
    """Run app.py as a visitor of the README would, on a free port; or another script like it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", folder / "uploads")
    settings = os.environ | {
        "CXR_GALLERY": str(gallery),
        "CXR_WEIGHTS": str(weights),
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(server.uploads),
        "OMP_NUM_THREADS": "1",
        **env,
    }
    log = folder / "server.log"
    with open(log, "wb") as out:
        app = subprocess.Popen(
            [sys.executable, script], cwd=REPOSITORY, env=settings, stdout=out, stderr=out
        )
    try:
        _wait_for(server.url, app, log)
        yield server
    finally:
        app.terminate()
        app.wait(START_S)


def _wait_for(url: str, app: subprocess.Popen, log: Path) -> None:
    for _ in range(START_S * 2):
        if app.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the app did not start:\n{log.read_text()}")
