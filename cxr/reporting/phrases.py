"""Sentences for reports: each finding as present, likely, possible and absent, and what is normal.

They come with and without side and severity. They are written for this project, so that they may
be shown and shipped; every sentence says about the findings exactly what its `claims` hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from cxr.reporting.claims import ABSENT, ACUTE, LUNGS, POSSIBLE, PRESENT

SIDES = ("left", "right", "bilateral")
BANK = "phrase bank"
_LIKELY = re.compile(r"\b(?:likely|probabl[ey])\b", re.I)


@dataclass(frozen=True)
class Phrase:
    """A sentence of a report.

    Attributes:
        text: the sentence.
        claims: pairs of a finding and PRESENT, POSSIBLE or ABSENT.
        side: one of SIDES or "".
        severity: a word such as "small", or "".
        source: BANK, or the corpus that it was found in.
        origin: the report of that corpus, "" for our own.
    """

    text: str
    claims: tuple[tuple[str, str], ...]
    side: str = ""
    severity: str = ""
    source: str = BANK
    origin: str = ""

    @property
    def neutral(self) -> bool:
        """Whether it leaves side and severity open."""
        return not self.side and not self.severity

    @property
    def likely(self) -> bool:
        """Whether it calls a finding likely: neither a fact nor merely possible."""
        return bool(_LIKELY.search(self.text))


@dataclass(frozen=True)
class Wording:
    """How a finding is put into words.

    Attributes:
        name: with its article, as in "there may be {name}".
        present: sentences that state it.
        sided: a pattern for a side; "" for findings without one.
        bilateral: that pattern for both sides.
        severities: words that go before the name.
    """

    name: str
    present: tuple[str, ...]
    sided: str = ""
    bilateral: str = ""
    severities: tuple[str, ...] = ()


WORDINGS: dict[str, Wording] = {
    "cardiomegaly": Wording(
        "cardiomegaly",
        ("The heart is enlarged.", "There is cardiomegaly."),
        severities=("mild", "moderate", "marked"),
    ),
    "edema": Wording(
        "pulmonary edema",
        ("There is pulmonary edema.", "The vascular markings are blurred, as in edema."),
        severities=("mild", "moderate", "severe"),
    ),
    "consolidation": Wording(
        "a consolidation",
        ("There is a consolidation.", "An area of lung is consolidated."),
        "{severity} consolidation in the {side} lung",
        "{severity} consolidation in both lungs",
        ("patchy", "dense"),
    ),
    "pneumonia": Wording(
        "pneumonia",
        ("There is pneumonia.", "The shadowing has the pattern of pneumonia."),
        "{severity} pneumonia in the {side} lung",
        "{severity} pneumonia in both lungs",
        ("focal", "widespread"),
    ),
    "atelectasis": Wording(
        "atelectasis",
        ("There is atelectasis.", "Part of a lung shows atelectasis."),
        "{severity} atelectasis at the {side} base",
        "{severity} atelectasis at both bases",
        ("slight", "linear", "marked"),
    ),
    "pneumothorax": Wording(
        "a pneumothorax",
        ("There is a pneumothorax.", "Air in the pleural space: a pneumothorax."),
        "{severity} {side} pneumothorax",
        "{severity} bilateral pneumothoraces",
        ("small", "large"),
    ),
    "pleural effusion": Wording(
        "a pleural effusion",
        ("There is a pleural effusion.", "Pleural fluid is seen."),
        "{severity} {side} pleural effusion",
        "{severity} bilateral pleural effusions",
        ("small", "moderate", "large"),
    ),
    "infiltration": Wording(
        "an infiltrate",
        ("There is an infiltrate.", "The lungs show infiltration."),
        "{severity} infiltrate in the {side} lung",
        "{severity} infiltrates in both lungs",
        ("faint", "patchy", "extensive"),
    ),
    "emphysema": Wording(
        "emphysema",
        ("There is emphysema.", "The lungs look emphysematous."),
        severities=("mild", "advanced"),
    ),
    "fibrosis": Wording(
        "fibrosis",
        ("There is fibrosis.", "The lungs show fibrotic change."),
        "{severity} fibrosis in the {side} lung",
        "{severity} fibrosis in both lungs",
        ("mild", "advanced"),
    ),
    "pleural thickening": Wording(
        "pleural thickening",
        ("There is pleural thickening.", "The pleura is thickened: pleural thickening."),
        "{severity} {side} pleural thickening",
        "{severity} bilateral pleural thickening",
        ("slight", "marked"),
    ),
    "nodule": Wording(
        "a nodule",
        ("There is a nodule in the lung.", "A lung nodule is seen."),
        "{severity} nodule in the {side} lung",
        "{severity} nodules in both lungs",
        ("small", "ill-defined"),
    ),
    "mass": Wording(
        "a mass",
        ("There is a mass in the lung.", "A mass is seen."),
        "{severity} mass in the {side} lung",
        "{severity} masses in both lungs",
        ("large", "lobulated"),
    ),
    "hernia": Wording(
        "a hernia through the diaphragm",
        ("There is a hernia through the diaphragm.", "A hiatal hernia is seen."),
        severities=("small", "large"),
    ),
}
NORMAL: tuple[Phrase, ...] = (
    Phrase("The lungs are clear.", tuple((name, ABSENT) for name in LUNGS)),
    Phrase("Both lungs are clear.", tuple((name, ABSENT) for name in LUNGS)),
    Phrase("The heart size is normal.", (("cardiomegaly", ABSENT),)),
    Phrase("The heart is not enlarged.", (("cardiomegaly", ABSENT),)),
    Phrase("No acute cardiopulmonary abnormality.", tuple((name, ABSENT) for name in ACUTE)),
)


def _sentence(text: str) -> str:
    words = " ".join(text.split())
    return words[0].upper() + words[1:] + "."


def _sided(finding: str, wording: Wording) -> list[Phrase]:
    """Every side with every severity, and each of both alone."""
    phrases = []
    for severity in ("", *wording.severities):
        for side in SIDES if wording.sided else ():
            pattern = wording.bilateral if side == "bilateral" else wording.sided
            text = pattern.format(severity=severity, side=side).strip()
            phrases += _in_every_mood(finding, text, side, severity)
        if severity and not wording.sided:
            text = f"{severity} {wording.name.removeprefix('a ')}"
            phrases += _in_every_mood(finding, text, "", severity)
    return phrases


def _in_every_mood(finding: str, text: str, side: str, severity: str) -> list[Phrase]:
    return [
        Phrase(_sentence(f"{mood} {text}"), ((finding, state),), side, severity)
        for mood, state in (("", PRESENT), ("likely", POSSIBLE), ("possible", POSSIBLE))
    ]


@cache
def phrase_bank() -> tuple[Phrase, ...]:
    """Every sentence of our own."""
    phrases: list[Phrase] = list(NORMAL)
    for finding, wording in WORDINGS.items():
        plain = wording.name.removeprefix("a ").removeprefix("an ")
        phrases += [Phrase(text, ((finding, PRESENT),)) for text in wording.present]
        phrases += [
            Phrase(f"There may be {wording.name}.", ((finding, POSSIBLE),)),
            Phrase(f"Possible {plain}.", ((finding, POSSIBLE),)),
            Phrase(f"Likely {plain}.", ((finding, POSSIBLE),)),
            Phrase(f"{_sentence(wording.name)[:-1]} is likely.", ((finding, POSSIBLE),)),
            Phrase(f"No {plain}.", ((finding, ABSENT),)),
            Phrase(f"No evidence of {plain}.", ((finding, ABSENT),)),
        ]
        phrases += _sided(finding, wording)
    return tuple(phrases)
