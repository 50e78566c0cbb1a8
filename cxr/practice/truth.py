"""What is known of a study, by whom: the answers that a learner's own are held against.

Three tiers, which are never mixed in a score: what radiologists drew or verified, what software
took from a report, and what a generator was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cxr.data import SYNTHETIC
from cxr.findings import FINDINGS, NIH_FINDINGS, OUTLINED, Study

VERIFIED, MINED, GENERATED = "verified", "mined", "synthetic"
TIERS = (VERIFIED, MINED, GENERATED)
PRESENT, ABSENT, UNCERTAIN, UNKNOWN = 1, 0, -1, None
NORMAL, DEVICES = FINDINGS[0], "support devices"
Points: TypeAlias = tuple[tuple[float, float], ...]  # (x, y) as fractions of width and height

_LETTERS = {PRESENT: "p", ABSENT: "a", UNCERTAIN: "u"}
_VALUES = {letter: value for value, letter in _LETTERS.items()}
# What a panel (expert) or those who outlined speak of, where a gallery does not say it itself.
_READ_BY = {
    "expert": frozenset((NORMAL, *NIH_FINDINGS)),
    "outlined": frozenset((NORMAL, *OUTLINED)),
}


@dataclass(frozen=True)
class Region:
    """Where a radiologist drew a finding. points: a closed polygon; source: who, in words."""

    points: Points
    source: str = ""


@dataclass(frozen=True)
class Truth:
    """What is known of one study.

    Attributes:
        tier: of the study: the best tier that says anything of it.
        values: finding -> 1 present, 0 absent or -1 uncertain; what nobody speaks of has no key.
        verified: the findings of `values` that radiologists drew or verified.
        abnormal: whether the study shows anything beside devices; None where that is not known.
        regions: finding -> where it was drawn.
    """

    tier: str
    values: Mapping[str, int] = field(default_factory=dict)
    verified: frozenset[str] = frozenset()
    abnormal: bool | None = None
    regions: Mapping[str, tuple[Region, ...]] = field(default_factory=dict)

    @property
    def positive(self) -> tuple[str, ...]:
        """What the study shows, in FINDINGS order; empty for a normal one."""
        return tuple(name for name in FINDINGS[1:] if self.values.get(name) == PRESENT)

    @property
    def targets(self) -> tuple[str, ...]:
        """What a learner should say: the findings present, or "no finding" for a normal study."""
        if self.abnormal is False:
            return (NORMAL,)
        return tuple(name for name in self.positive if name != DEVICES)

    @property
    def verified_normal(self) -> bool:
        """Whether radiologists called the study normal, and so every finding absent."""
        return self.abnormal is False and NORMAL in self.verified

    def value(self, finding: str) -> int | None:
        """1, 0 or -1; None where nobody speaks of it. A normal study lacks every finding."""
        if self.abnormal is False and finding not in (NORMAL, DEVICES):
            return self.values.get(finding, ABSENT)
        return self.values.get(finding)

    def code(self) -> str:
        """One letter a finding of FINDINGS, as a learner's record keeps it.

        p present, a absent, u uncertain, ? unknown; in capitals where radiologists say so.
        """
        letters = []
        for name in FINDINGS:
            value = self.value(name)
            letter = "?" if value is None else _LETTERS[value]
            sure = name in self.verified or self.verified_normal
            letters.append(letter.upper() if sure else letter)
        return "".join(letters)


def decoded(code: str) -> dict[str, tuple[int | None, bool]]:
    """The record's letters -> {finding: (value, whether radiologists verified it)}.

    Raises:
        ValueError: another number of letters, or one that Truth.code does not write.
    """
    if len(code) != len(FINDINGS) or not set(code.lower()) <= {*_VALUES, "?"}:
        raise ValueError(
            f"expected {len(FINDINGS)} letters among p, a, u and ?, got {code[:40]!r}; "
            "the record is damaged, leave it out"
        )
    return {
        name: (_VALUES.get(letter.lower()), letter.isupper())
        for name, letter in zip(FINDINGS, code, strict=True)
    }


def truth_of(
    study: Study,
    readings: Mapping[str, int] | None = None,
    regions: Mapping[str, tuple[Region, ...]] | None = None,
) -> Truth:
    """Put together what is known of a study.

    Args:
        study: with its labels.
        readings: what radiologists said of it, where a gallery carries that: finding -> 1, 0, -1.
        regions: what they drew; a finding that was drawn is present.

    Returns:
        The truth; with a tier even where nothing is known, which `values` then shows.
    """
    drawn = {name: parts for name, parts in (regions or {}).items() if parts}
    known = {name for name in drawn if name in FINDINGS}
    said = {**(readings or {}), **dict.fromkeys(known, PRESENT)}
    if readings is None:
        said = {
            name: value
            for name, value in study.findings.items()
            if name in _READ_BY.get(study.label_source, ())
        } | said
    values = {**study.findings, **said}
    tier = VERIFIED if said else MINED
    if study.source.startswith(SYNTHETIC):
        tier, said, drawn = GENERATED, {}, {}
    return Truth(tier, values, frozenset(said), abnormal_of(values), drawn)


def abnormal_of(values: Mapping[str, int | None]) -> bool | None:
    """Whether the values speak of anything beside devices; None where they leave it open."""
    shown = [v for name, v in values.items() if name not in (NORMAL, DEVICES)]
    if PRESENT in shown:
        return True
    if UNCERTAIN in shown or values.get(NORMAL) != PRESENT:
        return None
    return False
