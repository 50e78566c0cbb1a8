"""The lessons that lie beside this file, read from Markdown with YAML front matter.

---
title: Pleural effusion
group: Pleura                       one of GROUPS
order: 1                            within its group
finding: pleural effusion           one of FINDINGS; left out where the lesson is on none
look_alikes: [atelectasis]          findings that are mistaken for it
locate: lungs                       what the localizer outlines; the finding by default
measure: cardiothoracic ratio       one of MEASURES; left out where nothing is measured
examples: views                     one of EXAMPLES; films of the finding by default
questions: [{ask, answers, right, why}]    right: index of the correct answer
sources: [{title, year, address}]
---
the text, with the headings SECTIONS
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cxr.findings import FINDINGS, canonical_finding

GROUPS = ("Basics", "Heart and mediastinum", "Lung", "Pleura", "Chest wall")
SECTIONS = (
    "What it is",
    "Signs",
    "Where to look",
    "Mimics",
    "Pitfalls",
    "What the image cannot tell",
)
RATIO, SHARE = MEASURES = ("cardiothoracic ratio", "share of the lungs")
VIEWS, MIXED = EXAMPLES = ("views", "mixed")  # PA beside AP views, normal beside abnormal images
_FENCE = "---\n"


@dataclass(frozen=True)
class Source:
    """A work that a lesson rests on: its title, year and https address."""

    title: str
    year: int
    address: str


@dataclass(frozen=True)
class Question:
    """A question with answers to choose from.

    Attributes:
        ask: the question.
        answers: two or more.
        right: index of the correct one.
        why: the explanation, shown after an answer was chosen.
    """

    ask: str
    answers: tuple[str, ...]
    right: int
    why: str

    def __post_init__(self) -> None:
        if len(self.answers) < 2 or not 0 <= self.right < len(self.answers):
            raise ValueError(
                f"expected two answers or more and the index of one, got {self.right} of "
                f"{len(self.answers)} for {self.ask!r}; correct the lesson"
            )


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        name: of its file and in its address, such as "pleural-effusion".
        title: its heading.
        group: one of GROUPS.
        order: place within the group.
        text: Markdown with the headings SECTIONS.
        questions: with answers to choose from.
        sources: what it rests on.
        finding: one of FINDINGS; "" where it is on none.
        look_alikes: findings that are mistaken for it.
        locate: what the localizer is asked to outline; "" for nothing.
        measure: one of MEASURES; "" for nothing.
        examples: one of EXAMPLES; "" for images of the finding.
    """

    name: str
    title: str
    group: str
    order: int
    text: str
    questions: tuple[Question, ...]
    sources: tuple[Source, ...]
    finding: str = ""
    look_alikes: tuple[str, ...] = ()
    locate: str = ""
    measure: str = ""
    examples: str = ""

    def __post_init__(self) -> None:
        for value, allowed in (
            (self.group, GROUPS),
            (self.finding, ("", *FINDINGS)),
            (self.measure, ("", *MEASURES)),
            (self.examples, ("", *EXAMPLES)),
            *((name, FINDINGS) for name in self.look_alikes),
        ):
            if value not in allowed:
                raise ValueError(
                    f"expected one of {', '.join(filter(None, allowed))} in lesson {self.name}, "
                    f"got {value!r}; correct its front matter"
                )


def read_lesson(path: Path) -> Lesson:
    """Read a lesson from its file.

    Raises:
        ValueError: there is no front matter, or a key or value in it that a lesson does not have.
    """
    start, front, text = (path.read_text("utf-8").split(_FENCE, 2) + ["", ""])[:3]
    if start or not text:
        raise ValueError(f"expected front matter between lines of --- in {path}; add it")
    try:
        values: Mapping[str, Any] = yaml.safe_load(front)
        said = {
            **values,
            "questions": tuple(
                Question(**{**one, "answers": tuple(one["answers"])}) for one in values["questions"]
            ),
            "sources": tuple(Source(**one) for one in values["sources"]),
            "look_alikes": tuple(values.get("look_alikes", ())),
        }
        said.setdefault("locate", said.get("finding", ""))
        return Lesson(name=path.stem, text=text.strip(), **said)
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise ValueError(
            f"expected the front matter of a lesson in {path}, got {error}; correct it"
        ) from error


@functools.cache
def all_lessons() -> tuple[Lesson, ...]:
    """Return every lesson, group by group."""
    lessons = [read_lesson(path) for path in Path(__file__).parent.glob("*.md")]
    return tuple(sorted(lessons, key=lambda one: (GROUPS.index(one.group), one.order)))


@functools.cache
def find_lesson(name: str) -> Lesson | None:
    """Return a lesson by its name or by its finding; None where there is none.

    Args:
        name: such as "normal", "no finding", "pleural-effusion" or "Pleural_Effusion".
    """
    words = name.strip().lower().replace("-", " ").replace("_", " ")
    finding = canonical_finding(words)
    for lesson in all_lessons():
        if lesson.name.replace("-", " ") == words or (finding and lesson.finding == finding):
            return lesson
    return None
