"""How what the localizer measures joins the log odds of findings, by logistic regression.

Of cardiomegaly it is the cardiothoracic ratio, of other findings the log odds that the localizer
itself gives them, which rest on outlines. Where the features add little to it, as to the ratio
that defines an enlarged heart, what is measured speaks alone: it is the same at every hospital.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxr.checkpoints import sigmoid
from cxr.metrics import auroc
from cxr.reporting import Calibration, MeasuredTerm
from train.reporting.operating_points import LEAST_POSITIVES, choose_point

# Information against which the weights are drawn to those that leave the log odds as they are.
PRIOR = 2.0
LEAST_GAIN = 0.01  # of AUROC, out of fold, for which the measured value, or the features, join
FOLDS = 5
# What is measured is what these are: beside a ratio within the limit no heart is called large.
DEFINED = ("cardiomegaly",)


@dataclass(frozen=True, eq=False)
class Measured:
    """N images on which something was measured, and that the heads were not fitted on.

    scores: float [N], of a finding. values: float [N], what was measured. present: bool [N], as
    most of a panel of radiologists said.
    """

    scores: np.ndarray
    values: np.ndarray
    present: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, values: np.ndarray, labels: np.ndarray) -> Measured:
        """Those that are measured and labelled. labels: float [N], 1, 0 or NaN."""
        known = ~np.isnan(values) & ~np.isnan(labels)
        return cls(scores[known], values[known], labels[known] == 1)

    def inputs(self, platt: np.ndarray) -> np.ndarray:
        """Log odds by `platt`, float [2], measured values, and ones: float64 [3, N]."""
        return np.stack([platt[0] * self.scores + platt[1], self.values, np.ones(len(self.values))])


def fit_term(
    measured: Measured, calibration: Calibration, finding: str, seed: int
) -> tuple[MeasuredTerm | None, dict[str, float]]:
    """Fit the joint log odds, once and on as many resamples as the calibration has refits.

    Returns:
        The term, None where too few images show the finding, it gains less than LEAST_GAIN, or
        the finding would be the less probable the more the features or the measured value speak
        for it, as happens where the localizer has learned from these very images; and AUROCs:
        "features", "measured", and "both" by weights that never saw the image.

    The weight of the features is 0 where they gain less than LEAST_GAIN over what was measured, and
    for a finding of DEFINED.
    """
    if measured.present.sum() < LEAST_POSITIVES or measured.present.all():
        return None, {}
    column = calibration.findings.index(finding)
    platts = [calibration.platt[:, column], *calibration.refits[:, :, column]]
    inputs, generator = measured.inputs(platts[0]), np.random.default_rng(seed)
    fold = generator.permutation(len(measured.present)) % FOLDS
    both, alone = (
        _held_out(inputs, measured.present, fold, features) for features in (True, False)
    )
    scores = {"features": measured.scores, "measured": measured.values, "both": both}
    found = {name: round(auroc(value, measured.present), 4) for name, value in scores.items()}
    if max(found["both"], found["measured"]) < found["features"] + LEAST_GAIN:
        return None, found
    count = len(measured.present)
    if _fit(inputs, measured.present, np.arange(count))[:2].min() <= 0:
        return None, found
    features = finding not in DEFINED and found["both"] >= found["measured"] + LEAST_GAIN
    rows = [np.arange(count), *(generator.integers(0, count, count) for _ in platts[1:])]
    weights = np.stack(
        [
            _fit(measured.inputs(platt), measured.present, row, features)
            for platt, row in zip(platts, rows)
        ]
    )
    point = choose_point(sigmoid(both if features else alone), measured.present, "expert")
    return MeasuredTerm(weights.astype(np.float32), point), found


def _held_out(
    inputs: np.ndarray, present: np.ndarray, fold: np.ndarray, features: bool
) -> np.ndarray:
    """The joint log odds, float64 [N], by weights that never saw the image."""
    found = np.zeros(len(fold))
    for one in range(FOLDS):
        rows = np.flatnonzero(fold != one)
        found[fold == one] = _fit(inputs, present, rows, features) @ inputs[:, fold == one]
    return found


def _fit(
    inputs: np.ndarray,
    present: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    features: bool = True,
) -> np.ndarray:
    """Weights float64 [3] of inputs float [3, N], by Newton's method on some rows.

    Without `features` the first weight is 0.
    """
    middle, spread = inputs[1].mean(), inputs[1].std() + 1e-6
    logits, values, ones = inputs[:, rows]
    if not features:
        logits = np.zeros_like(logits)
    x, truth = np.stack([logits, (values - middle) / spread, ones]), present[rows]
    centre = np.array([1.0 if features else 0.0, 0.0, 0.0])
    strength, weight = np.array([PRIOR, PRIOR, 1e-3]), centre
    for _ in range(50):
        chance = sigmoid(weight @ x)
        gradient = x @ (chance - truth) + strength * (weight - centre)
        hessian = (x * (chance * (1 - chance))) @ x.T + np.diag(strength)
        weight = weight - np.clip(np.linalg.solve(hessian, gradient), -1, 1)
    return np.array([weight[0], weight[1] / spread, weight[2] - weight[1] * middle / spread])
