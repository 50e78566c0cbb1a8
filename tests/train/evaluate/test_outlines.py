"""Outlined findings measured: as shown, by the map alone, where absent, and refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr.data.masks import MaskedImage
from cxr.data.shapes import Polygon
from cxr.findings import OUTLINED
from cxr.images.load import Preprocess
from cxr.localization.localizer import Localization
from cxr.localization.targets import Target
from train.evaluate.outlines import on_outlines

QUARTER = Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)))


class Stub:
    """Marks the upper left quarter for a mass, which counts as found in bright images alone."""

    locatable = ("mass", "nodule")

    def find_all(self, image, texts):
        bright = np.asarray(image).mean() > 100
        return [
            Localization(
                Target(text),
                image.size,
                np.stack([self._map(text, bright)] * 3),
                Preprocess(64),
                present=bright,
            )
            for text in texts
        ]

    def maps_alone(self, image):
        return {name: self._map(name, True) for name in self.locatable}

    def _map(self, name, present):
        heat = np.zeros((64, 64), np.float32)
        if name == "mass":
            heat[:32, :32] = 0.9 if present else 0.3
        return heat


def film(folder, name, gray, shapes):
    Image.new("L", (64, 64), gray).save(folder / f"{name}.png")
    known = frozenset(OUTLINED)
    return MaskedImage(name, folder / f"{name}.png", name, "test", known=known, shapes=shapes)


def test_a_missed_finding_costs_what_is_shown_and_not_the_map(tmp_path):
    films = [
        film(tmp_path, "found", 200, {"mass": (QUARTER,)}),
        film(tmp_path, "missed", 10, {"mass": (QUARTER,), "fracture": (QUARTER,)}),
        film(tmp_path, "quiet", 10, {}),
        film(tmp_path, "loud", 200, {}),
    ]
    measured = on_outlines(Stub(), films, 20, 0)
    mass = measured["targets"]["mass"]
    assert (mass["films"], mass["absent_films"]) == (2, 2)
    assert mass["dice_of_map"]["value"] == pytest.approx(1, abs=0.05)
    assert mass["dice"]["value"] == pytest.approx(0.5, abs=0.05)
    assert mass["found"]["value"] == 0.5 and mass["pointing"]["value"] == 1
    assert mass["falsely_found"] == 0.5
    assert mass["false_marks"]["value"] == pytest.approx(0.125, abs=0.01)
    assert set(measured["refused"]) == set(OUTLINED) - {"mass", "nodule"}
    # The fracture is refused: it is a miss where refused ones count.
    assert measured["pointing"]["films_with_refused"] == 1
    assert measured["pointing"]["accuracy_with_refused"] == 0
    assert measured["without_finding"]["films"] == 2
    assert measured["without_finding"]["any"] == 0.5
