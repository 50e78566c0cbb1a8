"""The measures of generated images, with answers that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cxr.findings import NIH_FINDINGS, Study
from cxr.generation import ConditionFormat
from train.evaluate import generator_sliders
from train.evaluate.films import FilmSet
from train.evaluate.generator_measures import (
    conditions_of,
    copies,
    distances,
    halves,
    imagined_studies,
    nearest_pair,
    request_of,
    shown_by_group,
    shown_findings,
    spread_of,
    thumbnails,
)
from train.evaluate.generator_sliders import effect_of, heart_ratio_effect
from train.evaluate.generator_usefulness import usefulness


def films_of(features: np.ndarray, squares: np.ndarray | None = None) -> FilmSet:
    """Films of which one kind of features stands for all."""
    if squares is None:
        squares = np.random.default_rng(len(features)).integers(
            0, 256, (len(features), 128, 128), np.uint8
        )
    rows = features.astype(np.float32)
    return FilmSet(squares, rows, rows, rows)


def test_thumbnails_are_means_of_blocks():
    films = np.zeros((1, 32, 32), np.uint8)
    films[0, :2, :2] = 255
    small = thumbnails(films, 16)
    assert small.shape == (1, 256) and small[0, 0] == 1 and small.sum() == 1


def test_thumbnails_and_torch_agree_on_the_mean():
    films = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    pooled = torch.nn.functional.avg_pool2d(torch.from_numpy(films)[:, None].float(), 4) / 255
    assert np.allclose(thumbnails(films, 16), pooled.flatten(1).numpy(), atol=1e-5)


def test_films_at_no_distance_are_at_none_in_every_measure():
    rows = np.random.default_rng(0).normal(size=(30, 4))
    same = films_of(rows)
    found = distances(same, same)
    names = ("frechet_distance", "network_frechet_distance", "thumbnail_distance")
    assert [found[name] for name in names] == [0, 0, 0] and found["real"] == 30
    apart = replace(same, network=-same.network)
    assert distances(same, apart)["frechet_distance"] == 0
    assert distances(same, apart)["network_frechet_distance"] > 0
    bare = replace(same, network=np.empty((30, 0)))
    assert "network_frechet_distance" not in distances(bare, bare)
    assert spread_of(rows, rows)["ratio"] == 1


def test_no_patient_is_in_both_halves():
    patients = [str(row // 3) for row in range(30)]
    one, other = halves(patients, 0)
    assert len(one) + len(other) == 30 and len(one) == 15
    assert not {patients[row] for row in one} & {patients[row] for row in other}


def test_a_finding_that_is_shown_has_a_perfect_auroc():
    asked = ["edema"] * 5 + ["mass"] * 5 + ["no finding"] * 5
    scores = np.zeros((15, 2))
    scores[:5, 0] = 1
    found = shown_findings(scores, asked, ("edema", "mass"), 20, 0)
    assert found["edema"]["value"] == 1 and found["mass"]["value"] == 0.5
    films = imagined_studies(("edema", "mass", "no finding"), 5, 0)
    assert [next(iter(film.findings)) for film in films] == asked
    assert shown_findings(scores[:10], ["edema"] * 10, ("edema", "mass"), 20, 0) == {}


def test_a_generator_that_shows_findings_on_one_view_alone_is_found_out():
    films = imagined_studies(("edema", "mass", "no finding"), 80, 0)
    asked = np.array([[name in film.positive for name in ("edema", "mass")] for film in films])
    shown = np.array([[film.view == "PA"] for film in films])
    found = shown_by_group(np.where(shown, asked, 0.5), films, ("edema", "mass"), 20, 0)
    views = [found["groups"][name]["mean_auroc"]["value"] for name in ("view PA", "view AP")]
    assert views == [1, 0.5] and set(found["groups"]) >= {"female", "male", "age 60 and over"}
    gap = next(gap for gap in found["gaps"] if gap["groups"] == ["view PA", "view AP"])
    assert gap["mean_auroc"]["value"] == 0.5 and gap["mean_auroc"]["low"] > 0


def test_copies_are_counted_by_the_nearest_pair_of_two_patients():
    training = np.array([[0.0, 0], [0, 1], [5, 0], [5.1, 0], [9, 9], [9, 9]])
    patients = ["a", "b", "c", "c", "", ""]
    assert nearest_pair(training, patients) == 1
    found = copies(np.array([[0.0, 0.5], [20, 20]]), training, patients)
    assert found["nearer"] == 1 and found["nearest"] == 0.5


def test_a_study_is_asked_for_by_what_it_shows_of_the_findings_that_can_be_drawn():
    labels = {"edema": 1, "mass": 0, "nodule": -1, "fracture": 1}
    study = Study("a", "s", "p", view="AP", sex="F", age=50, findings=labels)
    drawn = conditions_of([request_of(study), request_of(replace(study, findings={}))], 0)
    assert [one.severities for one in drawn] == [{"edema": 1.6}, {}]
    assert [(one.age, one.sex, one.view) for one in drawn] == [(50, "F", "AP")] * 2
    unknown = [Study(str(row), "s", str(row), view="frontal") for row in range(40)]
    drawn = conditions_of([request_of(one) for one in unknown], 0)
    assert {one.view for one in drawn} == {"PA", "AP"} and {one.sex for one in drawn} == {"F", "M"}


def test_a_score_that_rises_at_every_step_is_monotone():
    steady = np.arange(5.0)[:, None] + np.arange(3.0)
    found = effect_of(steady, 0)
    assert found["rising"] == 1 and found["monotone"] and found["spearman"]["value"] == 1
    assert found["steps"] == {"0.0": 1, "0.5": 2, "1.0": 3, "1.5": 4, "2.0": 5}
    dented = steady.copy()
    dented[2] = 0
    found = effect_of(dented, 0)
    assert not found["monotone"] and found["rising"] == 0.75
    flat = effect_of(np.zeros((5, 3)), 0)
    assert flat["rising"] == 0 and flat["spearman"]["value"] == 0 and not flat["monotone"]


def test_a_heart_ratio_is_compared_with_the_one_asked_for(monkeypatch):
    def draw(conditions, seed):
        levels = [round(255 * one.heart_ratio) for one in conditions]
        return films_of(np.zeros((len(levels), 1)), np.array(levels, np.uint8)[:, None, None])

    def measured(_, squares):  # 0.02 too large, and never on the largest hearts
        found = squares[:, 0, 0] / 255 + 0.02
        return np.where(found > 0.65, np.nan, found)

    monkeypatch.setattr(generator_sliders, "heart_ratios", measured)
    found = heart_ratio_effect(draw, ConditionFormat(NIH_FINDINGS), None, 0)
    assert found["mean_absolute_error"] == pytest.approx(0.02, abs=0.002)
    assert found["r"] == pytest.approx(1, abs=0.001)
    assert found["films"] == 240 and found["not_measured"] == 40
    assert found["asked"]["0.65"] is None and found["asked"]["0.5"] == pytest.approx(
        0.52, abs=0.004
    )


def test_a_classifier_learns_from_generated_films_what_they_hold(tmp_path):
    rng = np.random.default_rng(0)

    def films(count, holds):
        studies = [
            Study(str(row), "s", str(row), findings={"edema": int(row % 2), "mass": 1})
            for row in range(count)
        ]
        features = rng.normal(size=(count, 6))
        if holds:
            features[1::2, 0] += 8
        return films_of(features, np.zeros((count, 1, 1), np.uint8)), studies

    part = ("all", np.arange(6), 0.3)
    empty, real, test = films(40, False), films(40, True), films(40, True)
    found = usefulness(part, empty, real, test, 20, 0, tmp_path)
    assert found["real"]["value"] == 1 > found["generated"]["value"]
    assert found["findings"] == 1 and found["films"] == found["tested"] == 40
    found = usefulness(part, real, real, test, 20, 0, tmp_path)
    assert found["generated"] == found["real"]
    with pytest.raises(ValueError, match="expected a finding with and without"):
        usefulness(part, real, real, (test[0].rows(np.arange(4)), test[1][:4]), 20, 0, tmp_path)
