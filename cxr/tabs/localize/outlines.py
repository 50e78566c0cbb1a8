"""What the localizer found, as the page takes it: one small map, and a reading at every threshold.

The page draws and measures again at each move of a slider without asking: it looks the reading up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from cxr.anatomy import AIRWAYS, DEVICES, HEART, LUNGS
from cxr.localization import Measure, measure_region
from cxr.metrics import dice
from cxr.tabs.shared.image_urls import inline

if TYPE_CHECKING:
    from cxr.localization import Localization

THRESHOLDS = range(5, 96)  # percent
START = 50  # percent: where the slider stands at first
MAP_SIDE = 512  # pixels of a map's longer side; the model itself sees 256
OUTSIDE = (HEART, AIRWAYS, DEVICES)  # what has no side among the lungs


@dataclass(frozen=True)
class Reading:
    """What is said at one threshold, in plain text; "" where there is nothing to say."""

    found: bool
    verdict: str
    area: str = ""
    each: str = ""
    dice: str = ""

    def to_dict(self) -> dict:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True)
class Outline:
    """taken: what the text was taken to mean; "" where it names nothing that can be outlined.
    heat, truth: data: addresses of maps, 0 to 255; truth is "" where no one outlined the film.
    readings: one for each of THRESHOLDS.
    """

    taken: str
    heat: str
    readings: tuple[Reading, ...]
    truth: str = ""


def outlined(found: Localization, truth: np.ndarray | None = None) -> Outline:
    """For the page. truth: bool [H, W] at the film's size, where it is known."""
    # In 8 bits, so that the page, which sees no more, and the numbers agree.
    heat = np.round(255 * found.heat).astype(np.uint8)
    film = found.preprocess.square(Image.new("L", found.size, 255)) > 0
    maps = np.round(255 * found.maps * film) / 255
    readings = []
    for level in (level_of(percent) for percent in THRESHOLDS):
        overlap = "" if truth is None else _overlap(heat >= level, truth)
        readings.append(_reading(found, measure_region(*maps, level / 255), heat, level, overlap))
    return Outline(
        taken=found.query.prompt if found.query else "",
        heat=inline(Image.fromarray(heat), MAP_SIDE),
        readings=tuple(readings),
        truth="" if truth is None else inline(_smooth(truth), MAP_SIDE),
    )


def _smooth(mask: np.ndarray) -> Image.Image:
    """A mask as a map whose line at one half has no steps."""
    return Image.fromarray((255 * mask).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))


def level_of(percent: float) -> int:
    """A threshold in percent -> the least of 256 levels that reaches it, as the page has it."""
    return int(percent * 2.55 + 0.5)


def _reading(found: Localization, measured: Measure, heat, level: int, overlap: str) -> Reading:
    if found.query is None:
        return Reading(False, "Nothing was named that can be outlined. Try one of the suggestions.")
    if not measured.found:
        highest = heat.max() / 255
        said = f"Not found: nothing reaches {level / 255:.0%}. The highest is {highest:.0%}."
        return Reading(False, said, dice=overlap)
    picture = f"{measured.picture:.1f}% of the picture"
    if found.query.target in OUTSIDE or measured.lungs is None:
        return Reading(True, "Found", picture, "", overlap)
    words = measured.words[0].upper() + measured.words[1:]
    if words.lower() == found.query.target:  # asked for a lung, found in that lung
        words = "Found"
    if found.query.target == LUNGS and not (found.query.side or found.query.zone):
        return Reading(True, words, picture, "", overlap)
    each = f"right {measured.right:.0f}%, left {measured.left:.0f}%" if _both(measured) else ""
    return Reading(True, words, f"{measured.lungs:.1f}% of the lungs", each, overlap)


def _both(measured: Measure) -> bool:
    return measured.right is not None and measured.left is not None


def _overlap(marked: np.ndarray, truth: np.ndarray) -> str:
    return f"Dice {dice(marked, truth):.2f}" + ("" if truth.any() else "; none was drawn here")
