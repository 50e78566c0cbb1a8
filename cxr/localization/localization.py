"""What was asked of an image and found on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from cxr.images import Preprocess
from cxr.localization.lung_measures import Measured
from cxr.localization.measure import Measure, Ratio, measure_region
from cxr.localization.targets import Target

THRESHOLD = 0.5  # from which a pixel counts as marked, unless asked otherwise


@dataclass(frozen=True, eq=False)
class Localization:
    """What was asked for and found; every threshold can be applied without the model.

    Attributes:
        query: what the text was taken to mean.
        size: (width, height) in pixels of the image given.
        maps: float32 [3, S, S] in [0, 1] over the square that the model sees: what was asked for,
            the right and the left lung.
        preprocess: how the image was fitted into that square.
        probability: that the image shows the target at all, in [0, 1]; None where it is not known,
            or every image shows it.
        found_from: the probability from which it counts as found; of cardiomegaly the ratio.
        ratio: the cardiothoracic ratio; None where it is not measured.
        present: False where it was looked for and counts as not found; the map then stays below
            one half.
        lungs: what is measured of the lungs, with intervals; () where nothing is.
        own: the probability by the decoder itself, where the finding classifier speaks too.
        doubted: of an opacity on an image that does not look abnormal as a whole, and is therefore
            not found: the probability that it is, and from where on it would be; None elsewhere.
        unlikely: where a report calls the target unlikely: the probability by features and decoder
            together, and below which that is so; None elsewhere.
    """

    query: Target
    size: tuple[int, int]
    maps: np.ndarray
    preprocess: Preprocess
    probability: float | None = None
    found_from: float = 0.0
    ratio: Ratio | None = None
    present: bool = True
    lungs: tuple[Measured, ...] = ()
    own: float | None = None
    doubted: tuple[float, float] | None = None
    unlikely: tuple[float, float] | None = None

    @cached_property
    def heat(self) -> np.ndarray:
        """float32 [H, W] in [0, 1] at the image's own size; 1 where it is surely."""
        return self.preprocess.unsquare(self.maps[0], self.size)

    def measure(self, threshold: float = THRESHOLD) -> Measure:
        """Area and side of what is marked from `threshold` on, in numbers and in words."""
        inside = self.preprocess.square(Image.new("L", self.size, 255)) > 0
        heat, right, left = self.maps * inside
        return measure_region(heat, right, left, threshold)
