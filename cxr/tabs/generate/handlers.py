"""Handlers of the Generate tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

import secrets

import gradio as gr
from PIL import Image

from cxr.tabs.generate.state import COUNTS, STEPS, GenerateState, Look, Wish
from cxr.tabs.generate.views import address, pane
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.errors import message_of, notice

LOOKING = "Generating the films in between…"
SEEDS = 1_000_000  # how many "another seed" chooses from
_FIRST = 24  # films of the gallery to look for a real one among, before all are


class GenerateHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def another_seed(self) -> str:
        """A seed by lot."""
        return str(secrets.randbelow(SEEDS))

    def draw(self, studio: GenerateState, *controls) -> GenerateState:
        """Films for a text."""
        asked = wish(*controls)
        sampler = self.services.generator.get()
        films = sampler.sample(asked.text, asked.count, asked.seed, asked.truncation)
        return GenerateState(asked, tuple(films), looks=(None,) * len(films))

    def choose(self, studio: GenerateState, event: gr.EventData) -> GenerateState:
        """Another of the films."""
        index = (event._data or {}).get("index")
        return studio.choose(index if isinstance(index, int) else -1)

    def look(self, studio: GenerateState) -> GenerateState:
        """The film closely: the way to it, the nearest real film, whether it is a copy."""
        if not self.looks(studio):
            return studio
        asked, film = studio.wish, studio.films[studio.index]
        path = self.services.generator.get().interpolate(
            asked.origin, asked.text, STEPS, asked.seed, asked.truncation, studio.index
        )
        return studio.seen(Look(tuple(map(address, path)), *self._near(film), *self._copied(film)))

    def looks(self, studio: GenerateState) -> str:
        """What to say while `look` works; "" when there is nothing for it to do."""
        return "" if studio.wish is None or studio.look is not None else LOOKING

    def _near(self, film: Image.Image) -> tuple:
        """The nearest real study, and what to say when there is none."""
        try:
            retriever = self.services.retriever()
        except ValueError as error:
            return None, message_of(error)
        total = len(retriever.gallery.studies)
        for k in (min(_FIRST, total), total):
            found = retriever.search(film, k)
            real = (match for match in found if not words.is_synthetic(match.study))
            if (match := next(real, None)) is not None:
                return match, ""
        return None, (
            "This gallery holds generated films only. Start the app with CXR_GALLERY set to one of "
            "real films to see the nearest beside it."
        )

    def _copied(self, film: Image.Image) -> tuple[bool | None, str]:
        """Whether a film comes too near to one of the training, and that in words."""
        originals = self.services.generator.get().originals
        if originals is None:
            return None, "Not checked: this model came without fingerprints of its training films."
        try:
            retriever = self.services.retriever()
            (check,) = originals.check(retriever.encode_images([film]), retriever.encoder)
        except ValueError as error:
            return None, f"Not checked: {message_of(error)}"
        far = f"The nearest training film is {check.distance:.2f} away"
        least = f"films of two patients come as near as {check.limit:.2f}"
        return check.is_copy, f"{far}; {least}."

    def show(
        self, studio: GenerateState, message: str = "", busy: str = ""
    ) -> tuple[str, str, GenerateState]:
        """The outputs of every handler: the message, the pane, the GenerateState."""
        return notice(message), pane(studio, self.services, busy), studio


def wish(text: str, start: str, count: int, seed: str, truncation: float) -> Wish:
    """What the controls ask for. Raises ValueError, with what to correct."""
    text, start, seed = (text or "").strip(), (start or "").strip(), (seed or "").strip()
    if not text:
        raise ValueError("Expected what the film should show, came an empty text; type a finding.")
    if count not in COUNTS:
        raise ValueError(f"Expected {', '.join(map(str, COUNTS))} films, came {count!r}.")
    if not (seed.isascii() and seed.isdigit() and len(seed) < 19):
        raise ValueError(f"Expected a whole number as seed, came {seed[:40]!r}; correct it.")
    return Wish(text, start, count, int(seed), truncation)
