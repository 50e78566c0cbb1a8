"""Whether an image looks abnormal as a whole, in the word's sense to radiologists.

A logistic regression joins the scores of all findings, those too that are not assessed one by one:
five weak hints of a mass, a nodule or fibrosis are together a strong one that something is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from cxr.checkpoints import sigmoid

LOOKS_ABNORMAL, LOOKS_NORMAL, UNDECIDED = "looks abnormal", "looks normal", "not sure"
LEVEL = 0.95  # of the intervals


def with_odds(chance: float, odds: float) -> float:
    """A probability in [0, 1] where the odds are so many times those that it was given for."""
    return chance * odds / (1 + chance * (odds - 1))


@dataclass(frozen=True)
class OverallPoint:
    """Where an image counts as abnormal or normal, and what that did on validation images.

    All lie in [0, 1], but for the number of images.

    Attributes:
        abnormal_from: probability from which on an image looks abnormal.
        normal_below: probability below which it looks normal.
        sensitivity: the share of the abnormal images that look abnormal.
        specificity: the share of the normal ones that do not.
        missed: the share of the abnormal images that look normal.
        recognized: the share of the normal ones that do.
        prevalence: the share of the images that are abnormal.
        images: how many there were.
    """

    abnormal_from: float
    normal_below: float
    sensitivity: float
    specificity: float
    missed: float
    recognized: float
    prevalence: float
    images: int

    def __post_init__(self) -> None:
        rates = [value for name, value in asdict(self).items() if name != "images"]
        if not (all(0 <= one <= 1 for one in rates) and self.normal_below <= self.abnormal_from):
            raise ValueError(
                f"expected rates in [0, 1] and normal_below up to abnormal_from; got {self}. Fit "
                "them again: python -m train.reporting"
            )

    @property
    def npv(self) -> float:
        """The share of the images that look normal that are: the negative predictive value."""
        right, wrong = self.recognized * (1 - self.prevalence), self.missed * self.prevalence
        return right / (right + wrong) if right + wrong else 0.0

    def word(self, probability: float) -> str:
        """LOOKS_ABNORMAL, LOOKS_NORMAL or UNDECIDED."""
        if probability >= self.abnormal_from:
            return LOOKS_ABNORMAL
        return LOOKS_NORMAL if probability < self.normal_below else UNDECIDED


@dataclass(frozen=True)
class Overall:
    """What an image says as a whole.

    Attributes:
        probability: that radiologists would call it abnormal, in [0, 1].
        low, high: its 95% interval.
        word: LOOKS_ABNORMAL, LOOKS_NORMAL or UNDECIDED.
        point: what was measured on validation images.
    """

    probability: float
    low: float
    high: float
    word: str
    point: OverallPoint

    def beside(self, suggested: bool) -> Overall:
        """The same beside findings: where one is suggested, no image looks normal."""
        if suggested and self.word == LOOKS_NORMAL:
            return replace(self, word=UNDECIDED)
        return self


@dataclass(frozen=True, eq=False)
class Abnormality:
    """A logistic regression on the scores of F findings, with B refits on resampled images.

    Attributes:
        weights: float32 [1 + B, F + 1], fitted and in the refits: a weight for each score, and what
            is added.
        point: the thresholds and what they did.
    """

    weights: np.ndarray
    point: OverallPoint

    def judge(self, scores: np.ndarray) -> Overall:
        """Judge an image.

        Args:
            scores: float [F], as FindingClassifier.scores gives them.

        Raises:
            ValueError: another number of scores.
        """
        if scores.shape != (self.weights.shape[1] - 1,):
            raise ValueError(
                f"expected {self.weights.shape[1] - 1} scores, got an array of {scores.shape}. Fit "
                "the weights again: python -m train.reporting"
            )
        chances = sigmoid(self.weights[:, :-1] @ scores + self.weights[:, -1])
        low, high = np.quantile(chances, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        chance = float(chances[0])
        word = self.point.word(chance)
        return Overall(chance, min(float(low), chance), max(float(high), chance), word, self.point)

    def in_setting(self, odds: float) -> Abnormality:
        """The same where the odds of an abnormal image are so many times those fitted on."""
        point = replace(
            self.point,
            abnormal_from=with_odds(self.point.abnormal_from, odds),
            normal_below=with_odds(self.point.normal_below, odds),
            prevalence=with_odds(self.point.prevalence, odds),
        )
        weights = self.weights.copy()
        weights[:, -1] += np.log(odds)
        return Abnormality(weights, point)

    @classmethod
    def read(cls, record: Mapping, weights: np.ndarray, findings: int) -> Abnormality:
        """Read one of a checkpoint.

        Args:
            record: the values of its OverallPoint.
            weights: as the attribute.
            findings: F.

        Raises:
            TypeError: the record lacks something.
            ValueError: its values or the weights do not fit.
        """
        if weights.ndim != 2 or weights.shape[1] != findings + 1:
            raise ValueError(
                f"expected weights of {findings} findings, got an array of {weights.shape}. Fit "
                "them again: python -m train.reporting"
            )
        return cls(np.asarray(weights, np.float32), OverallPoint(**record))
