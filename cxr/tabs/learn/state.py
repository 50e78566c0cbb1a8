"""What one visitor has in the Learn tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cxr.findings import Study
from cxr.lessons import Lesson
from cxr.tabs.shared.wiring import Answer

TEXT, STUDIES, OUTLINE, SLIDE = PARTS = ("text", "studies", "outline", "slide")


@dataclass(frozen=True)
class Example:
    """A study beside a lesson, and why it was chosen, in plain text."""

    study: Study
    why: str


@dataclass(frozen=True)
class ExampleGroup:
    """Studies of one kind.

    Attributes:
        title: such as "Typical".
        note: how they were chosen, or why there is none, in plain text.
        examples: at most five.
    """

    title: str
    note: str
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class LocalizedExample:
    """What the localizer outlines on one study.

    Attributes:
        study: the study.
        image: data: address of its image with the outline drawn into it.
        outlined: what is outlined, in words.
        measure: what was measured, a sentence; "" for nothing.
        caveat: what is not assessed, a sentence; "" for nothing.
    """

    study: Study
    image: str
    outlined: str
    measure: str = ""
    caveat: str = ""


@dataclass(frozen=True)
class LessonSlide:
    """Generated images from a normal one to the finding, each a data: address, and both texts."""

    images: tuple[str, ...]
    start: str
    end: str


@dataclass(frozen=True)
class LearnState:
    """An open lesson and what has come for it.

    Attributes:
        lesson: None before one was opened.
        studies: None while they are looked for.
        outline: as `studies`.
        slide: as `studies`.
        problems: part -> why it did not come, in words.
        changed: the parts that the page has to show anew.
    """

    lesson: Lesson | None = None
    studies: tuple[ExampleGroup, ...] | None = None
    outline: LocalizedExample | None = None
    slide: LessonSlide | None = None
    problems: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = PARTS

    def with_answer(self, part: str, answer: Answer) -> LearnState | None:
        """Take what came for a part; None where it came for another lesson."""
        if self.lesson is None or answer.question != self.lesson.name:
            return None
        if answer.problem:
            problems = (*self.problems, (part, answer.problem))
            return replace(self, problems=problems, changed=(part,))
        values: dict[str, Any] = {part: answer.value, "changed": (part,)}
        return replace(self, **values)

    def problem(self, part: str) -> str:
        """Why a part did not come; "" where it did, or may still come."""
        return dict(self.problems).get(part, "")
