"""What one visitor has in the Generate tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from cxr.findings import Study, caption

if TYPE_CHECKING:
    from cxr.generation import DrawingRequest
    from cxr.retrieval import Match

COUNTS = (4, 8, 16)  # images a request may ask for
STEPS = 16  # images on the way from one text to another
NORMAL = caption(Study("", "", ""))  # of an image of which nothing else is known
_FINDINGS = ". Findings:"


@dataclass(frozen=True)
class SampleRequest:
    """What to generate.

    Attributes:
        text: what the images should show.
        start: the text at which the slider begins; "" for a normal image.
        count: how many images, one of COUNTS.
        seed: 0 or more; the same seed gives the same images.
        truncation: how varied the images are, in [0, 1].
        drawing: how `text` was read; None for a generator that takes any text.
        start_drawing: the same of `start`; None where there is none.
    """

    text: str
    start: str = ""
    count: int = COUNTS[1]
    seed: int = 0
    truncation: float = 1.0
    drawing: DrawingRequest | None = None
    start_drawing: DrawingRequest | None = None

    @property
    def start_text(self) -> str:
        """The text at which the slider begins.

        Without `start` it is a normal image, of the same person: for a generator that takes any
        text, where `text` describes one in the form of a caption.
        """
        if self.start:
            return self.start
        if self.drawing is not None:
            return self.drawing.start
        person, named, _ = self.text.partition(_FINDINGS)
        return f"{person}, {NORMAL[0].lower()}{NORMAL[1:]}" if named else NORMAL

    @property
    def slides(self) -> bool:
        """Whether the slider changes anything: a normal image has nothing to lose."""
        drawing = self.drawing
        return bool(
            self.start or drawing is None or drawing.severities or drawing.heart_ratio is not None
        )


@dataclass(frozen=True)
class Comparison:
    """One generated image: the way to it, and what it was compared with.

    Attributes:
        path: data: addresses of the images from the start to this one; none where nothing slides.
        nearest: the nearest real study; None where the gallery holds none, `nearest_note` says why.
        copied: whether it is too near to a training image; None where that could not be checked.
        copied_note: the same in words.
    """

    path: tuple[str, ...]
    nearest: Match | None
    nearest_note: str
    copied: bool | None
    copied_note: str


@dataclass(frozen=True)
class GenerateState:
    """The images generated for a request, which one is shown, and what each was compared with.

    Attributes:
        images: mode "L", 128 x 128, without the mark.
        comparisons: one an image; None where it was not compared yet.
    """

    request: SampleRequest | None = None
    images: tuple[Image.Image, ...] = ()
    index: int = 0
    comparisons: tuple[Comparison | None, ...] = ()

    @property
    def comparison(self) -> Comparison | None:
        """That of the image shown, once it is known."""
        return self.comparisons[self.index] if self.comparisons else None

    def choose(self, index: int) -> GenerateState:
        """Show another image.

        Raises:
            ValueError: there is no image of this index.
        """
        if not 0 <= index < len(self.images):
            raise ValueError("That film is no longer on the page; choose one of those shown.")
        return replace(self, index=index)

    def with_comparison(self, comparison: Comparison) -> GenerateState:
        """Add what the image shown was compared with."""
        kept = list(self.comparisons)
        kept[self.index] = comparison
        return replace(self, comparisons=tuple(kept))
