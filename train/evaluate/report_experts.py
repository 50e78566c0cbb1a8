"""The suggested reports against what a panel of radiologists saw on the same images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.data import ExpertReading, load_expert_labels, load_split, load_studies, stem
from cxr.localization import Localizer
from cxr.metrics import auroc, expected_calibration_error, value_with_interval
from cxr.reporting import (
    FRONTAL,
    LOOKS_ABNORMAL,
    LOOKS_NORMAL,
    FilmFeatures,
    ReportSuggester,
)
from train.common.studies import frontal
from train.evaluate.report_labels import label_scores
from train.evaluate.report_reading import (
    EMBARRASSING,
    RIGHT,
    SERIOUS,
    WRONG,
    Reports,
    prior_reports,
    read_images,
    verdicts,
)
from train.reporting.features import features_of
from train.reporting.measurements import measurements_of, values_of
from train.reporting.operating_points import LEAST_POSITIVES
from train.reporting.pictures import blank_picture, film_pictures


def evaluate_against_experts(
    suggester: ReportSuggester,
    localizer: Localizer | None,
    root: Path,
    split: str,
    cache: Path,
    rounds: int,
    seed: int,
) -> dict:
    """Measure the reports of one split of a data set that radiologists read.

    A finding is there where most of the panel said so. What the gate would refuse is read as well.

    Args:
        suggester: suggests the reports.
        localizer: measures the images beforehand, as the page does; None: nothing is measured.
        root: a data set with expert_labels.csv.
        split: "train", "val" or "test".
        cache: where features of images are kept.
        rounds: of the bootstrap over images.
        seed: of the bootstrap.

    Returns:
        JSON-able values: `auroc` of each finding that enough images show and its mean,
        `mean_auroc`; `measured`, of findings that the localizer says more of, the AUROC from the
        features alone, from what was measured alone, and from both; `calibration_error`; with how
        many findings and images these rest on; and under `reports`, for the suggested reports and
        for two that saw no image (every finding at its prior probability, and a blank film):
        `micro_f1`, `denied`, the share of SERIOUS findings seen by the panel that a report denies,
        `false_findings`, how many findings it raises on an image that the panel called normal, and
        the shares that are `right`, `wrong` and `embarrassing` (train.evaluate.report_reading).
        `overall`, where images are judged as a whole: the `auroc` against what the panel called
        abnormal, and the shares of `abnormal` and `normal` images that look abnormal and normal.

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
    names, panel = suggester.calibration.findings, [readings[name] for name in read]
    truth = PanelTruth.of(panel, names)
    pictures = film_pictures(studies, FRONTAL)
    films = features_of(suggester.retriever, pictures, cache, root.name)
    measured: list = [None] * len(studies)
    if localizer is not None:
        measured = measurements_of(localizer, pictures, cache, root.name)
    reports = read_images(suggester, films, measured)
    blank = features_of(suggester.retriever, [blank_picture()], cache, "blank")
    every = {
        "suggested report": reports,
        "prior probabilities": prior_reports(suggester, len(studies)),
        "blank film": read_images(suggester, repeated(blank, len(studies)), [None] * len(studies)),
    }
    chances, labels = reports.chances, truth.majority
    often = (labels == 1).sum(0) >= LEAST_POSITIVES

    def interval(statistic: Callable[[np.ndarray], float]) -> dict[str, float]:
        return value_with_interval(statistic, len(studies), rounds, seed)

    def error(rows: np.ndarray) -> float:
        known = ~np.isnan(labels[rows])
        return expected_calibration_error(chances[rows][known], labels[rows][known])

    def auroc_of(scores: np.ndarray, column: int) -> Callable[[np.ndarray], float]:
        return lambda rows: auroc(scores[rows], labels[rows, column] == 1)

    def mean_auroc(rows: np.ndarray) -> float:
        values = [auroc_of(chances[:, one], one)(rows) for one in np.flatnonzero(often)]
        return float(np.nanmean(values)) if values else 0.5

    found = {
        "auroc": {
            names[one]: interval(auroc_of(chances[:, one], one)) for one in np.flatnonzero(often)
        },
        "data": root.resolve().name,
        "split": split,
        "films": len(studies),
        "normal_films": int(truth.normal.sum()),
        "serious": [name for name in names if name in SERIOUS],
        "serious_findings": int(truth.serious.sum()),
        "findings": int(often.sum()),
        "mean_auroc": interval(mean_auroc),
        "calibration_error": interval(error),
        "reports": {name: _judged(one, truth, names, interval) for name, one in every.items()},
    }
    found["overall"] = _whole(reports, truth.abnormal, interval)
    found["measured"] = {}
    for name in suggester.calibration.terms:
        column, values = names.index(name), values_of(measured, name)
        if often[column] and not np.isnan(values).all():
            alone = suggester.calibration.scores(films.features)[:, column]
            known = np.where(np.isnan(values), np.nanmedian(values), values)
            scores = {"features": alone, "measured": known, "both": chances[:, column]}
            found["measured"][name] = {
                key: interval(auroc_of(one, column)) for key, one in scores.items()
            }
    return found


def _whole(
    reports: Reports,
    abnormal: np.ndarray,
    interval: Callable[[Callable[[np.ndarray], float]], dict[str, float]],
) -> dict:
    """The judgement of N images as a whole against the panel's; {} where there is none."""
    if np.isnan(reports.overall).any() or abnormal.all() or not abnormal.any():
        return {}

    def share(kind: np.ndarray, word: str) -> Callable[[np.ndarray], float]:
        def of(rows: np.ndarray) -> float:
            chosen = rows[kind[rows]]
            return float((reports.looks[chosen] == word).mean()) if len(chosen) else 0.0

        return of

    kinds = {"abnormal": abnormal, "normal": ~abnormal}
    words = {"looks_abnormal": LOOKS_ABNORMAL, "looks_normal": LOOKS_NORMAL}
    return {
        "auroc": interval(lambda rows: auroc(reports.overall[rows], abnormal[rows])),
        "abnormal_films": int(abnormal.sum()),
        "normal_films": int((~abnormal).sum()),
        **{
            key: {kind: interval(share(of, word)) for kind, of in kinds.items()}
            for key, word in words.items()
        },
    }


@dataclass(frozen=True, eq=False)
class PanelTruth:
    """What a panel said of N images and F findings.

    Attributes:
        majority: float [N, F], 1 where most saw the finding, 0 where not, NaN: nobody was asked.
        votes: float [N, F], how many saw it, NaN as above.
        abnormal: bool [N], as most said.
        grave: bool [F], which findings are SERIOUS.
    """

    majority: np.ndarray
    votes: np.ndarray
    abnormal: np.ndarray
    grave: np.ndarray

    @classmethod
    def of(cls, panel: Sequence[ExpertReading], names: Sequence[str]) -> PanelTruth:
        """From the readings of N images."""
        nothing = float("nan")
        return cls(
            np.array([[one.majority.get(name, nothing) for name in names] for one in panel], float),
            np.array([[one.votes.get(name, nothing) for name in names] for one in panel], float),
            np.array([one.abnormal for one in panel], bool),
            np.isin(names, SERIOUS),
        )

    @property
    def normal(self) -> np.ndarray:
        """Which images the panel called normal, seeing no finding: bool [N]."""
        return ~self.abnormal & ~(self.majority == 1).any(1)

    @property
    def serious(self) -> np.ndarray:
        """The SERIOUS findings that most saw: bool [N, F]."""
        return (self.majority == 1) & self.grave


def _judged(
    reports: Reports,
    truth: PanelTruth,
    names: Sequence[str],
    interval: Callable[[Callable[[np.ndarray], float]], dict[str, float]],
) -> dict:
    """How the reports of N images stand against the panel, as JSON-able values."""
    serious, normal, labels = truth.serious, truth.normal, truth.majority
    judged = verdicts(reports, truth.grave, truth.votes, labels, truth.abnormal)

    def share_denied(rows: np.ndarray) -> float:
        chosen = serious[rows]
        return float(reports.denied[rows][chosen].mean()) if chosen.any() else 0.0

    def false_findings(rows: np.ndarray) -> float:
        chosen = normal[rows]
        return float(reports.raised[rows][chosen].sum(1).mean()) if chosen.any() else 0.0

    def micro_f1(rows: np.ndarray) -> float:
        known = ~np.isnan(labels[rows])
        return label_scores(reports.suggested[rows], labels[rows] == 1, known)["micro_f1"]

    return {
        "micro_f1": interval(micro_f1),
        "denied": interval(share_denied),
        "serious_denied": int((serious & reports.denied).sum()),
        "false_findings": interval(false_findings),
        **{
            verdict: interval(lambda rows, v=verdict: float((judged[rows] == v).mean()))
            for verdict in (RIGHT, WRONG, EMBARRASSING)
        },
    }


def repeated(films: FilmFeatures, count: int) -> FilmFeatures:
    """The one image's features, `count` times."""
    return films.rows(np.zeros(count, int))
