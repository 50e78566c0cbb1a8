"""Checks of heat maps: encoders whose answer is known, and a real one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_films import draw_film
from gallery_helpers import telling_dual_encoder
from PIL import Image

from cxr.retrieval.retriever import Retriever
from train.evaluate.saliency_checks import (
    blurred,
    marked_area,
    randomized,
    rank_correlation,
    saliency_report,
    shifted_areas,
)

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def retriever(film) -> Retriever:
    return Retriever(telling_dual_encoder(film), device=torch.device("cpu"))


def test_the_heat_map_depends_on_the_weights(retriever):
    other = randomized(retriever, 0)
    film = draw_film(3, (128, 128))
    same = rank_correlation(*(retriever.heat_map(film, "mass") for _ in range(2)))
    changed = rank_correlation(retriever.heat_map(film, "mass"), other.heat_map(film, "mass"))
    assert same == pytest.approx(1) and abs(changed) < 0.9
    text = retriever.encode_text(["mass"])
    np.testing.assert_array_equal(other.encode_text(["mass"]), text)


class SpotEncoder(Retriever):
    """Its similarity to any text is how bright a film is within `spot`; its heat map marks the
    spot, or where `marks` is given, that place instead."""

    def __init__(self, model, spot: tuple[slice, slice], marks: tuple[slice, slice] | None = None):
        super().__init__(model, device=torch.device("cpu"))
        self.spot, self.marks = spot, marks or spot

    def encode_text(self, texts) -> np.ndarray:
        return np.eye(1, 2, dtype=np.float32)

    def encode_images(self, images) -> np.ndarray:
        bright = [np.asarray(image, np.float32)[self.spot].mean() / 255 for image in images]
        return np.array([[value, 0] for value in bright], np.float32)

    def heat_map(self, image, query) -> np.ndarray:
        heat = np.zeros(image.size[::-1], np.float32)
        heat[self.marks] = 1
        return heat


def test_deletion_tells_a_heat_map_that_marks_what_matters_from_one_that_does_not(retriever):
    spot, elsewhere = np.s_[10:60, 10:60], np.s_[70:120, 70:120]
    film = np.full((128, 128), 40, np.uint8)
    film[spot] = 220
    cases = [(Image.fromarray(film), "mass")] * 6
    right = saliency_report(SpotEncoder(retriever.model, spot), cases, 50, 0)
    wrong = saliency_report(SpotEncoder(retriever.model, spot, elsewhere), cases, 50, 0)
    assert right["drop_difference"]["low"] > 0 and right["marked_drops_more"]["value"] == 1
    assert wrong["drop_difference"]["high"] < right["drop_difference"]["low"]
    assert wrong["drop_marked"]["value"] == pytest.approx(0, abs=1e-3)


def test_both_checks_run_on_a_real_encoder(retriever):
    cases = [(draw_film(seed, (64, 64)), "mass") for seed in range(2)]
    report = saliency_report(retriever, cases, 20, 0)
    assert report["cases"] == 2
    assert -1 <= report["correlation_with_randomised"]["value"] <= 1
    with pytest.raises(ValueError, match="images that show a finding"):
        saliency_report(retriever, [], 50, 0)


def test_areas_are_of_one_size_and_only_they_change():
    heat = np.random.default_rng(0).uniform(size=(40, 50))
    mask = marked_area(heat, 0.1)
    assert mask.sum() == 200 and heat[mask].min() >= heat[~mask].max()
    assert {one.sum() for one in shifted_areas(mask, 5, 0)} == {200}
    film = draw_film(0, (50, 40))
    changed = np.array(blurred(film, mask)) != np.array(film)
    assert changed.any() and not changed[~mask].any()
