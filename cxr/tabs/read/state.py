"""What one visitor has in the Read tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from PIL import Image

from cxr.findings import Study
from cxr.tabs.shared.wiring import Answer

if TYPE_CHECKING:
    from cxr.reporting import Suggestion
    from cxr.retrieval import Match

REPORT = "report"  # what is asked of a film first; afterwards heat maps are, by finding


@dataclass(frozen=True)
class Beside:
    """A second film to compare with. picture: its address; source: what it is, in words; study:
    where it is of the gallery.
    """

    picture: str
    source: str
    study: Study | None = None


@dataclass(frozen=True)
class ReadState:
    """A film and what was read in it. key: another for each film, and for a film read against the
    gate's advice. picture: the film's address. finding: the one that is looked at. heats: finding
    -> data: address of its heat map, "" where it failed. problem: why there is none, in words.
    """

    key: str = ""
    film: Image.Image | None = None  # mode "L"
    picture: str = ""
    source: str = ""
    study: Study | None = None  # where the film is of the gallery
    forced: bool = False
    suggestion: Suggestion | None = None
    finding: str = ""
    heats: Mapping[str, str] = field(default_factory=dict)
    beside: Beside | None = None
    problem: str = ""

    @property
    def wanted(self) -> str:
        """What a model has still to say: REPORT, a finding whose heat map is missing, or ""."""
        if self.film is None or self.suggestion is None:
            return REPORT if self.film is not None and not self.problem else ""
        return self.finding if self.finding not in self.heats else ""

    @property
    def heat(self) -> str:
        """The heat map to lay over the film; "" for none."""
        return self.heats.get(self.finding, "")

    @property
    def similar(self) -> tuple[Match, ...]:
        """Similar studies, best first, without the film itself."""
        own = self.study.id if self.study else None
        found = self.suggestion.evidence if self.suggestion else ()
        return tuple(match for match in found if match.study.id != own)

    @property
    def known(self) -> tuple[Match, ...]:
        """Every study that the page shows: the similar ones, then what else sentences rest on."""
        told = self.suggestion.sentences if self.suggestion else ()
        listed = (*self.similar, *(match for one in told for match in one.support))
        own = self.study.id if self.study else None
        return tuple({one.study.id: one for one in listed if one.study.id != own}.values())

    @property
    def withheld(self) -> bool:
        """Whether the picture was refused, so that nothing is suggested."""
        return self.suggestion is not None and not self.suggestion.findings

    def choose(self, name: str) -> ReadState:
        """Looking at a finding; at none when it is the one that was looked at. Raises ValueError
        when there is no such finding.
        """
        names = [one.name for one in self.suggestion.findings] if self.suggestion else []
        if name not in names:
            raise ValueError("That finding is no longer on the page; choose one of those shown.")
        return replace(self, finding="" if name == self.finding else name, problem="")

    def told(self, answer: Answer) -> ReadState | None:
        """With what a model said; None when it was said of another film, or before. The question
        is (key, REPORT or a finding).
        """
        key, about = answer.question
        if key != self.key:
            return None
        if about == REPORT:
            if self.suggestion is not None:
                return None
            return replace(self, suggestion=answer.value, problem=answer.problem)
        heats = {**self.heats, about: answer.value or ""}
        return replace(self, heats=heats, problem=answer.problem)
