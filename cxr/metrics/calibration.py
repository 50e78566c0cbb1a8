"""Whether probabilities mean what they say: reliability in bins and expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binned_statistic


@dataclass(frozen=True)
class Bin:
    """Cases whose probability lies in [low, high); `high` of the last bin belongs to it."""

    low: float
    high: float
    count: int
    probability: float  # mean of the cases
    share: float  # of the cases that are true


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> list[Bin]:
    """The bins of equal width that hold any case, in rising order (DeGroot and Fienberg 1983).

    probabilities: real [N] in [0, 1]; labels: bool or 0 and 1 [N].
    Raises ValueError for other shapes, no case, NaN, or a probability outside [0, 1].
    """
    probabilities = np.asarray(probabilities, np.float64)
    labels = np.asarray(labels, np.float64)
    fits = probabilities.ndim == 1 and probabilities.shape == labels.shape and len(labels)
    if not fits or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError(
            f"expected probabilities in [0, 1] and labels, both [N] with N >= 1; "
            f"got shapes {list(probabilities.shape)} and {list(labels.shape)}. Look for NaN."
        )
    edges = np.arange(bins + 1) / bins
    counts, _, _ = binned_statistic(probabilities, probabilities, "count", edges)
    (means, shares), _, _ = binned_statistic(probabilities, [probabilities, labels], "mean", edges)
    return [
        Bin(float(low), float(high), int(count), float(mean), float(share))
        for low, high, count, mean, share in zip(edges, edges[1:], counts, means, shares)
        if count
    ]


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10
) -> float:
    """Mean over cases of |mean probability - share of true cases| of their bin (Naeini 2015).

    Arguments and errors as for `reliability`. Returns a float in [0, 1]; 0 is calibrated.
    """
    found = reliability(probabilities, labels, bins)
    total = sum(one.count for one in found)
    return sum(one.count * abs(one.probability - one.share) for one in found) / total
