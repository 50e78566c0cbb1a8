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
    """An image, what was asked for, and what was outlined.

    Attributes:
        image: mode "L"; None before one was brought.
        image_url: data: address of the image as PNG.
        size: width and height in pixels of the image as it came.
        source: what the image is, in words: "Your film", or a study's id.
        study: where the image is of the gallery.
        warning: why it hardly is a frontal chest X-ray, in words; "" where it may be one.
        text: what was asked for; "" before anything was.
        key: another for each question, so that an answer to an earlier one can be dropped.
        outline: the answer.
        problem: why there is none, in words.
    """

    image: Image.Image | None = None
    image_url: str = ""
    size: tuple[int, int] = (0, 0)
    source: str = ""
    study: Study | None = None
    warning: str = ""
    text: str = ""
    key: str = ""
    outline: Outline | None = None
    problem: str = ""

    @property
    def waiting(self) -> bool:
        """Whether a question was asked that the localizer has not answered."""
        return bool(self.image and self.text and not self.outline and not self.problem)

    def with_text(self, text: str) -> LocalizeState:
        """Ask for something; for nothing with an empty text."""
        key = secrets.token_hex(8)
        return replace(self, text=text.strip(), key=key, outline=None, problem="")

    def with_answer(self, answer: Answer[Outline]) -> LocalizeState | None:
        """Take an answer; None when it answers another question than the last."""
        if answer.question != self.key or not self.waiting:
            return None
        return replace(self, outline=answer.value, problem=answer.problem)
