"""What one visitor has in front of them: kept in gr.State, replaced and never changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from cxr.gallery import Where

if TYPE_CHECKING:
    from cxr.retrieval import Match

PAGE = 12  # films a search shows at first, and adds on "more"
MOST = 96
_TRAIL = 8


@dataclass(frozen=True)
class Asked:
    """One search: for text, or for films like a film."""

    text: str = ""
    film: Image.Image | None = None  # mode "L"
    source: str = ""  # what the film is: "your film", or a study's id
    warning: str = ""  # why the film hardly is a frontal chest X-ray, in words
    study: str = ""  # id of the study to leave out of its own neighbours
    where: Where = Where()
    k: int = PAGE

    @property
    def query(self) -> str | Image.Image:
        """What Retriever.search takes."""
        return self.text if self.film is None else self.film


@dataclass(frozen=True)
class SearchState:
    """A search with its films, the film that is open, and the way back."""

    asked: Asked | None = None
    matches: tuple[Match, ...] = ()
    selected: int | None = None
    heat: str = ""  # data: address of the heat map over the open film
    trail: tuple[SearchState, ...] = ()

    @property
    def open(self) -> Match | None:
        """The match whose film is open."""
        return None if self.selected is None else self.matches[self.selected]

    def select(self, index: int | None) -> SearchState:
        """The room with another film open, or none. Raises ValueError when there is no such one."""
        if index is not None and not 0 <= index < len(self.matches):
            raise ValueError("That film is no longer on the page; choose one of those shown.")
        return replace(self, selected=index, heat="")

    def moved_to(self, asked: Asked, matches: tuple[Match, ...]) -> SearchState:
        """The room after a new search, with this one to come back to."""
        here = () if self.asked is None else (replace(self, trail=()),)
        return SearchState(asked, matches, trail=(*self.trail, *here)[-_TRAIL:])

    def back(self) -> SearchState:
        """The room before the last search."""
        if not self.trail:
            return SearchState()
        return replace(self.trail[-1], trail=self.trail[:-1])
