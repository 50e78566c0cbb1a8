"""What one visitor has in the Search tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from cxr.gallery import Where
from cxr.retrieval import EVIDENCE, region_name
from cxr.tabs.shared.errors import STALE

if TYPE_CHECKING:
    from cxr.retrieval import EncodedQuery, Match, Understanding

PAGE_SIZE = 12  # studies that a search shows at first, and adds on "more"
MAX_RESULTS = 96
HISTORY_LENGTH = 8  # searches to go back to


@dataclass(frozen=True)
class SearchQuery:
    """One search: for a text, for images like an image, or for all that passes the filters.

    Attributes:
        text: findings in words; "" where an image is searched by.
        image: mode "L"; None where a text is searched for.
        source: what the image is, in words: "your film", or a study's id.
        warning: why the image hardly is a frontal chest X-ray, in words.
        exclude: id of the study to leave out of its own neighbors.
        matched: of view, sex and age what studies must have in common with the excluded one.
        region: of the image, compared alone, as Retriever.similar takes it; "" for all of it.
        where: the filters.
        k: how many studies at most.
        evidence: "all", or "image" to compare images by their look alone.
        only: id of the one study to show, as a link names it; "" for a search.
        encoded: the text or image as the network sees it, once it was searched for.
        understood: how the text was read, where that counts; None before.
        total: how many studies there are to show, where that is known without a search.
    """

    text: str = ""
    image: Image.Image | None = None
    source: str = ""
    warning: str = ""
    exclude: str = ""
    matched: tuple[str, ...] = ()
    region: str = ""
    where: Where = Where()
    k: int = PAGE_SIZE
    evidence: str = "all"
    only: str = ""
    encoded: EncodedQuery | None = field(default=None, compare=False)
    understood: Understanding | None = field(default=None, compare=False)
    total: int | None = field(default=None, compare=False)

    @property
    def browses(self) -> bool:
        """Whether nothing is searched for, and all that passes the filters is shown."""
        return not self.text and self.image is None

    @property
    def by_look(self) -> bool:
        """Whether images alone are compared: as the visitor chose, or for want of known words."""
        return self.evidence == "image" or bool(self.understood and self.understood.by_look)

    @property
    def content(self) -> str | Image.Image:
        """What Retriever.encode takes."""
        return self.text if self.image is None else self.image

    @property
    def title(self) -> str:
        """What was asked, in words. Plain text."""
        if self.only:
            return f"Film {self.only}"
        if self.browses:
            return "Films that pass the filters"
        if self.image is None:
            return f"“{self.text}”"
        there = f" in {region_name(self.region)}" if self.region else ""
        return f"Films like {self.source}{there}"


@dataclass(frozen=True)
class SearchState:
    """A search with its matches, the one whose image is open, and the searches before.

    Attributes:
        query: the last search; None before the first.
        matches: what it found, best first.
        selected: index of the open match; None where none is.
        heat_map: data: address of the heat map over the open image; "" for none.
        note: what to know of a link that was opened, in words; "" for nothing.
        link: the address that this was opened from; None where it was not.
        history: the states before, oldest first, each without a history of its own.
    """

    query: SearchQuery | None = None
    matches: tuple[Match, ...] = ()
    selected: int | None = None
    heat_map: str = ""
    note: str = ""
    link: str | None = None
    history: tuple[SearchState, ...] = ()

    @property
    def open(self) -> Match | None:
        """The match whose image is open."""
        return None if self.selected is None else self.matches[self.selected]

    @property
    def controls(self) -> list[Any]:
        """The values of the box, the filters and the switch (tab.Filters) that ask for it."""
        query = self.query or SearchQuery()
        asked = query.where
        ages = ["" if age is None else str(age) for age in (asked.age_min, asked.age_max)]
        chosen = [list(asked.view or ()), asked.sex or "", *ages, [*asked.present], [*asked.absent]]
        return [query.text, *chosen, query.evidence == EVIDENCE[1]]

    def select(self, index: int | None) -> SearchState:
        """Return the state with another match open, or none.

        Raises:
            ValueError: there is no such match.
        """
        if index is not None and not 0 <= index < len(self.matches):
            raise ValueError(STALE)
        return replace(self, selected=index, heat_map="", note="")

    def moved_to(self, query: SearchQuery, matches: tuple[Match, ...]) -> SearchState:
        """Return the state after another search, with this one to come back to."""
        here = () if self.query is None else (replace(self, history=()),)
        return SearchState(query, matches, history=(*self.history, *here)[-HISTORY_LENGTH:])

    def back(self) -> SearchState:
        """Return the state before the last search."""
        if not self.history:
            return SearchState()
        return replace(self.history[-1], history=self.history[:-1])
