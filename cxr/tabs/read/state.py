"""What one visitor has in the Read tab: kept in gr.State, replaced and never changed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from cxr.findings import Study
from cxr.tabs.shared.wiring import Answer

if TYPE_CHECKING:
    from cxr.reporting import Suggestion
    from cxr.retrieval import Match

REPORT = "report"  # what is asked of an image first; afterwards heat maps are, by finding
SUGGESTED = ("likely", "possible")  # words of the findings that are suggested


@dataclass(frozen=True)
class Comparison:
    """A second image beside the first.

    Attributes:
        url: its address.
        source: what it is, in words.
        study: where it is of the gallery.
    """

    url: str
    source: str
    study: Study | None = None


@dataclass(frozen=True)
class ReadState:
    """An image and what was read in it.

    Attributes:
        key: another for each image, and for an image read against the advice of the
            out-of-distribution gate.
        image: mode "L"; None before one was brought.
        image_url: the image's address.
        source: what the image is, in words: "Your film", or a study's id.
        study: where the image is of the gallery.
        forced: whether it is read although the gate refused it.
        suggestion: the answer of the suggester.
        finding: the one that is chosen; "" for none.
        heat_maps: finding -> data: address of its heat map, "" where it failed.
        comparison: the image beside it.
        problem: why there is no answer, in words.
        setting: where the image comes from, which changes how likely findings are.
    """

    key: str = ""
    image: Image.Image | None = None
    image_url: str = ""
    source: str = ""
    study: Study | None = None
    forced: bool = False
    suggestion: Suggestion | None = None
    finding: str = ""
    heat_maps: Mapping[str, str] = field(default_factory=dict)
    comparison: Comparison | None = None
    problem: str = ""
    setting: str = "ward"

    @classmethod
    def of(
        cls, image: Image.Image, image_url: str, source: str, study: Study | None = None
    ) -> ReadState:
        """An image that nothing was read in."""
        return cls(secrets.token_hex(8), image, image_url, source, study)

    @property
    def waiting_for(self) -> str:
        """What was asked and not answered: REPORT, a finding (its heat map), or ""."""
        if self.image is None or self.suggestion is None:
            return REPORT if self.image is not None and not self.problem else ""
        return self.finding if self.finding not in self.heat_maps else ""

    @property
    def heat_map(self) -> str:
        """The heat map to lay over the image; "" for none."""
        return self.heat_maps.get(self.finding, "")

    @property
    def similar(self) -> tuple[Match, ...]:
        """Similar studies, best first, without the image itself."""
        own = self.study.id if self.study else None
        found = self.suggestion.evidence if self.suggestion else ()
        return tuple(match for match in found if match.study.id != own)

    @property
    def shown_studies(self) -> tuple[Match, ...]:
        """Every study on the page: the similar ones, then what else sentences rest on."""
        sentences = self.suggestion.sentences if self.suggestion else ()
        listed = (*self.similar, *(match for one in sentences for match in one.support))
        own = self.study.id if self.study else None
        return tuple({one.study.id: one for one in listed if one.study.id != own}.values())

    @property
    def withheld(self) -> bool:
        """Whether the image was refused, so that nothing is suggested."""
        return self.suggestion is not None and not self.suggestion.findings

    @property
    def suggested(self) -> list[str]:
        """The findings that are suggested, the most probable first."""
        found = self.suggestion.findings if self.suggestion else ()
        return [one.name for one in found if one.word in SUGGESTED]

    def supporting(self, finding: str) -> list[int]:
        """Indexes in `shown_studies` of those that carry a finding.

        Those that a sentence rests on come first, then the similar ones, best first.
        """
        ids = [match.study.id for match in self.shown_studies]
        sentences = self.suggestion.sentences if self.suggestion else ()
        support = [match for one in sentences if finding in one.claims for match in one.support]
        carrying = [
            match.study.id
            for match in (*support, *self.similar)
            if match.study.findings.get(finding) == 1
        ]
        return [ids.index(one) for one in dict.fromkeys(carrying) if one in ids]

    def choose(self, finding: str) -> ReadState:
        """Choose a finding; none when it is the one that is chosen.

        Raises:
            ValueError: there is no such finding.
        """
        names = [one.name for one in self.suggestion.findings] if self.suggestion else []
        if finding not in names:
            raise ValueError("That finding is no longer on the page; choose one of those shown.")
        return replace(self, finding="" if finding == self.finding else finding, problem="")

    def with_answer(self, answer: Answer[Any]) -> ReadState | None:
        """Take an answer to the question (key, REPORT or a finding).

        Returns:
            The state with the answer; None when it answers a question about another image, or one
            that was answered before.
        """
        key, about = answer.question
        if key != self.key:
            return None
        if about == REPORT:
            if self.suggestion is not None:
                return None
            return replace(self, suggestion=answer.value, problem=answer.problem)
        heat_maps = {**self.heat_maps, about: answer.value or ""}
        return replace(self, heat_maps=heat_maps, problem=answer.problem)
