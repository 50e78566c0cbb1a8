"""Handlers of the Generate tab: each takes the visitor's state and returns the next one."""

from __future__ import annotations

import secrets
from dataclasses import replace

import gradio as gr
from PIL import Image

from cxr.retrieval import EncodedQuery, Match
from cxr.tabs.generate.state import COUNTS, STEPS, Comparison, GenerateState, SampleRequest
from cxr.tabs.generate.views import generated, marked_url
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.errors import message_of, notice

COMPARING = "Generating the films in between…"
SEEDS = 1_000_000  # how many "another seed" chooses from
_FIRST = 24  # gallery images among which a real one is looked for before all are


class GenerateHandlers:
    """The handlers; what belongs to one visitor is in the state, the rest in the services."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def another_seed(self) -> str:
        """Return a random seed."""
        return str(secrets.randbelow(SEEDS))

    def generate(
        self,
        state: GenerateState,
        text: str,
        start: str,
        count: int,
        seed: str,
        truncation: float,
    ) -> GenerateState:
        """Generate images for a text."""
        request = sample_request(text, start, count, seed, truncation)
        sampler = self.services.generator.get()
        request = replace(
            request,
            drawing=sampler.read(request.text),
            start_drawing=sampler.read(request.start) if request.start else None,
        )
        images = sampler.sample(request.text, request.count, request.seed, request.truncation)
        return GenerateState(request, tuple(images), comparisons=(None,) * len(images))

    def choose(self, state: GenerateState, event: gr.EventData) -> GenerateState:
        """Show another image."""
        index = (event._data or {}).get("index")
        return state.choose(index if isinstance(index, int) else -1)

    def compare(self, state: GenerateState) -> GenerateState:
        """Add the way to the image, the nearest real study, and whether it is a copy."""
        request = state.request
        if request is None or not self.comparing(state):
            return state
        image = state.images[state.index]
        urls = self._path(request, state.index) if request.slides else ()
        encoded, problem = self._encode(image)
        nearest, nearest_note = self._nearest(encoded, problem)
        copied, copied_note = self._copied(encoded, problem)
        return state.with_comparison(Comparison(urls, nearest, nearest_note, copied, copied_note))

    def comparing(self, state: GenerateState) -> str:
        """What the page says while `compare` works; "" when there is nothing left to compare."""
        return "" if state.request is None or state.comparison is not None else COMPARING

    def _path(self, request: SampleRequest, index: int) -> tuple[str, ...]:
        """The addresses of the images from the start to the image of an index."""
        path = self.services.generator.get().interpolate(
            request.start_text, request.text, STEPS, request.seed, request.truncation, index
        )
        return tuple(marked_url(step) for step in path)

    def _encode(self, image: Image.Image) -> tuple[EncodedQuery | None, str]:
        """The image's vector, or why there is none."""
        try:
            return self.services.retriever().encode(image), ""
        except ValueError as error:
            return None, message_of(error)

    def _nearest(self, encoded: EncodedQuery | None, problem: str) -> tuple[Match | None, str]:
        """The nearest real study, or why there is none."""
        if encoded is None:
            return None, problem
        retriever = self.services.retriever()
        total = len(retriever.gallery.studies)
        for k in (min(_FIRST, total), total):
            found = retriever.search(encoded, k)
            real = (match for match in found if not words.is_synthetic(match.study))
            if (match := next(real, None)) is not None:
                return match, ""
        return None, (
            "This gallery holds generated films only. Start the app with CXR_GALLERY set to one of "
            "real films to see the nearest beside it."
        )

    def _copied(self, encoded: EncodedQuery | None, problem: str) -> tuple[bool | None, str]:
        """Whether an image is too near to a training image, and the same in words."""
        originals = self.services.generator.get().originals
        if originals is None:
            return None, "Not checked: this model came without fingerprints of its training films."
        if encoded is None:
            return None, f"Not checked: {problem}"
        try:
            (check,) = originals.check(encoded.vector[None], self.services.retriever().encoder)
        except ValueError as error:
            return None, f"Not checked: {message_of(error)}"
        far = f"The nearest training film is {check.distance:.2f} away"
        least = f"films of two patients come as near as {check.limit:.2f}"
        return check.is_copy, f"{far}; {least}."

    def show(
        self, state: GenerateState, message: str = "", busy: str = ""
    ) -> tuple[str, str, GenerateState]:
        """The outputs of every handler: the message, the images, the state."""
        return notice(message), generated(state, self.services, busy), state


def sample_request(
    text: str, start: str, count: int, seed: str, truncation: float
) -> SampleRequest:
    """Read the controls.

    Raises:
        ValueError: a control holds what cannot be generated; the message says what to correct.
    """
    text, start, seed = (text or "").strip(), (start or "").strip(), (seed or "").strip()
    if not text:
        raise ValueError("Expected what the films should show, got an empty text; type a finding.")
    if count not in COUNTS:
        raise ValueError(
            f"Expected {', '.join(map(str, COUNTS))} films, got {count!r}; choose one of these."
        )
    if not (seed.isascii() and seed.isdigit() and len(seed) < 19):
        raise ValueError(f"Expected a whole number as seed, got {seed[:40]!r}; correct it.")
    return SampleRequest(text, start, count, int(seed), truncation)
