"""An uploaded film is in memory for its visitor alone, on no disk, in no log, and gone with the
page."""

from __future__ import annotations

import gc
import json
import logging
import secrets
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image
from reporting_parts import save_reporting

from cxr.checkpoints.fingerprints import fingerprint
from cxr.tabs.app import build_app, launch_options
from cxr.tabs.read.state import ReadState
from cxr.tabs.services import Services
from cxr.tabs.shared.wiring import VisitorState

SIZE = (301, 203)  # of no other film
NAME = "Rosenrot-Klara"
PATIENCE_S = 60


@pytest.fixture
def served(services, tmp_path, monkeypatch):
    """(page, address) of the whole app in this process."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    reporting = save_reporting(tmp_path / "reporting", fingerprint(services.weights))
    page = build_app(
        Services(
            services.gallery,
            services.weights,
            lambda **_: services.retriever(),
            reporting=str(reporting),
        )
    )
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options(services))
    yield page, address
    page.close()


def films_in_memory() -> int:
    """Films of SIZE that anything in this process still holds."""
    gc.collect()
    return sum(isinstance(one, Image.Image) and one.size == SIZE for one in gc.get_objects())


def read_states(page) -> list[ReadState]:
    sessions = list(page.state_holder.session_data.values())
    return [
        kept.value
        for session in sessions
        for kept in session.state_data.values()
        if isinstance(kept, VisitorState)
        if isinstance(kept.value, ReadState) and kept.value.image
    ]


class Visitor:
    """A page as the browser keeps it: one session, and a heartbeat for as long as it is open."""

    def __init__(self, page, address: str) -> None:
        self.session, self.http = secrets.token_hex(6), httpx.Client(base_url=address, timeout=60)
        self.api = "gradio_api"
        self.numbers = {fn.api_name or fn.name: number for number, fn in page.fns.items()}
        self.numbers["ask"] = self.numbers["read_receive_upload"] - 1  # of the Read tab
        beat = self.http.build_request("GET", f"{self.api}/heartbeat/{self.session}")
        self.heartbeat = self.http.send(beat, stream=True)

    def send(self, path: Path) -> dict:
        """Upload a file, as the page's button does."""
        files = {"files": (path.name, path.read_bytes(), "image/png")}
        (place,) = self.http.post(f"{self.api}/upload", files=files).json()
        return {"path": place, "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def call(self, name: str, *data) -> None:
        """Run one of the page's handlers to its end."""
        body = {"fn_index": self.numbers[name], "session_hash": self.session, "data": [None, *data]}
        self.http.post(f"{self.api}/queue/join", json=body).raise_for_status()
        events = f"{self.api}/queue/data?session_hash={self.session}"
        with self.http.stream("GET", events) as stream:
            told = [json.loads(line[5:]) for line in stream.iter_lines() if line[:5] == "data:"]
        (last,) = (one for one in told if one["msg"] == "process_completed")
        assert last["success"], last

    def close(self) -> None:
        """Close the page."""
        self.heartbeat.close()
        self.http.close()


def test_an_upload_is_for_its_visitor_alone_and_goes_with_the_page(served, film, tmp_path, caplog):
    page, address = served
    caplog.set_level(logging.INFO)
    film(1, SIZE).save(tmp_path / f"{NAME}.png")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    mine, other = Visitor(page, address), Visitor(page, address)
    other.call("read_close")
    mine.call("read_upload", mine.send(tmp_path / f"{NAME}.png"))
    mine.call("ask")
    mine.call("read_receive_upload", None)
    (state,) = read_states(page)  # nobody else's, and it was read
    assert state.image.size == SIZE and state.suggestion.report and films_in_memory() > 0
    on_disk = {path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size}
    assert on_disk <= before
    assert NAME not in caplog.text and state.suggestion.report not in caplog.text
    del state
    mine.close()
    deadline = time.monotonic() + PATIENCE_S
    while (read_states(page) or films_in_memory()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert read_states(page) == [] and films_in_memory() == 0
    assert mine.session not in page.state_holder and other.session in page.state_holder
    other.close()
