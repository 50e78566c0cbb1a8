"""The handlers of the Learn tab, without a browser."""

from __future__ import annotations

import json
import re
from html import unescape

import gradio as gr
import pytest
from app_gallery import event
from drawn_models import CONDITION, DrawnLocalizer, DrawnSampler, drawn

from cxr.lessons import all_lessons
from cxr.tabs.generate.state import STEPS
from cxr.tabs.learn.handlers import LearnHandlers
from cxr.tabs.learn.state import OUTLINE, SLIDE, STUDIES, LearnState
from cxr.tabs.services import Services
from cxr.tabs.shared.wiring import VisitorState, guarded

PART = {STUDIES: 2, OUTLINE: 3, SLIDE: 4}  # its place among the outputs


@pytest.fixture(scope="module")
def handlers(services):
    return LearnHandlers(
        Services(
            services.gallery,
            services.weights,
            lambda **_: services.retriever(),
            localizer=drawn(DrawnLocalizer),
            generator=drawn(DrawnSampler),
        )
    )


def opened(handlers, name):
    return handlers.open(LearnState(), event(name=name))


def with_part(handlers, state, part):
    return handlers.receive(part)(state, handlers.ask(part)(state))


def test_a_lesson_opens_by_name_and_by_finding(handlers):
    state = opened(handlers, "cardiomegaly")
    text = handlers.show(state)[1]
    assert 'data-name="cardiomegaly"' in text and "<h3>Signs</h3>" in text
    assert text.count("data-question") == 3 and text.count('rel="noopener noreferrer"') >= 3
    assert handlers.open(state, event(name="cardiomegaly")) is None
    assert opened(handlers, "no finding").lesson.name == "normal"
    assert "A systematic approach" not in text and 'href="#learn/edema"' in text


def test_an_unknown_lesson_is_a_message(handlers):
    *_, shown = guarded(handlers.open, handlers.show)(
        VisitorState(LearnState()), event(name="<b>feet")
    )
    assert "There is no lesson on &lt;b&gt;feet" in shown[0]


def test_typical_and_borderline_films_stand_beside_it(handlers):
    state = with_part(handlers, opened(handlers, "cardiomegaly"), STUDIES)
    typical, borderline = state.studies
    assert {one.study.id for one in typical.examples} == {"big heart", "generated"}
    assert borderline.examples == ()
    html = handlers.show(state)[PART[STUDIES]]
    assert "#search?film=big%20heart" in html and "synthetic" in html
    assert handlers.show(state)[1] == gr.skip()  # the text, where answers may be marked, stays


def test_an_uncertain_film_is_borderline(handlers):
    _, borderline = with_part(handlers, opened(handlers, "edema"), STUDIES).studies
    assert [(one.study.id, one.why) for one in borderline.examples] == [
        ("unsure", "labelled uncertain")
    ]


def test_no_film_is_shown_twice(handlers):
    typical, borderline = with_part(handlers, opened(handlers, "normal"), STUDIES).studies
    ids = [one.study.id for one in (*typical.examples, *borderline.examples)]
    assert len(ids) == len(set(ids)) == 9 and "side" not in ids  # nine frontal normal films


def test_a_finding_that_the_gallery_lacks_is_said(handlers):
    state = with_part(handlers, opened(handlers, "hernia"), STUDIES)
    assert "holds no film labelled hernia" in handlers.show(state)[PART[STUDIES]]


def test_views_and_mixtures(handlers):
    views = with_part(handlers, opened(handlers, "technical-quality"), STUDIES).studies
    assert [group.title for group in views] == ["PA view", "AP view"]
    assert {one.study.view for one in views[1].examples} == {"AP"}
    normal, abnormal = with_part(handlers, opened(handlers, "systematic-approach"), STUDIES).studies
    assert all(one.study.findings.get("no finding") == 1 for one in normal.examples)
    shown = [one.study.positive for one in abnormal.examples]
    assert len(shown) == len(set(shown)) > 1


def test_the_outline_is_measured(handlers):
    state = with_part(handlers, opened(handlers, "cardiomegaly"), OUTLINE)
    assert state.outline.outlined == "heart"
    assert re.match(r"Cardiothoracic ratio 0\.\d\d;", state.outline.measure)
    assert "not assessed" in state.outline.caveat
    assert "data:image/png" in handlers.show(state)[PART[OUTLINE]]


def test_what_cannot_be_outlined_leaves_no_gap(handlers):
    state = with_part(handlers, opened(handlers, "hernia"), OUTLINE)
    assert state.problem(OUTLINE) and handlers.show(state)[PART[OUTLINE]] == ""


def test_the_slide_goes_from_normal_to_the_finding(handlers):
    state = with_part(handlers, opened(handlers, "mass"), SLIDE)
    html = handlers.show(state)[PART[SLIDE]]
    images = json.loads(unescape(re.search('data-images="([^"]*)"', html)[1]))
    assert len(images) == STEPS and len(set(images)) > 2 and "of no patient" in html
    assert with_part(handlers, opened(handlers, "normal"), SLIDE).problem(SLIDE)


def test_a_slide_says_what_is_drawn_and_there_is_none_to_what_cannot_be(services):
    reading = LearnHandlers(
        Services(
            services.gallery,
            services.weights,
            lambda **_: services.retriever(),
            generator=drawn(lambda: DrawnSampler(condition=CONDITION)),
        )
    )
    state = with_part(reading, opened(reading, "lung-opacity"), SLIDE)
    assert state.slide.end == "lung opacity (drawn as consolidation)"
    refused = with_part(reading, opened(reading, "fracture"), SLIDE)
    assert "ask for findings" in refused.problem(SLIDE)
    assert reading.show(refused)[PART[SLIDE]] == ""


def test_what_comes_too_late_changes_nothing(handlers):
    state = opened(handlers, "mass")
    said = handlers.ask(STUDIES)(state)
    assert handlers.receive(STUDIES)(opened(handlers, "nodule"), said) is None
    taken = handlers.receive(STUDIES)(state, said)
    assert handlers.ask(STUDIES)(taken) is None


def test_html_in_a_lesson_is_escaped():
    from dataclasses import replace

    from cxr.tabs.learn.views import lesson_html

    hostile = replace(all_lessons()[0], text="## <b>x</b>\n\n[y](javascript:alert(1)) <script>")
    html = lesson_html(hostile)
    assert "<script" not in html and "<b>" not in html and 'href="javascript' not in html
