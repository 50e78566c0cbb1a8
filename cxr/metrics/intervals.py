"""Bootstrap intervals of any measure, as metrics.json holds them."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy.stats import DegenerateDataWarning, bootstrap


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float],
    count: int,
    rounds: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval (Efron 1979) of a statistic of `count` cases.

    Args:
        statistic: takes int64 [count] case numbers, drawn with replacement, and returns a float.
            Rounds where it is NaN are left out, such as those of an AUROC that drew one class only.
        count: the number of cases, at least 1.
        rounds: how often cases are drawn.
        seed: of the draws.
        level: the share of the rounds that the interval holds.

    Returns:
        (low, high), both NaN when no round gave a number.
    """
    if count < 2:  # scipy refuses a single case, whose draws are all the same
        value = float(statistic(np.zeros(count, np.int64)))
        return value, value
    with warnings.catch_warnings():
        # scipy's own interval is NaN where one round is; ours is taken over the others below.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            (np.arange(count),),
            statistic,
            n_resamples=rounds,
            confidence_level=level,
            method="percentile",
            vectorized=False,
            rng=np.random.default_rng(seed),
        )
    drawn = result.bootstrap_distribution
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def value_with_interval(
    statistic: Callable[[np.ndarray], float], count: int, rounds: int, seed: int
) -> dict[str, float]:
    """A statistic of all cases and its 95% interval, rounded to four digits.

    Arguments as for `bootstrap_interval`. Returns {"value", "low", "high"}.
    """
    low, high = bootstrap_interval(statistic, count, rounds, seed)
    return {
        "value": round(statistic(np.arange(count)), 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }
