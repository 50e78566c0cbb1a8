"""What one visitor has in the Localize tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from PIL import Image

from cxr.findings import Study
from cxr.tabs.localize.outlines import Outline
from cxr.tabs.shared.wiring import Answer


@dataclass(frozen=True)
class LocalizeState:
    """A film, what was asked of it, and what was found. key: another for each question."""

    film: Image.Image | None = None  # mode "L"
    picture: str = ""  # data: address of the film as PNG
    size: tuple[int, int] = (0, 0)  # width and height in pixels of the film as it came
    source: str = ""  # what the film is, in words: "Your film", or a study's id
    study: Study | None = None  # where the film is of the gallery
    warning: str = ""  # why it hardly is a frontal chest film, in words
    text: str = ""
    key: str = ""
    outline: Outline | None = None
    problem: str = ""

    @property
    def wanted(self) -> bool:
        """Whether a model has still to say where the text's finding is."""
        return bool(self.film and self.text and not self.outline and not self.problem)

    def asked(self, text: str) -> LocalizeState:
        """With a question, to be answered; with none for an empty text."""
        key = secrets.token_hex(8)
        return replace(self, text=text.strip(), key=key, outline=None, problem="")

    def told(self, drawn: Answer[Outline]) -> LocalizeState | None:
        """With what a model drew; None when it was asked of another film or in other words."""
        if drawn.question != self.key or not self.wanted:
            return None
        return replace(self, outline=drawn.value, problem=drawn.problem)
