"""What the Localize tab does: every handler takes the visitor's Bench and returns the next one."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
from PIL import Image

from cxr.findings import Study
from cxr.images import load_image
from cxr.tabs.bench import Bench
from cxr.tabs.films import inline
from cxr.tabs.guard import notice
from cxr.tabs.lightbox import Lightbox
from cxr.tabs.localize_pane import examples, pane
from cxr.tabs.outlines import outlined
from cxr.tabs.room import Room
from cxr.tabs.services import Services
from cxr.tabs.uploads import SIDE, read_whole

LOCATING, READING = "Outlining…", "Reading the film…"
LOADING = "Loading the model; the first film takes a few seconds…"


class LocalizeDesk:
    """The handlers; what belongs to one visitor is in the Bench, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def prepare(self) -> None:
        """Load what the empty tab shows. It takes a while, and must not undo what comes meanwhile:
        it knows no Bench."""
        examples(self.services)

    def arrive(self, bench: Bench) -> Bench:
        """The tab as it is, with what has been loaded since."""
        return bench

    def locate(self, bench: Bench, text: str) -> Bench:
        """Where in the film the text's finding is."""
        text = text.strip()
        if bench.film is None:
            raise ValueError("Bring a film first: drop one here, paste it or choose a file.")
        found = self.services.localizer.get().find(bench.film, text)
        truth = self.services.truths.of(bench.study, text, bench.film.size)
        return replace(bench, text=text, outline=outlined(found, truth))

    def follow(self, bench: Bench, text: str) -> Bench:
        """The same for a film that has just come, if there is a text already."""
        return self.locate(bench, text) if self.follows(bench, text) else bench

    def follows(self, bench: Bench, text: str) -> str:
        """What to say while `follow` works; "" when there is nothing for it to do."""
        waits = bench.film is not None and bench.outline is None and text.strip()
        return LOCATING if waits else ""

    def take(self, bench: Bench, upload: str) -> Bench:
        """An uploaded film; the upload is deleted as soon as it is read."""
        return placed(read_whole(upload), "Your film")

    def carry(self, bench: Bench, room: Room) -> Bench:
        """The film that is open in the Search tab."""
        if room.open is None:
            raise ValueError("No film is open in the Search tab: open one of those found.")
        return of_gallery(room.open.study)

    def carry_text(self, room: Room) -> str:
        """What was searched for when the film was found; "" when that was another film."""
        return room.asked.text if room.asked else ""

    def carry_read(self, bench: Bench, box: Lightbox) -> Bench:
        """The film that is read in the Read tab."""
        if box.film is None:
            raise ValueError("There is no film in the Read tab: bring one there first, or here.")
        return placed(box.film, box.source, box.study)

    def carry_finding(self, box: Lightbox) -> str:
        """The finding that is looked at in the Read tab."""
        return box.finding

    def pick(self, bench: Bench, event: gr.EventData) -> Bench:
        """One of the gallery's films that the empty tab offers."""
        offered, index = examples(self.services), (event._data or {}).get("index")
        if not isinstance(index, int) or not 0 <= index < len(offered):
            raise ValueError("That film is no longer on the page; choose one of those shown.")
        return of_gallery(offered[index])

    def away(self, bench: Bench) -> Bench:
        """No film, so that another can come."""
        return Bench()

    def show(self, bench: Bench, message: str = "", busy: str = "") -> tuple[str, str, Bench]:
        """The outputs of every handler: the message, the pane, the Bench."""
        if busy == LOCATING and not self.services.localizer.ready:
            busy = LOADING
        return notice(message), pane(bench, self.services, busy), bench


def placed(film: Image.Image, source: str, study: Study | None = None) -> Bench:
    """A bench with nothing but a film, mode "L", on it; what comes larger is kept at SIDE."""
    small = film.copy()
    small.thumbnail((SIDE, SIDE))
    return Bench(small, inline(small), film.size, source, study)


def of_gallery(study: Study) -> Bench:
    """A bench with the film of a study on it."""
    return placed(load_image(study.image), f"Film {study.id}", study)
