"""The lessons: their form, what they cite, and how they are found."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest

from cxr.findings import FINDINGS
from cxr.lessons.library import GROUPS, SECTIONS, all_lessons, find_lesson, read_lesson

LESSONS = all_lessons()
MOST_WORDS = 350
BASICS = ("systematic-approach", "technical-quality", "normal", "lines-and-tubes")
each = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def test_every_finding_and_the_basics_have_a_lesson():
    assert {lesson.finding for lesson in LESSONS} == {"", *FINDINGS}
    assert [lesson.name for lesson in LESSONS][: len(BASICS)] == list(BASICS)
    titles = [lesson.title for lesson in LESSONS]
    assert len(set(titles)) == len(titles) == len(FINDINGS) + 2


@each
def test_a_lesson_has_its_sections_and_is_short(lesson):
    assert tuple(re.findall(r"^## (.+)$", lesson.text, re.M)) == SECTIONS
    assert 150 <= len(lesson.text.split()) <= MOST_WORDS
    assert all(part.strip() for part in re.split(r"^## .+$", lesson.text, flags=re.M)[1:])


@each
def test_a_lesson_cites_three_works(lesson):
    assert len({source.address for source in lesson.sources}) >= 3
    for source in lesson.sources:
        assert len(source.title) > 9 and 1900 < source.year <= 2026
        assert re.fullmatch(r"https://[a-z0-9.-]+/\S+", source.address)


def test_one_address_has_one_title_and_year():
    said = {}
    for source in (source for lesson in LESSONS for source in lesson.sources):
        assert said.setdefault(source.address, source) == source


def test_each_source_was_seen_as_it_is_cited():
    path = Path(__file__).parents[3] / "docs/lesson_sources.json"
    record = json.loads(path.read_text("utf-8"))
    cited = {(one.address, one.title, one.year) for lesson in LESSONS for one in lesson.sources}
    assert cited == {(one["address"], one["title"], one["year"]) for one in record}
    for one in record:
        assert datetime.date.fromisoformat(one["on"]) and all(len(seen) > 9 for seen in one["seen"])
        assert one["seen"]


@each
def test_a_lesson_claims_no_diagnosis(lesson):
    questions = " ".join(f"{one.ask} {one.answers} {one.why}" for one in lesson.questions)
    assert "diagnos" not in f"{lesson.title} {lesson.text} {questions}".lower()


@each
def test_three_questions_each_with_one_answer_and_its_reason(lesson):
    assert len(lesson.questions) == 3
    for one in lesson.questions:
        assert len(set(one.answers)) == len(one.answers) == 3 and len(one.why) > 20


def test_the_right_answer_has_no_usual_place():
    places = [one.right for lesson in LESSONS for one in lesson.questions]
    assert max(map(places.count, range(3))) < len(places) / 2


@each
def test_what_a_lesson_leads_to_exists(lesson):
    for name in re.findall(r"\]\(#learn/([^)]*)\)", lesson.text):
        assert find_lesson(name) and find_lesson(name) != lesson, name
    assert lesson.finding not in lesson.look_alikes and lesson.group in GROUPS


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pleural-effusion", "pleural-effusion"),
        ("Pleural_Thickening", "pleural-thickening"),
        ("no finding", "normal"),
        ("support-devices", "lines-and-tubes"),
        ("systematic-approach", "systematic-approach"),
        ("../secret", None),
        ("", None),
    ],
)
def test_a_lesson_is_found_by_name_and_finding(name, found):
    lesson = find_lesson(name)
    assert (lesson and lesson.name) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no front matter", "front matter"),
        ("---\ntitle: [\n---\ntext", "front matter"),
        ("---\ntitle: A\n---\ntext", "questions"),
        (
            "---\ntitle: A\ngroup: Feet\norder: 1\nquestions: []\nsources: []\n---\ntext",
            "got 'Feet'",
        ),
        (
            "---\ntitle: A\ngroup: Lung\norder: 1\nsources: []\n"
            "questions: [{ask: a, answers: [b, c], right: 2, why: d}]\n---\ntext",
            "index of one",
        ),
    ],
)
def test_a_damaged_lesson_is_named(tmp_path, text, said):
    path = tmp_path / "lesson.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(said)):
        read_lesson(path)
