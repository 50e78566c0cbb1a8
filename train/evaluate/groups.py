"""Measures by sex, age band and view, with intervals, and the gaps between the groups.

Images whose sex, age or view is not known are in no group of that kind, and a group of few images
is left out; both are counted. A gap compares like with like: a mean over findings is taken over
the findings that both groups have enough images of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Protocol

import numpy as np

from cxr.metrics import auroc, value_with_interval

LEAST_IMAGES = 10  # a group of fewer is left out
LEAST_CASES = 5  # of a finding, with and without it, for its AUROC to count in a group


class Person(Protocol):
    """What is known of the person on an image; None where it is not."""

    sex: str | None
    age: int | None
    view: str | None


GROUPS: dict[str, dict[str, Callable[[Person], bool]]] = {
    "sex": {"female": lambda p: p.sex == "F", "male": lambda p: p.sex == "M"},
    "age": {
        "age under 40": lambda p: p.age is not None and p.age < 40,
        "age 40 to 59": lambda p: p.age is not None and 40 <= p.age < 60,
        "age 60 and over": lambda p: p.age is not None and p.age >= 60,
    },
    "view": {"view PA": lambda p: p.view == "PA", "view AP": lambda p: p.view == "AP"},
}

# Case numbers int64 [n] -> a number, NaN where there is none.
Statistic = Callable[[np.ndarray], float]
# The case numbers of one group, or of the two that are compared -> the statistic that can be taken
# of each of them, with what else to report about it; None when it cannot.
Measure = Callable[[Sequence[np.ndarray]], "tuple[Statistic, dict[str, int]] | None"]


def of_images(statistic: Statistic) -> Measure:
    """A statistic that any group allows."""
    return lambda groups: (statistic, {})


def mean_of(values: np.ndarray, least: int = LEAST_IMAGES) -> Measure:
    """The mean of values float [N], NaN left out; of groups where `least` images have one."""
    values = np.asarray(values, float)

    def mean(rows: np.ndarray) -> float:
        known = values[rows][~np.isnan(values[rows])]
        return float(known.mean()) if len(known) else float("nan")

    def measure(groups: Sequence[np.ndarray]) -> tuple[Statistic, dict[str, int]] | None:
        enough = all((~np.isnan(values[rows])).sum() >= least for rows in groups)
        return (mean, {}) if enough else None

    return measure


def mean_auroc_of(scores: np.ndarray, labels: np.ndarray, least: int = LEAST_CASES) -> Measure:
    """Mean AUROC over the findings that every group has `least` images with and without of.

    scores, labels float [N, F]: 1 present, 0 absent, NaN not known.
    """

    def mean(rows: np.ndarray, columns: Sequence[int]) -> float:
        known = [(c, rows[~np.isnan(labels[rows, c])]) for c in columns]
        found = [auroc(scores[k, c], labels[k, c] == 1) for c, k in known if len(k)]
        found = [value for value in found if not np.isnan(value)]
        return float(np.mean(found)) if found else float("nan")

    def measure(groups: Sequence[np.ndarray]) -> tuple[Statistic, dict[str, int]] | None:
        columns = [
            c
            for c in range(labels.shape[1])
            if all((labels[rows, c] == value).sum() >= least for rows in groups for value in (0, 1))
        ]
        return (lambda rows: mean(rows, columns), {"findings": len(columns)}) if columns else None

    return measure


def by_group(
    people: Sequence[Person],
    measures: Mapping[str, Measure],
    rounds: int,
    seed: int,
    least: int = LEAST_IMAGES,
) -> dict:
    """Take each measure in each group of N people, and the gaps between groups.

    Args:
        people: N of them, the cases in the order that the measures know them by.
        measures: By name.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.
        least: A group of fewer cases is left out.

    Returns:
        JSON-able: "groups": {name: {"kind", "films", measure: {"value", "low", "high", ...}}},
        "gaps": the same for the first of two groups of a kind less the second, "left_out": images
        of groups with fewer than `least`, "unknown": images by what is not known of them.
    """
    groups, gaps, left_out, unknown = {}, [], {}, {}
    for kind, members in GROUPS.items():
        rows = {
            name: np.flatnonzero([belongs(person) for person in people])
            for name, belongs in members.items()
        }
        unknown[kind] = len(people) - sum(map(len, rows.values()))
        left_out |= {name: len(r) for name, r in rows.items() if len(r) < least}
        rows = {name: r for name, r in rows.items() if len(r) >= least}
        for name, r in rows.items():
            found = _measured(measures, [r], rounds, seed)
            groups[name] = {"kind": kind, "films": len(r), **found}
        for one, other in combinations(rows, 2):
            found = _measured(measures, [rows[one], rows[other]], rounds, seed)
            gaps.append({"groups": [one, other], **found})
    return {
        "least_films": least,
        "groups": groups,
        "gaps": gaps,
        "left_out": left_out,
        "unknown": {kind: films for kind, films in unknown.items() if films},
    }


def _measured(
    measures: Mapping[str, Measure], groups: Sequence[np.ndarray], rounds: int, seed: int
) -> dict[str, dict]:
    out = {}
    for name, measure in measures.items():
        if (found := measure(groups)) is None:
            continue
        statistic, about = found
        of_cases = _difference(statistic, *groups) if len(groups) == 2 else _of(statistic, *groups)
        out[name] = {**value_with_interval(of_cases, sum(map(len, groups)), rounds, seed), **about}
    return out


def _of(statistic: Statistic, rows: np.ndarray) -> Statistic:
    return lambda drawn: statistic(rows[drawn])


def _difference(statistic: Statistic, one: np.ndarray, other: np.ndarray) -> Statistic:
    """The statistic of the first group less that of the second, of cases drawn from both."""

    def difference(drawn: np.ndarray) -> float:
        first = drawn < len(one)
        if first.all() or not first.any():
            return float("nan")
        return statistic(one[drawn[first]]) - statistic(other[drawn[~first] - len(one)])

    return difference
