"""A GPU for the length of a call: what changes where `spaces` is installed, and what does not."""

from __future__ import annotations

import pickle
import sys
import time
from types import ModuleType

import gradio as gr
import numpy as np
import pytest

from cxr.generation.sampler import Sampler
from cxr.localization.localizer import Localizer
from cxr.reporting.suggester import ReportSuggester
from cxr.retrieval.retriever import Retriever
from cxr.tabs.api import search_endpoint
from cxr.tabs.services import Services
from cxr.tabs.shared.zerogpu import SECONDS, on_zerogpu, with_gpu


@pytest.fixture
def spaces(services, monkeypatch):
    """A `spaces` whose GPU is another process as far as that shows: what goes in and out is
    pickled, and of an error only the class comes back. It notes (name, seconds) of each call."""
    services.retriever()  # other tests share it: it is loaded before
    module, module.calls = ModuleType("spaces"), []

    def gpu(duration):
        def decorate(task):
            def elsewhere(*args, **kwargs):
                module.calls.append(duration)
                if module.quota_used_up:
                    raise gr.Error("No GPU was available: try again later")
                args, kwargs = pickle.loads(pickle.dumps((args, kwargs)))
                try:
                    return pickle.loads(pickle.dumps(task(*args, **kwargs)))
                except Exception as error:
                    raise gr.Error(type(error).__name__) from None

            return elsewhere

        return decorate

    module.GPU, module.quota_used_up = gpu, False
    monkeypatch.setitem(sys.modules, "spaces", module)
    return module


@pytest.fixture
def fresh(services):
    """The services anew, so that what is wrapped is gone after the test."""
    return Services(services.gallery, services.weights)


def test_without_the_package_nothing_changes(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)  # importing it fails

    class Service:
        def search(self):
            return 1

    service = Service()
    assert with_gpu(service) is service and not vars(service)


def test_every_duration_is_of_a_method_that_there_is():
    services = (Retriever, ReportSuggester, Localizer, Sampler)
    assert set(SECONDS) <= {name for service in services for name in dir(service)}


def test_calls_are_lent_a_gpu_and_answer_the_same(fresh, services, spaces, film):
    plain, on_gpu = services.retriever(), fresh.retriever()
    found = on_gpu.search("big heart", 3, where={"sex": "F"})
    assert [one.study.id for one in found] == [
        one.study.id for one in plain.search("big heart", 3, where={"sex": "F"})
    ]
    heat = on_gpu.heat_map(film(1), "big heart")
    np.testing.assert_allclose(heat, plain.heat_map(film(1), "big heart"), atol=1e-5)
    assert spaces.calls == [SECONDS["search"], SECONDS["heat_map"]]
    assert plain.search.__func__ is Retriever.search  # the other services' is untouched


def test_an_error_keeps_its_words_on_the_way_back(fresh, spaces):
    with pytest.raises(ValueError, match="empty text; type what you are looking for"):
        fresh.retriever().search(" ")


def test_a_gpu_that_cannot_be_had_is_a_message(fresh, spaces):
    spaces.quota_used_up = True
    with pytest.raises(gr.Error, match="No GPU was available: try again later"):
        search_endpoint(fresh)("big heart")


def test_the_encoder_of_a_reader_without_gallery_is_lent_one_too(services, spaces, tmp_path):
    from reading_steps import reading_services

    nothing = Services(str(tmp_path / "none"), services.weights)
    reading = reading_services(services, tmp_path / "reporting")
    nothing.suggester.weights = reading.suggester.weights
    retriever = nothing.suggester.get().retriever
    assert retriever.gallery is None and "heat_map" in vars(retriever)


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("", False)])
def test_on_zerogpu(monkeypatch, value, expected):
    monkeypatch.setenv("SPACES_ZERO_GPU", value)
    assert on_zerogpu() is expected


def test_durations_are_more_than_one_core_needs(film):
    """Over the weights that ship: a call that a processor ends in time, a GPU does too."""
    localizer = Localizer.load("weights/localizer")
    began = time.thread_time()
    localizer.find(film(1, (1024, 1024)), "opacity in the left lower zone")
    assert time.thread_time() - began < SECONDS["find"]
