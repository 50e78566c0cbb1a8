"""What one visitor has in the Localize tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from cxr.findings import Study
from cxr.tabs.outlines import Outline


@dataclass(frozen=True)
class Bench:
    """A film, what was asked of it, and what was found."""

    film: Image.Image | None = None  # mode "L"
    picture: str = ""  # data: address of the film as PNG
    size: tuple[int, int] = (0, 0)  # width and height in pixels of the film as it came
    source: str = ""  # what the film is, in words: "Your film", or a study's id
    study: Study | None = None  # where the film is of the gallery
    text: str = ""
    outline: Outline | None = None
