"""What one visitor has in the Generate tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from cxr.findings import Study, caption

if TYPE_CHECKING:
    from cxr.retrieval import Match

COUNTS = (4, 8, 16)  # films at once
STEPS = 16  # films on the way from one text to another
NORMAL = caption(Study("", "", ""))  # of a film of which nothing else is known
_FINDINGS = ". Findings:"


@dataclass(frozen=True)
class Wish:
    """What was asked for. start: where the second slider begins; "" for a normal film."""

    text: str
    start: str = ""
    count: int = COUNTS[1]
    seed: int = 0
    truncation: float = 1.0

    @property
    def origin(self) -> str:
        """The text that the way begins with: a normal film of the same person, where one is named
        as a caption names them.
        """
        if self.start:
            return self.start
        person, named, _ = self.text.partition(_FINDINGS)
        return f"{person}, {NORMAL[0].lower()}{NORMAL[1:]}" if named else NORMAL


@dataclass(frozen=True)
class Look:
    """One film looked at closely. path: data: addresses of the films from the start to it. near:
    the nearest real study, None where the gallery holds none. copied: whether it comes too near
    to a training film, None where that could not be told; said: the same in words.
    """

    path: tuple[str, ...]
    near: Match | None
    near_said: str
    copied: bool | None
    copied_said: str


@dataclass(frozen=True)
class GenerateState:
    """The films made for a wish, the one that is looked at, and what is known of each."""

    wish: Wish | None = None
    films: tuple[Image.Image, ...] = ()  # mode "L", 128 x 128, without the mark
    index: int = 0
    looks: tuple[Look | None, ...] = ()  # one a film

    @property
    def look(self) -> Look | None:
        """Of the film that is looked at, once it is known."""
        return self.looks[self.index] if self.looks else None

    def choose(self, index: int) -> GenerateState:
        """Looking at another film. Raises ValueError when there is no such one."""
        if not 0 <= index < len(self.films):
            raise ValueError("That film is no longer on the page; choose one of those shown.")
        return replace(self, index=index)

    def seen(self, look: Look) -> GenerateState:
        """With a look at the film."""
        looks = (*self.looks[: self.index], look, *self.looks[self.index + 1 :])
        return replace(self, looks=looks)
