"""Handlers of the Learn tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from cxr.anatomy import HEART, HEART_ALONE
from cxr.findings import FINDINGS, Study, caption
from cxr.images import contour_overlay
from cxr.lessons import RATIO, Lesson, find_lesson
from cxr.tabs.generate.state import NORMAL, STEPS
from cxr.tabs.generate.views import marked_url
from cxr.tabs.learn import views
from cxr.tabs.learn.examples import example_groups
from cxr.tabs.learn.state import (
    OUTLINE,
    PARTS,
    SLIDE,
    STUDIES,
    TEXT,
    ExampleGroup,
    LearnState,
    LessonSlide,
    LocalizedExample,
)
from cxr.tabs.localize.outlines import not_assessed
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import notice
from cxr.tabs.shared.image_urls import inline, study_image
from cxr.tabs.shared.wiring import Answer, answer, event_value

SIDE = 640  # pixels of the longer side of an image with its outline
CANDIDATES = 8  # generated images of which the one that shows the finding best is slid to


class LearnHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services.

    What stands beside a lesson is the same for all visitors, and kept once it was made.
    """

    def __init__(self, services: Services) -> None:
        """Serve from the models and the gallery of `services`."""
        self.services = services
        self._groups = lru_cache(64)(self._make_groups)
        self._outline = lru_cache(64)(self._make_outline)
        self._slide = lru_cache(64)(self._make_slide)

    def open(self, state: LearnState, event: gr.EventData) -> LearnState | None:
        """Open a lesson by its name or by its finding; with an empty name, the list alone.

        None, and nothing on the page changes, where that lesson is open.
        """
        name = event_value(event, "name", str)
        if not name:
            return LearnState()
        lesson = find_lesson(name)
        if lesson is None:
            raise ValueError(f"There is no lesson on {name[:40]}: choose one of the list.")
        return None if lesson == state.lesson else LearnState(lesson)

    def ask(self, part: str) -> Callable[[LearnState], Answer[Any] | None]:
        """Return what asks for a part of the open lesson; it returns None where there is none."""
        makers = {STUDIES: self._groups, OUTLINE: self._outline, SLIDE: self._slide}
        make = makers[part]

        def ask(state: LearnState) -> Answer[Any] | None:
            if state.lesson is None or getattr(state, part) is not None or state.problem(part):
                return None
            return answer(state.lesson.name, make, state.lesson)

        return ask

    def receive(self, part: str) -> Callable[[LearnState, Answer[Any] | None], LearnState | None]:
        """Return what takes a part; None, and the page stays, where another lesson was opened."""

        def receive(state: LearnState, said: Answer[Any] | None) -> LearnState | None:
            """Show a part of the lesson that is open."""
            return state.with_answer(part, said) if said else None

        return receive

    def show(self, state: LearnState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of every handler: the message, the parts of a lesson, the state.

        For None the page stays as it is.
        """
        if state is None:
            return (gr.skip(),) * (len(PARTS) + 2)
        if message:
            return (notice(message), *(gr.skip(),) * len(PARTS), state)
        parts = {
            TEXT: lambda: views.lesson(state),
            STUDIES: lambda: views.studies(state, self.services),
            OUTLINE: lambda: views.outline(state),
            SLIDE: lambda: views.slide(state),
        }
        shown = [parts[part]() if part in state.changed else gr.skip() for part in PARTS]
        return (notice(""), *shown, state)

    def _make_groups(self, lesson: Lesson) -> tuple[ExampleGroup, ...]:
        return example_groups(self.services.retriever(), lesson)

    def _make_outline(self, lesson: Lesson) -> LocalizedExample:
        """The first example with what can be outlined on it."""
        from cxr.localization import THRESHOLD, cardiothoracic_ratio, parse

        text = lesson.locate
        if not text or parse(text) is None:
            raise ValueError("The localizer does not outline this finding.")
        localizer = self.services.localizer.get()
        groups = self._groups(lesson)
        study = next((one.study for group in groups for one in group.examples), None)
        if study is None:
            raise ValueError("This gallery holds no film to outline it on.")
        image = study_image(study)
        found = localizer.find(image, text)
        measure = ""
        if lesson.measure == RATIO and found.query.target in (HEART, HEART_ALONE):
            ratio = found.ratio.value if found.ratio else cardiothoracic_ratio(*found.maps)
            measure = _ratio_sentence(ratio, study)
        elif lesson.measure:
            measured = found.measure()
            measure = (
                f"{measured.lungs:.1f}% of the lungs are marked: {measured.words}."
                if measured.found and measured.lungs is not None
                else "Nothing reaches the threshold on this film."
            )
        return LocalizedExample(
            study,
            inline(_outlined(image, found.heat, THRESHOLD)),
            found.query.prompt,
            measure,
            not_assessed(lesson.finding, found.query) if _names_disease(lesson) else "",
        )

    def _make_slide(self, lesson: Lesson) -> LessonSlide:
        """From a normal image to the one of CANDIDATES that shows the finding best."""
        if not _names_disease(lesson):
            raise ValueError("This lesson is on no finding to slide to.")
        sampler = self.services.generator.get()
        end = caption(Study("", "", "", findings={lesson.finding: 1}))
        images = sampler.sample(end, CANDIDATES, 0)
        best = self._most_typical(images, lesson.finding)
        path = sampler.interpolate(NORMAL, end, STEPS, 0, 1.0, best)
        drawing = sampler.read(end)  # a group of findings is drawn as one of them
        title = drawing.title if drawing else lesson.title
        return LessonSlide(tuple(marked_url(step) for step in path), "a normal film", title)

    def _most_typical(self, images: list[Image.Image], finding: str) -> int:
        """Index of the image that shows a finding best to the model; 0 where it cannot say."""
        retriever = self.services.retriever()
        space = retriever.finding_space
        if space is None or finding not in space.names:
            return 0
        chances = space.probabilities(retriever.encode_images(images))
        return int(np.argmax(chances[:, space.names.index(finding)]))


def _names_disease(lesson: Lesson) -> bool:
    """Whether a lesson is on something that an image may show besides normal structures."""
    return bool(lesson.finding) and lesson.finding != FINDINGS[0]


def _outlined(image: Image.Image, heat: np.ndarray, threshold: float) -> Image.Image:
    """The image, its longer side SIDE pixels, with the edge of what reaches the threshold."""
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    marked = np.asarray(Image.fromarray(heat).resize(size, Image.Resampling.BICUBIC)) >= threshold
    return contour_overlay(image.resize(size, Image.Resampling.LANCZOS), marked, thickness=3)


def _ratio_sentence(ratio: float | None, study: Study) -> str:
    if ratio is None:
        return "The cardiothoracic ratio cannot be measured on this film."
    where = "" if study.view == "PA" else " On a view that is not PA it may be too large."
    return f"Cardiothoracic ratio {ratio:.2f}; up to 0.50 is usual on an upright PA film.{where}"
