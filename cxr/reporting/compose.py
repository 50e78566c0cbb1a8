"""From findings with words to a report that cannot contradict itself.

What is likely or possible is said by a sentence of its own; what is unlikely is denied, unless a
finding akin to it is raised; what is "not sure" is neither said nor denied, but named as open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cxr.reporting.claims import ABSENT, ACUTE, LUNGS, POSSIBLE, PRESENT
from cxr.reporting.phrases import WORDINGS, Phrase
from cxr.retrieval import Match

STATES = {"likely": PRESENT, "possible": POSSIBLE, "not sure": "", "unlikely": ABSENT}
REGIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lungs", LUNGS),
    ("pleura", ("pleural effusion", "pleural thickening", "pneumothorax")),
    ("heart", ("cardiomegaly",)),
    ("diaphragm", ("hernia",)),
)
# Names for much the same shadow: to deny one beside another that is raised would be confusing.
AKIN: tuple[frozenset[str], ...] = (
    frozenset(("consolidation", "pneumonia", "infiltration", "lung opacity")),
    frozenset(("nodule", "mass", "lung lesion")),
    frozenset(("cardiomegaly", "enlarged cardiomediastinum")),
)
LIMITS = "Bones, devices and the mediastinum were not assessed."


@dataclass(frozen=True)
class Sentence:
    """A sentence of the report and what it rests on.

    section: "findings" or "impression". claims: finding -> PRESENT, POSSIBLE or ABSENT.
    probability: of the finding, of the likeliest where some are denied; NaN without claims.
    similarity: cosine of sentence and film, NaN for one put together here. source, origin: as of a
    Phrase. support: similar studies that bear the claims out. prompt: what to ask the heat map
    for, "" where nothing is shown. alternatives: further sentences that say the same with side or
    severity, best first; the model has learned neither, the reader may.
    """

    text: str
    section: str
    claims: Mapping[str, str] = field(default_factory=dict)
    probability: float = float("nan")
    similarity: float = float("nan")
    source: str = ""
    origin: str = ""
    support: tuple[Match, ...] = ()
    prompt: str = ""
    alternatives: tuple[str, ...] = ()


Choose = Callable[[Mapping[str, str]], "tuple[Phrase, float] | None"]


def compose_report(words: Mapping[str, str], choose: Choose) -> list[Sentence]:
    """Findings with their words -> the sentences of a report, Findings first, then Impression.

    words: finding -> "likely", "possible", "not sure" or "unlikely". choose: the sentence that
    makes exactly these claims and fits the film best, with its similarity; None if there is none.
    """
    states = {name: STATES[word] for name, word in words.items()}
    deniable = {name for name in states if _may_deny(name, states)}
    told: list[Sentence] = []
    for region, members in REGIONS:
        raised = [name for name in members if states.get(name) in (PRESENT, POSSIBLE)]
        told += [_said(choose, {name: states[name]}, words[name]) for name in raised]
        known = [name for name in members if name in states]
        told += _denials(region, known, deniable, choose)
    told += _open(states)
    told.append(Sentence(LIMITS, "findings"))
    return told + _impression(states, deniable)


def _may_deny(name: str, states: Mapping[str, str]) -> bool:
    kin = set().union(*(group for group in AKIN if name in group)) | {name}
    return all(states[other] == ABSENT for other in kin if other in states)


def _said(choose: Choose, claims: Mapping[str, str], word: str = "") -> Sentence:
    found = choose(claims)
    if found is None:
        name = next(iter(claims))
        text = _capital(f"{WORDINGS[name].name if name in WORDINGS else name} is {word}.")
        return Sentence(text, "findings", dict(claims))
    phrase, similarity = found
    return Sentence(
        phrase.text,
        "findings",
        dict(phrase.claims),
        similarity=similarity,
        source=phrase.source,
        origin=phrase.origin,
    )


def _denials(
    region: str, known: Sequence[str], deniable: set[str], choose: Choose
) -> list[Sentence]:
    """One sentence that calls the region normal where all of it is, else what can be denied."""
    absent = [name for name in known if name in deniable]
    if region in ("lungs", "heart") and known and len(absent) == len(known):
        found = choose(dict.fromkeys(LUNGS if region == "lungs" else absent, ABSENT))
        if found is not None:
            phrase, similarity = found
            return [
                Sentence(
                    phrase.text,
                    "findings",
                    dict.fromkeys(absent, ABSENT),
                    similarity=similarity,
                    source=phrase.source,
                    origin=phrase.origin,
                )
            ]
    if not absent:
        return []
    names = [_plain(name) for name in absent]
    text = f"No {names[0]}." if len(names) == 1 else (f"No {', '.join(names[:-1])} or {names[-1]}.")
    return [Sentence(text, "findings", dict.fromkeys(absent, ABSENT))]


def _open(states: Mapping[str, str]) -> list[Sentence]:
    names = [_plain(name) for name, state in states.items() if not state]
    if not names:
        return []
    return [Sentence(f"Not sure either way: {', '.join(names)}.", "findings")]


def _impression(states: Mapping[str, str], deniable: set[str]) -> list[Sentence]:
    """What is raised, the likely first; else that nothing is, as far as it can be said."""
    lines = [
        Sentence(
            _capital(f"{'likely' if state == PRESENT else 'possible'} {_plain(name)}."),
            "impression",
            {name: state},
        )
        for state in (PRESENT, POSSIBLE)
        for name, s in states.items()
        if s == state
    ]
    if lines:
        return lines
    acute = [name for name in ACUTE if name in states]
    if acute and all(name in deniable for name in acute):
        return [
            Sentence(
                "No acute cardiopulmonary abnormality is suggested.",
                "impression",
                dict.fromkeys(acute, ABSENT),
            )
        ]
    return [Sentence("No finding is suggested with confidence.", "impression")]


def _plain(name: str) -> str:
    wording = WORDINGS.get(name)
    return wording.name.removeprefix("a ").removeprefix("an ") if wording else name


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def report_text(sentences: Sequence[Sentence]) -> str:
    """The report as text: "Findings: ..." and, on the next line, "Impression: ..."."""
    findings = " ".join(one.text for one in sentences if one.section == "findings")
    impression = [one.text for one in sentences if one.section == "impression"]
    numbered = (
        impression
        if len(impression) == 1
        else [f"{number}. {text}" for number, text in enumerate(impression, 1)]
    )
    return f"Findings: {findings}\nImpression: {' '.join(numbered)}"
