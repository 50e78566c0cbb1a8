"""Studies in a trainee's words, and nothing of them as HTML."""

from __future__ import annotations

import pytest
from app_gallery import HOSTILE, opened, shown
from markupsafe import escape
from PIL import Image

from cxr.findings import Study
from cxr.gallery.gallery import Where
from cxr.tabs.search.state import SearchQuery, SearchState
from cxr.tabs.search.views import detail, results
from cxr.tabs.shared import study_text as words


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ({}, "not labelled"),
        ({"no finding": 1}, "no finding"),
        ({"mass": 0}, "none of the labelled findings"),
        ({"mass": 1, "edema": -1, "hernia": 0}, "mass, possible edema"),
    ],
)
def test_findings_in_words(findings, said):
    study = Study("s", "drawn", "p", findings=findings)
    assert words.summary(study) == said
    assert "normal" not in words.chips(study).lower()


def test_a_card_counts_the_chips_that_it_has_no_room_for():
    study = Study("s", "d", "p", findings=dict.fromkeys(("mass", "edema", "hernia", "nodule"), 1))
    assert "more" not in words.chips(study) and "more" not in words.chips(study, most=4)
    few = words.chips(study, "a hernia", most=3)
    assert few.startswith('<span class="chip hit"') and few.index("hernia") < few.index("edema")
    assert few.count('class="chip') == 3 and "and 2 more" in few
    assert 'data-lesson-at="#learn/hernia"' in few and "<a" not in few  # a card is a button


def test_the_findings_that_a_text_asks_for():
    assert words.findings_asked("possible edema, a big heart, no mass") == ["cardiomegaly", "edema"]
    assert words.findings_asked("left lung") == words.findings_asked("") == []


def test_person_leaves_out_what_is_not_known():
    assert words.person(Study("s", "d", "p", view="AP", sex="F", age=64)) == "AP view, 64 y, female"
    assert words.person(Study("s", "d", "p", age=0)) == "0 y"
    assert words.person(Study("s", "d", "p")) == ""


def test_conditions_name_every_filter():
    full = Where(("PA", "lateral"), "M", 20, 60, ("mass",), ("edema",))
    said = "; ".join(words.conditions(full))
    assert said == "PA or Lateral view; male; 20 to 60 years; with mass; without edema"
    assert words.conditions(Where()) == []


def test_no_text_of_a_study_becomes_html(desk):
    html = shown(desk, opened(desk, "hostile", query=HOSTILE))
    assert HOSTILE not in html and "<script" not in html and 'onerror="' not in html
    assert html.count(escape(HOSTILE)) >= 3  # the query, the report, the source
    upload = SearchState(SearchQuery(image=Image.new("L", (40, 40)), source=HOSTILE))
    assert HOSTILE not in shown(desk, upload)


def test_an_unlabelled_film_is_never_called_normal(desk):
    html = shown(desk, opened(desk, "unread"))
    pane = html[html.index('<section class="viewer"') :]
    assert "not labelled" in pane and "30-year-old female, frontal AP view." in pane
    assert "no acute" not in pane and "normal" not in pane.lower()


def test_a_generated_film_wears_a_badge(desk):
    room = opened(desk, "generated")
    films = results(room, desk.services).partition('<ul class="films">')[2]
    card = films.split("<li>")[room.selected + 1]
    badge = '<span class="badge">synthetic</span>'
    assert badge in card and badge in detail(room, desk.services)
    assert badge not in detail(opened(desk, "big heart"), desk.services)


def test_report_or_caption_is_shown(desk):
    assert "The heart is enlarged.\nNo effusion." in shown(desk, opened(desk, "big heart"))
    assert "Findings: possible edema, pleural effusion." in shown(desk, opened(desk, "unsure"))


def test_a_finding_leads_to_its_lesson_outside_of_a_button():
    study = Study("a", "drawn", "p", findings={"pleural effusion": 1, "edema": -1})
    linked = words.chips(study)
    assert 'href="#learn/pleural-effusion"' in linked and ">possible edema</a>" in linked
    assert "<a" not in words.chips(study, most=4)
    assert "<a" not in words.chips(Study("b", "drawn", "p"))
