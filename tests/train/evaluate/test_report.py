"""How suggested reports and heat maps are measured: known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_films import draw_film
from gallery_helpers import telling_dual_encoder
from PIL import Image

from cxr.reporting.calibration import Bands, sigmoid
from cxr.retrieval.retriever import Retriever
from train.evaluate.report_labels import baseline_rows, commonest, label_scores
from train.evaluate.report_text import meteor_modules, text_scores
from train.evaluate.saliency_checks import (
    marked_area,
    randomized,
    rank_correlation,
    saliency_report,
    shifted_areas,
    without,
)
from train.reporting.platt import (
    best_threshold,
    choose_bands,
    f1,
    fit_platt,
    fit_slopes,
    intercepts,
)

torch.set_num_threads(1)
KNOWN = np.ones((2, 2), bool)


@pytest.mark.parametrize(
    ("found", "truth", "micro", "macro"),
    [
        ([[1, 0], [0, 1]], [[1, 0], [0, 1]], 1.0, 1.0),
        ([[0, 1], [1, 0]], [[1, 0], [0, 1]], 0.0, 0.0),
        ([[0, 0], [0, 0]], [[1, 0], [0, 1]], 0.0, 0.0),
        ([[1, 1], [1, 1]], [[1, 0], [0, 1]], 2 / 3, 2 / 3),
        ([[1, 0], [1, 0]], [[1, 0], [1, 1]], 0.8, 0.5),
    ],
)
def test_known_f1(found, truth, micro, macro):
    scores = label_scores(np.array(found, bool), np.array(truth, bool), KNOWN)
    assert scores["micro_f1"] == pytest.approx(micro)
    assert scores["macro_f1"] == pytest.approx(macro)


def test_cases_that_nobody_read_do_not_count():
    found, truth = np.array([[True, True]]), np.array([[True, False]])
    assert label_scores(found, truth, np.array([[True, False]]))["micro_precision"] == 1


def test_the_baselines_lend_what_they_say():
    labels = np.array([[1, 0], [0, 0], [0, 0], [0, 1]], bool)
    vectors = np.eye(4, dtype=np.float32)
    assert commonest(labels) == 1
    rows = baseline_rows(labels, vectors, vectors[[3, 0]], 0)
    assert rows["nearest neighbour's report"].tolist() == [3, 0]
    assert rows["commonest report"].tolist() == [1, 1]


def test_equal_texts_score_one_and_disjoint_ones_nothing():
    text = "The heart is enlarged. There is a small pleural effusion."
    same = text_scores([text], [text])
    assert same["bleu_4"] == same["rouge_l"] == 1 and same["meteor"] > 0.99
    other = text_scores(["Quite another sentence"], [text])
    assert other["rouge_l"] == other["meteor"] == 0 and other["bleu_1"] == 0
    half = text_scores(["The heart is enlarged."], [text])
    assert 0 < half["bleu_1"] < 1 and 0 < half["rouge_l"] < 1
    assert meteor_modules()[:2] == ["exact", "stem"]
    with pytest.raises(ValueError, match="as many candidates"):
        text_scores([text], [])


def test_best_threshold_finds_the_gap():
    chance = np.array([0.1, 0.2, 0.3, 0.7, 0.8])
    truth = chance > 0.5
    threshold = best_threshold(chance, truth)
    assert 0.3 < threshold <= 0.7 and f1(chance >= threshold, truth) == 1


def simulated(count: int = 4000, seed: int = 0):
    """Scores, and labels whose log odds are 1.5 x score - 2 for two findings; the third is rare."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(count, 3))
    labels = random.uniform(size=scores.shape) < sigmoid(1.5 * scores - [2, 2, 9])
    return scores, labels.astype(float)


def test_slopes_and_intercepts_of_simulated_films_are_found():
    scores, labels = simulated()
    platt, refits = fit_platt((scores, labels), (scores, labels), 5, 0)
    np.testing.assert_allclose(platt[0, :2], 1.5, atol=0.15)
    np.testing.assert_allclose(platt[1, :2], -2, atol=0.2)
    assert refits.shape == (5, 2, 3) and np.ptp(refits[:, 0, 0]) > 0


def test_a_finding_without_positives_has_the_slope_of_the_others():
    scores, labels = simulated()
    labels[:, 2] = 0
    slopes = fit_slopes(scores, labels, np.ones(len(scores)))
    assert slopes[2] == pytest.approx(slopes[:2].mean(), abs=0.25)


def test_the_mean_probability_is_the_prevalence():
    scores, _ = simulated(500)
    prevalence = np.array([0.1, 0.5, 0.01])
    found = intercepts(scores, np.ones(3), prevalence)
    np.testing.assert_allclose(sigmoid(scores + found).mean(0), prevalence, atol=1e-6)


def test_bands_are_in_order_and_words_follow_them():
    scores, labels = simulated()
    chances = sigmoid(1.5 * scores - [2, 2, 9])
    bands = choose_bands(chances, labels)
    assert 0 < bands.unlikely <= bands.possible <= bands.likely
    assert labels[chances < bands.unlikely].mean() <= 0.06
    assert [Bands(0.5, 0.3, 0.1).word(p) for p in (0.5, 0.3, 0.29, 0.1, 0.09)] == [
        "likely",
        "possible",
        "not sure",
        "not sure",
        "unlikely",
    ]
    with pytest.raises(ValueError, match="python -m train.reporting"):
        Bands(0.2, 0.3, 0.1)


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
    with pytest.raises(ValueError, match="films that carry a finding"):
        saliency_report(retriever, [], 50, 0)


def test_areas_are_of_one_size_and_only_they_change():
    heat = np.random.default_rng(0).uniform(size=(40, 50))
    mask = marked_area(heat, 0.1)
    assert mask.sum() == 200 and heat[mask].min() >= heat[~mask].max()
    assert {one.sum() for one in shifted_areas(mask, 5, 0)} == {200}
    film = draw_film(0, (50, 40))
    changed = np.array(without(film, mask)) != np.array(film)
    assert changed.any() and not changed[~mask].any()
