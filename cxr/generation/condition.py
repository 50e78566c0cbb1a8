"""What a generator is asked to draw, in numbers: severities, heart ratio, person, view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

SEX = {"F": 1.0, "M": -1.0}
VIEW = {"PA": 1.0, "AP": -1.0}


@dataclass(frozen=True)
class Condition:
    """One image to draw.

    Attributes:
        severities: by finding; 0 absent, 1 as clear as in a typical image with the finding. A
            finding that is not named is as it mostly is beside those that are.
        heart_ratio: cardiothoracic ratio; None: whatever goes with the rest.
        age: in years; None as above.
        sex: "F" or "M"; None as above.
        view: "PA" or "AP"; None as above.
    """

    severities: Mapping[str, float] = field(default_factory=dict)
    heart_ratio: float | None = None
    age: float | None = None
    sex: str | None = None
    view: str | None = None


@dataclass(frozen=True)
class ConditionFormat:
    """How a Condition becomes the numbers that a generator was trained with (config.json).

    Attributes:
        findings: those that the generator draws, in their order.
        heart_ratio: mean and standard deviation in the training images.
        age: the same, in years.
        typical: by finding, the severities of all `findings` in the mean training image that shows
            it; a finding that is left out comes alone.
    """

    findings: tuple[str, ...]
    heart_ratio: tuple[float, float] = (0.48, 0.06)
    age: tuple[float, float] = (50.0, 17.0)
    typical: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """C, how many numbers."""
        return len(self.findings) + 4

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `from_dict` gives it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ConditionFormat:
        """Read what `to_dict` wrote. Raises ValueError for a wrong or missing key."""
        try:
            ratio, age = (_mean_and_deviation(values[name]) for name in ("heart_ratio", "age"))
            typical = {
                str(name): tuple(map(float, row)) for name, row in values.get("typical", {}).items()
            }
            if any(len(row) != len(values["findings"]) for row in typical.values()):
                raise ValueError("a typical image has another number of findings")
            return cls(tuple(values["findings"]), ratio, age, typical)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"expected findings, heart_ratio, age and typical of a generator's condition, got "
                f"{values}; "
                "use the code version that wrote the checkpoint"
            ) from error

    def vector(self, condition: Condition) -> np.ndarray:
        """The numbers, float32 [C]: severities, heart ratio, age, sex, view; 0 where None.

        Raises:
            ValueError: a finding that this generator does not draw.
        """
        unknown = sorted(set(condition.severities) - set(self.findings))
        if unknown:
            raise ValueError(
                f"expected findings out of {', '.join(self.findings)}; got {', '.join(unknown)}"
            )
        numbers = self._severities(condition.severities)
        for value, (mean, deviation) in (
            (condition.heart_ratio, self.heart_ratio),
            (condition.age, self.age),
        ):
            numbers.append(0.0 if value is None else (value - mean) / deviation)
        numbers.append(SEX.get(condition.sex or "", 0.0))
        numbers.append(VIEW.get(condition.view or "", 0.0))
        return np.array(numbers, np.float32)

    def _severities(self, named: Mapping[str, float]) -> list[float]:
        """Those of all findings: as named, else the most that goes with one of the named."""
        beside = [
            [severity * value for value in self.typical[name]]
            for name, severity in named.items()
            if severity > 0 and name in self.typical
        ]
        others = [max(values) for values in zip(*beside)] or [0.0] * len(self.findings)
        return [float(named.get(name, other)) for name, other in zip(self.findings, others)]


def _mean_and_deviation(values: Iterable[Any]) -> tuple[float, float]:
    mean, deviation = map(float, values)
    return mean, deviation
