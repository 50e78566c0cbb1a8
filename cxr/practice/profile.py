"""A learner's profile: what was answered, how able the learner seems, which pairs come back when.

It lives with the learner as JSON and travels with each request; nothing of it is kept elsewhere.
Real and synthetic studies are two courses that know nothing of each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

from cxr.findings import FINDINGS
from cxr.practice.grading import LONGEST, Grade, Verdict, grade_named, number
from cxr.practice.lookalikes import SIGNS, split_pair
from cxr.practice.truth import GENERATED, TIERS, abnormal_of, decoded

VERSION = 1
FILMS, REHEARSAL = "films", "synthetic"
COURSES = (FILMS, REHEARSAL)
MOST_RECORDS, MOST_FLAGS, LONGEST_NOTE = 5_000, 1_000, 500
REASONS = (  # why a label may be wrong
    "a finding is missing",
    "a finding is not there",
    "it is another finding",
    "the outline is elsewhere",
    "the film is unreadable",
)
MODES = ("calibration", "practice", "set", "exam")
_KEY = re.compile(r"[0-9a-f]{24}")
T = TypeVar("T")


@dataclass(frozen=True)
class Rating:
    """An estimate on the logit scale: its mean and variance."""

    mean: float
    variance: float


@dataclass(frozen=True)
class Course:
    """What is estimated and planned for one kind of studies.

    overall: ability; findings: what is added to it for a finding ("no finding": for a normal
    study). cards: "finding|rival" -> the card as the package fsrs writes it.
    """

    overall: Rating = Rating(1.1, 1.0)  # 75% right before anything is known
    findings: Mapping[str, Rating] = field(default_factory=dict)
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One study that was answered.

    Attributes:
        key: the study's opaque name.
        study: its id, which is shown after the answer.
        tier: of its truth, one of TIERS.
        at: when it was answered, ISO 8601 in UTC.
        seconds: that it took.
        confidence: 0.5 to 1.
        abnormal: what the learner said.
        findings: finding named -> whether its mark was in the right place; None where that is not
            known.
        truth: what is known of it, as Truth.code writes it.
        mode: one of MODES.
    """

    key: str
    study: str
    tier: str
    at: str
    seconds: float
    confidence: float
    abnormal: bool
    findings: Mapping[str, bool | None]
    truth: str
    mode: str = "practice"

    @property
    def values(self) -> dict[str, int | None]:
        """What is known of each finding: 1, 0, -1 or None."""
        return {name: value for name, (value, _) in decoded(self.truth).items()}

    @property
    def truly_abnormal(self) -> bool | None:
        """Whether the study is abnormal; None where that is not known."""
        return abnormal_of(self.values)

    @property
    def grade(self) -> Grade:
        """The answer, graded anew from the record's letters."""
        return grade_named(self.abnormal, self.findings, decoded(self.truth), self.truly_abnormal)

    @property
    def course(self) -> str:
        """The course that it belongs to."""
        return course_of(self.tier)


@dataclass(frozen=True)
class Judgement:
    """One image of which a learner said whether it is real or generated.

    key: its opaque name in such sets. said, generated: whether it was called generated, and whether
    it is. The rest is as in Record.
    """

    key: str
    study: str
    at: str
    seconds: float
    confidence: float
    said: bool
    generated: bool

    @property
    def right(self) -> bool:
        """Whether it was told apart."""
        return self.said == self.generated


@dataclass(frozen=True)
class Flag:
    """A label that the learner holds for wrong; reason: one of REASONS, or ""; note: in words."""

    key: str
    study: str
    note: str
    at: str
    reason: str = ""


@dataclass(frozen=True)
class Profile:
    """Everything about one learner; judged: what was said of images' origin, apart from records."""

    courses: Mapping[str, Course] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    flags: tuple[Flag, ...] = ()
    judged: tuple[Judgement, ...] = ()

    def course(self, name: str) -> Course:
        """One of COURSES; a fresh one where nothing was answered."""
        return self.courses.get(name, Course())

    def with_course(self, name: str, course: Course) -> Profile:
        """The profile with one course in place of what it was."""
        return replace(self, courses={**self.courses, name: course})

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; from_dict turns them back.

        Each record also says what it `missed`, for the page; from_dict takes that from the grade.
        """
        values = {"version": VERSION, **asdict(self)}
        values["records"] = [
            {**asdict(one), "missed": list(one.grade.missed)} for one in self.records
        ]
        return values

    @classmethod
    def from_dict(cls, values: object) -> Profile:
        """Read and check a profile, such as one that a learner imports.

        Raises:
            ValueError: another version, a missing part, or a value out of its range.
        """
        if not isinstance(values, Mapping):
            raise ValueError("expected a practice profile, got something else; choose its file")
        if values.get("version") != VERSION:
            raise ValueError(
                f"expected a practice profile of version {VERSION}, got "
                f"{str(values.get('version'))[:20]!r}; export it again with this version"
            )
        try:
            courses = {
                _one_of(name, COURSES): _course(one) for name, one in values["courses"].items()
            }
            records = _listed(values["records"], MOST_RECORDS, _record)
            flags = _listed(values["flags"], MOST_FLAGS, _flag)
            judged = _listed(values.get("judged", []), MOST_RECORDS, _judgement)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"expected a practice profile, a part of it is missing or damaged ({error!r:.80}); "
                "choose another export"
            ) from error
        return cls(courses, records, flags, judged)


def course_of(tier: str) -> str:
    """The course of a study by the tier of its truth."""
    return REHEARSAL if tier == GENERATED else FILMS


def moment(text: object) -> datetime:
    """A time in UTC from ISO 8601.

    Raises:
        ValueError: another format, or no time zone.
    """
    try:
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise ValueError(f"expected a time such as 2026-01-31T12:00:00Z, got {str(text)[:40]!r}")
    return at.astimezone(timezone.utc)


def _listed(values: Any, most: int, read: Callable[[Any], T]) -> tuple[T, ...]:
    if not isinstance(values, list) or len(values) > most:
        raise ValueError(f"expected a list of at most {most:,} entries in a practice profile")
    return tuple(read(one) for one in values)


def _one_of(value: Any, allowed: Iterable[str]) -> str:
    if value not in tuple(allowed):
        raise ValueError(f"expected one of {', '.join(allowed)}; got {str(value)[:40]!r}")
    return str(value)


def _rating(values: Any) -> Rating:
    return Rating(
        number(values["mean"], "a rating", -12, 12),
        number(values["variance"], "a rating's variance", 0, 10),
    )


def _course(values: Any) -> Course:
    findings = {_one_of(n, FINDINGS): _rating(one) for n, one in values["findings"].items()}
    return Course(
        _rating(values["overall"]),
        findings,
        {_pair(key): _card(card) for key, card in values["cards"].items()},
    )


def _pair(key: str) -> str:
    finding, rival = split_pair(key)
    signs = SIGNS[_one_of(finding, FINDINGS)]
    _one_of(rival, (*FINDINGS, *signs.mimics))
    return key


def _card(values: Any) -> dict[str, Any]:
    """A card as fsrs.Card.to_dict writes it, without its number."""
    step = values["step"]
    return {
        "state": int(number(values["state"], "a card's state", 1, 3)),
        "step": None if step is None else int(number(step, "a card's step", 0, 9)),
        "stability": number(values["stability"], "a card's stability", 0, 1e6),
        "difficulty": number(values["difficulty"], "a card's difficulty", 0, 10),
        "due": moment(values["due"]).isoformat(),
        "last_review": moment(values["last_review"]).isoformat(),
    }


def _key(value: Any) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise ValueError(f"expected 24 hex digits as a study's key, got {str(value)[:40]!r}")
    return value


def _record(values: Any) -> Record:
    decoded(str(values["truth"]))
    if not isinstance(values["abnormal"], bool):
        raise ValueError("expected abnormal true or false in a practice profile")
    findings = {
        _one_of(name, FINDINGS): None if place is None else bool(place)
        for name, place in values["findings"].items()
    }
    return Record(
        key=_key(values["key"]),
        study=str(values["study"])[:200],
        tier=_one_of(values["tier"], TIERS),
        at=moment(values["at"]).isoformat(),
        seconds=number(values["seconds"], "seconds", 0, LONGEST),
        confidence=number(values["confidence"], "confidence", 0.5, 1),
        abnormal=values["abnormal"],
        findings=findings,
        truth=str(values["truth"]),
        mode=_one_of(values["mode"], MODES),
    )


def _judgement(values: Any) -> Judgement:
    if not all(isinstance(values[name], bool) for name in ("said", "generated")):
        raise ValueError("expected said and generated true or false in a practice profile")
    return Judgement(
        key=_key(values["key"]),
        study=str(values["study"])[:200],
        at=moment(values["at"]).isoformat(),
        seconds=number(values["seconds"], "seconds", 0, LONGEST),
        confidence=number(values["confidence"], "confidence", 0.5, 1),
        said=values["said"],
        generated=values["generated"],
    )


def _flag(values: Any) -> Flag:
    study, note = str(values["study"])[:200], str(values["note"])[:LONGEST_NOTE]
    reason = _one_of(values.get("reason", ""), ("", *REASONS))
    return Flag(_key(values["key"]), study, note, moment(values["at"]).isoformat(), reason)


def located(verdicts: Iterable[Verdict]) -> dict[str, bool | None]:
    """What a record keeps of verdicts: finding named -> whether its mark was in the right place."""
    return {one.finding: one.located for one in verdicts if one.kind != "miss"}
