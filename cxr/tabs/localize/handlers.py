"""Handlers of the Localize tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from cxr.findings import Study
from cxr.images import load_image
from cxr.tabs.localize.outlines import Outline, outlined
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.localize.views import located
from cxr.tabs.read.state import ReadState
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import notice
from cxr.tabs.shared.example_cards import clicked_example, example_cards
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.uploads import SIDE, read_whole, upload_source
from cxr.tabs.shared.wiring import Answer, answer

READING = "Reading the film…"


class LocalizeHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def examples(self) -> str:
        """Images of the gallery to begin with."""
        return example_cards(self.services)

    def locate(self, state: LocalizeState, text: str) -> LocalizeState:
        """Ask where something is; `ask` and `receive` bring the answer."""
        from cxr.localization import MAX_TEXT

        text = text.strip()
        if state.image is None:
            raise ValueError("Bring a film first: drop one here, paste it or choose a file.")
        if not text:
            raise ValueError("Expected a text, got an empty one; type what should be outlined.")
        if len(text) > MAX_TEXT:
            raise ValueError(
                f"Expected a text of at most {MAX_TEXT} characters, got {len(text)}; shorten it."
            )
        return state.with_text(text)

    def ask(self, state: LocalizeState) -> Answer[Outline] | None:
        """Ask the localizer; None when there is nothing to ask."""
        return answer(state.key, self._outline, state) if state.waiting else None

    def receive(self, state: LocalizeState, said: Answer[Outline] | None) -> LocalizeState | None:
        """Show the answer; None, and nothing changes, when another image or text came."""
        return state.with_answer(said) if said else None

    def upload(self, state: LocalizeState, upload: str, text: str) -> LocalizeState:
        """Take an uploaded image, with the text in the box; the upload is deleted."""
        image = read_whole(upload)
        warning = self.services.ood_warning(image) or self.services.mirror_warning(image)
        return with_image(image, upload_source(image), warning=warning).with_text(text)

    def choose_example(self, state: LocalizeState, text: str, event: gr.EventData) -> LocalizeState:
        """Take one of the gallery's images, with the text in the box."""
        return with_study(clicked_example(self.services, event)).with_text(text)

    def carry_from_search(self, state: LocalizeState, search: SearchState) -> LocalizeState:
        """Take the image that is open in the Search tab, and what was searched for."""
        if search.open is None:
            raise ValueError("No film is open in the Search tab: open one of those found.")
        return with_study(search.open.study).with_text(self.text_from_search(search))

    def text_from_search(self, search: SearchState) -> str:
        """What was searched for; "" when that was an image."""
        return search.query.text if search.query else ""

    def carry_from_read(self, state: LocalizeState, reading: ReadState) -> LocalizeState:
        """Take the image that is in the Read tab, and the finding chosen there."""
        if reading.image is None:
            raise ValueError("There is no film in the Read tab: bring one there first, or here.")
        warning = " ".join(reading.suggestion.warnings) if reading.suggestion else ""
        placed = with_image(reading.image, reading.source, reading.study, warning)
        return placed.with_text(reading.finding)

    def text_from_read(self, reading: ReadState) -> str:
        """The finding chosen in the Read tab."""
        return reading.finding

    def close(self, state: LocalizeState) -> LocalizeState:
        """Take the image away, so that another can come."""
        return LocalizeState()

    def show(self, state: LocalizeState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of every handler: the message, the image with its outline, the state.

        For None the page stays as it is.
        """
        if state is None:
            return (gr.skip(),) * 3
        return notice(message or state.problem), located(state, self.services, busy), state

    def _outline(self, state: LocalizeState) -> Outline:
        image = state.image
        assert image is not None, "only a state with an image waits for an outline"
        found = self.services.localizer.get().find(image, state.text)
        reference = self.services.reference_masks.of(state.study, state.text, image.size)
        return outlined(found, state.text, reference)


def with_image(
    image: Image.Image, source: str, study: Study | None = None, warning: str = ""
) -> LocalizeState:
    """A state with an image, mode "L", and no question; a larger one is kept at SIDE pixels."""
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    return LocalizeState(small, inline(small), image.size, source, study, warning)


def with_study(study: Study) -> LocalizeState:
    """A state with the image of a study, and no question.

    Raises:
        ValueError: the study has no image, or one that cannot be read.
    """
    if study.image is None:
        raise ValueError("This study has no film: choose another.")
    return with_image(load_image(study.image), f"Film {study.id}", study)
