"""ImageUrls on their way to the browser: lossless, unsquashed, and no other file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cxr.findings import Study
from cxr.tabs.shared.image_urls import ImageUrls


@pytest.fixture
def film_server():
    films = ImageUrls()
    return films, TestClient(Starlette(routes=[films.route()]))


def test_films_are_lossless_and_keep_their_aspect(film_server, tmp_path, film):
    films, client = film_server
    original = film(3, (700, 500))
    original.save(tmp_path / "a b.png")
    study = Study("s", "drawn", "p", tmp_path / "a b.png")
    answer = client.get("/" + films.address(study))
    assert answer.headers["content-type"] == "image/png"
    shown = Image.open(io.BytesIO(answer.content))
    assert shown.mode == "L" and np.array_equal(np.asarray(shown), np.asarray(original))
    small = Image.open(io.BytesIO(client.get("/" + films.address(study, "small")).content))
    assert small.format == "PNG" and small.size == (384, 274)


def test_only_films_that_were_shown_are_served(film_server, tmp_path, film):
    films, client = film_server
    film().save(tmp_path / "seen.png")
    seen = films.address(Study("s", "drawn", "p", tmp_path / "seen.png"))
    assert client.get("/" + seen).status_code == 200
    unseen = ImageUrls().address(Study("s", "drawn", "p", tmp_path / "other.png"))
    film().save(tmp_path / "other.png")
    for path in (unseen, seen.replace("full", "huge"), "films/../app.py", "films/x/full.png"):
        assert client.get("/" + path).status_code == 404
    assert str(tmp_path) not in seen and films.address(Study("s", "drawn", "p")) == ""


def test_a_film_that_is_damaged_or_gone_is_not_found(film_server, tmp_path):
    films, client = film_server
    (tmp_path / "broken.png").write_bytes(b"\x89PNG but no more")
    for name in ("broken.png", "gone.png"):
        address = films.address(Study("s", "drawn", "p", tmp_path / name))
        assert client.get("/" + address).status_code == 404
