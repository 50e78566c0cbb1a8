"""What the suggested reports say of many images, as arrays, and by which rule a report is judged.

A report is embarrassing when it denies a serious finding that most of the panel saw, calls an image
with one normal, calls a finding likely that nobody saw on an image that the panel read as normal,
or contradicts itself. Else it is right when every finding that it raises was seen by two
of the panel at least, and it raises at least half of the findings that it assesses and most of the
panel saw. All other reports are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxr.reporting import (
    ABSENT,
    LIKELY,
    FilmFeatures,
    Finding,
    Measurements,
    Overall,
    ReportSuggester,
    Sentence,
    claims_of,
    contradictions,
    report_text,
)
from cxr.reporting import sentences as sentences_of

RIGHT, WRONG, EMBARRASSING = "right", "wrong", "embarrassing"
# Findings that a patient may come to harm by when a report denies them.
SERIOUS = (
    "cardiomegaly",
    "consolidation",
    "edema",
    "mass",
    "nodule",
    "pleural effusion",
    "pneumonia",
    "pneumothorax",
)
SEEN_BY = 2  # of the panel, from which on a finding that a report raises is no invention
NORMAL = "looks normal"  # how the impression of a report that calls an image so begins


@dataclass(frozen=True, eq=False)
class Reports:
    """The reports of N images on F findings.

    Attributes:
        texts: N reports.
        chances: float64 [N, F] in [0, 1].
        assessed, suggested, likely: bool [N, F], by the findings' words.
        raised, denied: bool [N, F], by any sentence, as present or possible; as absent.
        normal: bool [N], whether the impression calls the image normal.
        contradictory: bool [N], whether sentences contradict each other, by what they are said to
            claim or by their text.
        overall: float64 [N] in [0, 1], that the image is abnormal as a whole; NaN: nobody judged.
        looks: str [N], the word for it, "" where nobody judged.
    """

    texts: tuple[str, ...]
    chances: np.ndarray
    assessed: np.ndarray
    suggested: np.ndarray
    likely: np.ndarray
    raised: np.ndarray
    denied: np.ndarray
    normal: np.ndarray
    contradictory: np.ndarray
    overall: np.ndarray
    looks: np.ndarray

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        said: Sequence[tuple[Sequence[Finding], Sequence[Sentence]]],
        wholes: Sequence[Overall | None],
    ) -> Reports:
        """From the findings and sentences of N images, and what is said of each as a whole."""
        shape = len(said), len(names)
        chances = np.zeros(shape)
        tables = {
            name: np.zeros(shape, bool)
            for name in ("assessed", "suggested", "likely", "raised", "denied")
        }
        texts, normal, contradictory = [], [], []
        for row, (findings, composed) in enumerate(said):
            for one in findings:
                column = names.index(one.name)
                chances[row, column] = one.probability
                tables["assessed"][row, column] = one.assessed
                tables["suggested"][row, column] = one.suggested
                tables["likely"][row, column] = one.word == LIKELY
            for sentence in composed:
                for name, state in sentence.claims.items():
                    if name in names:
                        kind = "denied" if state == ABSENT else "raised"
                        tables[kind][row, names.index(name)] = True
            text = report_text(composed)
            texts.append(text)
            claims = [one.claims for one in composed]
            read_again = [claims_of(one) for one in sentences_of(text)]
            contradictory.append(bool(contradictions(claims) or contradictions(read_again)))
            normal.append(any(one.text.lower().startswith(NORMAL) for one in composed))
        flags = {"normal": np.array(normal, bool), "contradictory": np.array(contradictory, bool)}
        overall = np.array([np.nan if one is None else one.probability for one in wholes], float)
        looks = np.array(["" if one is None else one.word for one in wholes], str)
        return cls(tuple(texts), chances, **tables, **flags, overall=overall, looks=looks)


def read_images(
    suggester: ReportSuggester, films: FilmFeatures, measured: Sequence[Measurements | None]
) -> Reports:
    """The reports of N images, with what was measured on each."""
    said, wholes = [], []
    for vector, features, one in zip(films.embeddings, films.features, measured):
        findings = suggester.findings(features, one)
        overall = suggester.overall(features, findings)
        said.append((findings, suggester.sentences_for(vector, findings, one, overall)))
        wholes.append(overall)
    return Reports.of(suggester.calibration.findings, said, wholes)


def prior_reports(suggester: ReportSuggester, count: int) -> Reports:
    """The reports of N images that nobody looked at: every finding has its prior probability."""
    findings = suggester.calibration.findings_at_prior()
    blind = np.zeros(suggester.retriever.model.config.dimension, np.float32)
    said = findings, suggester.sentences_for(blind, findings)
    return Reports.of(suggester.calibration.findings, [said] * count, [None] * count)


def verdicts(
    reports: Reports,
    serious: np.ndarray,
    votes: np.ndarray,
    majority: np.ndarray,
    abnormal: np.ndarray,
) -> np.ndarray:
    """Judge N reports by the rule above.

    Args:
        reports: of N images on the F findings of the panel.
        serious: bool [F], which findings are.
        votes: float [N, F], how many of the panel saw a finding; NaN where nobody was asked.
        majority: float [N, F], 1 where most did, 0 where not, NaN where nobody was asked.
        abnormal: bool [N], whether most of the panel called the image abnormal.

    Returns:
        str [N]: RIGHT, WRONG or EMBARRASSING.
    """
    seen, nobody = majority == 1, votes == 0
    read_normal = ~abnormal & ~seen.any(1)
    grave = (seen & serious).any(1)
    embarrassing = (
        (reports.denied & seen & serious).any(1)
        | (reports.normal & grave)
        | ((reports.likely & nobody).any(1) & read_normal)
        | reports.contradictory
    )
    invented = (reports.raised & (votes < SEEN_BY)).any(1)
    asked = (seen & reports.assessed).sum(1)
    hits = (seen & reports.assessed & reports.raised).sum(1)
    right = ~embarrassing & ~invented & (2 * hits >= asked)
    return np.where(embarrassing, EMBARRASSING, np.where(right, RIGHT, WRONG))
