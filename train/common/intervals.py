"""A number with its 95% bootstrap interval, as metrics.json holds it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cxr.metrics import bootstrap_interval


def value_with_interval(
    statistic: Callable[[np.ndarray], float], count: int, rounds: int, seed: int
) -> dict[str, float]:
    """{"value", "low", "high"}: a statistic of case numbers int64 [n] and its 95% interval."""
    low, high = bootstrap_interval(statistic, count, rounds, seed)
    return {
        "value": round(statistic(np.arange(count)), 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }
