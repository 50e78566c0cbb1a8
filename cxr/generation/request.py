"""What a text asks a generator to draw, what of it cannot be drawn, and what is left open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from cxr.findings import FINDINGS
from cxr.generation.condition import Condition, ConditionFormat
from cxr.generation.heart_ratio import (
    CARDIOMEGALY,
    ENLARGED,
    FORMS,
    HEART_RATIOS,
    NORMAL_RATIO,
    RATIO_OF_SEVERITY,
    names_heart_ratio,
    read_heart_ratio,
    usual_heart_ratio,
)
from cxr.language import Query, describe, parse

NORMAL, DEVICES = FINDINGS[0], "support devices"
# 1 is as clear as in a typical image with the finding; what is asked for should be seen.
SEVERITY = {
    None: 1.6,
    "mild": 0.8,
    "mild to moderate": 1.0,
    "moderate": 1.2,
    "moderate to severe": 1.6,
    "severe": 2.0,
}
POSSIBLE = SEVERITY["mild"]  # a finding that a text only suspects
# A group of findings is drawn as the first of its members that the text does not exclude.
GROUPS = {
    "lung opacity": (
        *("consolidation", "infiltration", "atelectasis", "edema", "pneumonia"),
        *("mass", "nodule"),
    ),
    "lung lesion": ("mass", "nodule"),
    "pleural other": ("pleural thickening",),
}
AGES = (16, 95)  # years that are drawn where they are asked for
AGE_SPREAD = NormalDist(50, 15)  # of images whose age is left open
USUAL_AGES = (20, 85)
SHARE_OF_WOMEN, SHARE_OF_AP = 0.5, 0.3
_STREAM = 1  # parts these random numbers from those of the noise
_MOST_EXCLUDED = 3  # exclusions that are listed one by one
# Words for size that cxr.language reads as part of a finding's name.
_SIZES = {"tiny": "mild", "small": "mild", "huge": "severe", "massive": "severe"}
_CLAUSE = re.compile(r"[,;.+&\n]|\b(?:and|with|plus|but|or)\b", re.IGNORECASE)
# A range of severities, which is no choice between clauses.
_RANGE = re.compile(r"\b(mild|small|moderate|medium) or (?=moderate|medium|severe|large)", re.I)
_ELSEWHERE = frozenset(
    "ankle arm brain colon dental ear elbow femur finger foot hand head hip jaw kidney knee leg "
    "liver nose pelvis prostate skull toe tooth wrist".split()
)
# Places that a finding or the heart ratio draws when it is drawn.
_SHOWN_ANYWAY = ("lungs", "right lung", "left lung", "heart", "heart and mediastinum", "pleura")


@dataclass(frozen=True)
class DrawingRequest:
    """What a text asks for.

    Attributes:
        text: as typed.
        severities: of the findings drawn, in order of mention; every other one is absent.
        heart_ratio: cardiothoracic ratio asked for; None where it is left open.
        ages: lowest and highest age asked for, in years; None where it is left open.
        sex: "F" or "M"; None where it is left open.
        view: "PA" or "AP"; None where it is left open.
        findings: the findings drawn, in words, such as "severe cardiomegaly", or "heart failure
            (drawn as edema)" where a finding stands for what was asked for.
        excluded: those that the text excludes, in words.
        person: who is drawn, in words; "" where nobody is named.
        not_drawn: what the text says and no image will show.
        doubtful: by finding drawn, as Sampler.doubtful.
    """

    text: str
    severities: Mapping[str, float]
    heart_ratio: float | None = None
    ages: tuple[int, int] | None = None
    sex: str | None = None
    view: str | None = None
    findings: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    person: str = ""
    not_drawn: tuple[str, ...] = ()
    doubtful: Mapping[str, float] = field(default_factory=dict)

    @property
    def drawn(self) -> tuple[str, ...]:
        """Everything that is drawn, in words: findings, heart ratio, person, view."""
        asked = self.heart_ratio  # films fall short of the extremes, by the model card
        ratio = () if asked is None else (f"heart ratio towards {asked:.2f}",)
        shown = (*self.findings, *self.excluded, *ratio) or (NORMAL,)
        view = (f"{self.view} view",) if self.view else ()
        return (*shown, *((self.person,) if self.person else ()), *view)

    @property
    def left_open(self) -> tuple[str, ...]:
        """What varies from image to image, in words."""
        parts = {"age": self.ages, "sex": self.sex, "view": self.view, "size": self.heart_ratio}
        words = {"size": "heart size within its range"}
        return tuple(words.get(name, name) for name, said in parts.items() if said is None)

    @property
    def title(self) -> str:
        """The findings and the heart ratio alone, in words."""
        ratio = () if self.heart_ratio is None else (f"heart ratio {self.heart_ratio:.2f}",)
        return ", ".join((*self.findings, *ratio)) or NORMAL

    @property
    def start(self) -> str:
        """The text of a normal image of the same person in the same view."""
        return ", ".join(filter(None, (NORMAL, self.person, self.view and f"{self.view} view")))

    @property
    def start_title(self) -> str:
        """What a normal image lacks of this one: "no cardiomegaly"; "no finding" for several."""
        return f"no {next(iter(self.severities))}" if len(self.severities) == 1 else NORMAL

    def condition(self, index: int, seed: int, truncation: float = 1.0) -> Condition:
        """Image `index` of a seed; what the text leaves open varies from image to image.

        Age is drawn from N(50, 15) within 20 to 85 years, or evenly between the ages asked for;
        half of the images are of women and 30% AP; the heart ratio follows the severity of
        cardiomegaly with a standard deviation of 0.02. Requests of one seed draw alike.

        Args:
            index: 0 or more.
            seed: 0 or more.
            truncation: 0 to 1, scales all of this; 0 makes every image alike.
        """
        random = np.random.default_rng([seed, index, _STREAM])
        of_age, of_ratio = random.standard_normal(2) * truncation
        of_sex, of_view = random.random(2)
        return Condition(
            self.severities,
            self.heart_ratio
            if self.heart_ratio is not None
            else usual_heart_ratio(self.severities, float(of_ratio)),
            self._age(float(of_age)),
            self.sex or ("F" if of_sex < SHARE_OF_WOMEN * truncation else "M"),
            self.view or ("AP" if of_view < SHARE_OF_AP * truncation else "PA"),
        )

    def _age(self, deviation: float) -> float:
        """An age in years that stands `deviation` standard deviations from the usual one."""
        if self.ages is None:
            low, high = USUAL_AGES
            return min(max(AGE_SPREAD.mean + AGE_SPREAD.stdev * deviation, low), high)
        low, high = self.ages
        return low + (high - low) * NormalDist().cdf(deviation)


def drawable(format: ConditionFormat) -> str:
    """What can be drawn, in words."""
    low, high = HEART_RATIOS
    return (
        f"findings ({', '.join(format.findings)}), a heart ratio from {low} to {high}, adults of "
        f"{AGES[0]} to {AGES[1]} years, female or male, in a PA or AP view"
    )


def read_request(text: str, format: ConditionFormat) -> DrawingRequest:
    """Read what a text asks to draw.

    Args:
        text: at most 2,000 characters.
        format: what the generator draws.

    Raises:
        ValueError: an empty or overlong text, or one that names nothing that can be drawn: another
            view or body part, a child, findings or words that the generator does not know. The
            message lists what can be drawn.
    """
    query = parse(text)
    ratio, rest = _heart_ratio(text, format)
    if rest != text:
        query = parse(rest) if rest.strip(" ,.") else Query(text="")
    _refuse_elsewhere(query, format)
    ages = _ages(query, format)
    severities, findings, missing, other = _findings(query, rest, ratio, format)
    asked_normal = query.normal or bool(set(query.absent) - {NORMAL})
    asked_more = bool(missing or query.other or query.unknown or NORMAL in query.absent)
    person = bool(query.sex or query.view or query.age_min is not None or query.age_max is not None)
    if not (severities or ratio is not None or asked_normal or (person and not asked_more)):
        wanted = f"a heart ratio in figures, such as {FORMS}" if names_heart_ratio(text) else ""
        raise _refusal(f"{wanted or 'something that can be drawn'}, got {_short(text)}", format)
    excluded = [f"no {name}" for name in query.absent if name in format.findings]
    return DrawingRequest(
        text,
        severities,
        ratio,
        ages,
        query.sex,
        query.view if query.view != "frontal" else None,
        tuple(findings),
        tuple(excluded) if len(excluded) <= _MOST_EXCLUDED else (),
        _person(query, ages),
        tuple(dict.fromkeys((*missing, *_not_drawn(replace(query, other=other), severities)))),
    )


def _refusal(expected: str, format: ConditionFormat) -> ValueError:
    return ValueError(f"expected {expected}; ask for {drawable(format)}")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 60 else words[:59].rstrip() + "…")


def _heart_ratio(text: str, format: ConditionFormat) -> tuple[float | None, str]:
    """The cardiothoracic ratio that a text asks for, and the text without it."""
    asked = read_heart_ratio(text)
    if asked.words and asked.value is None:
        low, high = HEART_RATIOS
        raise _refusal(
            f"a heart ratio from {low} to {high}, such as {FORMS}, got {asked.words!r}", format
        )
    return asked.value, asked.rest


def _refuse_elsewhere(query: Query, format: ConditionFormat) -> None:
    """Raise ValueError for another view or body part, or for what is asked for and excluded."""
    if query.view == "lateral":
        raise _refusal("a frontal view, got a lateral view", format)
    for term in query.other:
        if not _ELSEWHERE.isdisjoint(term.split()):
            raise _refusal(f"a chest, got {term!r}", format)
    for name in query.contradictions:
        if name != NORMAL:
            raise _refusal(f"{name} to be asked for or excluded, got both", format)


def _findings(
    query: Query, text: str, ratio: float | None, format: ConditionFormat
) -> tuple[dict[str, float], list[str], list[str], tuple[str, ...]]:
    """Severities of the findings drawn, the same in words, and the findings that are not drawn.

    Last, the terms beside findings (Query.other) for which no finding is drawn.
    """
    words = _severity_words(query, text)
    asked = [name for name in (*query.present, *query.uncertain) if name != NORMAL]
    severities: dict[str, float] = {}
    said: dict[str, str] = {}
    told: set[str] = set()
    missing = []
    for name in asked:
        members = GROUPS.get(name, (name,))
        if name in GROUPS and set(asked).intersection(members):
            continue
        allowed = (one for one in members if one in format.findings and one not in query.absent)
        if (shown := next(allowed, None)) is None:
            if name != DEVICES or not query.devices:
                missing.append(name)
            continue
        word = words.get(name)
        doubted = name in query.uncertain
        severities[shown] = POSSIBLE if doubted and word is None else SEVERITY[word]
        kinds = [term for term, finding in query.kinds if finding == name]
        told.update(kinds)
        asked_as = " and ".join(kinds) or name
        said[shown] = " ".join(filter(None, ("possible" if doubted else "", word, asked_as)))
        if shown != asked_as:
            said[shown] += f" (drawn as {shown})"
    if _implies_cardiomegaly(query, ratio, severities, format):
        assert ratio is not None
        severity = round((ratio - NORMAL_RATIO) / RATIO_OF_SEVERITY, 2)
        severities[CARDIOMEGALY] = min(severity, SEVERITY["severe"])
        said[CARDIOMEGALY] = CARDIOMEGALY
    left = tuple(term for term in query.other if term not in told)
    return severities, list(said.values()), missing, left


def _implies_cardiomegaly(
    query: Query, ratio: float | None, drawn: Mapping[str, float], format: ConditionFormat
) -> bool:
    known = CARDIOMEGALY in format.findings and CARDIOMEGALY not in (*drawn, *query.absent)
    return known and ratio is not None and ratio > ENLARGED


def _severity_words(query: Query, text: str) -> dict[str, str | None]:
    """The word for severity that stands beside each finding: "mild effusion, severe edema"."""
    words: dict[str, str | None] = {}
    last: list[str] = []
    waiting: str | None = None
    for clause in filter(str.strip, _CLAUSE.split(_RANGE.sub(r"\1 to ", text))):
        part = parse(clause)
        sizes = (_SIZES[word] for word in clause.lower().split() if word in _SIZES)
        said = part.severity or next(sizes, None)
        named = [name for name in (*part.present, *part.uncertain) if name != NORMAL]
        if not named and said and last and all(words[name] is None for name in last):
            words.update(dict.fromkeys(last, said))
        elif not named:
            waiting = said or waiting
        else:
            last, severity, waiting = named, said or waiting, None
            words.update((name, severity) for name in named if words.get(name) is None)
    if query.severity and not any(words.values()):
        return dict.fromkeys((*query.present, *query.uncertain), query.severity)
    return words


def _ages(query: Query, format: ConditionFormat) -> tuple[int, int] | None:
    """The ages to draw; None where none is asked for. Raises ValueError for a child."""
    low, high = query.age_min, query.age_max
    if low is None and high is None:
        return None
    youngest, oldest = AGES
    child = high is not None and high < 18 and (low is None or low < youngest)
    if child or (low is not None and low > oldest):
        got = "a child" if child else f"{low} years"
        raise _refusal(f"an adult of {youngest} to {oldest} years, got {got}", format)
    low = max(low, youngest) if low is not None else min(USUAL_AGES[0], high or youngest)
    high = min(high, oldest) if high is not None else min(max(USUAL_AGES[1], low + 5), oldest)
    return low, high


def _person(query: Query, ages: tuple[int, int] | None) -> str:
    """Who is drawn, in words that cxr.language.parse reads back."""
    if ages is None:
        return {"F": "woman", "M": "man", None: ""}[query.sex]
    low, high = ages
    person = Query(
        text="",
        sex=query.sex,
        age_min=None if query.age_min is None else low,
        age_max=None if query.age_max is None else high,
    )
    return next((chip.label for chip in describe(person) if chip.field == "person"), "")


def _not_drawn(query: Query, severities: Mapping[str, float]) -> Iterator[str]:
    """What a query says beside findings, person and view."""
    kept = ("devices", "other", "anatomy", "side", "zone")
    anyway: Iterable[str] = _SHOWN_ANYWAY if severities or query.absent or query.normal else ()
    for chip in describe(query):
        if chip.field in kept and chip.value not in anyway:
            yield chip.label
    if query.severity and not severities:
        yield query.severity
    if NORMAL in query.contradictions:
        yield "normal"
    yield from query.unknown
