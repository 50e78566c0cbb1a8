"""Models that load once, and what is said when they cannot."""

from __future__ import annotations

import logging
import threading

from app_gallery import NO_FILTER
from markupsafe import escape

from cxr.tabs.search.handlers import SearchHandlers
from cxr.tabs.search.state import SearchState
from cxr.tabs.search.views import welcome
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import UNEXPECTED
from cxr.tabs.shared.wiring import VisitorState, guarded


def test_guard_turns_errors_into_messages(caplog):
    def show(room, message="", busy=""):
        return message, busy, room

    def work(room, problem):
        """Fails as told."""
        if problem:
            raise problem
        return room + 1

    handler = guarded(work, show, busy="Searching")
    assert handler.__doc__ == "Fails as told."
    room = VisitorState(1)
    assert list(handler(room, None)) == [("", "Searching", room), ("", "", room)]
    assert room.value == 2
    told = list(handler(room, ValueError("expected a query;\n  came none")))
    assert told[-1] == ("Expected a query; came none.", "", room)
    with caplog.at_level(logging.ERROR):
        assert list(handler(room, KeyError("secret path")))[-1] == (UNEXPECTED, "", room)
    assert room.value == 2
    assert "secret path" in caplog.text


def test_without_gallery_or_weights_the_page_says_what_to_do(tmp_path, services):
    nothing = Services(str(tmp_path / "none"), services.weights)
    assert "python -m cxr gallery build" in nothing.missing()
    untrained = Services(services.gallery, str(tmp_path / "none"))
    assert "train.retrieval" in untrained.missing()
    for missing in (nothing, untrained):
        html = welcome(missing)
        assert escape(missing.missing()) in html and "\n" not in missing.missing()
        desk = SearchHandlers(missing)
        message = list(
            guarded(desk.search, desk.show)(VisitorState(SearchState()), "heart", *NO_FILTER)
        )[-1][0]
        assert escape(missing.missing()) in message
    assert Services("hf://datasets/a/b", "hf://a/b").missing() == ""


def test_models_load_once_for_all_threads(services):
    loads = []

    def load(weights, gallery):
        loads.append(weights)
        return services.retriever()

    shared = Services(services.gallery, services.weights, load)
    threads = [threading.Thread(target=shared.facts) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [services.weights] and shared.ready
    assert shared.facts().total == 16 and shared.facts().views == ("PA", "AP", "lateral")
    assert dict(shared.facts().findings)["cardiomegaly"] == 2


def test_the_scale_of_similarity_is_there_before_the_retriever_moves_to_a_gpu(
    services, monkeypatch
):
    kept = []
    monkeypatch.setattr(
        "cxr.tabs.services.with_gpu", lambda it: kept.append("scale" in vars(it)) or it
    )
    retriever = Services(services.gallery, services.weights).retriever()
    assert kept == [True] and "scale" in vars(retriever)


def test_a_model_that_cannot_be_loaded_is_a_friendly_state(services, caplog):
    def load(weights, gallery):
        raise RuntimeError("CUDA exploded")

    broken = Services(services.gallery, services.weights, load)
    assert "could not be loaded" in welcome(broken)
    assert "CUDA exploded" in caplog.text
    told = []
    broken.load(told.append)
    assert "Search: The models could not be loaded; the log says why." in told
