"""The handlers of the Generate tab, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html import unescape

import gradio as gr
import numpy as np
import pytest
from app_gallery import HOSTILE, event
from drawn_models import CONDITION, DrawnSampler, DrawnTrainingImages, drawn
from markupsafe import escape
from PIL import Image

from cxr.findings import Study
from cxr.retrieval.retriever import Match
from cxr.tabs.api import MAX_SAMPLES, sample_endpoint
from cxr.tabs.generate.handlers import COMPARING, GenerateHandlers, sample_request
from cxr.tabs.generate.state import NORMAL, STEPS, Comparison, GenerateState, SampleRequest
from cxr.tabs.generate.tab import EXAMPLES
from cxr.tabs.generate.views import GENERATING
from cxr.tabs.services import Services
from cxr.tabs.shared.models import Model
from cxr.tabs.shared.wiring import VisitorState, following, guarded

CONTROLS = ("big heart", "", 4, "7", 1.0)


def making(services, originals=None, condition=None):
    return GenerateHandlers(
        Services(
            services.gallery,
            services.weights,
            lambda **_: services.retriever(),
            generator=drawn(lambda: DrawnSampler(originals, condition)),
        )
    )


@pytest.fixture
def maker(services):
    return making(services, DrawnTrainingImages())


@pytest.fixture
def reader(services):
    """Handlers of a generator that numbers condition, so that texts are read."""
    return making(services, DrawnTrainingImages(), CONDITION)


def page(handlers, state, busy=""):
    return handlers.show(state, busy=busy)[1]


def pictures(html, name):
    listed = json.loads(unescape(re.search(f'data-{name}="([^"]*)"', html)[1]))
    return [decoded(address.partition(",")[2]) for address in listed]


def decoded(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def test_films_are_made_for_a_text_and_each_carries_the_mark(maker):
    state = maker.generate(GenerateState(), *CONTROLS)
    assert state.request == SampleRequest("big heart", "", 4, 7, 1.0) and len(state.images) == 4
    shown = pictures(page(maker, state), "films")
    assert [film.shape for film in shown] == [(128, 128)] * 4
    for film, made in zip(shown, state.images):
        corner = np.s_[-10:, :60]
        assert film[corner].max() > 220 and (film[corner] == 0).any()  # white on black
        assert np.array_equal(film[:100], np.asarray(made)[:100])
    assert maker.generate(GenerateState(), *CONTROLS).images == state.images


def test_the_way_from_normal_ends_at_the_film(maker):
    state = maker.compare(maker.choose(maker.generate(GenerateState(), *CONTROLS), event(index=2)))
    html = page(maker, state)
    way = pictures(html, "path")
    assert len(way) == STEPS and np.array_equal(way[-1], pictures(html, "films")[2])
    assert not np.array_equal(way[0], way[-1])
    assert maker.compare(state) is state  # made once
    assert state.choose(0).comparison is None and state.choose(2).comparison is state.comparison


@pytest.mark.parametrize(
    ("text", "start", "start_text"),
    [
        ("big heart", "", NORMAL),
        ("big heart", "edema", "edema"),
        (
            "64-year-old female, frontal AP view. Findings: edema.",
            "",
            "64-year-old female, frontal AP view, "
            "demonstrates no acute cardiopulmonary abnormality.",
        ),
        ("Findings: edema.", "", NORMAL),
    ],
)
def test_where_the_slide_begins(text, start, start_text):
    assert SampleRequest(text, start).start_text == start_text


def test_the_nearest_real_study_stands_beside_it(maker):
    comparison = maker.compare(maker.generate(GenerateState(), *CONTROLS)).comparison
    assert comparison.nearest is not None and comparison.nearest.study.source != "synthetic, drawn"
    html = page(maker, maker.generate(GenerateState(), *CONTROLS).with_comparison(comparison))
    assert maker.services.images.address(comparison.nearest.study, "small") in html
    assert "The nearest real film" in html


def test_a_gallery_of_generated_films_says_that_none_is_real(maker, monkeypatch):
    made = [Match(Study("g", "synthetic, drawn", "p"), 0.9)]
    monkeypatch.setattr(maker.services.retriever(), "search", lambda film, k: made * k)
    comparison = maker.compare(maker.generate(GenerateState(), *CONTROLS)).comparison
    assert comparison.nearest is None and "CXR_GALLERY" in comparison.nearest_note


@pytest.mark.parametrize(
    ("limit", "copied", "said"), [(0.3, False, "Not a copy"), (0.9, True, "Too near")]
)
def test_copies_of_training_films_are_told(services, limit, copied, said):
    originals = DrawnTrainingImages()
    originals.limit = limit
    handlers = making(services, originals)
    state = handlers.compare(handlers.generate(GenerateState(), *CONTROLS))
    assert state.comparison.copied is copied and said in page(handlers, state)
    assert "0.80 away" in state.comparison.copied_note


def test_without_fingerprints_the_copy_check_says_it_was_not_made(services, tmp_path):
    handlers = making(services)
    comparison = handlers.compare(handlers.generate(GenerateState(), *CONTROLS)).comparison
    assert comparison.copied is None and "Not checked" in comparison.copied_note
    model = drawn(lambda: DrawnSampler(DrawnTrainingImages()))
    alone = GenerateHandlers(Services(str(tmp_path / "none"), services.weights, generator=model))
    comparison = alone.compare(alone.generate(GenerateState(), *CONTROLS)).comparison
    assert comparison.copied is None and comparison.nearest is None
    assert (
        "No gallery" in comparison.nearest_note
        and "Not checked: No gallery" in comparison.copied_note
    )


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        (("", "", 4, "0", 1.0), "got an empty text"),
        (("  ", "", 4, "0", 1.0), "got an empty text"),
        (("heart", "", 5, "0", 1.0), "4, 8, 16 films"),
        (("heart", "", None, "0", 1.0), "films, got None"),
        (("heart", "", 4, "", 1.0), "whole number as seed"),
        (("heart", "", 4, "-1", 1.0), "whole number as seed"),
        (("heart", "", 4, "²", 1.0), "whole number as seed"),
        (("heart", "", 4, "9" * 19, 1.0), "whole number as seed"),
    ],
)
def test_controls_that_cannot_be_say_so(controls, said):
    with pytest.raises(ValueError, match=said):
        sample_request(*controls)


@pytest.mark.parametrize("text", ["🫁❤️‍🔥", "ضخامة القلب", "心脏扩大", "half \ud83e"[:6]])
def test_any_script_gives_films(maker, text):
    assert maker.generate(GenerateState(), text, "", 4, "0", 0.0).images


def test_an_error_leaves_the_films_and_the_step_after_it_leaves_the_message(maker):
    state = maker.compare(maker.generate(GenerateState(), *CONTROLS))
    told = list(
        guarded(maker.generate, maker.show, GENERATING)(VisitorState(state), "", "", 4, "0", 1.0)
    )
    assert GENERATING in told[0][1] and "empty text" in told[-1][0] and told[-1][2].value is state
    after = list(
        guarded(maker.compare, following(maker.show), maker.comparing)(VisitorState(state))
    )
    assert len(after) == 1 and after[0][0] == gr.skip()
    fresh = maker.generate(GenerateState(), *CONTROLS)
    steps = list(
        guarded(maker.compare, following(maker.show), maker.comparing)(VisitorState(fresh))
    )
    assert COMPARING in steps[0][1] and len(steps) == 2


def test_films_that_are_not_there_cannot_be_chosen(maker):
    state = maker.generate(GenerateState(), *CONTROLS)
    for wrong in (
        event(index=4),
        event(index=-1),
        event(index="0"),
        event(),
        gr.EventData(None, None),
    ):
        with pytest.raises(ValueError, match="no longer on the page"):
            maker.choose(state, wrong)
    with pytest.raises(ValueError, match="no longer on the page"):
        maker.choose(GenerateState(), event(index=0))


def test_nothing_a_visitor_types_becomes_html(maker):
    state = maker.generate(GenerateState(), HOSTILE, HOSTILE, 4, "0", 1.0)
    near = Match(Study("s", HOSTILE, "p"), 0.5)
    html = page(maker, state.with_comparison(Comparison(("data:,",), near, "", None, HOSTILE)))
    assert HOSTILE not in html and "<script" not in html and escape(HOSTILE) in html


def test_without_weights_the_tab_says_what_to_do(services, tmp_path):
    bare = Services(
        services.gallery,
        services.weights,
        generator=Model(str(tmp_path / "none"), None, "train one"),
    )
    handlers = GenerateHandlers(bare)
    assert "No model at" in page(handlers, GenerateState()) and "train one" in page(
        handlers, GenerateState()
    )
    told = list(
        guarded(handlers.generate, handlers.show, GENERATING)(
            VisitorState(GenerateState()), *CONTROLS
        )
    )[-1]
    assert "train one" in told[0] and told[2].value == GenerateState()


def test_another_seed_is_a_seed(maker):
    seeds = {maker.another_seed() for _ in range(20)}
    assert len(seeds) > 1 and all(sample_request("heart", "", 4, seed, 1.0) for seed in seeds)


def test_the_endpoint_for_programs_gives_marked_films(maker):
    call = sample_endpoint(maker.services)
    answer = call("big heart", 3, 7, 0.5)
    assert answer["drawn"] is answer["not_drawn"] is None  # the model takes any text
    films = [decoded(film) for film in answer["films"]]
    assert [film.shape for film in films] == [(128, 128)] * 3
    assert all(film[-10:, :60].max() > 220 for film in films)
    for wrong in (("",), ("heart", MAX_SAMPLES + 1), ("heart", "4"), ("heart", 2.5)):
        with pytest.raises(gr.Error, match="(?i)expected"):
            call(*wrong)


def test_what_is_drawn_and_what_is_not_is_said(reader, maker):
    text = "severe cardiomegaly with an ETT, 70-year-old woman, left"
    state = reader.compare(reader.generate(GenerateState(), text, "", 4, "7", 1.0))
    html = page(reader, state)
    for words in ("severe cardiomegaly", "70-year-old woman"):
        assert f'<span class="chip">{words}</span>' in html
    assert "Not drawn: endotracheal tube, left side." in html
    assert "<span>no cardiomegaly</span><span>severe cardiomegaly</span>" in html
    assert state.request.start_text == "no finding, 70-year-old woman"
    assert "<dd>view, heart size within its range</dd>" in html
    any_text = page(maker, maker.generate(GenerateState(), text, "", 4, "7", 1.0))
    assert "Not drawn" not in any_text and "a normal film" in any_text


def test_a_normal_film_slides_nowhere(reader):
    state = reader.compare(reader.generate(GenerateState(), "70-year-old woman", "", 4, "7", 1.0))
    html = page(reader, state)
    assert state.comparison.path == () and pictures(html, "path") == []
    assert "<div hidden>" in html and "Slides from" not in html and "Not drawn" not in html
    typed = reader.compare(reader.generate(GenerateState(), "normal", "mild edema", 4, "7", 1.0))
    assert len(typed.comparison.path) == STEPS
    assert "<span>mild edema</span><span>no finding</span>" in page(reader, typed)


@pytest.mark.parametrize(("text", "start"), [("a cat", ""), ("edema", "support devices")])
def test_what_cannot_be_drawn_is_refused_and_the_films_stay(reader, text, start):
    state = reader.generate(GenerateState(), *CONTROLS)
    told = list(
        guarded(reader.generate, reader.show)(VisitorState(state), text, start, 4, "0", 1.0)
    )[-1]
    assert told[2].value is state and escape(start or text) in told[0]
    assert all(name in told[0] for name in CONDITION.findings)
    with pytest.raises(gr.Error, match="ask for findings"):
        sample_endpoint(reader.services)(start or text)


def test_a_finding_that_is_hardly_to_be_told_is_said_with_the_number(reader):
    state = reader.generate(GenerateState(), "edema and a mass", "", 4, "0", 1.0)
    drawing = replace(state.request.drawing, doubtful={"mass": 0.749})
    doubted = replace(state, request=replace(state.request, drawing=drawing))
    said = "Not surely shown: mass. A model that had no part in the training tells it from normal"
    assert said in page(reader, doubted) and "AUROC of 0.75" in page(reader, doubted)
    assert "Not surely shown" not in page(reader, state)


def test_the_endpoint_says_what_is_drawn(reader):
    answer = sample_endpoint(reader.services)("mild edema and a pacemaker", 2)
    assert len(answer["films"]) == 2
    assert answer["drawn"] == ["mild edema"] and answer["not_drawn"] == ["pacemaker"]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_can_be_drawn_whole(reader, text):
    drawing = reader.generate(GenerateState(), text, "", 4, "0", 1.0).request.drawing
    assert drawing.not_drawn == ()
