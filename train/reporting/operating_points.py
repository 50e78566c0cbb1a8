"""For each finding: from which probability on it is called, and whether it can be assessed at all.

Everything is read from validation images. What radiologists said counts where enough of their
images show the finding, else what software mined from reports.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cxr.data import load_expert_labels, load_split, load_studies, stem
from cxr.findings import Study
from cxr.reporting import FRONTAL, Calibration, OperatingPoint
from cxr.retrieval import Retriever
from train.common.studies import frontal, labels_of
from train.reporting.features import features_of
from train.reporting.pictures import film_pictures

SPECIFICITY = 0.9  # at the threshold
LEAST_SENSITIVITY = 0.5  # a finding that is seen less often than this is not assessed
LEAST_POSITIVES = 5  # images that must show a finding before its sensitivity means anything
DENIED = 0.03  # share of the images with a finding that may score below `deny_below`
_DIGITS = 6  # of the probabilities in config.json


@dataclass(frozen=True)
class Truth:
    """N images that were read by someone: probabilities and labels of F findings.

    chances: float [N, F] in [0, 1]. labels: float [N, F], 1 present, 0 absent, NaN not read.
    source: "expert" (the majority of a panel) or "mined".
    """

    chances: np.ndarray
    labels: np.ndarray
    source: str


def operating_points(names: Sequence[str], truths: Sequence[Truth]) -> dict[str, OperatingPoint]:
    """Choose each finding's operating point.

    Args:
        names: the F findings.
        truths: the better ones first; the first with LEAST_POSITIVES images of a finding decides
            about it. Where none has so many, the last one's numbers stand and it is not assessed.

    Returns:
        {finding: its operating point}, in the order of `names`.
    """
    points = {}
    for column, name in enumerate(names):
        fit = (truth for truth in truths if (truth.labels[:, column] == 1).sum() >= LEAST_POSITIVES)
        truth = next(fit, truths[-1])
        known = ~np.isnan(truth.labels[:, column])
        points[name] = choose_point(
            truth.chances[known, column], truth.labels[known, column] == 1, truth.source
        )
    return points


def choose_point(chances: np.ndarray, present: np.ndarray, source: str) -> OperatingPoint:
    """The least threshold that reaches SPECIFICITY, and what it does.

    Args:
        chances: float [N] in [0, 1], probabilities of one finding.
        present: bool [N], which images show it.
        source: whose labels these are.

    Returns:
        The operating point; without any image that shows the finding its sensitivity is 0.
    """
    absent, there = np.sort(chances[~present]), np.sort(chances[present])
    threshold = 0.0
    if len(absent):
        # So many of the absent ones must lie below.
        below = math.ceil(SPECIFICITY * len(absent) - 1e-9)
        threshold = _rounded_up(absent[below - 1])
    missed = int((there < threshold).sum())
    correct = int((absent < threshold).sum())
    sensitivity = 1 - missed / len(there) if len(there) else 0.0
    deny_below = math.floor(there[int(DENIED * len(there))] * 10**_DIGITS) if len(there) else 0
    return OperatingPoint(
        assessed=len(there) >= LEAST_POSITIVES and sensitivity >= LEAST_SENSITIVITY,
        threshold=threshold,
        sensitivity=round(sensitivity, 4),
        specificity=round(correct / len(absent), 4) if len(absent) else 1.0,
        npv=round(correct / (correct + missed), 4) if correct + missed else 0.0,
        prevalence=round(len(there) / len(chances), 4) if len(chances) else 0.0,
        positives=len(there),
        deny_below=min(deny_below / 10**_DIGITS, threshold),
        truth=source,
    )


def _rounded_up(chance: float) -> float:
    """The least probability of _DIGITS digits above `chance`."""
    return min((math.floor(float(chance) * 10**_DIGITS) + 1) / 10**_DIGITS, 1.0)


def measured_points(
    retriever: Retriever, calibration: Calibration, mined: Path, experts: Path | None, cache: Path
) -> dict[str, dict]:
    """The operating points of a calibration on the validation splits, as JSON-able values.

    Args:
        retriever: the encoder that the calibration was fitted for.
        calibration: gives the probabilities.
        mined: a data set whose labels software mined from reports.
        experts: a data set with expert_labels.csv; None: the mined labels decide alone.
        cache: where features of images are kept.

    Raises:
        ValueError: a data set cannot be read, or has no validation image.
    """
    truths = [] if experts is None else [_truth(retriever, calibration, experts, True, cache)]
    truths.append(_truth(retriever, calibration, mined, False, cache))
    points = operating_points(calibration.findings, truths)
    return {name: asdict(point) for name, point in points.items()}


def _truth(
    retriever: Retriever, calibration: Calibration, root: Path, expert: bool, cache: Path
) -> Truth:
    studies = frontal(load_split(root, load_studies(root, labels="mined"))["val"])
    names = calibration.findings
    labels = majority_of(studies, root, names) if expert else labels_of(studies, names).numpy()
    if not len(labels):
        raise ValueError(f"expected validation images in {root}, got none; give another data set")
    title = f"{root.name} val"
    found = features_of(retriever, film_pictures(studies, FRONTAL), cache, title)
    chances = calibration.probabilities(found.embeddings)
    return Truth(chances, labels, "expert" if expert else "mined")


def majority_of(studies: Sequence[Study], root: Path, names: Sequence[str]) -> np.ndarray:
    """What most of a panel of radiologists said.

    Args:
        studies: N studies of the data set at `root`, which holds expert_labels.csv.
        root: its folder.
        names: the F findings.

    Returns:
        float [N, F]: 1 present, 0 absent, NaN for a finding or an image that was not read.
    """
    readings = load_expert_labels(root)
    nothing = float("nan")
    stems = [stem(study.image.name if study.image else study.id) for study in studies]
    said = [readings[name].majority if name in readings else {} for name in stems]
    rows = [[one.get(finding, nothing) for finding in names] for one in said]
    return np.array(rows, float).reshape(len(studies), len(names))
