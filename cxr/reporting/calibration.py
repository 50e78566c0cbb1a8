"""From an image's embedding to calibrated probabilities of findings, and what may be said of them.

A finding's score is linear in the embedding: the zero-shot direction of its prompts ("X" less
"no X"), alone or with a linear head learned on labelled images. Platt scaling (1999) turns a score
into a probability; refits on resampled images give an interval. A finding's operating point says
how well it is seen on validation images, and so whether it is assessed at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

LIKELY, POSSIBLE, NOT_SURE, UNLIKELY = "likely", "possible", "not sure", "unlikely"
NOT_ASSESSED = "not assessed"  # the word of a finding that the model sees too rarely
SUGGESTED = (LIKELY, POSSIBLE)  # words of the findings that a report raises
LEVEL = 0.95  # of the intervals


@dataclass(frozen=True)
class Bands:
    """Probabilities that divide the words, where no operating point says otherwise.

    Attributes:
        likely: from here on a finding is likely.
        possible: from here on it is possible, and so suggested.
        unlikely: below, it is unlikely; between this and `possible` the word is "not sure".
    """

    likely: float
    possible: float
    unlikely: float

    def __post_init__(self) -> None:
        if not 0 <= self.unlikely <= self.possible <= self.likely <= 1:
            raise ValueError(
                "expected 0 <= unlikely <= possible <= likely <= 1; "
                f"got {self}. Fit the calibration again: python -m train.reporting"
            )

    def word(self, probability: float) -> str:
        """The word for a probability in [0, 1]."""
        if probability >= self.likely:
            return LIKELY
        if probability >= self.possible:
            return POSSIBLE
        return UNLIKELY if probability < self.unlikely else NOT_SURE


@dataclass(frozen=True)
class OperatingPoint:
    """What a finding's threshold does on validation images. Rates and probabilities lie in [0, 1].

    Attributes:
        assessed: whether the finding is seen often enough to be raised or denied at all.
        threshold: the probability from which the finding counts as seen.
        sensitivity, specificity: at that threshold.
        npv: the negative predictive value below it; None where it is not known.
        prevalence: the share of the images that show the finding.
        positives: how many images do.
        truth: whose labels these are, "expert" or "mined".
        deny_below: the probability below which the finding may be denied; None: the threshold.
    """

    assessed: bool
    threshold: float
    sensitivity: float
    specificity: float
    npv: float | None
    prevalence: float
    positives: int
    truth: str
    deny_below: float | None = None

    def __post_init__(self) -> None:
        rates = [self.threshold, self.sensitivity, self.specificity, self.prevalence]
        rates += [value for value in (self.npv, self.deny_below) if value is not None]
        if not all(0 <= value <= 1 for value in rates):
            raise ValueError(
                f"expected rates in [0, 1], got {self}; fit them again: python -m train.reporting"
            )

    def word(self, probability: float, bands: Bands) -> str:
        """The word for a probability in [0, 1]; NOT_ASSESSED whatever it is where that is so."""
        if not self.assessed:
            return NOT_ASSESSED
        if probability >= max(self.threshold, bands.likely):
            return LIKELY
        if probability >= max(self.threshold, bands.possible):
            return POSSIBLE
        return UNLIKELY if probability < min(self.threshold, bands.unlikely) else NOT_SURE

    def may_deny(self, probability: float) -> bool:
        """Whether "No X" may be written at a probability: assessed, with a known npv, and low."""
        below = self.threshold if self.deny_below is None else self.deny_below
        return self.assessed and self.npv is not None and probability < min(below, self.threshold)

    @classmethod
    def read(cls, record: Mapping) -> OperatingPoint:
        """One of config.json's records; what else a record holds is left aside.

        Raises:
            TypeError: the record lacks something.
        """
        names = {one.name for one in fields(cls)}
        known = {name: value for name, value in record.items() if name in names}
        npv = known.get("npv")
        return cls(**known | {"npv": None if npv is None or math.isnan(npv) else npv})


@dataclass(frozen=True, eq=False)
class Calibration:
    """Of F findings, B refits and embeddings of D numbers.

    Attributes:
        findings: their names.
        directions: float32 [D, F].
        offsets: float32 [F], added to the scores.
        platt: float32 [2, F], slope and intercept.
        refits: float32 [B, 2, F], the same on resampled images.
        bands: where the words change.
        source: what the scores are made of, in words.
        operating_points: of the findings that were measured on validation images.
    """

    findings: tuple[str, ...]
    directions: np.ndarray
    offsets: np.ndarray
    platt: np.ndarray
    refits: np.ndarray
    bands: Bands
    source: str = ""
    operating_points: Mapping[str, OperatingPoint] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.findings)
        shapes = (
            self.directions.shape[1:],
            self.offsets.shape,
            self.platt.shape,
            self.refits.shape[1:],
        )
        if shapes != ((count,), (count,), (2, count), (2, count)):
            raise ValueError(
                f"expected a calibration of {count} findings; got arrays of {shapes}. "
                "Fit it again: python -m train.reporting"
            )

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings float [N, D], unit rows -> float32 [N, F], about 0 on average over films."""
        return (embeddings @ self.directions + self.offsets).astype(np.float32)

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings float [N, D], unit rows -> float64 [N, F] in [0, 1]."""
        return sigmoid(self.platt[0] * self.scores(embeddings) + self.platt[1])

    def intervals(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find where 95% of the refits and the probability itself lie.

        Args:
            embeddings: float [N, D], unit rows.

        Returns:
            (low, high), float64 [N, F] in [0, 1].
        """
        scores = self.scores(embeddings)
        values = sigmoid(self.refits[:, None, 0] * scores + self.refits[:, None, 1])
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        middle = self.probabilities(embeddings)
        return np.minimum(low, middle), np.maximum(high, middle)

    def word(self, finding: str, probability: float) -> str:
        """The word for a finding's probability in [0, 1], by its operating point or the bands."""
        point = self.operating_points.get(finding)
        return point.word(probability, self.bands) if point else self.bands.word(probability)

    def may_deny(self, finding: str, probability: float) -> bool:
        """Whether "No X" may be written; never of a finding without an operating point."""
        point = self.operating_points.get(finding)
        return point is not None and point.may_deny(probability)

    def suggested(self, probabilities: np.ndarray) -> np.ndarray:
        """Which findings are suggested: float [N, F] in [0, 1] -> bool [N, F]."""
        words = [
            [self.word(name, value) in SUGGESTED for name, value in zip(self.findings, row)]
            for row in probabilities
        ]
        return np.array(words, bool).reshape(np.shape(probabilities))

    def prior(self, finding: str) -> float:
        """The share of images with a finding, in [0, 1], before an image is seen."""
        point = self.operating_points.get(finding)
        if point is not None and point.prevalence > 0:
            return point.prevalence
        return float(sigmoid(self.platt[1, self.findings.index(finding)]))

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by name, for a checkpoint."""
        return {name: getattr(self, name) for name in ("directions", "offsets", "platt", "refits")}

    @classmethod
    def read(cls, config: Mapping, tensors: Mapping[str, np.ndarray]) -> Calibration:
        """Read a calibration of a checkpoint.

        Args:
            config: with "findings", "bands", "source" and perhaps "operating_points".
            tensors: the arrays by name.

        Raises:
            ValueError: something is missing or does not fit together.
        """
        try:
            arrays = {name: tensors[name] for name in ("directions", "offsets", "platt", "refits")}
            return cls(
                tuple(config["findings"]),
                **arrays,
                bands=Bands(**config["bands"]),
                source=config["source"],
                operating_points={
                    name: OperatingPoint.read(record)
                    for name, record in config.get("operating_points", {}).items()
                },
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                "expected a calibration with findings, bands, source and whole operating points, "
                f"got one without {error}; fit it again: python -m train.reporting"
            ) from error


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Real -> float64 in [0, 1], without overflow."""
    return 1 / (1 + np.exp(-np.clip(np.asarray(logits, np.float64), -60, 60)))
