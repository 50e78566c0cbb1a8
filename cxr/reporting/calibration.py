"""From a film's embedding to probabilities of findings that mean what they say.

A finding's score is linear in the embedding: the zero-shot direction of its prompts ("X" less
"no X"), alone or with a linear head learned on labelled films. Platt scaling (1999) turns a score
into a probability; refits on resampled films give an interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

WORDS = ("likely", "possible", "not sure", "unlikely")
LEVEL = 0.95  # of the intervals


@dataclass(frozen=True)
class Bands:
    """Probabilities that divide WORDS: at least `likely`, at least `possible`, below `unlikely`;
    "not sure" lies between the last two. A finding is suggested from `possible` on.
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
        """One of WORDS for a probability in [0, 1]."""
        if probability >= self.likely:
            return "likely"
        if probability >= self.possible:
            return "possible"
        return "unlikely" if probability < self.unlikely else "not sure"


@dataclass(frozen=True, eq=False)
class Calibration:
    """Of F findings, B refits and embeddings of D numbers.

    findings: their names. directions: float32 [D, F]. offsets: float32 [F], added to the scores.
    platt: float32 [2, F], slope and intercept. refits: float32 [B, 2, F], the same on resampled
    films. source: what the scores are made of, in words.
    """

    findings: tuple[str, ...]
    directions: np.ndarray
    offsets: np.ndarray
    platt: np.ndarray
    refits: np.ndarray
    bands: Bands
    source: str = ""

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
        """Embeddings float [N, D] -> (low, high), float64 [N, F] in [0, 1]: where 95% of the
        refits and the probability itself lie.
        """
        scores = self.scores(embeddings)
        values = sigmoid(self.refits[:, None, 0] * scores + self.refits[:, None, 1])
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        middle = self.probabilities(embeddings)
        return np.minimum(low, middle), np.maximum(high, middle)

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by name, for a checkpoint."""
        return {name: getattr(self, name) for name in ("directions", "offsets", "platt", "refits")}

    @classmethod
    def read(cls, config: Mapping, tensors: Mapping[str, np.ndarray]) -> Calibration:
        """What `tensors` and a config with "findings", "bands" and "source" hold.

        Raises ValueError when something is missing or does not fit together.
        """
        try:
            arrays = {name: tensors[name] for name in ("directions", "offsets", "platt", "refits")}
            return cls(
                tuple(config["findings"]),
                **arrays,
                bands=Bands(**config["bands"]),
                source=config["source"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected a calibration with findings, bands and source; it lacks {error}. "
                "Fit it again: python -m train.reporting"
            ) from error


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Real -> float64 in [0, 1], without overflow."""
    return 1 / (1 + np.exp(-np.clip(np.asarray(logits, np.float64), -60, 60)))
