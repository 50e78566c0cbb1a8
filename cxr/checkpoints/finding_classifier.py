"""Which findings an image shows: linear heads on the features of a frozen image encoder.

The layers above read images by the same heads: cxr.reporting for probabilities in a report,
cxr.retrieval to compare images by what they show.

    encoding = retriever.encode_images_with_features(images)
    classifier = FindingClassifier.load("weights/reporting", retriever.encoder)
    logits = classifier.logits(encoding.features)      # float32 [N, F]
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from cxr.checkpoints.io import load_checkpoint

REFIT = "fit it again: python -m train.reporting"
TENSORS = ("directions", "offsets", "platt")
UNLIKELY_BELOW = 0.05  # probability below which a finding is unlikely, whatever its threshold
TERM, ABNORMALITY = "term ", "abnormality"  # how tensors of Joins begin; that of the whole


@dataclass(frozen=True)
class Join:
    """How what another model says of a finding joins in, and below what both make it unlikely.

    Attributes:
        weights: what the log odds from the features and those of the other model are multiplied by,
            and what is added, for the log odds of both together.
        unlikely_below: the probability below which the finding is unlikely, in [0, 1].
    """

    weights: tuple[float, float, float]
    unlikely_below: float

    def joined(self, chance: float, other: float) -> float:
        """The probability in [0, 1] by the features and by the other model -> that of both."""
        own, others, added = self.weights
        logit = own * log_odds(chance) + others * log_odds(other) + added
        return float(sigmoid(np.array(logit)))


@dataclass(frozen=True, eq=False)
class FindingClassifier:
    """Of F findings, on features of W numbers.

    Attributes:
        findings: their names.
        directions: float32 [W, F].
        offsets: float32 [F], added to the scores.
        platt: float32 [2, F], slope and intercept that make a score a log odds (Platt 1999).
        joins: of the findings of which the localizer's own probability says more.
        whole: float32 [F + 1], a weight for each score and what is added, for the log odds that an
            image is abnormal as a whole; None where that was not fitted.
        abnormal_from: the probability from which it is.
    """

    findings: tuple[str, ...]
    directions: np.ndarray
    offsets: np.ndarray
    platt: np.ndarray
    joins: Mapping[str, Join] = field(default_factory=dict, kw_only=True)
    whole: np.ndarray | None = field(default=None, kw_only=True)
    abnormal_from: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        count = len(self.findings)
        shapes = self.directions.shape[1:], self.offsets.shape, self.platt.shape
        if shapes != ((count,), (count,), (2, count)):
            raise ValueError(
                f"expected heads for {count} findings, got arrays of {shapes}; {REFIT}"
            )

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Features float [N, W] as ImageEncoding holds them -> float32 [N, F], about 0 on average.

        Raises:
            ValueError: features of another width, so of another encoder.
        """
        if np.shape(features)[-1] != len(self.directions):
            raise ValueError(
                f"expected features of {len(self.directions)} numbers, got "
                f"{np.shape(features)[-1]}, another encoder's; {REFIT}"
            )
        return (np.asarray(features, np.float32) @ self.directions + self.offsets).astype(
            np.float32
        )

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Features float [N, W] -> calibrated log odds of each finding, float32 [N, F].

        Raises:
            ValueError: as `scores`.
        """
        return (self.platt[0] * self.scores(features) + self.platt[1]).astype(np.float32)

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Features float [N, W] -> float64 [N, F] in [0, 1]. Raises ValueError as `scores`."""
        return sigmoid(self.logits(features))

    def abnormal(self, features: np.ndarray) -> np.ndarray | None:
        """Features float [N, W] -> how likely each image is abnormal: float64 [N] in [0, 1].

        None where that was not fitted. Raises ValueError as `scores`.
        """
        if self.whole is None:
            return None
        return sigmoid(self.scores(features) @ self.whole[:-1] + self.whole[-1])

    @cached_property
    def sha256(self) -> str:
        """The sha256 over names and numbers, in 64 hex digits: what these heads are called."""
        digest = hashlib.sha256(json.dumps(self.findings).encode())
        for array in self.tensors().values():
            digest.update(np.ascontiguousarray(array, np.float32).tobytes())
        return digest.hexdigest()

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by name, for a checkpoint."""
        return {name: getattr(self, name) for name in TENSORS}

    @staticmethod
    def read_heads(config: Mapping, tensors: Mapping[str, np.ndarray]) -> FindingClassifier:
        """Read the heads out of a checkpoint.

        Args:
            config: its config.json, whose "calibration" names the "findings".
            tensors: its arrays by name.

        Raises:
            ValueError: something is missing or does not fit together.
        """
        try:
            calibration = config["calibration"]
            whole = calibration.get(ABNORMALITY)
            return FindingClassifier(
                tuple(calibration["findings"]),
                *(np.asarray(tensors[name], np.float32) for name in TENSORS),
                joins={
                    name: Join(
                        _three(_fitted(tensors, TERM + name)),
                        unlikely_below(record["threshold"], calibration["bands"]["unlikely"]),
                    )
                    for name, record in calibration.get("terms", {}).items()
                },
                whole=_fitted(tensors, ABNORMALITY) if whole else None,
                abnormal_from=float(whole["abnormal_from"]) if whole else 1.0,
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                f"expected the heads of a finding classifier, got none with {error}; {REFIT}"
            ) from error

    @staticmethod
    def load(weights: str | Path, encoder: str) -> FindingClassifier:
        """Load the heads of a reporting checkpoint.

        Args:
            weights: a folder, or "hf://owner/name[@revision]".
            encoder: sha256 of the retrieval checkpoint whose features they read.

        Raises:
            ValueError: missing or damaged files, or heads of another encoder.
        """
        config, state = load_checkpoint(weights)
        if config.get("encoder") != encoder:
            raise ValueError(
                f"expected heads for encoder {encoder[:12]}, {weights} has those for "
                f"{str(config.get('encoder'))[:12]}; {REFIT}"
            )
        return FindingClassifier.read_heads(
            config, {name: value.numpy() for name, value in state.items()}
        )


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Real -> float64 in [0, 1], without overflow."""
    return 1 / (1 + np.exp(-np.clip(np.asarray(logits, np.float64), -60, 60)))


def log_odds(chance: float) -> float:
    """A probability in [0, 1] -> its log odds, finite at the ends."""
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return float(np.log(chance / (1 - chance)))


def unlikely_below(threshold: float, unlikely: float) -> float:
    """The probability below which a finding is unlikely.

    Args:
        threshold: from which it is suggested.
        unlikely: below which findings are unlikely in general.
    """
    return max(UNLIKELY_BELOW, min(float(threshold), float(unlikely)))


def _three(weights: np.ndarray) -> tuple[float, float, float]:
    first, second, third = map(float, weights)
    return first, second, third


def _fitted(tensors: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """The first row of a tensor, what was fitted; the others are refits."""
    return np.asarray(tensors[name], np.float32)[0]
