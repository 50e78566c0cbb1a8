"""What the Practice tab asks of the server, over HTTP as the page does."""

import io
import json
import re
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from practice_gallery import make_practice_shelf
from practice_pool import SHOWN
from reading_steps import reading_services
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cxr.findings import FINDINGS
from cxr.gallery.logits import FindingLogits, write_logits
from cxr.reporting.calibration import MeasuredTerm, OperatingPoint
from cxr.reporting.measured import Measurements
from cxr.tabs.practice import opinions
from cxr.tabs.practice.handlers import PracticeHandlers
from cxr.tabs.practice.routes import LARGEST, practice_routes
from cxr.tabs.services import Services
from cxr.tabs.shared.models import Model
from cxr.tabs.shared.theme import ASSETS

EMPTY = {"version": 1, "courses": {}, "records": [], "flags": [], "judged": []}
SESSION = {"mode": "practice", "length": 15, "seed": 4, "position": 0}
ORIGIN = SESSION | {"mode": "origin"}
NOW = "2026-03-01T12:00:00Z"


@pytest.fixture(scope="module")
def handlers(tmp_path_factory, film):
    shelf = make_practice_shelf(tmp_path_factory.mktemp("practice"), film)
    absent = Model(str(shelf.gallery / "none"), lambda weights: None, "fit one")
    return PracticeHandlers(Services(str(shelf.gallery), str(shelf.weights), suggester=absent))


@pytest.fixture(scope="module")
def client(handlers):
    return TestClient(Starlette(routes=practice_routes(handlers)))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, film):
    """The same over a gallery that holds generated films as well."""
    shelf = make_practice_shelf(tmp_path_factory.mktemp("mixed"), film, generated=8)
    absent = Model(str(shelf.gallery / "none"), lambda weights: None, "fit one")
    return PracticeHandlers(Services(str(shelf.gallery), str(shelf.weights), suggester=absent))


@pytest.fixture(scope="module")
def mixed_client(mixed):
    return TestClient(Starlette(routes=practice_routes(mixed)))


def ask(client, name, **document):
    answer = client.post(f"/practice/{name}", json={"profile": EMPTY, "now": NOW, **document})
    assert answer.status_code == 200, answer.text
    return answer.json()


def answer_of(findings=None, abnormal=True):
    places = dict.fromkeys(findings or ())
    return {"abnormal": abnormal, "findings": places, "confidence": 0.8, "seconds": 12}


def test_a_question_tells_nothing_of_its_film(client, handlers):
    """Two films that differ in what they show alone bring the same document but for the key."""
    pool, documents = handlers.pool, []
    by_person = {}
    for row, study in enumerate(pool.studies):
        by_person.setdefault((study.view, study.sex), []).append(row)
    rows = max(by_person.values(), key=len)
    shown = {pool.truths[row].targets for row in rows}
    assert len(shown) > 3
    for row in rows:
        found = ask(client, "next", session=SESSION, key=pool.keys[row])
        text = json.dumps(found)
        assert pool.studies[row].id not in text and "secret" not in text
        assert str(pool.studies[row].image.name) not in text
        documents.append(re.sub(r"\b\d+ y\b", "", text.replace(pool.keys[row], "KEY")))
    assert len(set(documents)) == 1


def test_a_question_of_origin_tells_nothing_of_it(mixed_client, mixed):
    """Real and generated films bring the same document but for the key, and alike pictures."""
    pool, documents, sizes = mixed.pool, set(), set()
    real, generated = pool.origins
    assert len(generated) == 8
    for row in (*real[:8], *generated):
        key = pool.origin_keys[row]
        found = ask(mixed_client, "next", session=ORIGIN, key=key)
        documents.add(found["html"].replace(key, "KEY"))
        picture = mixed_client.get(f"/practice/origins/{key}.png")
        assert picture.status_code == 200 and b"tEXt" not in picture.content
        sizes.add((Image.open(io.BytesIO(picture.content)).size, *picture.headers))
        assert mixed_client.get(f"/practice/films/{key}.png").status_code == 404
        assert mixed_client.get(f"/practice/origins/{pool.keys[row]}.png").status_code == 404
    (document,) = documents
    assert len(sizes) == 1
    assert not re.search(r"secret|synthetic|drawn|female|view|\d y", document.lower())


def test_an_image_is_called_real_or_generated_and_counted_apart(mixed_client, mixed):
    made, real = mixed.pool.origins[1][0], mixed.pool.origins[0][0]
    said = {"generated": True, "confidence": 0.8, "seconds": 4}
    found = [
        ask(mixed_client, "judge", key=mixed.pool.origin_keys[row], answer=said)
        for row in (made, real)
    ]
    assert "Right: this film is generated" in found[0]["html"]
    assert "it was asked for: pleural effusion" in found[0]["html"]
    assert "Wrong: this film is real" in found[1]["html"]
    profile = EMPTY | {"judged": [one["judged"][0] for one in found]}
    session = ORIGIN | {"length": 2}
    html = ask(mixed_client, "progress", profile=profile, last=2, session=session)["html"]
    assert "50%" in html and "Sensitivity" not in html and "#practice?origin=2&amp;seed=4" in html
    lines = ask(mixed_client, "results", profile=profile, kind="origin")["text"].splitlines()
    assert len(lines) == 3 and ",generated,real,False," in lines[2]
    graded = {"profile": EMPTY, "now": NOW, "session": ORIGIN, "key": mixed.pool.keys[made]}
    refused = mixed_client.post("/practice/grade", json=graded | {"answer": answer_of()})
    assert refused.status_code == 400


def test_the_set_on_origin_is_offered_where_both_kinds_are(client, mixed_client):
    assert "Real or generated?" in ask(mixed_client, "start")["html"]
    assert "Real or generated?" not in ask(client, "start")["html"]
    first = ask(mixed_client, "next", session=ORIGIN)
    assert len(set(first["keys"])) == first["length"] == 15 and first["key"] == first["keys"][0]
    made = ask(mixed_client, "compose", length=9, seed=3, mode="origin")
    assert made == {"link": "#practice?origin=9&seed=3", "films": 9}
    for name in ("next", "compose"):
        asked = {"profile": EMPTY, "now": NOW, "session": ORIGIN, **ORIGIN}
        refused = client.post(f"/practice/{name}", json=asked)
        assert refused.status_code == 400 and "real and generated" in refused.json()["error"]


def test_a_film_is_served_under_its_key_without_metadata(client, handlers):
    answer = client.get(f"/practice/films/{handlers.pool.keys[0]}.png")
    assert answer.status_code == 200 and answer.content.startswith(b"\x89PNG")
    assert b"tEXt" not in answer.content and "secret" not in str(answer.headers)
    for name in ("0" * 24, handlers.pool.studies[0].id, "..%2f..%2fgallery.json"):
        assert client.get(f"/practice/films/{name}.png").status_code == 404


def test_an_answer_brings_verdicts_record_and_contrast(client, handlers):
    key = handlers.pool.keys[0]  # an effusion
    found = ask(client, "grade", session=SESSION, key=key, answer=answer_of(["atelectasis"]))
    assert found["records"][0]["key"] == key and found["courses"]["films"]["cards"]
    html = found["html"]
    assert "missed" in html and "a false alarm" in html and "secret pleural effusion 0" in html
    assert html.count('class="swap"') == 5 and "One more, not counted" in html
    assert "drawn or verified by radiologists" in html and "#learn/pleural-effusion" in html


def test_a_silent_session_tells_nothing_before_its_end(client):
    session = SESSION | {"mode": "exam", "length": 5}
    first = ask(client, "next", session=session)
    assert len(first["keys"]) == 5
    refused = client.post(
        "/practice/grade",
        json={
            "profile": EMPTY,
            "now": NOW,
            "session": session,
            "key": first["key"],
            "answer": answer_of(abnormal=False),
        },
    )
    assert refused.status_code == 400 and "silent" in refused.json()["error"]
    answers = [{"key": k, "answer": answer_of(abnormal=False), "at": NOW} for k in first["keys"]]
    found = ask(client, "finish", session=session | {"keys": first["keys"]}, answers=answers)
    assert [one["mode"] for one in found["records"]] == ["exam"] * 5


def test_the_first_films_stand_from_the_beginning(client):
    found = ask(client, "next", session=SESSION | {"mode": "calibration", "length": 12})
    assert len(set(found["keys"])) == found["length"] == 12


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("fluid around the lung", "pleural effusion"),
        ("big hart", "cardiomegaly"),
        ("ptx", "pneumothorax"),
    ],
)
def test_typed_words_are_read_as_in_search(client, text, finding):
    assert ask(client, "find", text=text)["findings"] == [finding]


def test_a_set_opens_by_ids_and_a_link_is_made(client, handlers):
    ids = [handlers.pool.studies[row].id for row in (3, 1)]
    found = ask(client, "set", ids=[*ids, "unknown"])
    assert found == {"keys": [handlers.pool.keys[3], handlers.pool.keys[1]], "left_out": 1}
    made = ask(client, "compose", length=6, seed=2, mode="exam")
    again = ask(client, "compose", length=6, seed=2, mode="exam")
    assert made == again and made["films"] == 6 and "&mode=exam&seed=2" in made["link"]
    refused = client.post("/practice/set", json={"ids": ["nothing"]})
    assert refused.status_code == 400 and "the set names none" in refused.json()["error"]


def test_progress_results_and_deck_of_what_was_answered(client, handlers):
    graded = ask(
        client, "grade", session=SESSION, key=handlers.pool.keys[0], answer=answer_of(["mass"])
    )
    profile = EMPTY | {"records": graded["records"], "courses": graded["courses"]}
    html = ask(client, "progress", profile=profile, last=1)["html"]
    assert "pleural effusion taken for mass" in re.sub("<[^>]*>", "", html)
    assert 'href="#learn/pleural-effusion"' in html and "#practice?set=" in html
    assert "secret pleural effusion 0" in ask(client, "results", profile=profile)["text"]
    document = ask(client, "results", profile=profile, kind="json")["document"]
    assert document["results"][0]["misses"] == "pleural effusion"
    deck = client.post("/practice/deck", json={"profile": profile})
    assert deck.status_code == 200 and deck.content.startswith(b"PK")
    assert ask(client, "check", profile=profile)["profile"] == profile


def test_the_one_more_film_says_which_of_the_pair_it_shows(client, handlers):
    pair = ["atelectasis", "pleural effusion"]
    right = ask(client, "transfer", key=handlers.pool.keys[0], pair=pair, choice=pair[1])["html"]
    wrong = ask(client, "transfer", key=handlers.pool.keys[0], pair=pair, choice=pair[0])["html"]
    assert "Right" in right and "Not this one" in wrong and "pleural effusion" in wrong


@pytest.mark.parametrize(
    "name",
    [
        "start",
        "next",
        "grade",
        "judge",
        "finish",
        "find",
        "transfer",
        "heat",
        "progress",
        "check",
        "set",
        "compose",
        "results",
        "deck",
    ],
)
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"profile": 3}', b"\xff\xfe", b'{"key": {}}'])
def test_junk_is_refused_in_words(client, name, body):
    answer = client.post(f"/practice/{name}", content=body)
    assert answer.status_code == 400
    assert "Something went wrong" not in answer.json()["error"], answer.text


def test_an_endless_request_is_cut_off(client):
    assert client.post("/practice/start", content=b"x" * (LARGEST + 1)).status_code == 413


def test_the_first_screen_counts_by_tier(client):
    html = ask(client, "start")["html"]
    films = len(SHOWN) * 5 + 20
    assert f"<strong>{films}</strong> films: drawn or verified by radiologists" in html
    assert "Start with 12 films" in html
    assert all(name in ask(client, "next", session=SESSION)["html"] for name in FINDINGS[1:])


def test_its_style_sheet_speaks_of_no_other_tab():
    """A rule for a class that other tabs use as well would be applied there, too."""
    rules = re.findall(
        r"^\s*([^{}@/]+)\{", (ASSETS / "practice.css").read_text("utf-8"), re.MULTILINE
    )
    own = {first for rule in rules for first in re.findall(r"(?:^|, )\.([\w-]+)", rule)}
    pages = ASSETS.parent.glob("*/templates/*.html")
    others = "".join(page.read_text("utf-8") for page in pages if page.parts[-3] != "practice")
    used = {word for found in re.findall(r'class="([^"]*)"', others) for word in found.split()}
    assert len(own) > 40 and own & used <= {"segments", "stack"}  # parts that tabs share


@pytest.fixture
def with_model(tmp_path, film, monkeypatch):
    """Handlers and a client beside a model that goes by what is measured of effusions alone."""
    shelf = make_practice_shelf(tmp_path, film)
    plain = Services(str(shelf.gallery), str(shelf.weights))
    services = reading_services(plain, tmp_path / "reporting")
    suggester = services.suggester.get()
    calibration = suggester.calibration
    point = OperatingPoint(True, 0.3, 0.9, 0.9, 0.99, 0.1, 50, "expert")
    weights = np.tile(np.float32([0, 1, 0]), (1 + len(calibration.refits), 1))
    terms = {"pleural effusion": MeasuredTerm(weights, point)}
    suggester.calibration = replace(calibration, terms=terms)
    monkeypatch.setattr(
        services, "measure", lambda image: Measurements(log_odds={"pleural effusion": 2.0})
    )
    monkeypatch.setattr(opinions, "PATIENCE_S", 300)
    handlers = PracticeHandlers(services)
    return handlers, TestClient(Starlette(routes=practice_routes(handlers)))


def test_the_models_opinion_is_that_of_the_read_tab(with_model):
    """Its probability is what was measured, and it never comes before the answer."""
    handlers, client = with_model
    pool = handlers.pool
    row = next(row for row, one in enumerate(pool.truths) if "pleural effusion" in one.targets)
    asked = {"session": SESSION, "key": pool.keys[row]}
    question = ask(client, "next", **asked)
    assert "opinion" not in question["html"] and "88%" not in json.dumps(question)
    said = ask(client, "grade", **asked, answer=answer_of(["pleural effusion"]))["html"]
    assert "pleural effusion: likely (88%)" in re.sub("<[^>]*>", "", said)
    suggestion = handlers.services.suggest(Image.open(pool.studies[row].image), force=True)
    findings = handlers.services.read_findings(Image.open(pool.studies[row].image))
    assert [(one.name, one.word) for one in findings] == [
        (one.name, one.word) for one in suggestion.findings
    ]


def test_feedback_waits_for_no_opinion_that_takes_long(with_model, monkeypatch):
    handlers, client = with_model
    monkeypatch.setattr(opinions, "PATIENCE_S", 0)
    go_on, calls = threading.Event(), []
    read = handlers.services.read_findings
    monkeypatch.setattr(
        handlers.services,
        "read_findings",
        lambda image: (calls.append(image), go_on.wait(300), read(image))[-1],
    )
    asked = {"session": SESSION, "key": handlers.pool.keys[0]}
    ask(client, "next", **asked)
    graded = {**asked, "answer": answer_of(["mass"])}
    assert "The model" not in ask(client, "grade", **graded)["html"]
    go_on.set()
    monkeypatch.setattr(opinions, "PATIENCE_S", 300)
    assert "The model" in ask(client, "grade", **graded)["html"] and len(calls) == 1


def test_a_silent_film_is_not_read_by_the_model(with_model, monkeypatch):
    handlers, client = with_model
    monkeypatch.setattr(handlers.services, "read_findings", lambda image: pytest.fail("was read"))
    session = SESSION | {"mode": "exam", "keys": [handlers.pool.keys[0]]}
    assert ask(client, "next", session=session, key=handlers.pool.keys[0])["html"]
    assert not handlers._opinions._made


def test_a_study_that_the_model_reads_wrongly_is_held_to_be_hard(tmp_path, film):
    """It goes by what the gallery holds, so that no model need be loaded."""
    shelf = make_practice_shelf(tmp_path, film)
    plain = PracticeHandlers(Services(str(shelf.gallery), str(shelf.weights))).pool
    missed, seen = [row for row, one in enumerate(plain.truths) if "mass" in one.targets][:2]
    assert plain.difficulty[missed] == plain.difficulty[seen]
    values = np.full((len(plain.studies), 1), -3, np.float16)
    values[seen] = 3
    write_logits(Path(shelf.gallery), FindingLogits(("mass",), "ab" * 32, values))
    services = Services(str(shelf.gallery), str(shelf.weights))
    pool = PracticeHandlers(services).pool
    assert pool.difficulty[missed] > pool.difficulty[seen] and not services.suggester.ready
