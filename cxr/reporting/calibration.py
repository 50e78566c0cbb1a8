"""From an image's features to calibrated probabilities of findings, and what may be said of them.

A finding's score is linear in the features of the image encoder's middle blocks. Platt scaling
(1999) turns a score into a probability; refits on resampled images give an interval. A finding's
operating point says how well it is seen on validation images, and so whether it is assessed at all.
All of it holds for a stated prevalence, which may be changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from cxr.checkpoints import ABNORMALITY, TERM, FindingClassifier, sigmoid, unlikely_below
from cxr.checkpoints import UNLIKELY_BELOW as UNLIKELY_BELOW
from cxr.language import affirmative
from cxr.reporting.overall import LEVEL, Abnormality, Overall, with_odds

LIKELY, POSSIBLE, NOT_SURE, UNLIKELY = "likely", "possible", "not sure", "unlikely"
NOT_ASSESSED = "not assessed"  # the word of a finding that the model sees too rarely
SUGGESTED = (LIKELY, POSSIBLE)  # words of the findings that a report raises
LEAST_POSSIBLE = (
    0.1  # probability below which no finding is called possible, whatever its threshold
)
# Where an image comes from: how many times the odds of a finding are those on the images that the
# probabilities were fitted on, which are a hospital's.
SETTINGS = {"ward": 1.0, "screening": 0.1}


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
        """The word for a probability in [0, 1]; NOT_ASSESSED whatever it is where that is so.

        A word must be true of the probability too: a rare finding above its threshold is not
        possible below LEAST_POSSIBLE, and it is unlikely below UNLIKELY_BELOW.
        """
        if not self.assessed:
            return NOT_ASSESSED
        possible = max(self.threshold, LEAST_POSSIBLE)
        if probability >= possible:
            return LIKELY if probability >= bands.likely else POSSIBLE
        low = unlikely_below(self.threshold, bands.unlikely)
        return UNLIKELY if probability < low else NOT_SURE

    def with_odds(self, odds: float) -> OperatingPoint:
        """The same point where the odds of the finding are so many times those that it has here."""
        prevalence = with_odds(self.prevalence, odds)
        right, wrong = self.specificity * (1 - prevalence), (1 - self.sensitivity) * prevalence
        return replace(
            self,
            threshold=with_odds(self.threshold, odds),
            prevalence=prevalence,
            npv=None if self.npv is None or right + wrong == 0 else right / (right + wrong),
            deny_below=None if self.deny_below is None else with_odds(self.deny_below, odds),
        )

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


@dataclass(frozen=True)
class Finding:
    """What an image says about a finding.

    Attributes:
        name: of the finding.
        probability: in [0, 1].
        low, high: its 95% interval.
        word: "likely", "possible", "not sure", "unlikely" or "not assessed".
        prompt: the prompt that its score rests on, against which "no X" is held.
        assessed: False where the model sees the finding too rarely to raise or deny it.
        operating_point: what was measured on validation images; None where nothing was.
    """

    name: str
    probability: float
    low: float
    high: float
    word: str = ""
    prompt: str = ""
    assessed: bool = True
    operating_point: OperatingPoint | None = None

    @property
    def suggested(self) -> bool:
        """Whether its word is one that a report raises it by."""
        return self.word in SUGGESTED


@dataclass(frozen=True, eq=False)
class MeasuredTerm:
    """How what the localizer measures joins the log odds of a finding, by logistic regression.

    Attributes:
        weights: float32 [1 + B, 3], fitted and in the B refits: what the log odds from the image's
            features are multiplied by, what the measured value is, and what is added.
        point: the operating point of what comes out.
    """

    weights: np.ndarray
    point: OperatingPoint

    def joined(self, platt: np.ndarray, value: float) -> np.ndarray:
        """Slopes and intercepts of scores -> the same with a measured value: float [1 + B, 2]."""
        slope, per_value, offset = self.weights.T
        columns = slope * platt[:, 0], slope * platt[:, 1] + per_value * value + offset
        return np.stack(columns, 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Calibration(FindingClassifier):
    """A FindingClassifier of F findings with B refits, and what may be said of each.

    Attributes:
        refits: float32 [B, 2, F], as `platt`, on resampled images.
        bands: where the words change.
        source: what the scores are made of, in words.
        operating_points: of the findings that were measured on validation images.
        terms: of the findings that what the localizer measures says more of.
        abnormality: judges the image as a whole; None where that was not fitted.
    """

    refits: np.ndarray
    bands: Bands
    source: str = ""
    operating_points: Mapping[str, OperatingPoint] = field(default_factory=dict)
    terms: Mapping[str, MeasuredTerm] = field(default_factory=dict)
    abnormality: Abnormality | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.refits.shape[1:] != (2, len(self.findings)):
            raise ValueError(
                f"expected refits of {len(self.findings)} findings, got an array of "
                f"{self.refits.shape}. Fit them again: python -m train.reporting"
            )
        for name, term in self.terms.items():
            if name not in self.findings or term.weights.shape != (1 + len(self.refits), 3):
                raise ValueError(
                    f"expected {1 + len(self.refits)} rows of three numbers for {name}, got an "
                    f"array of {term.weights.shape}. Fit them again: python -m train.reporting"
                )

    def intervals(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find where 95% of the refits and the probability itself lie.

        Args:
            features: float [N, W].

        Returns:
            (low, high), float64 [N, F] in [0, 1].
        """
        scores = self.scores(features)
        values = sigmoid(self.refits[:, None, 0] * scores + self.refits[:, None, 1])
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        middle = self.probabilities(features)
        return np.minimum(low, middle), np.maximum(high, middle)

    def with_measured(self, values: Mapping[str, float]) -> Calibration:
        """The same for an image on which something was measured.

        Args:
            values: by finding: of cardiomegaly the cardiothoracic ratio, of others the log odds
                that the localizer gives them (cxr.reporting.measured).
        """
        measured = {name: term for name, term in self.terms.items() if name in values}
        if not measured:
            return self
        platt, refits = self.platt.copy(), self.refits.copy()
        points = dict(self.operating_points)
        for name, term in measured.items():
            column = self.findings.index(name)
            rows = np.concatenate([platt[None, :, column], refits[:, :, column]])
            joined = term.joined(rows, values[name])
            platt[:, column], refits[:, :, column] = joined[0], joined[1:]
            points[name] = term.point
        return replace(self, platt=platt, refits=refits, operating_points=points, terms={})

    def in_setting(self, setting: str) -> Calibration:
        """The same for images from another place, where findings are more or less frequent.

        What was measured must have joined before (`with_measured`).

        The odds of every finding change by the factor that SETTINGS gives, as Bayes' rule has it;
        what counts as seen does not, nor do sensitivity and specificity.

        Args:
            setting: one of SETTINGS.

        Raises:
            ValueError: another setting.
        """
        if setting not in SETTINGS:
            raise ValueError(
                f"expected a setting among {', '.join(SETTINGS)}; got {setting!r}; give one of them"
            )
        odds = SETTINGS[setting]
        if odds == 1:
            return self
        shift = np.array([[0.0], [math.log(odds)]], np.float32)
        return replace(
            self,
            platt=self.platt + shift,
            refits=self.refits + shift,
            operating_points={
                name: point.with_odds(odds) for name, point in self.operating_points.items()
            },
            terms={},
            abnormality=None if self.abnormality is None else self.abnormality.in_setting(odds),
        )

    def overall(self, features: np.ndarray) -> Overall | None:
        """Judge the image as a whole by its features, float [W]; None where nothing judges it."""
        if self.abnormality is None:
            return None
        return self.abnormality.judge(self.scores(features[None])[0])

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

    def findings_of(self, features: np.ndarray) -> list[Finding]:
        """Read every finding from an image's features, float [W].

        Returns:
            The findings, the most probable first, those that are not assessed last.
        """
        row = features[None]
        chances = self.probabilities(row)[0]
        low, high = (bound[0] for bound in self.intervals(row))
        return self._in_order(zip(self.findings, chances, low, high))

    def findings_at_prior(self) -> list[Finding]:
        """Every finding as it stands before an image is seen, in the order of `findings_of`."""
        priors = [(name, self.prior(name)) for name in self.findings]
        return self._in_order((name, prior, prior, prior) for name, prior in priors)

    def _in_order(self, rows: Iterable[tuple[str, float, float, float]]) -> list[Finding]:
        found = [
            self._finding(name, float(probability), float(low), float(high))
            for name, probability, low, high in rows
        ]
        return sorted(found, key=lambda one: (not one.assessed, -one.probability))

    def _finding(self, name: str, probability: float, low: float, high: float) -> Finding:
        word, prompt = self.word(name, probability), affirmative(name)[0]
        point = self.operating_points.get(name)
        return Finding(name, probability, low, high, word, prompt, word != NOT_ASSESSED, point)

    def prior(self, finding: str) -> float:
        """The share of images with a finding, in [0, 1], before an image is seen."""
        point = self.operating_points.get(finding)
        if point is not None and point.prevalence > 0:
            return point.prevalence
        return float(sigmoid(self.platt[1, self.findings.index(finding)]))

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by name, for a checkpoint."""
        terms = {f"{TERM}{name}": term.weights for name, term in self.terms.items()}
        whole = {} if self.abnormality is None else {ABNORMALITY: self.abnormality.weights}
        return super().tensors() | {"refits": self.refits} | terms | whole

    @classmethod
    def read(cls, config: Mapping, tensors: Mapping[str, np.ndarray]) -> Calibration:
        """Read a calibration of a checkpoint.

        Args:
            config: with "findings", "bands", "source" and perhaps "operating_points", "terms", the
                operating points of MeasuredTerms, and "abnormality", an OverallPoint.
            tensors: the arrays by name.

        Raises:
            ValueError: something is missing or does not fit together.
        """
        try:
            heads = cls.read_heads({"calibration": config}, tensors)
            terms = {
                name: MeasuredTerm(
                    np.asarray(tensors[f"{TERM}{name}"], np.float32), OperatingPoint.read(record)
                )
                for name, record in config.get("terms", {}).items()
            }
            whole = config.get(ABNORMALITY)
            return cls(
                heads.findings,
                heads.directions,
                heads.offsets,
                heads.platt,
                refits=np.asarray(tensors["refits"], np.float32),
                bands=Bands(**config["bands"]),
                source=config["source"],
                operating_points={
                    name: OperatingPoint.read(record)
                    for name, record in config.get("operating_points", {}).items()
                },
                terms=terms,
                abnormality=whole
                and Abnormality.read(whole, tensors[ABNORMALITY], len(heads.findings)),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                "expected a calibration with findings, bands, source and whole operating points, "
                f"got one without {error}; fit it again: python -m train.reporting"
            ) from error
