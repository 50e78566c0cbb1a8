"""Handlers of the Read tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr
from PIL import Image, ImageOps

from cxr.findings import Study
from cxr.images import load_image, straighten
from cxr.tabs.read.state import REPORT, Comparison, ReadState
from cxr.tabs.read.views import evidence, findings, image_view, report, similar
from cxr.tabs.search.handlers import HEAT_MAP_SIDE, heat_layer
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import PHOTOGRAPH, Services
from cxr.tabs.shared.errors import notice
from cxr.tabs.shared.example_cards import clicked_example, example_cards
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.uploads import read_upload, upload_source
from cxr.tabs.shared.wiring import Answer, answer, event_item, event_value

if TYPE_CHECKING:
    from cxr.reporting import Suggestion

_TURN = Image.Transpose
CORRECTIONS = {  # kind of the gate's result -> the image as it should be
    "turned 90": lambda image: image.transpose(_TURN.ROTATE_270),
    "turned 180": lambda image: image.transpose(_TURN.ROTATE_180),
    "turned 270": lambda image: image.transpose(_TURN.ROTATE_90),
    "inverted": ImageOps.invert,
    PHOTOGRAPH: lambda image: straighten(image) or image,
}
OUTPUT_COUNT = 7  # of every handler: the message, five components of HTML, the state


class ReadHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def examples(self) -> str:
        """Images of the gallery to begin with."""
        return example_cards(self.services)

    def upload(self, state: ReadState, upload: str) -> ReadState:
        """Take an uploaded image; the upload is deleted as soon as it is read."""
        image = read_upload(upload)
        return ReadState.of(image, inline(image), upload_source(image))

    def choose_example(self, state: ReadState, event: gr.EventData) -> ReadState:
        """Take one of the gallery's images."""
        return self._of_gallery(clicked_example(self.services, event))

    def carry_from_search(self, state: ReadState, search: SearchState) -> ReadState:
        """Take the image that is open in the Search tab."""
        if search.open is None:
            raise ValueError("No film is open in the Search tab: open one of those found.")
        return self._of_gallery(search.open.study)

    def close(self, state: ReadState) -> ReadState:
        """Take the image away, so that another can come."""
        return ReadState()

    def force(self, state: ReadState) -> ReadState:
        """Read an image that the gate refused."""
        if not state.withheld or state.image is None:
            return state
        fresh = ReadState.of(state.image, state.image_url, state.source, state.study)
        return replace(fresh, forced=True, comparison=state.comparison, setting=state.setting)

    def choose_setting(self, state: ReadState, event: gr.EventData) -> ReadState:
        """Read the image again as one from a ward, or from screening."""
        setting = event_value(event, "name", str)
        if state.image is None or setting == state.setting:
            return state
        fresh = ReadState.of(state.image, state.image_url, state.source, state.study)
        return replace(fresh, forced=state.forced, comparison=state.comparison, setting=setting)

    def correct(self, state: ReadState) -> ReadState:
        """Turn an image upright, invert an inverted one, straighten a photograph."""
        kind = state.suggestion.verdict.kind if state.suggestion else ""
        if kind not in CORRECTIONS or state.image is None:
            return state
        image = CORRECTIONS[kind](state.image)
        corrected = ReadState.of(image, inline(image), state.source, state.study)
        return replace(corrected, comparison=state.comparison)

    def choose(self, state: ReadState, event: gr.EventData) -> ReadState:
        """Choose a finding, to see what it rests on."""
        return state.choose(event_value(event, "name", str))

    def compare(self, state: ReadState, event: gr.EventData) -> ReadState:
        """Put one of the studies on the page beside the image."""
        study = event_item(event, state.shown_studies).study
        url = self.services.images.address(study)
        return replace(state, comparison=Comparison(url, f"Film {study.id}", study), problem="")

    def compare_upload(self, state: ReadState, upload: str) -> ReadState:
        """Put another uploaded image beside the image, an earlier one for instance."""
        image = read_upload(upload)
        if state.image is None:
            return ReadState.of(image, inline(image), upload_source(image))
        return replace(state, comparison=Comparison(inline(image), "Your other film"), problem="")

    def end_comparison(self, state: ReadState) -> ReadState:
        """Show the image without another beside it."""
        return replace(state, comparison=None)

    def ask(self, state: ReadState) -> Answer[Any] | None:
        """Ask a model what is to be shown next; None when there is nothing to ask."""
        about = state.waiting_for
        if not about:
            return None
        if about == REPORT:
            return answer((state.key, about), self._suggestion, state)
        return answer((state.key, about), self._heat_map, state)

    def receive(self, state: ReadState, said: Answer[Any] | None) -> ReadState | None:
        """Show the answer; None, and nothing changes, when another image has come."""
        return state.with_answer(said) if said else None

    def show(self, state: ReadState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of every handler; for None the page stays as it is.

        They are the message, the image, its findings, the report, similar studies, what sentences
        rest on, and the state.
        """
        if state is None:
            return (gr.skip(),) * OUTPUT_COUNT
        return (
            notice(message or state.problem),
            image_view(state, self.services),
            findings(state, self.services),
            report(state, self.services),
            similar(state, self.services),
            evidence(state, self.services),
            state,
        )

    def _suggestion(self, state: ReadState) -> Suggestion:
        return self.services.suggest(state.image, state.forced, state.setting)

    def _heat_map(self, state: ReadState) -> str:
        assert state.suggestion is not None, "only a finding of a suggestion is asked for"
        (prompt,) = (one.prompt for one in state.suggestion.findings if one.name == state.finding)
        heat = self.services.suggester.get().retriever.heat_map(state.image, prompt)
        return inline(heat_layer(heat), HEAT_MAP_SIDE)

    def _of_gallery(self, study: Study) -> ReadState:
        if study.image is None:
            raise ValueError("This study has no film: choose another.")
        url = self.services.images.address(study)
        return ReadState.of(load_image(study.image), url, f"Film {study.id}", study)
