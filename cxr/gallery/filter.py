"""Which studies of a gallery a search may return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from cxr.findings import FINDINGS, SEXES, VIEWS, Study, canonical_finding

_UNLABELLED = 2  # outside 1 present, 0 absent, -1 uncertain


@dataclass(frozen=True)
class Where:
    """A filter; a study passes when it meets every condition that is given.

    view: any of these views; one name stands for itself alone ("frontal" is not "PA").
    sex: "F" or "M". age_min, age_max: years, both ends included.
    present, absent: findings labelled 1, and labelled 0, in any spelling that
        canonical_finding knows. An uncertain or missing label is neither.
    A study whose view, sex or age is unknown does not meet a condition on it.

    Raises:
        ValueError: an unknown view, sex or finding, or an age range that is empty.
    """

    view: tuple[str, ...] | None = None
    sex: str | None = None
    age_min: int | None = None
    age_max: int | None = None
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        view = None if self.view is None else _names(self.view, "view")
        for name in view or ():
            _one_of(name, VIEWS, "view")
        if self.sex is not None:
            _one_of(self.sex, SEXES, "sex")
        low, high = _age("age_min", self.age_min), _age("age_max", self.age_max)
        if low is not None and high is not None and low > high:
            raise ValueError(f"expected age_min <= age_max, got {low} and {high}; swap them")
        object.__setattr__(self, "view", view or None)
        object.__setattr__(self, "present", _findings(self.present, "present"))
        object.__setattr__(self, "absent", _findings(self.absent, "absent"))

    @classmethod
    def of(cls, where: Where | Mapping[str, Any] | None) -> Where:
        """A filter from itself, from a mapping with its fields as keys, or from None (all pass).

        Raises:
            ValueError: an unknown key or value.
        """
        if where is None or isinstance(where, cls):
            return where or cls()
        if not isinstance(where, Mapping):
            raise ValueError(f"expected a Where or a dict as filter, got {type(where).__name__}")
        known = [field.name for field in fields(cls)]
        for key in where:
            _one_of(key, known, "filter")
        return cls(**{key: value for key, value in where.items() if value is not None})


class Attributes:
    """What filters ask about, in columns: a filter over 200,000 studies takes milliseconds."""

    def __init__(self, studies: Sequence[Study]) -> None:
        self._studies = studies

    @cached_property
    def _view(self) -> np.ndarray:
        return np.array([study.view or "" for study in self._studies], dtype="U8")

    @cached_property
    def _sex(self) -> np.ndarray:
        return np.array([study.sex or "" for study in self._studies], dtype="U1")

    @cached_property
    def _age(self) -> np.ndarray:
        ages = [study.age for study in self._studies]
        return np.array([np.nan if age is None else age for age in ages], dtype=np.float32)

    @cached_property
    def _labels(self) -> np.ndarray:
        labels = np.full((len(self._studies), len(FINDINGS)), _UNLABELLED, dtype=np.int8)
        column = {name: i for i, name in enumerate(FINDINGS)}
        for row, study in enumerate(self._studies):
            for name, value in study.findings.items():
                labels[row, column[name]] = value
        return labels

    def passing(self, where: Where) -> np.ndarray | None:
        """Rows that pass, ascending int64 [M]; None when the filter asks nothing."""
        if where == Where():
            return None
        mask = np.ones(len(self._studies), dtype=bool)
        if where.view is not None:
            mask &= np.isin(self._view, where.view)
        if where.sex is not None:
            mask &= self._sex == where.sex
        if where.age_min is not None:
            mask &= self._age >= where.age_min  # False for NaN, an unknown age
        if where.age_max is not None:
            mask &= self._age <= where.age_max
        for names, value in ((where.present, 1), (where.absent, 0)):
            for name in names:
                mask &= self._labels[:, FINDINGS.index(name)] == value
        return np.flatnonzero(mask)


def _names(value: str | Sequence[str], what: str) -> tuple[str, ...]:
    if not isinstance(value, (str, list, tuple, set, frozenset)):
        raise ValueError(f"expected names as {what}, got {value!r}")
    names = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"expected names as {what}, got {value!r}")
    return names


def _findings(value: str | Sequence[str], what: str) -> tuple[str, ...]:
    found: list[str] = []
    for name in _names(value, what):
        canonical = canonical_finding(name) or name
        _one_of(canonical, FINDINGS, "finding")
        found.append(canonical)
    return tuple(found)


def _one_of(value: object, known: Sequence[str], what: str) -> None:
    if value not in known:
        raise ValueError(f"expected a {what} out of {', '.join(known)}; got {value!r}")


def _age(key: str, value: object) -> float | None:
    """An age limit in years, None for none. Raises ValueError for anything but a number >= 0."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError(f"expected {key} in years, 0 or more, got {value!r}; give a number")
    return value
