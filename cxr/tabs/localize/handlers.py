"""Handlers of the Localize tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from cxr.findings import Study
from cxr.images import load_image
from cxr.tabs.localize.outlines import Outline, outlined
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.localize.views import pane
from cxr.tabs.read.state import ReadState
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import notice
from cxr.tabs.shared.example_cards import clicked_example, example_cards
from cxr.tabs.shared.image_urls import inline
from cxr.tabs.shared.uploads import SIDE, read_whole
from cxr.tabs.shared.wiring import Answer, answer

READING = "Reading the film…"


class LocalizeHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def examples(self) -> str:
        """The gallery's films that the empty tab offers."""
        return example_cards(self.services)

    def locate(self, bench: LocalizeState, text: str) -> LocalizeState:
        """The film with a question; what a model says to it comes by `seek` and `hear`."""
        from cxr.localization import MAX_TEXT

        text = text.strip()
        if bench.film is None:
            raise ValueError("Bring a film first: drop one here, paste it or choose a file.")
        if not text:
            raise ValueError("Expected a text, got an empty one; type what should be outlined.")
        if len(text) > MAX_TEXT:
            raise ValueError(
                f"Expected a text of at most {MAX_TEXT} characters, got {len(text)}; shorten it."
            )
        return bench.asked(text)

    def seek(self, bench: LocalizeState) -> Answer[Outline] | None:
        """Where in the film the text's finding is; None when there is nothing to ask.

        It takes a while, in which the visitor may go on: it changes nothing on the page itself.
        """
        if not bench.wanted:
            return None
        return answer(bench.key, self._outline, bench)

    def _outline(self, bench: LocalizeState) -> Outline:
        found = self.services.localizer.get().find(bench.film, bench.text)
        truth = self.services.reference_masks.of(bench.study, bench.text, bench.film.size)
        return outlined(found, truth)

    def hear(self, bench: LocalizeState, drawn: Answer[Outline] | None) -> LocalizeState | None:
        """The outline on the page; None, and nothing changes, when another film or text came."""
        return bench.told(drawn) if drawn else None

    def take(self, bench: LocalizeState, upload: str, text: str) -> LocalizeState:
        """An uploaded film, with the question that stands in the box; the upload is deleted as
        soon as it is read.
        """
        film = read_whole(upload)
        return placed(film, "Your film", warning=self.services.ood_warning(film)).asked(text)

    def carry(self, bench: LocalizeState, room: SearchState) -> LocalizeState:
        """The film that is open in the Search tab, and what it was searched for."""
        if room.open is None:
            raise ValueError("No film is open in the Search tab: open one of those found.")
        return of_gallery(room.open.study).asked(self.carry_text(room))

    def carry_text(self, room: SearchState) -> str:
        """What was searched for when the film was found; "" when that was another film."""
        return room.query.text if room.query else ""

    def carry_read(self, bench: LocalizeState, box: ReadState) -> LocalizeState:
        """The film that is read in the Read tab, and the finding that is looked at."""
        if box.film is None:
            raise ValueError("There is no film in the Read tab: bring one there first, or here.")
        warning = " ".join(box.suggestion.warnings) if box.suggestion else ""
        return placed(box.film, box.source, box.study, warning).asked(box.finding)

    def carry_finding(self, box: ReadState) -> str:
        """The finding that is looked at in the Read tab."""
        return box.finding

    def pick(self, bench: LocalizeState, text: str, event: gr.EventData) -> LocalizeState:
        """One of the gallery's films that the empty tab offers."""
        return of_gallery(clicked_example(self.services, event)).asked(text)

    def away(self, bench: LocalizeState) -> LocalizeState:
        """No film, so that another can come."""
        return LocalizeState()

    def show(self, bench: LocalizeState | None, message: str = "", busy: str = "") -> tuple:
        """The outputs of every handler: the message, the pane, the state. For None the page stays
        as it is.
        """
        if bench is None:
            return (gr.skip(),) * 3
        return notice(message or bench.problem), pane(bench, self.services, busy), bench


def placed(
    film: Image.Image, source: str, study: Study | None = None, warning: str = ""
) -> LocalizeState:
    """A bench with nothing but a film, mode "L", on it; what comes larger is kept at SIDE."""
    small = film.copy()
    small.thumbnail((SIDE, SIDE))
    return LocalizeState(small, inline(small), film.size, source, study, warning)


def of_gallery(study: Study) -> LocalizeState:
    """A bench with the film of a study on it."""
    return placed(load_image(study.image), f"Film {study.id}", study)
