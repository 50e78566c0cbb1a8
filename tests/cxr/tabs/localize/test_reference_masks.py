"""Outlines by radiologists beside the model's: on their own films, and where they are known."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from drawn_models import DrawnLocalizer
from PIL import Image

from cxr.findings import Study
from cxr.tabs.localize.handlers import with_image
from cxr.tabs.localize.outlines import START, THRESHOLDS, outlined
from cxr.tabs.localize.reference_masks import ReferenceMasks


@pytest.fixture
def outlined_film(tmp_path, film):
    """A data set with one film of 100 x 80, its lungs drawn as halves, a consolidation in one."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    film(1, (100, 80)).save(tmp_path / "images" / "one.png")
    film(2, (100, 80)).save(tmp_path / "images" / "two.png")
    rows = [
        ["one.png", "right lung", "right.png"],
        ["one.png", "left lung", "left.png"],
        ["one.png", "consolidation", "spot.png"],
        ["two.png", "airways", "right.png"],
        ["two.png", "left lung", "left.png"],
        ["two.png", "ground-glass opacity", "spot.png"],
    ]
    with open(tmp_path / "masks.csv", "w", newline="") as file:
        csv.writer(file).writerows([["image", "target", "mask"], *rows])
    for name, place in (
        ("right", np.s_[:, :50]),
        ("left", np.s_[:, 50:]),
        ("spot", np.s_[60:, 40:60]),
    ):
        mask = np.zeros((80, 100), np.uint8)
        mask[place] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    return Study("one", "drawn", "p", tmp_path / "images" / "one.png")


@pytest.fixture
def reference_masks(outlined_film):
    return ReferenceMasks(str(outlined_film.image.parents[1]))


def test_targets_sides_and_zones_as_drawn(reference_masks, outlined_film):
    def area(text):
        return int(reference_masks.of(outlined_film, text, (100, 80)).sum())

    assert area("lungs") == 8000 and area("right lung") == 4000
    assert area("consolidation") == 400 and area("consolidation in the left lung") == 200
    assert area("consolidation in the upper zones") == 0
    assert area("opacity") == 400 and area("ground-glass opacity") == 0  # looked for, absent
    small = reference_masks.of(outlined_film, "left lung", (50, 40))
    assert small.shape == (40, 50) and small[:, 26:].all() and not small[:, :24].any()


def test_nothing_is_known_of_other_films_or_targets(reference_masks, outlined_film, tmp_path, film):
    assert reference_masks.of(None, "lungs", (100, 80)) is None
    assert reference_masks.of(replace(outlined_film, id="three"), "lungs", (100, 80)) is None
    assert reference_masks.of(outlined_film, "tubes and lines", (100, 80)) is None
    assert reference_masks.of(outlined_film, "bonjour", (100, 80)) is None
    assert reference_masks.of(outlined_film, "airways", (100, 80)) is None  # nobody lacks them
    half = replace(outlined_film, id="two", image=outlined_film.image.with_name("two.png"))
    assert (
        reference_masks.of(half, "left lung", (100, 80)) is not None
    )  # its right lung was not drawn
    for text in ("lungs", "right lung", "ground-glass opacity in the left lung"):
        assert reference_masks.of(half, text, (100, 80)) is None
    film(1, (120, 80)).save(tmp_path / "namesake.png")
    namesake = replace(outlined_film, image=tmp_path / "namesake.png")
    assert reference_masks.of(namesake, "lungs", (100, 80)) is None
    assert ReferenceMasks().of(outlined_film, "lungs", (100, 80)) is None


def test_a_folder_without_masks_is_said_once_and_shows_none(tmp_path, outlined_film, caplog):
    none = ReferenceMasks(str(tmp_path / "nowhere"))
    assert none.of(outlined_film, "lungs", (100, 80)) is None
    assert none.of(outlined_film, "lungs", (100, 80)) is None
    assert caplog.text.count("no reference masks are shown") == 1


def test_the_overlap_is_told_where_the_reference_is_known(reference_masks, outlined_film, film):
    state = with_image(film(1, (100, 80)), "Film one", outlined_film)
    found = DrawnLocalizer().find(state.image, "right lung")
    reference = found.heat >= 0.5
    at = outlined(found, "right lung", reference).measures[START - THRESHOLDS[0]]
    assert at.dice == "Dice 1.00" and outlined(found, "right lung", reference).reference
    empty = outlined(found, "right lung", np.zeros_like(reference)).measures[START - THRESHOLDS[0]]
    assert empty.dice == "Dice 0.00; none was drawn here"
    assert (
        outlined(found, "right lung").reference
        == ""
        == outlined(found, "right lung").measures[0].dice
    )
