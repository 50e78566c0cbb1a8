"""The suggested reports against what a panel of radiologists saw on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr.data import load_expert_labels, load_split, load_studies, stem
from cxr.metrics import auroc, expected_calibration_error, value_with_interval
from cxr.reporting import ABSENT, FRONTAL, FilmFeatures, ReportSuggester
from train.common.studies import frontal
from train.evaluate.report_labels import label_scores
from train.reporting.features import features_of
from train.reporting.operating_points import LEAST_POSITIVES, majority_of
from train.reporting.pictures import film_pictures

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


def evaluate_against_experts(
    suggester: ReportSuggester, root: Path, split: str, cache: Path, rounds: int, seed: int
) -> dict:
    """Measure the reports of one split of a data set that radiologists read.

    A finding is there where most of the panel said so. What the gate would refuse is read as well.

    Args:
        suggester: suggests the reports.
        root: a data set with expert_labels.csv.
        split: "train", "val" or "test".
        cache: where features of images are kept.
        rounds: of the bootstrap over images.
        seed: of the bootstrap.

    Returns:
        JSON-able values: `auroc` of each finding that enough images show and its mean,
        `mean_auroc`; `micro_f1` of the suggested findings; `calibration_error`;
        `denied`, the share of SERIOUS findings seen by the panel that the report denies;
        `false_findings`, how many findings a report raises on an image that the panel called
        normal; with how many findings and images these rest on.

    Raises:
        ValueError: the data set cannot be read, or the panel read no image of the split.
    """
    readings = load_expert_labels(root)
    read = {
        stem(study.image.name): study
        for study in frontal(load_split(root, load_studies(root, labels="mined"))[split])
        if study.image is not None and stem(study.image.name) in readings
    }
    studies = list(read.values())
    if not studies:
        raise ValueError(
            f"expected images in {root} ({split}) that expert_labels.csv names, got none; give a "
            "data set that radiologists read"
        )
    names = suggester.calibration.findings
    labels = majority_of(studies, root, names)
    abnormal = np.array([readings[name].abnormal for name in read])
    normal = ~abnormal & ~(labels == 1).any(1)
    films = features_of(suggester.retriever, film_pictures(studies, FRONTAL), cache, root.name)
    chances = suggester.calibration.probabilities(films.features)
    suggested = suggester.calibration.suggested(chances)
    raised, denied = claimed(suggester, films, names)
    often = (labels == 1).sum(0) >= LEAST_POSITIVES
    serious = (labels == 1) & np.isin(names, SERIOUS)

    def error(rows: np.ndarray) -> float:
        known = ~np.isnan(labels[rows])
        return expected_calibration_error(chances[rows][known], labels[rows][known])

    def mean_auroc(rows: np.ndarray) -> float:
        values = [
            auroc(chances[rows[known], column], labels[rows[known], column] == 1)
            for column in np.flatnonzero(often)
            if len(known := np.flatnonzero(~np.isnan(labels[rows, column])))
        ]
        return float(np.nanmean(values)) if values else 0.5

    def share_denied(rows: np.ndarray) -> float:
        return float(denied[rows][serious[rows]].mean()) if serious[rows].any() else 0.0

    def false_findings(rows: np.ndarray) -> float:
        return float(raised[rows][normal[rows]].sum(1).mean()) if normal[rows].any() else 0.0

    measures = {
        "calibration_error": error,
        "denied": share_denied,
        "false_findings": false_findings,
    }
    count = len(studies)
    by_finding = {
        names[column]: value_with_interval(
            lambda rows, i=column: auroc(chances[rows, i], labels[rows, i] == 1),
            count,
            rounds,
            seed,
        )
        for column in np.flatnonzero(often)
    }

    def micro_f1(rows: np.ndarray) -> float:
        known = ~np.isnan(labels[rows])
        return label_scores(suggested[rows], labels[rows] == 1, known)["micro_f1"]

    return {
        "auroc": by_finding,
        "micro_f1": value_with_interval(micro_f1, count, rounds, seed),
        "data": root.resolve().name,
        "split": split,
        "films": count,
        "normal_films": int(normal.sum()),
        "serious": [name for name in names if name in SERIOUS],
        "serious_findings": int(serious.sum()),
        "serious_denied": int((serious & denied).sum()),
        "findings": int(often.sum()),
        "mean_auroc": value_with_interval(mean_auroc, count, rounds, seed),
        **{name: value_with_interval(f, count, rounds, seed) for name, f in measures.items()},
    }


def claimed(
    suggester: ReportSuggester, films: FilmFeatures, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """What the suggested reports say of each finding.

    Args:
        suggester: suggests the reports.
        films: of N images.
        names: the F findings.

    Returns:
        (raised, denied), bool [N, F]: by any sentence, as present or possible; as absent.
    """
    raised = np.zeros((len(films), len(names)), bool)
    denied = np.zeros_like(raised)
    for row, vector in enumerate(films.embeddings):
        found = suggester.findings(films.features[row])
        for sentence in suggester.sentences_for(vector, found):
            for name, state in sentence.claims.items():
                if name in names:
                    (denied if state == ABSENT else raised)[row, names.index(name)] = True
    return raised, denied
