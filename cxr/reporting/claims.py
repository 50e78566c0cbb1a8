"""What a sentence of a report says about each finding: present, possible or absent.

Mentions are those of CheXpert's labeller (Irvin et al. 2019) and more; whether one is denied or in
doubt is decided by cxr.language. Sentences that call a structure normal deny what would make it
abnormal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cxr.language import ABSENT, POSSIBLE, PRESENT, states_of

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
# What a report leaves open, or did not look at, it says nothing about.
_OPEN = re.compile(r"\bnot (?:been )?assessed\b|\bnot sure either way\b", re.I)
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
    if _OPEN.search(sentence):
        return found
    for pattern, denied in _NORMAL:
        if pattern.search(sentence):
            found.update(dict.fromkeys(denied, ABSENT))
    text = sentence.lower()
    mentions = sorted(
        (*match.span(), name)
        for name, pattern in _MENTION.items()
        for match in pattern.finditer(text)
    )
    states = states_of(text, [(start, end) for start, end, _ in mentions], report=True)
    for (_, _, name), state in zip(mentions, states):
        if name not in found or _STRENGTH[state] > _STRENGTH[found[name]]:
            found[name] = state
    return found


def labels_of_text(text: str) -> dict[str, str]:
    """A whole report -> the strongest claim that it makes about each finding."""
    found: dict[str, str] = {}
    for sentence in sentences(text):
        for name, state in claims_of(sentence).items():
            if name not in found or _STRENGTH[state] > _STRENGTH[found[name]]:
                found[name] = state
    return found


def contradictions(claims: Iterable[Mapping[str, str]]) -> list[str]:
    """Find what one sentence denies while another, or the same, says it is there or may be.

    Args:
        claims: one mapping a sentence, as `claims_of` gives it.

    Returns:
        The findings, sorted; empty when the text agrees.
    """
    denied: set[str] = set()
    raised: set[str] = set()
    for one in claims:
        for name, state in one.items():
            (denied if state == ABSENT else raised).add(name)
    return sorted(denied & raised)
