"""For each finding: from which probability on it is called, and whether it can be assessed at all.

Everything is read from images that the heads in question were not fitted on: the validation splits,
and training images out of fold. What radiologists said counts where enough of their images show the
finding, else what software mined from reports.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.data import load_expert_labels, stem
from cxr.findings import Study
from cxr.reporting import OperatingPoint

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
