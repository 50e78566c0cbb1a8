"""What a text asks for: findings, negation, side, zone, size, view, person, devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from cxr.anatomy import HEART_ALONE, LEFT_LUNG, LUNGS, RIGHT_LUNG
from cxr.findings import FINDINGS
from cxr.language.languages import language_of
from cxr.language.negation import ABSENT, POSSIBLE, find_cues, states_of
from cxr.language.person import Person, find_person
from cxr.language.phrases import Found
from cxr.language.reader import Reading, vocabulary

MAX_TEXT = 2_000  # characters
_FIRM_CUES = ("clear of", "clear from", "free of", "free from", "nothing ")
NORMAL, DEVICE = FINDINGS[0], "support devices"
SEVERITIES = ("mild", "mild to moderate", "moderate", "moderate to severe", "severe")
_RANGE_WORDS = frozenset(("to", "or", "up", "-", "\u2013", "/"))  # between the ends of a range
LUNG_FINDINGS = (  # what clear lungs do not show
    "atelectasis",
    "consolidation",
    "edema",
    "emphysema",
    "fibrosis",
    "infiltration",
    "lung lesion",
    "lung opacity",
    "mass",
    "nodule",
    "pneumonia",
)


@dataclass(frozen=True)
class Query:
    """What a text asks for; every part is empty or None where the text does not speak of it.

    Attributes:
        text: as typed.
        present: findings of cxr.findings.FINDINGS asked for, in order of mention; "no finding" for
            a normal image.
        absent: findings excluded; "no finding" for an image that is not normal.
        uncertain: findings in doubt, as in "rule out pneumonia".
        normal: whether a normal image is asked for.
        side: the patient's "right", "left" or "both".
        zone: "upper", "middle" or "lower" third of the lung.
        severity: one of SEVERITIES; words for size are mapped to these.
        view: one of cxr.findings.VIEWS.
        sex: "F" or "M".
        age_min, age_max: in whole years, both included.
        devices: kinds of devices, "tubes and lines" where the kind is open.
        anatomy: names of cxr.anatomy, or "pleura", "bones", "diaphragm", "hilum", "soft tissues".
        other: known terms that are no finding, such as "sarcoidosis".
        kinds: (term of `other`, finding) where a finding stands for the term in labels: edema for
            heart failure.
        unknown: words not understood, as typed.
        corrections: (as typed, as read) for each misspelled word.
        contradictions: findings both asked for and excluded.
        language: ISO 639-1 code; "en" unless the text is clearly in another.
    """

    text: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    normal: bool = False
    side: str | None = None
    zone: str | None = None
    severity: str | None = None
    view: str | None = None
    sex: str | None = None
    age_min: int | None = None
    age_max: int | None = None
    devices: tuple[str, ...] = ()
    anatomy: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()
    contradictions: tuple[str, ...] = ()
    language: str = "en"

    @property
    def understood(self) -> bool:
        """Whether the text asks for anything that a study's labels or person can answer."""
        return bool(
            self.present
            or self.absent
            or self.uncertain
            or self.view
            or self.sex
            or self.age_min is not None
            or self.age_max is not None
        )


def parse(text: str) -> Query:
    """What a text asks for.

    Args:
        text: at most 2,000 characters, in any case, order and spelling.

    Raises:
        ValueError: the text is empty or too long.
    """
    if not isinstance(text, str):
        raise ValueError(f"expected a text, got {type(text).__name__}; type a finding or a place")
    if not text.strip():
        raise ValueError("expected a text, got an empty one; type a finding or a place")
    if len(text) > MAX_TEXT:
        raise ValueError(
            f"expected a text of at most {MAX_TEXT:,} characters, got {len(text):,}; shorten it"
        )
    return _parse(text)


def asked_for(text: str, findings: Iterable[str]) -> set[str]:
    """Those of `findings` that a text asks for or thinks possible; none for an empty text."""
    if not text.strip():
        return set()
    query = parse(text[:MAX_TEXT])
    return set(findings).intersection((*query.present, *query.uncertain))


@lru_cache(1024)
def _parse(text: str) -> Query:
    reading = Reading(text)
    query = _query_of(reading)
    if query.unknown and 2 * len(query.unknown) >= reading.word_count:
        language = language_of(reading.plain)
        if language != "en":
            return replace(_query_of(Reading(text, foreign=True)), language=language)
    return query


def _query_of(reading: Reading) -> Query:
    words = vocabulary()
    cues = find_cues(reading.text)
    firm = [cue for cue in cues if reading.text[cue.start : cue.end].startswith(_FIRM_CUES)]
    cued = {spot for cue in cues for spot in reading.spots_in(cue.start, cue.end)}
    barred = [spot for cue in firm for spot in reading.spots_in(cue.start, cue.end)]
    found = words.phrases.find(reading.tokens, barred)
    person, person_spans = find_person(reading.blanked(found))
    for one in found:
        reading.used.update(one.spots)
    places = [
        Found((spot,), False, ())
        for spot, token in enumerate(reading.tokens)
        if words.is_place(token.word) and not (spot in cued and len(token.word) == 1)
    ]
    mentions = sorted((*found, *places), key=lambda one: one.spots)
    states = states_of(reading.text, [reading.span_of(one.spots) for one in mentions], cues)
    claims = _Claims()
    kept: list[int] = []
    for one, state in zip(mentions, states):
        if not one.meanings and state != ABSENT:
            kept += one.spots
        claims.add_kinds(one.meanings, ABSENT if one.denied else state)
        for kind, name in one.meanings:
            said = ABSENT if one.denied else state
            if said == ABSENT and (name, reading.stems(one.spots)) in words.narrower:
                claims.narrower.append((name, reading.typed(one.spots)))
            else:
                claims.add(kind, name or reading.typed(one.spots), said)
    claims.settle_narrower()
    said_of_person = {spot for span in person_spans for spot in reading.spots_in(*span)}
    place = _place(reading, [spot for spot in kept if spot not in said_of_person])
    reading.used.update(said_of_person | cued)
    exempt = any(cue.kind == "break" for cue in cues)
    return _built(reading, claims, person, place, exempt)


class _Claims:
    """What the phrases of a text say, each list in order of mention."""

    def __init__(self) -> None:
        self.lists: dict[str, list[str]] = {}
        self.kinds: list[tuple[str, str]] = []
        self.clear_lungs = False
        self.narrower: list[tuple[str, str]] = []  # denied kinds and signs of a finding, as read
        self.aside: tuple[str, ...] = ()  # those that were left aside

    def settle_narrower(self) -> None:
        """A denied kind of a finding denies the finding, or is left aside where that is asked for.

        "COPD but no bullae" asks for emphysema, and no label knows bullae.
        """
        asked = {*self.get("present"), *self.get("uncertain")}
        self.aside = tuple(words for name, words in self.narrower if name in asked)
        for name, _ in self.narrower:
            if name not in asked:
                self.add("finding", name, ABSENT)

    def add_kinds(self, meanings: Iterable[tuple[str, str]], state: str) -> None:
        """Note which findings stand for which other terms in one mention."""
        if state != ABSENT:
            findings = [name for kind, name in meanings if kind == "finding"]
            terms = [name for kind, name in meanings if kind == "other" and name]
            self.kinds += [(term, finding) for term in terms for finding in findings]

    def add(self, kind: str, name: str, state: str) -> None:
        """Take in one mention. kind: as the vocabulary names it."""
        if kind in ("finding", "second finding"):
            self._note({ABSENT: "absent", POSSIBLE: "uncertain"}.get(state, "present"), name)
        elif kind == "clear lungs" and state != ABSENT:
            self.clear_lungs = True
            self._note("normal", NORMAL)
            self._note("anatomy", LUNGS)
        elif kind in ("normal", "clear lungs"):
            self._note("absent" if state == ABSENT else "normal", NORMAL)
        elif kind == "excluded" and name == NORMAL:
            self._note("normal" if state == ABSENT else "abnormal", NORMAL)
        elif kind == "excluded":
            self._note("uncertain" if state == ABSENT else "absent", name)
            if name == "cardiomegaly":  # a normal heart is a heart, too
                self._note("anatomy", HEART_ALONE)
        elif state != ABSENT:
            self._note(kind, name)
        if kind == "device" and DEVICE not in self.get("present") and state != ABSENT:
            self._note("uncertain" if state == POSSIBLE else "present", DEVICE)
        elif kind == "device" and state == ABSENT:
            self._note("absent", DEVICE)

    def _note(self, kind: str, name: str) -> None:
        listed = self.lists.setdefault(kind, [])
        if name not in listed:
            listed.append(name)

    def get(self, kind: str) -> tuple[str, ...]:
        """What was noted of a kind."""
        return tuple(self.lists.get(kind, ()))


def _built(
    reading: Reading,
    claims: _Claims,
    person: Person,
    place: tuple[str | None, str | None, str | None],
    exempt: bool,
) -> Query:
    side, zone, severity = place
    shown = [name for name in claims.get("present") if name != DEVICE]
    present, absent = list(claims.get("present")), list(claims.get("absent"))
    uncertain = [name for name in claims.get("uncertain") if name not in present]
    normal = bool(claims.get("normal"))
    contradictions = [n for n in (*present, *uncertain) if n in absent]
    if normal and (shown or uncertain):
        normal = False
        if claims.clear_lungs:
            raised = {*present, *uncertain, *absent}
            absent += [name for name in LUNG_FINDINGS if name not in raised]
        elif not exempt:
            contradictions.append(NORMAL)
    if normal:
        present.insert(0, NORMAL)
        if NORMAL in absent:
            contradictions.append(NORMAL)
    elif claims.get("abnormal") and not shown and not uncertain and NORMAL not in absent:
        absent.append(NORMAL)
    views = set(claims.get("view"))
    views -= {"frontal"} if views & {"PA", "AP"} else set()
    return Query(
        text=reading.typed_text,
        present=tuple(present),
        absent=tuple(absent),
        uncertain=tuple(uncertain),
        normal=normal,
        side=side,
        zone=zone,
        severity=severity,
        view=views.pop() if len(views) == 1 else None,
        sex=person.sex,
        age_min=person.age_min,
        age_max=person.age_max,
        devices=claims.get("device"),
        anatomy=_anatomy(claims.get("anatomy"), side),
        other=claims.get("other"),
        kinds=tuple(dict.fromkeys(claims.kinds)),
        unknown=(*reading.unknown(), *(f"no {words}" for words in claims.aside)),
        corrections=reading.corrections,
        contradictions=tuple(contradictions),
    )


def _anatomy(names: tuple[str, ...], side: str | None) -> tuple[str, ...]:
    lung = {"right": RIGHT_LUNG, "left": LEFT_LUNG}.get(side or "", LUNGS)
    return tuple(lung if name == LUNGS else name for name in names)


def _place(reading: Reading, spots: list[int]) -> tuple[str | None, str | None, str | None]:
    """Side, zone and severity that the words at `spots` name."""
    words = vocabulary()
    named = [reading.tokens[spot].word for spot in spots]
    sides = {side for word in named for side in words.sides.get(word, ())}
    zones = {zone for word in named for zone in words.zones.get(word, ())}
    sizes = [
        spot
        for spot in spots
        if spot not in reading.used and reading.tokens[spot].word in words.sizes
    ]
    side = "both" if "both" in sides or len(sides) > 1 else next(iter(sides), None)
    return side, next(iter(zones)) if len(zones) == 1 else None, _severity(reading, sizes)


def _severity(reading: Reading, spots: list[int]) -> str | None:
    """The first of SEVERITIES that size words at `spots` name; of a range what lies between."""
    if not spots:
        return None
    sizes = vocabulary().sizes
    levels = [SEVERITIES.index(sizes[reading.tokens[spot].word]) for spot in spots[:2]]
    between = {token.word for token in reading.tokens[spots[0] + 1 : spots[len(levels) - 1]]}
    joined = between and between <= _RANGE_WORDS
    return SEVERITIES[sum(levels) // 2 if joined else levels[0]]
