"""Which studies of a gallery stand beside a lesson: typical and borderline ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cxr.findings import FINDINGS, Study
from cxr.lessons import MIXED, VIEWS, Lesson
from cxr.tabs.learn.state import Example, ExampleGroup

if TYPE_CHECKING:
    from cxr.retrieval import Retriever

COUNT = 5  # studies of a group
NORMAL = FINDINGS[0]


def example_groups(retriever: Retriever, lesson: Lesson) -> tuple[ExampleGroup, ...]:
    """Choose the studies for a lesson, two groups of at most COUNT.

    Args:
        retriever: with a gallery.
        lesson: on a finding, or on views or a mixture as its `examples` says.

    Raises:
        ValueError: the retriever has no gallery.
    """
    if lesson.examples == VIEWS:
        return _by_view(retriever)
    if lesson.examples == MIXED:
        return _mixed(retriever)
    return _of_finding(retriever, lesson.finding)


def finding_scores(retriever: Retriever, finding: str, rows: np.ndarray) -> np.ndarray:
    """Score how much images of the gallery look like a finding to the model.

    Args:
        retriever: with a gallery.
        finding: one of FINDINGS.
        rows: int64 [M], of the gallery.

    Returns:
        float32 [M]: the finding's probability where the model has a probe for it, else the cosine
        to its name.
    """
    space, gallery = retriever.finding_space, retriever.gallery
    assert gallery is not None, "asked for after the gallery's studies"
    if space is not None and finding in space.names:
        column = space.names.index(finding)
        return space.probabilities(np.asarray(gallery.embeddings[rows]))[:, column]
    return retriever.cosines(finding)[rows]


def _of_finding(retriever: Retriever, finding: str) -> tuple[ExampleGroup, ...]:
    """The most typical studies with a label, and those that are uncertain or least typical."""
    studies = _studies(retriever)
    present = _rows(studies, finding, 1)
    doubtful = _rows(studies, finding, -1)
    ranked = _ordered(retriever, finding, present, best=True)
    typical = _one_a_patient(studies, ranked, set())
    taken = {studies[row].patient for row in typical}
    unsure = _one_a_patient(studies, _ordered(retriever, finding, doubtful, best=True), taken)
    taken |= {studies[row].patient for row in unsure}
    lowest = _one_a_patient(studies, [row for row in reversed(ranked) if row not in typical], taken)
    borderline = [Example(studies[row], "labelled uncertain") for row in unsure]
    borderline += [Example(studies[row], "labelled, least like it to the model") for row in lowest]
    if not present.size:
        note = f"This gallery holds no film labelled {finding}."
    else:
        note = f"Labelled {finding}, and most like it to the model."
    return (
        ExampleGroup("Typical", note, tuple(Example(studies[row], "") for row in typical)),
        ExampleGroup(
            "Borderline",
            "Labelled uncertain, or labelled and least like it to the model."
            if borderline
            else "No doubtful film is in this gallery.",
            tuple(borderline[:COUNT]),
        ),
    )


def _by_view(retriever: Retriever) -> tuple[ExampleGroup, ...]:
    """PA beside AP views, those without a finding first."""
    studies = _studies(retriever)
    groups = []
    for view, note in (
        ("PA", "The heart keeps its size, the shoulder blades are turned aside."),
        ("AP", "The heart is magnified; often portable, with a shallow breath."),
    ):
        rows = [row for row, study in enumerate(studies) if study.view == view]
        rows.sort(key=lambda row: studies[row].findings.get(NORMAL) != 1)
        chosen = _one_a_patient(studies, rows, set())
        groups.append(
            ExampleGroup(
                f"{view} view",
                note if chosen else f"This gallery holds no {view} view.",
                tuple(Example(studies[row], "") for row in chosen),
            )
        )
    return tuple(groups)


def _mixed(retriever: Retriever) -> tuple[ExampleGroup, ...]:
    """Normal images, and images of as many different findings."""
    studies = _studies(retriever)
    normal = _of_finding(retriever, NORMAL)[0]
    shown: dict[str, int] = {}
    for row, study in enumerate(studies):
        if len(study.positive) == 1:
            shown.setdefault(study.positive[0], row)
    abnormal = [Example(studies[row], "") for row in list(shown.values())[:COUNT]]
    return (
        ExampleGroup("Normal", "Go through each in your order.", normal.examples),
        ExampleGroup(
            "Abnormal",
            "A different finding on each; finish the round on every one."
            if abnormal
            else "This gallery holds no film that is labelled with a single finding.",
            tuple(abnormal),
        ),
    )


def _studies(retriever: Retriever) -> Sequence[Study]:
    if retriever.gallery is None:
        raise ValueError("expected a gallery with examples, got none; build one first")
    return retriever.gallery.studies


def _rows(studies: Sequence[Study], finding: str, value: int) -> np.ndarray:
    """Rows of images with a label, frontal views alone where there are any."""
    labelled = [row for row, study in enumerate(studies) if study.findings.get(finding) == value]
    frontal = [row for row in labelled if studies[row].view != "lateral"]
    return np.array(frontal or labelled, dtype=np.int64)


def _ordered(retriever: Retriever, finding: str, rows: np.ndarray, best: bool) -> list[int]:
    """Rows by their score, the highest first where `best`."""
    if not rows.size:
        return []
    scores = finding_scores(retriever, finding, rows)
    return [int(row) for row in rows[np.argsort(-scores if best else scores, kind="stable")]]


def _one_a_patient(studies: Sequence[Study], rows: Iterable[int], taken: set[str]) -> list[int]:
    """The first COUNT rows of different patients, none of them among `taken`."""
    chosen: dict[str, int] = {}
    for row in rows:
        if studies[row].patient not in taken and len(chosen) < COUNT:
            chosen.setdefault(studies[row].patient, row)
    return list(chosen.values())
