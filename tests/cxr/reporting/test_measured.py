"""What is measured on an image for its report, from what a localizer finds on it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from cxr.images import Preprocess
from cxr.localization.localizer import Localization
from cxr.localization.measure import Ratio
from cxr.localization.mirrored import MIRROR_WARNING
from cxr.localization.targets import Target
from cxr.reporting.measured import HeartRatio, measure_image

SIDE = 60
RIGHT, LEFT = (slice(10, 50), slice(5, 25)), (slice(10, 50), slice(35, 55))


def mask(*parts: tuple[slice, slice]) -> np.ndarray:
    values = np.zeros((SIDE, SIDE), np.float32)
    for part in parts:
        values[part] = 1
    return values


class Finder:
    """Finds what it is told to, in places of a square of SIDE px."""

    locatable = ("consolidation", "pleural effusion", "heart")

    def __init__(self, heart_at: slice = slice(25, 45), **found) -> None:
        self.heart_at, self.found = heart_at, found
        self.lower_at: slice | None = None  # where the lower half of the heart lies, if elsewhere
        self.ratio = Ratio(0.52, 0.48, 0.56)
        self.own: dict[str, float] = {}  # the decoder's probabilities where another speaks
        self.asked: list[list[str]] = []

    def find_all(self, image, texts):
        self.asked.append(list(texts))
        lower_at = self.lower_at or self.heart_at
        heart = mask((slice(20, 35), self.heart_at), (slice(35, 50), lower_at))
        maps = {"heart and mediastinum": (heart, None, 0.0), **self.found}
        return [self._one(text, *maps[text]) for text in texts]

    def _one(self, text, heat, probability, found_from):
        return Localization(
            Target(text),
            (SIDE, SIDE),
            np.stack([heat, mask(RIGHT), mask(LEFT)]),
            Preprocess(SIDE, 0.0, 1.0, 1),
            probability,
            found_from,
            self.ratio,
            probability is None or probability >= found_from,
            own=self.own.get(text, probability),
        )


LOW_RIGHT, ALL_LEFT = (slice(38, 50), slice(5, 25)), LEFT
PICTURE = Image.new("L", (SIDE, SIDE), 90)


def finder(consolidation: np.ndarray, effusion: np.ndarray, chance: float = 0.8) -> Finder:
    found = {
        "consolidation": (consolidation, chance, 0.5),
        "pleural effusion": (effusion, 0.8, 0.5),
    }
    return Finder(**found)


def test_an_image_is_seen_once_and_everything_of_it_measured():
    one = finder(mask(LOW_RIGHT), mask(LEFT))
    measured = measure_image(one, PICTURE)
    assert len(one.asked) == 1
    assert measured.heart == HeartRatio(0.52, 0.48, 0.56)
    assert measured.places == {
        "consolidation": "in the right lung, mostly the lower zone",
        "pleural effusion": "on the left",
    }
    assert measured.log_odds["consolidation"] == pytest.approx(math.log(4))
    assert measured.values == {**measured.log_odds, "cardiomegaly": 0.52}
    assert measured.mirrored == ""


def test_findings_on_both_sides_are_said_so():
    more = mask(RIGHT, (slice(10, 20), slice(35, 55)))
    places = measure_image(finder(mask(RIGHT, LEFT), more), PICTURE).places
    assert places["consolidation"] == "in both lungs"
    assert places["pleural effusion"] == "on both sides, more on the right"


def test_no_place_is_named_of_what_is_not_found_or_lies_elsewhere():
    outside = mask((slice(52, 60), slice(0, 60)))
    measured = measure_image(finder(mask(LOW_RIGHT), outside, chance=0.3), PICTURE)
    assert measured.places == {} and measured.log_odds["consolidation"] < 0


def test_a_heart_on_the_wrong_side_is_warned_of():
    one = finder(mask(), mask())
    one.heart_at, one.lower_at = slice(20, 38), slice(8, 26)
    assert measure_image(one, PICTURE).mirrored == MIRROR_WARNING


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.44, "0.44 (0.40-0.48), within"), (0.47, "0.47 (0.43-0.51), about")]
    + [(0.53, "0.53 (0.49-0.57), about"), (0.57, "0.57 (0.53-0.61), above")],
)
def test_a_ratio_is_held_against_its_limit_as_far_as_it_is_known(value, words):
    ratio = HeartRatio(value, value - 0.04, value + 0.04)
    assert ratio.words == f"cardiothoracic ratio {words} the limit of 0.50"
    assert HeartRatio(0.5).words.endswith("within the limit of 0.50")


def test_what_the_classifier_says_is_not_measured_again():
    one = finder(mask(LOW_RIGHT), mask(ALL_LEFT))
    one.own = {"pleural effusion": 0.5}
    assert measure_image(one, PICTURE).log_odds["pleural effusion"] == 0


@pytest.mark.parametrize("value", [0.25, 0.86])
def test_a_ratio_that_no_heart_has_is_not_measured(value):
    one = finder(mask(LOW_RIGHT), mask(LEFT))
    one.ratio = Ratio(value, value - 0.04, value + 0.04)
    measured = measure_image(one, PICTURE)
    assert measured.heart is None and "cardiomegaly" not in measured.values
