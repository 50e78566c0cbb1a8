"""What a sentence of a report says about each finding: present, possible or absent.

Rules in the manner of NegEx (Chapman et al. 2001) and of CheXpert's labeller (Irvin et al. 2019):
a mention counts for the clause that it stands in, and words before it in that clause negate it or
put it in doubt. Sentences that call a structure normal deny what would make it abnormal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PRESENT, POSSIBLE, ABSENT = "present", "possible", "absent"

# Finding -> words that mean it; the longer ones hide the shorter that they contain.
MENTIONS: dict[str, str] = {
    "atelectasis": r"atelecta\w+|(?:volume loss|loss of volume)|collapse of (?:the|a) \w*\s?lobe",
    "cardiomegaly": r"cardiomegaly|(?:enlarged|large|big) (?:heart|cardiac silhouette)"
    r"|(?:heart|cardiac silhouette|heart size|cardiac size) (?:is |appears )?"
    r"(?:\w+ly )?enlarged|(?:enlargement|enlarged size) of the (?:heart|cardiac)",
    "consolidation": r"consolidat\w+",
    "edema": r"o?edema",
    "emphysema": r"emphysem\w+",
    "fibrosis": r"fibro(?:sis|tic)|honeycombing",
    "hernia": r"hernia\w*",
    "infiltration": r"infiltrat\w+|interstitial (?:opacit\w+|markings)",
    "lung lesion": r"lung lesions?",
    "lung opacity": r"opacit\w+|opacification\w*|airspace disease",
    "mass": r"mass(?:es)?",
    "nodule": r"nodul\w+",
    "pleural effusion": r"(?<!pericardial )(?:pleural )?effusions?|pleural fluid"
    r"|blunt\w* (?:of )?(?:the )?(?:\w+ )?costophrenic",
    "pleural thickening": r"pleural(?: \w+)? thickening|thickened pleura|thickening of the pleura",
    "pneumonia": r"pneumonia|bronchopneumonia",
    "pneumothorax": r"(?:hydro)?pneumothora(?:x|ces)",
}
LUNGS = (
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
ACUTE = ("consolidation", "edema", "pleural effusion", "pneumonia", "pneumothorax")
# A sentence that calls something normal -> what it denies.
NORMAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"lungs? (?:are |is |appear |fields are )?(?:\w+ ){0,4}clear|clear lungs", LUNGS),
    (
        r"(?:heart|cardiac|cardiomediastinal)[^.;]*(?:normal|not enlarged|unremarkable)"
        r"|normal (?:heart|cardiac)",
        ("cardiomegaly",),
    ),
    (
        r"no (?:evidence of )?(?:active |acute )(?:\w+ )?(?:cardiopulmonary|disease|pulmonary)"
        r"|(?:normal|negative) chest",
        ACUTE,
    ),
)
_BREAK = re.compile(r"[.;:]\s+|[.;]$|\bbut\b|\bhowever\b|\balthough\b|\bwhich may\b", re.I)
_DENIED = re.compile(
    r"\b(?:no|not|without|free of|clear of|absence of|negative for|neither|never|resolved)\b", re.I
)
_UNDENIED = re.compile(r"\b(?:not (?:be )?exclude|no change|not (?:\w+ )?changed|no longer)", re.I)
_DOUBTED = re.compile(
    r"\b(?:possibl[ey]|probabl[ey]|may|might|could|suggest\w*|suspicious|suspected|versus|vs"
    r"|question\w*|exclude|uncertain|unsure|likely|perhaps|suspicion|concern\w*)\b",
    re.I,
)
_DOUBTED_AFTER = re.compile(
    r"^[^,]{0,40}\b(?:(?:is|are) (?:possible|suspected|questioned)"
    r"|(?:cannot|can not|not) (?:be )?(?:\w+ )?excluded)\b",
    re.I,
)
_DENIED_AFTER = re.compile(
    r"^[^,.;]{0,30}\b(?:is|are|was) (?:not|no longer) (?:seen|identified|present|evident)\b", re.I
)
_MENTION = {name: re.compile(rf"\b(?:{words})\b", re.I) for name, words in MENTIONS.items()}
_NORMAL = tuple((re.compile(words, re.I), denied) for words, denied in NORMAL)
_STRENGTH = {ABSENT: 0, POSSIBLE: 1, PRESENT: 2}


def sentences(text: str) -> list[str]:
    """A report's text -> its sentences, headings ("Findings:") and list numbers taken off."""
    lines = re.sub(r"(?im)(?:^|\s)(?:findings|impression)\s*:\s*", "\n", text)
    pieces = re.split(r"(?<=[.!?])\s+|\n+", lines)
    clean = (re.sub(r"^[\s.]*(?:\d+[.)]\s*)?", "", piece).strip() for piece in pieces)
    return [piece for piece in clean if len(piece) > 3]


def claims_of(sentence: str) -> dict[str, str]:
    """A sentence -> {finding: PRESENT | POSSIBLE | ABSENT} for the findings that it speaks of."""
    found: dict[str, str] = {}
    for pattern, denied in _NORMAL:
        if pattern.search(sentence):
            found.update(dict.fromkeys(denied, ABSENT))
    for clause in filter(None, _BREAK.split(sentence)):
        for name, pattern in _MENTION.items():
            for match in pattern.finditer(clause):
                state = _state(clause[: match.start()], clause[match.end() :])
                if name not in found or _STRENGTH[state] > _STRENGTH[found[name]]:
                    found[name] = state
    return found


def _state(before: str, after: str) -> str:
    denied = _DENIED.search(_UNDENIED.sub("", before)) or _DENIED_AFTER.search(after)
    if _DOUBTED_AFTER.search(after):
        return POSSIBLE
    if denied:
        return ABSENT
    return POSSIBLE if _DOUBTED.search(before) else PRESENT


def labels_of_text(text: str) -> dict[str, str]:
    """A whole report -> the strongest claim that it makes about each finding."""
    found: dict[str, str] = {}
    for sentence in sentences(text):
        for name, state in claims_of(sentence).items():
            if name not in found or _STRENGTH[state] > _STRENGTH[found[name]]:
                found[name] = state
    return found


def contradictions(claims: Iterable[Mapping[str, str]]) -> list[str]:
    """Findings that one sentence denies while another, or the same, says they are there or may
    be. claims: one mapping a sentence, as `claims_of` gives it. Empty when the text agrees.
    """
    denied: set[str] = set()
    raised: set[str] = set()
    for one in claims:
        for name, state in one.items():
            (denied if state == ABSENT else raised).add(name)
    return sorted(denied & raised)
