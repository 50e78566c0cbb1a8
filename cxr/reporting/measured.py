"""What the localizer measures on an image for its report: the heart's size, and where findings lie.

The image passes the localizer once for all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

from cxr.anatomy import HEART
from cxr.checkpoints import log_odds
from cxr.localization import Localization, Localizer, mirror_warning_of

LARGEST_NORMAL_RATIO = 0.5  # of heart and chest on a PA image (Danzer 1919)
# Findings whose side a report names; of the first the zone as well.
SIDED = ("consolidation", "atelectasis", "nodule", "mass", "fibrosis")
ONLY_SIDED = ("pleural effusion", "pneumothorax", "pleural thickening")
_INSIDE = ("right lung", "left lung", "both lungs")  # how the words of a place in the lungs begin


@dataclass(frozen=True)
class HeartRatio:
    """A measured cardiothoracic ratio.

    Attributes:
        value: width of the heart over that of the chest.
        low, high: its 90% interval; None where it is not known.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def enlarged(self) -> bool:
        """Whether it lies above LARGEST_NORMAL_RATIO."""
        return self.value > LARGEST_NORMAL_RATIO

    @property
    def words(self) -> str:
        """Such as "cardiothoracic ratio 0.57 (0.53-0.61), above the limit of 0.50"."""
        sure = "" if self.low is None else f" ({self.low:.2f}-{self.high:.2f})"
        where = "about" if self.borderline else "above" if self.enlarged else "within"
        return (
            f"cardiothoracic ratio {self.value:.2f}{sure}, {where} the limit of "
            f"{LARGEST_NORMAL_RATIO:.2f}"
        )

    @property
    def borderline(self) -> bool:
        """Whether its interval leaves open on which side of LARGEST_NORMAL_RATIO it lies."""
        if self.low is None or self.high is None:
            return False
        return self.low <= LARGEST_NORMAL_RATIO <= self.high


@dataclass(frozen=True)
class Measurements:
    """What was measured on an image.

    Attributes:
        heart: the cardiothoracic ratio; None where it is not measured, or is none that hearts have.
        places: of the findings that the localizer outlines, finds here and is trusted with, where
            they lie, such as "on the right" or "in the left lung, mostly the lower zone".
        log_odds: of each finding that the localizer looked for, that the image shows it; by itself,
            whoever speaks for the finding in Localize.
        mirrored: a warning where the image seems to be mirrored; "" elsewhere.
    """

    heart: HeartRatio | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    log_odds: Mapping[str, float] = field(default_factory=dict)
    mirrored: str = ""

    @property
    def values(self) -> dict[str, float]:
        """What enters probabilities, by finding: the ratio of cardiomegaly, else the log odds."""
        heart = {} if self.heart is None else {"cardiomegaly": self.heart.value}
        return {**self.log_odds, **heart}


def measure_image(localizer: Localizer, image: Image.Image) -> Measurements:
    """Measure an image in one pass of the localizer.

    Args:
        localizer: as Localizer.load gives it.
        image: as cxr.load_image takes it.

    Returns:
        The measurements; a localizer that says nothing of a finding's presence names no places.

    Raises:
        ValueError: an unreadable image.
    """
    named = [name for name in (*SIDED, *ONLY_SIDED) if name in localizer.locatable]
    heart, *found = localizer.find_all(image, [HEART, *named])
    ratio = heart.ratio if heart.ratio is not None and heart.ratio.plausible else None
    places = {name: _place(name, one) for name, one in zip(named, found)}
    # By the localizer itself: the classifier's own answer would be no second opinion.
    chances = {name: one.own for name, one in zip(named, found)}
    return Measurements(
        None if ratio is None else HeartRatio(ratio.value, ratio.low, ratio.high),
        {name: place for name, place in places.items() if place},
        {name: log_odds(chance) for name, chance in chances.items() if chance is not None},
        mirror_warning_of(heart),
    )


def _place(name: str, found: Localization) -> str:
    """Where an outlined finding lies; "" where it is not found, or not in the lungs."""
    if not (found.present and found.found_from):
        return ""
    words = found.measure().words
    if not words.startswith(_INSIDE):
        return ""
    if name in SIDED:
        return f"in {'' if words.startswith('both') else 'the '}{words}"
    if words.startswith("both lungs"):
        more = words.partition(", more on the ")[2].partition(",")[0]
        return f"on both sides, more on the {more}" if more else "on both sides"
    return f"on the {words.partition(' ')[0]}"
