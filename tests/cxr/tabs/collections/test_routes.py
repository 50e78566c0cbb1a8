"""What the Collections tab asks the server: studies by id, and answers in words."""

from __future__ import annotations

import pytest
from app_gallery import HOSTILE
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cxr.tabs.collections.routes import LARGEST_BODY, collection_routes


@pytest.fixture(scope="session")
def client(services):
    return TestClient(Starlette(routes=collection_routes(services)))


def ids_asked(client, ids) -> dict:
    return client.post("/collections/studies", json={"studies": ids}).json()


def test_studies_come_as_html_in_their_order(client):
    said = ids_asked(client, ["generated", "gone", "big heart"])
    assert [one["id"] for one in said["studies"]] == ["generated", "big heart"]
    assert (
        said["missing"] == ["gone"] and said["gallery"] == client.get("/collections/gallery").json()
    )
    made, drawn = said["studies"]
    assert "synthetic</span>" in made["card"] and "synthetic</span>" in made["stage"]
    assert "synthetic</span>" not in drawn["card"]
    assert "64-year-old female, frontal PA view. Findings: cardiomegaly." in drawn["stage"]
    assert "cardiomegaly" not in drawn["stage"].split("<figcaption")[0]  # may be hidden


def test_a_study_cannot_bring_html(client):
    (study,) = ids_asked(client, ["hostile"])["studies"]
    assert HOSTILE not in study["card"] and "<script" not in study["card"] + study["stage"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON object"),
        (b"[]", "JSON object"),
        (b"{", "JSON object"),
        (b"{}", "list of ids"),
        (b'{"studies": [1]}', "as text"),
        (b" " * (LARGEST_BODY + 1), "at most 300,000 bytes"),
    ],
)
def test_a_bad_request_is_answered_in_words(client, body, words):
    answer = client.post("/collections/studies", content=body)
    assert answer.status_code == 400 and words in answer.json()["error"]


@pytest.mark.parametrize(("format", "start"), [("pdf", b"%PDF-"), ("slides", b"PK")])
def test_a_collection_is_exported_from_memory(client, format, start):
    body = {"studies": ["big heart", "gone"], "name": "Round", "format": format}
    answer = client.post("/collections/export", json=body)
    assert answer.status_code == 200 and answer.content.startswith(start)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"studies": ["gone"]}, "none of them"),
        ({"studies": ["big heart"], "format": "exe"}, "pdf or slides"),
        ({"studies": [str(n) for n in range(61)]}, "at most 60 studies"),
        ({"name": "x"}, "list of ids"),
    ],
)
def test_what_cannot_be_exported_is_said(client, body, words):
    answer = client.post("/collections/export", json=body)
    assert answer.status_code == 400 and words in answer.json()["error"]
