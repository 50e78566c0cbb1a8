"""Uploads over HTTP: each under a name of its own, and none that stays."""

from __future__ import annotations

import time
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
from dicom_files import dicom, ramp
from drawn_films import draw_film

from cxr.tabs.shared.uploads import read_upload, upload_route, upload_source


@pytest.fixture(params=[600])
def server(tmp_path, monkeypatch, request):
    """(address, folder of uploads) of a page that clears what is too old every second.

    The parameter is the age in seconds.
    """
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    with gr.Blocks(delete_cache=(1, request.param)) as page:
        gr.UploadButton()
    _, address, _ = page.launch(
        prevent_thread_lock=True,
        quiet=True,
        max_file_size="100kb",
        ssr_mode=False,
        app_kwargs={"routes": [upload_route()]},
    )
    yield f"{address}gradio_api/upload", tmp_path / "uploads"
    page.close()


@pytest.fixture
def film(tmp_path) -> bytes:
    draw_film(1).save(tmp_path / "film.png")
    return (tmp_path / "film.png").read_bytes()


def send(address: str, content: bytes, name: str = "film.png") -> httpx.Response:
    return httpx.post(address, files={"files": (name, content, "image/png")}, timeout=60)


def left(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


def test_one_visitor_never_deletes_what_another_has_sent(server, film):
    address, folder = server
    mine, yours = (Path(send(address, film).json()[0]) for _ in range(2))
    assert mine != yours and mine.parent == yours.parent == folder
    assert "film" not in mine.name  # a name can be a patient's
    assert read_upload(str(mine)).mode == "L" and not mine.exists()
    assert yours.read_bytes() == film
    read_upload(str(yours))
    assert left(folder) == []


@pytest.mark.parametrize("server", [5], indirect=True)
def test_an_upload_that_nobody_reads_goes(server, film):
    address, folder = server
    send(address, film)
    assert len(left(folder)) == 1
    deadline = time.monotonic() + 60
    while left(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left(folder) == []


def test_what_is_too_large_or_cut_short_leaves_nothing(server, film):
    address, folder = server
    assert send(address, film * 40).status_code == 413
    assert left(folder) == []
    half = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nPNG'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    httpx.post(address, content=half, headers=headers, timeout=60)
    assert left(folder) == []


@pytest.mark.parametrize("name", ["../../up.png", "a/b.png", "x" * 300 + ".png", "..", "ü.png"])
def test_odd_names_reach_no_other_folder(server, film, name):
    address, folder = server
    answer = send(address, film, name)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert Path(answer.json()[0]).parent == folder
    assert len(left(folder)) == (answer.status_code == 200)


@pytest.mark.parametrize(
    "frames, said", [(1, "Your film"), (3, "Your film, the first of 3 frames")]
)
def test_a_file_of_several_frames_is_named_as_such(tmp_path, frames, said):
    (tmp_path / "film").write_bytes(dicom(np.stack([ramp()] * frames)))
    assert upload_source(read_upload(str(tmp_path / "film"))) == said
