"""A learner's answer held against the truth: a verdict for each finding, and where it was seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cxr.findings import FINDINGS
from cxr.practice.truth import (
    ABSENT,
    DEVICES,
    PRESENT,
    UNCERTAIN,
    Points,
    Region,
    Truth,
)

OVERLAP = 0.25  # intersection over union from which a box counts as in the right place
HIT, MISS, FALSE_ALARM, UNSURE, OPEN = "hit", "miss", "false alarm", "uncertain", "unknown"
# What is present is also named by naming a kind of it.
KINDS = {
    "lung opacity": (
        "edema",
        "consolidation",
        "pneumonia",
        "atelectasis",
        "infiltration",
        "lung lesion",
        "nodule",
        "mass",
    ),
    "lung lesion": ("nodule", "mass"),
    "enlarged cardiomediastinum": ("cardiomegaly",),
}
_NAMED = {PRESENT: HIT, ABSENT: FALSE_ALARM, UNCERTAIN: UNSURE, None: OPEN}
LONGEST = 3600.0  # seconds that an answer may have taken; more was a pause


@dataclass(frozen=True)
class Mark:
    """Where a learner saw something: a box, or a point where width and height are 0.

    x, y: the left upper corner; all four as fractions of the image's width and height.
    """

    x: float
    y: float
    width: float = 0.0
    height: float = 0.0

    @property
    def center(self) -> tuple[float, float]:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Commitment:
    """What a learner committed to before anything was shown.

    Attributes:
        abnormal: whether the study was called abnormal.
        marks: finding -> where; None where the learner named it without a place.
        confidence: 0.5 a guess, 1 sure.
        seconds: from the image to the answer.
    """

    abnormal: bool
    marks: Mapping[str, Mark | None] = field(default_factory=dict)
    confidence: float = 0.5
    seconds: float = 0.0

    @classmethod
    def from_dict(cls, values: object) -> Commitment:
        """Read what the page sends: abnormal, findings {name: null or [x, y, w, h]}, confidence.

        Raises:
            ValueError: another type, an unknown finding, or a number out of its range.
        """
        if not isinstance(values, Mapping) or not isinstance(values.get("abnormal"), bool):
            raise ValueError("expected an answer with abnormal true or false; send it again")
        findings = values.get("findings") or {}
        if not isinstance(findings, Mapping) or not set(findings) <= set(FINDINGS[1:]):
            raise ValueError(
                f"expected findings among {', '.join(FINDINGS[1:])}; got {str(findings)[:80]!r}"
            )
        abnormal = values["abnormal"]
        return cls(
            abnormal,
            {name: _mark(place) for name, place in findings.items()} if abnormal else {},
            number(values.get("confidence"), "confidence", 0.5, 1),
            min(number(values.get("seconds"), "seconds", 0, math.inf), LONGEST),
        )


def number(value: Any, name: str, low: float, high: float) -> float:
    """A number of a JSON document, checked.

    Raises:
        ValueError: no number, NaN, or one outside of [low, high].
    """
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not fits or not low <= value <= high or math.isnan(value):
        raise ValueError(f"expected {name} from {low:g} to {high:g}, got {value!r}; correct it")
    return float(value)


def _mark(place: Any) -> Mark | None:
    if place is None:
        return None
    if not isinstance(place, (list, tuple)) or len(place) != 4:
        raise ValueError(f"expected a place as four numbers or null, got {str(place)[:60]!r}")
    return Mark(*(number(side, "a place", 0, 1) for side in place))


@dataclass(frozen=True)
class Verdict:
    """What one finding came to.

    Attributes:
        finding: its name.
        kind: HIT, MISS, FALSE_ALARM, UNSURE (its truth is uncertain) or OPEN (nobody knows).
        verified: whether radiologists say so; else it is a label's word.
        located: whether the mark was in the right place; None where nothing was drawn.
        marked: whether the learner gave a place.
    """

    finding: str
    kind: str
    verified: bool = False
    located: bool | None = None
    marked: bool = False


@dataclass(frozen=True)
class Grade:
    """An answer, graded.

    Attributes:
        verdicts: findings that are present or were named: misses, hits, false alarms, the rest.
        abnormal_right: whether normal or abnormal was right; None where that is not known.
        score: in [0, 1]: for a normal study whether it was called normal; else the findings seen
            among those present and those named though absent.
    """

    verdicts: tuple[Verdict, ...]
    abnormal_right: bool | None
    score: float

    def of(self, kind: str) -> tuple[str, ...]:
        """The findings with a kind of verdict."""
        return tuple(one.finding for one in self.verdicts if one.kind == kind)

    @property
    def missed(self) -> tuple[str, ...]:
        """The findings missed that count: labels of others do not beside radiologists' words."""
        return tuple(one.finding for one in _counted(self.verdicts) if one.kind == MISS)


def grade_answer(commitment: Commitment, truth: Truth) -> Grade:
    """Hold an answer against the truth.

    A finding that is present counts as named where one of its KINDS is, with that one's mark.
    """
    marks = dict(commitment.marks)
    for name, kinds in KINDS.items():
        kind = next((one for one in kinds if one in commitment.marks), None)
        if kind and truth.value(name) == PRESENT:
            marks.setdefault(name, commitment.marks[kind])
    placed = {}
    for name, mark in marks.items():
        regions = truth.regions.get(name, ())
        hit = truth.value(name) == PRESENT
        placed[name] = in_place(mark, regions) if hit and regions else None
    known = {
        name: (truth.value(name), name in truth.verified or truth.verified_normal)
        for name in FINDINGS
    }
    graded = grade_named(commitment.abnormal, placed, known, truth.abnormal)
    verdicts = tuple(
        replace(one, marked=marks.get(one.finding) is not None) for one in graded.verdicts
    )
    return replace(graded, verdicts=verdicts)


def grade_named(
    abnormal: bool,
    placed: Mapping[str, bool | None],
    known: Mapping[str, tuple[int | None, bool]],
    truly_abnormal: bool | None,
) -> Grade:
    """Grade an answer from what was named.

    Args:
        abnormal: what was said.
        placed: finding named -> whether its mark was in the right place, None where not known.
        known: every finding -> its value, and whether radiologists verified it.
        truly_abnormal: None where that is not known.
    """
    verdicts = []
    for name in FINDINGS[1:]:
        value, verified = known[name]
        if name in placed:
            kind = _NAMED[value]
            verdicts.append(Verdict(name, kind, verified, placed[name] if kind == HIT else None))
        elif value == PRESENT and name != DEVICES:
            verdicts.append(Verdict(name, MISS, verified))
    order = (MISS, HIT, FALSE_ALARM, UNSURE, OPEN)
    verdicts.sort(key=lambda one: order.index(one.kind))
    right = None if truly_abnormal is None else abnormal == truly_abnormal
    kinds = [one.kind for one in _counted(verdicts)]
    counted = kinds.count(HIT) + kinds.count(MISS) + kinds.count(FALSE_ALARM)
    score = kinds.count(HIT) / counted if counted else float(bool(right))
    if truly_abnormal is False:
        score = float(not abnormal)
    return Grade(tuple(verdicts), right, score)


def _counted(verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """Where radiologists speak of any finding named or present, theirs; else all verdicts."""
    return [one for one in verdicts if one.verified and one.kind != OPEN] or verdicts


def in_place(mark: Mark | None, regions: tuple[Region, ...]) -> bool:
    """Whether a mark is where a finding was drawn.

    It is when its center lies inside a region, or when its intersection over union with a region's
    bounding box is at least OVERLAP. No mark is in no place.
    """
    if mark is None:
        return False
    return any(
        inside(mark.center, region.points) or overlap(mark, region.points) >= OVERLAP
        for region in regions
    )


def inside(point: tuple[float, float], polygon: Points) -> bool:
    """Whether a point lies in a polygon, by the even-odd rule."""
    x, y = point
    within = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], *polygon[:1])):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            within = not within
    return within


def overlap(mark: Mark, polygon: Points) -> float:
    """Intersection over union of a mark and a polygon's bounding box, in [0, 1]; 0 for a point."""
    left, top, right, bottom = bounds(polygon)
    wide = min(mark.x + mark.width, right) - max(mark.x, left)
    high = min(mark.y + mark.height, bottom) - max(mark.y, top)
    common = max(0.0, wide) * max(0.0, high)
    union = mark.width * mark.height + (right - left) * (bottom - top) - common
    return common / union if union > 0 else 0.0


def bounds(polygon: Points) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a polygon."""
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    return min(xs), min(ys), max(xs), max(ys)
