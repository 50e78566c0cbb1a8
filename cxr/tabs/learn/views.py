"""The Learn tab's HTML; assets/learn.js marks answers and moves the slider in the page."""

from __future__ import annotations

import json
from functools import cache
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from markdown_it import MarkdownIt
from markupsafe import Markup

from cxr.findings import FINDINGS
from cxr.lessons import Lesson, all_lessons, find_lesson
from cxr.tabs.learn.state import OUTLINE, SLIDE, STUDIES, LearnState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.rendering import renderer

render = renderer(Path(__file__).parent)

INTRODUCTION = (
    "A short lesson on each finding, with films of this gallery beside it: typical ones, "
    "borderline ones, and three questions at the end."
)


def lesson_list() -> Markup:
    """Every lesson as a link, group by group."""
    groups = [(name, list(ones)) for name, ones in groupby(all_lessons(), lambda one: one.group)]
    return render("lesson_list.html", groups=groups)


def lesson(state: LearnState) -> Markup:
    """The text of the open lesson with its questions and sources; before any, what the tab does."""
    opened = state.lesson
    if opened is None:
        return render("no_lesson.html", introduction=INTRODUCTION)
    look_alikes = [(name, find_lesson(name)) for name in opened.look_alikes]
    return render(
        "lesson.html",
        lesson=opened,
        text=lesson_html(opened),
        look_alikes=[(name, one.name) for name, one in look_alikes if one],
    )


@cache
def lesson_html(lesson: Lesson) -> Markup:
    """The text as HTML; HTML within the Markdown is escaped."""
    markdown = MarkdownIt("commonmark", {"html": False})
    return Markup(markdown.render(lesson.text).replace("<h2>", "<h3>").replace("</h2>", "</h3>"))


def studies(state: LearnState, services: Services) -> Markup:
    """The examples of the gallery, each a link that opens it in Search."""
    if state.lesson is None:
        return Markup()
    groups = [
        {
            "title": group.title,
            "note": group.note,
            "cards": [
                study_text.card(one.study, services.images, state.lesson.finding)
                | {"why": one.why, "place": f"film={quote(one.study.id, safe='')}"}
                for one in group.examples
            ],
        }
        for group in state.studies or ()
    ]
    return render(
        "studies.html",
        groups=groups,
        problem=state.problem(STUDIES),
        waiting=state.studies is None,
    )


def outline(state: LearnState) -> Markup:
    """What the localizer outlines on an example."""
    if state.lesson is None or state.problem(OUTLINE):
        return Markup()
    shown = state.outline
    synthetic = shown is not None and study_text.is_synthetic(shown.study)
    return render("outline.html", outline=shown, synthetic=synthetic)


def slide(state: LearnState) -> Markup:
    """From a normal image to the finding."""
    if state.lesson is None or state.problem(SLIDE):
        return Markup()
    shown = state.slide
    text = state.lesson.finding if state.lesson.finding in FINDINGS else ""
    images = json.dumps(shown.images) if shown else ""
    return render("slide.html", slide=shown, images=images, text=text)
