"""Handlers of the Read tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

import secrets
from dataclasses import replace

import gradio as gr
from PIL import Image, ImageOps

from cxr.images import load_image
from cxr.tabs.read.evidence import grounds
from cxr.tabs.read.findings import findings
from cxr.tabs.read.report import report
from cxr.tabs.read.similar import similar
from cxr.tabs.read.state import REPORT, Beside, ReadState
from cxr.tabs.read.views import pane
from cxr.tabs.search.handlers import HEAT_MAP_SIDE, heat_layer
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import notice
from cxr.tabs.shared.example_cards import clicked_example, example_cards
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.uploads import read_upload
from cxr.tabs.shared.wiring import Answer, answer, event_item

_TURN = Image.Transpose
MENDING = {  # what the gate says of a film -> the film as it should be
    "turned 90": lambda film: film.transpose(_TURN.ROTATE_270),
    "turned 180": lambda film: film.transpose(_TURN.ROTATE_180),
    "turned 270": lambda film: film.transpose(_TURN.ROTATE_90),
    "inverted": ImageOps.invert,
}
OUTPUTS = 7  # of every handler: the message, five panes, the ReadState


class ReadHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def examples(self) -> str:
        """The gallery's films that the empty tab offers."""
        return example_cards(self.services)

    def take(self, box: ReadState, upload: str) -> ReadState:
        """An uploaded film; the upload is deleted as soon as it is read."""
        film = read_upload(upload)
        return _placed(film, inline(film), "Your film")

    def pick(self, box: ReadState, event: gr.EventData) -> ReadState:
        """One of the gallery's films that the empty tab offers."""
        return self._of_gallery(clicked_example(self.services, event))

    def carry(self, box: ReadState, room: SearchState) -> ReadState:
        """The film that is open in the Search tab."""
        if room.open is None:
            raise ValueError("No film is open in the Search tab: open one of those found.")
        return self._of_gallery(room.open.study)

    def away(self, box: ReadState) -> ReadState:
        """No film, so that another can come."""
        return ReadState()

    def force(self, box: ReadState) -> ReadState:
        """A picture that was refused, to be read all the same."""
        if not box.withheld:
            return box
        return replace(box, key=_key(), forced=True, suggestion=None)

    def mend(self, box: ReadState) -> ReadState:
        """A film that lies on its side, stands on its head or is inverted, as it should be."""
        kind = box.suggestion.verdict.kind if box.suggestion else ""
        if kind not in MENDING:
            return box
        film = MENDING[kind](box.film)
        return replace(
            box,
            key=_key(),
            film=film,
            picture=inline(film),
            forced=False,
            suggestion=None,
            finding="",
            heats={},
            problem="",
        )

    def choose(self, box: ReadState, event: gr.EventData) -> ReadState:
        """One of the findings, to see what it rests on."""
        return box.choose(str((event._data or {}).get("name")))

    def compare(self, box: ReadState, event: gr.EventData) -> ReadState:
        """One of the similar studies beside the film."""
        study = event_item(event, box.known).study
        address = self.services.images.address(study)
        return replace(box, beside=Beside(address, f"Film {study.id}", study), problem="")

    def compare_upload(self, box: ReadState, upload: str) -> ReadState:
        """Another uploaded film beside the film, an earlier one for instance."""
        film = read_upload(upload)
        if box.film is None:
            return _placed(film, inline(film), "Your film")
        return replace(box, beside=Beside(inline(film), "Your other film"), problem="")

    def alone(self, box: ReadState) -> ReadState:
        """The film without another beside it."""
        return replace(box, beside=None)

    def ask(self, box: ReadState) -> Answer | None:
        """What a model has to say next of the film; None when there is nothing to ask.

        It takes a while, in which the visitor may go on: it changes nothing on the page itself.
        """
        if not (about := box.wanted):
            return None
        if about == REPORT:
            return answer((box.key, about), self._read, box)
        return answer((box.key, about), self._heat, box, about)

    def hear(self, box: ReadState, answer: Answer | None) -> ReadState | None:
        """The answer on the page; None, and nothing changes, when another film has come."""
        return box.told(answer) if answer else None

    def _read(self, box: ReadState):
        return self.services.suggester.get().suggest(box.film, force=box.forced)

    def _heat(self, box: ReadState, finding: str) -> str:
        (one,) = (one for one in box.suggestion.findings if one.name == finding)
        heat = self.services.suggester.get().retriever.heat_map(box.film, one.prompt)
        return inline(heat_layer(heat), HEAT_MAP_SIDE)

    def _of_gallery(self, study) -> ReadState:
        film, address = load_image(study.image), self.services.images.address(study)
        return replace(_placed(film, address, f"Film {study.id}"), study=study)

    def show(self, box: ReadState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of every handler: the message, the film, its findings, the report, similar
        studies, what sentences rest on, the ReadState. For None the page stays as it is.
        """
        if box is None:
            return (gr.skip(),) * OUTPUTS
        return (
            notice(message or box.problem),
            pane(box, self.services),
            findings(box, self.services),
            report(box, self.services),
            similar(box, self.services),
            grounds(box, self.services),
            box,
        )


def _placed(film: Image.Image, picture: str, source: str) -> ReadState:
    return ReadState(_key(), film, picture, source)


def _key() -> str:
    return secrets.token_hex(8)
