"""What the atlas sends to the page."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cxr.findings import FINDINGS, Study
from cxr.tabs.atlas.points import MOST_SELECTED, AtlasRoutes, encode_points, query_place
from cxr.tabs.atlas.tab import query_point
from cxr.tabs.search.handlers import SearchHandlers
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services


@pytest.fixture(scope="module")
def client(services):
    return TestClient(Starlette(routes=AtlasRoutes(services).routes()))


def unpacked(data: bytes) -> tuple[dict, list[np.ndarray]]:
    (length,) = struct.unpack_from("<I", data)
    header, count, at = json.loads(data[4 : 4 + length]), 0, 4 + length
    count, arrays = header["count"], []
    for kind, each in (("<u2", 2), ("<u4", 1), ("<u4", 1), ("u1", 1), ("u1", 1), ("u1", 1)):
        arrays.append(np.frombuffer(data, kind, count * each, at))
        at += arrays[-1].nbytes
    assert at == len(data) and length % 4 == 0
    return header, arrays


def test_points_carry_places_and_labels():
    studies = [
        Study("a", "x", "p", view="AP", sex="M", findings={"edema": 1, "mass": -1}),
        Study("b", "x", "q", findings={"hernia": 1}, label_source="expert"),
        Study("c", "x", "q"),
    ]
    places = np.array([[0, 1], [0.5, 0.25], [1, 0]], np.float32)
    header, (xy, present, uncertain, sex, view, tier) = unpacked(encode_points(places, studies))
    assert header["findings"] == list(FINDINGS)
    assert np.abs(xy.reshape(3, 2) / 65535 - places).max() < 1e-4
    assert list(present) == [1 << FINDINGS.index("edema"), 1 << FINDINGS.index("hernia"), 0]
    assert list(uncertain) == [1 << FINDINGS.index("mass"), 0, 0]
    assert list(sex) == [1, 255, 255] and list(view) == [1, 255, 255]
    assert [header["tiers"][one] for one in tier] == [
        "taken from reports",
        "by radiologists",
        "not labelled",
    ]


def test_the_page_gets_points_films_and_ids(client, services):
    studies = services.retriever().gallery.studies
    header, _ = unpacked(client.get("/atlas/points").content)
    assert header["count"] == len(studies)
    film = client.get("/atlas/film/0").json()
    assert film["place"] == "film=big%20heart" and film["address"].startswith("films/")
    assert client.post("/atlas/ids", json=[0, 2]).json() == ["big heart", "unread"] and film["id"]
    assert client.post(
        "/atlas/rows", json=["unread", "of another gallery", "big heart"]
    ).json() == [2, 0]


@pytest.mark.parametrize(
    "rows", [[-1], [10**6], ["0"], [True], {"a": 1}, [0] * (MOST_SELECTED + 1)]
)
def test_rows_that_cannot_be_are_refused(client, rows):
    assert client.post("/atlas/ids", json=rows).status_code == 400
    assert client.post("/atlas/rows", json=rows).status_code == (200 if rows == ["0"] else 400)


def test_bad_requests_are_answered(client):
    assert client.post("/atlas/ids", content=b"{").status_code == 400
    assert client.get("/atlas/film/99999").status_code == 404


def test_a_missing_gallery_is_said(tmp_path):
    missing = Services(str(tmp_path / "none"), str(tmp_path / "none"))
    client = TestClient(Starlette(routes=AtlasRoutes(missing).routes()))
    answer = client.get("/atlas/points")
    assert answer.status_code == 503 and "No gallery" in answer.text


def test_a_query_stands_amid_its_nearest_films(services):
    gallery = services.retriever().gallery
    x, y = query_place(gallery, np.asarray(gallery.embeddings[3], np.float32), 1)
    assert (x, y) == tuple(gallery.positions[3].tolist())
    searched = SearchHandlers(services).search(SearchState(), "mass", [], "", "", "", [], [])
    point = query_point(services, searched)
    assert "data-x" in point and "mass" in point
    assert query_point(services, SearchState()) == ""
