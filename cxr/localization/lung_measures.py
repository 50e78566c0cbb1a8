"""Heights and areas of the lungs and their costophrenic angles, measured on their outlines.

Films carry no scale, so that lengths are shares of the chest's width. What is measured are the
fields that are seen beside heart and diaphragm, as computer-aided readings of the chest do it
(van Ginneken et al. 2001); the angle is that between chest wall and diaphragm at the lowest outer
corner of a lung, blunted where fluid lies there (Maduskar et al. 2016).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

RIGHT_HEIGHT, LEFT_HEIGHT = "right lung height", "left lung height"
RIGHT_AREA = "right lung's share of the area"
RIGHT_ANGLE, LEFT_ANGLE = "right costophrenic angle", "left costophrenic angle"
LUNG_MEASURES = (RIGHT_HEIGHT, LEFT_HEIGHT, RIGHT_AREA, RIGHT_ANGLE, LEFT_ANGLE)
UNITS = {
    RIGHT_HEIGHT: "of the chest's width",
    LEFT_HEIGHT: "of the chest's width",
    RIGHT_AREA: "",
    RIGHT_ANGLE: "degrees",
    LEFT_ANGLE: "degrees",
}
_INSIDE = 0.5
_LEAST = 0.02  # of the picture: less is no lung
_WALL, _FLOOR = (0.04, 0.22), (0.06, 0.4)  # of a lung's height and width, from the corner on


@dataclass(frozen=True)
class Measured:
    """A measure with the interval that held 90% of those on outlines drawn by hand.

    Attributes:
        name: of LUNG_MEASURES.
        value: in UNITS.
        low: of the interval.
        high: of the interval.
    """

    name: str
    value: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """Such as "0.62 (0.58 to 0.66) of the chest's width"."""
        unit = UNITS.get(self.name, "")
        digits = 0 if unit == "degrees" else 2
        numbers = f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"
        return f"{numbers} {unit}".strip()


def measure_lungs(right: np.ndarray, left: np.ndarray) -> dict[str, float]:
    """Measure both lungs.

    Args:
        right: the right lung, real [S, S] in [0, 1].
        left: the left lung, as `right`.

    Returns:
        By name of LUNG_MEASURES, what can be measured; {} where a lung is missing. Heights are
        over the width of the chest, from the outer edge of one lung to that of the other; angles
        in degrees.
    """
    lungs = [_largest(values >= _INSIDE) for values in (right, left)]
    if any(lung.mean() < _LEAST for lung in lungs):
        return {}
    columns = np.flatnonzero((lungs[0] | lungs[1]).any(0))
    chest = columns[-1] - columns[0] + 1
    areas = [float(lung.sum()) for lung in lungs]
    rows = [np.flatnonzero(lung.any(1)) for lung in lungs]
    found: dict[str, float | None] = {
        RIGHT_HEIGHT: float((rows[0][-1] - rows[0][0] + 1) / chest),
        LEFT_HEIGHT: float((rows[1][-1] - rows[1][0] + 1) / chest),
        RIGHT_AREA: areas[0] / sum(areas),
        # The patient's right is on the left of the image.
        RIGHT_ANGLE: costophrenic_angle(lungs[0]),
        LEFT_ANGLE: costophrenic_angle(lungs[1][:, ::-1]),
    }
    return {name: value for name, value in found.items() if value is not None}


def costophrenic_angle(lung: np.ndarray) -> float | None:
    """The angle between chest wall and diaphragm at a lung's lowest outer corner.

    Args:
        lung: bool [H, W], with the chest wall to the left of the image.

    Returns:
        Degrees in (0, 180); None where wall or diaphragm is too short to lay a line on.
    """
    rows, columns = np.nonzero(lung)
    if not len(rows):
        return None
    top, first = rows.min(), columns.min()
    height, width = rows.max() - top + 1, columns.max() - first + 1
    corner = int(np.argmax((rows - top) / height - (columns - first) / width))
    down, across = int(rows[corner]), int(columns[corner])
    wall = np.arange(round(down - _WALL[1] * height), round(down - _WALL[0] * height))
    floor = np.arange(round(across + _FLOOR[0] * width), round(across + _FLOOR[1] * width))
    wall = wall[(wall >= 0) & lung[np.clip(wall, 0, None)].any(1)]
    floor = floor[floor < lung.shape[1]]
    floor = floor[lung[:, floor].any(0)]
    if len(wall) < 4 or len(floor) < 4:
        return None
    edge = lung[wall].argmax(1)
    lowest = len(lung) - 1 - lung[::-1, floor].argmax(0)
    lean, slope = np.polyfit(wall, edge, 1)[0], np.polyfit(floor, lowest, 1)[0]
    up, inward = np.array([-lean, -1.0]), np.array([1.0, slope])
    cosine = up @ inward / (np.linalg.norm(up) * np.linalg.norm(inward))
    return math.degrees(math.acos(max(-1.0, min(1.0, float(cosine)))))


def with_intervals(
    values: Mapping[str, float], errors: Mapping[str, float]
) -> tuple[Measured, ...]:
    """Measures with the half widths of their intervals; one without a half width is left out."""
    return tuple(
        Measured(name, value, value - errors[name], value + errors[name])
        for name, value in values.items()
        if errors.get(name)
    )


def _largest(mask: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(mask)
    return mask if count < 2 else parts == 1 + int(np.bincount(parts.ravel())[1:].argmax())
