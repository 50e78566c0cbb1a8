"""Suggested reports against a panel's reading: what is denied, and what is made up."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from expert_files import expert_table
from training_data import make_nih

from cxr.data.load import load_studies
from cxr.reporting.calibration import Finding
from cxr.reporting.claims import ABSENT, POSSIBLE, PRESENT
from cxr.reporting.compose import Sentence
from cxr.reporting.ood_gate import FilmFeatures
from cxr.reporting.overall import Overall, OverallPoint
from train.cards.report import experts_text
from train.cards.report_overall import NOT_JUDGED, overall_text
from train.evaluate import report_experts
from train.evaluate.report_experts import evaluate_against_experts
from train.evaluate.report_reading import (
    EMBARRASSING,
    RIGHT,
    WRONG,
    Reports,
    read_images,
    verdicts,
)

POINT = OverallPoint(0.2, 0.1, 0.8, 0.9, 0.03, 0.4, 0.75, 500)
NAMES = ("cardiomegaly", "mass", "fibrosis")
# By the number that stands first in an image's vector: what its report says.
SAID = (
    {},
    {"cardiomegaly": ABSENT, "mass": ABSENT},
    {"fibrosis": PRESENT, "mass": POSSIBLE, "hernia": PRESENT},
)


class Calibration:
    """Knows NAMES; before an image is seen each has one chance in ten."""

    findings = NAMES
    terms: ClassVar[dict] = {}

    def findings_at_prior(self):
        return [Finding(name, 0.1, 0.1, 0.1, "not sure") for name in NAMES]


class Suggester:
    """Says SAID[k] of an image whose vector begins with k, and gives it k tenths as a chance."""

    retriever = SimpleNamespace(model=SimpleNamespace(config=SimpleNamespace(dimension=1)))
    calibration = Calibration()

    def findings(self, vector, measured=None):
        chance = float(vector[0]) / 10
        word = "likely" if chance >= 0.2 else "unlikely"
        return [Finding(name, chance, chance, chance, word) for name in NAMES]

    def overall(self, vector, findings):
        """The more is said of an image, the more abnormal it is."""
        chance = float(vector[0]) / 10
        return Overall(chance, chance, chance, POINT.word(chance), POINT)

    def sentences_for(self, vector, findings, measured=None, overall=None):
        return [
            Sentence("x", "findings", {name: state}) for name, state in SAID[int(vector[0])].items()
        ]


def images(vectors: list[list[float]]) -> FilmFeatures:
    rows = np.array(vectors)
    return FilmFeatures(rows, np.zeros((len(rows), 64, 64), np.uint8), rows)


def test_claims_are_read_from_the_sentences():
    films = images([[0.0], [1.0], [2.0]])
    reports = read_images(Suggester(), films, [None] * 3)
    np.testing.assert_array_equal(reports.raised, [[0, 0, 0], [0, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(reports.denied, [[0, 0, 0], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(reports.likely, [[0] * 3, [0] * 3, [1] * 3])
    np.testing.assert_allclose(reports.chances[:, 0], [0, 0.1, 0.2])


GRAVE = np.array([True, True, False])
# What a report says of NAMES, how many of five saw them, abnormal -> the verdict.
JUDGED = {
    "nothing on a normal image": ({}, (0, 0, 0), False, RIGHT),
    "a serious finding denied": ({"denied": [0]}, (5, 0, 0), True, EMBARRASSING),
    "another one denied": ({"denied": [2]}, (0, 0, 5), True, WRONG),
    "a serious one called normal": ({"normal": True}, (0, 3, 0), True, EMBARRASSING),
    "likely on a normal image": ({"raised": [1], "likely": [1]}, (0, 0, 0), False, EMBARRASSING),
    "likely, where one of five saw it": ({"raised": [1], "likely": [1]}, (0, 1, 0), False, WRONG),
    "possible on a normal image": ({"raised": [1]}, (0, 0, 0), False, WRONG),
    "a contradiction": ({"raised": [0], "contradictory": True}, (5, 0, 0), True, EMBARRASSING),
    "half of what was seen": ({"raised": [0]}, (5, 5, 0), True, RIGHT),
    "less than half": ({}, (5, 5, 0), True, WRONG),
    "what two of five saw": ({"raised": [0, 1]}, (5, 2, 0), True, RIGHT),
    "nothing, where it assesses nothing of it": ({"assessed": []}, (5, 5, 5), True, RIGHT),
}


@pytest.mark.parametrize("case", JUDGED)
def test_reports_are_judged_by_the_written_rule(case):
    said, seen_by, abnormal, verdict = JUDGED[case]

    def table(name: str, default: tuple[int, ...] = ()) -> np.ndarray:
        return np.isin(range(3), said.get(name, default))[None]

    reports = Reports(
        ("",),
        np.zeros((1, 3)),
        table("assessed", (0, 1, 2)),
        table("raised"),
        *(table(name) for name in ("likely", "raised", "denied")),
        *(np.array([said.get(name, False)]) for name in ("normal", "contradictory")),
        overall=np.array([np.nan]),
        looks=np.array([""]),
    )
    votes = np.array([seen_by], float)
    judged = verdicts(reports, GRAVE, votes, (votes >= 3).astype(float), np.array([abnormal]))
    assert list(judged) == [verdict]


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """36 images, six of them to validate on: the first two are sick, the rest are normal."""
    root = make_nih(tmp_path / "nih")
    studies = load_studies(root)
    sick = {"Cardiomegaly": ("YES", 5), "Mass": ("YES", 3), "Fibrosis": ("YES", 4)}
    given = {study.image.stem: sick if row < 2 else {} for row, study in enumerate(studies)}
    (root / "expert_labels.csv").write_text(expert_table(**given))

    def features(retriever, pictures, cache, title):
        vectors = [[1.0], [0.0], [2.0], *[[0.0]] * (len(pictures) - 3)]
        return images(vectors[: len(pictures)] if len(pictures) > 1 else [[0.0]])

    monkeypatch.setattr(report_experts, "features_of", features)
    return evaluate_against_experts(Suggester(), None, root, "val", tmp_path, 20, 0)


def test_serious_findings_that_are_denied_count_and_so_do_false_ones(measured):
    assert json.loads(json.dumps(measured)) == measured
    assert measured["films"] == 6 and measured["normal_films"] == 4
    assert measured["serious"] == ["cardiomegaly", "mass"]
    suggested = measured["reports"]["suggested report"]
    assert (measured["serious_findings"], suggested["serious_denied"]) == (4, 2)
    assert suggested["denied"]["value"] == 0.5
    assert suggested["false_findings"]["value"] == 0.5  # fibrosis and mass on one of four
    # Only the third image is suggested anything, all three findings, and it is normal.
    assert suggested["micro_f1"]["value"] == 0
    shares = {name: suggested[name]["value"] for name in (RIGHT, WRONG, EMBARRASSING)}
    # The first denies, the third calls likely what nobody saw; the second sees nothing.
    assert shares == pytest.approx({RIGHT: 3 / 6, WRONG: 1 / 6, EMBARRASSING: 2 / 6}, abs=1e-4)


def test_the_whole_image_is_held_against_what_the_panel_called_abnormal(measured):
    """The two sick images have chances of 0.1 and 0, a normal one 0.2, the other normal ones 0."""
    whole = measured["overall"]
    assert (whole["abnormal_films"], whole["normal_films"]) == (2, 4)
    # Of eight pairs the first sick image wins three; three of the second's are ties.
    assert whole["auroc"]["value"] == pytest.approx((3 + 1.5) / 8, abs=1e-4)
    shares = {
        (word, kind): whole[word][kind]["value"]
        for word in ("looks_abnormal", "looks_normal")
        for kind in ("abnormal", "normal")
    }
    assert shares == {
        ("looks_abnormal", "abnormal"): 0.0,
        ("looks_abnormal", "normal"): 0.25,
        ("looks_normal", "abnormal"): 0.5,
        ("looks_normal", "normal"): 0.75,
    }


def test_baselines_that_see_no_image_say_the_same_of_each(measured):
    for name in ("prior probabilities", "blank film"):
        blind = measured["reports"][name]
        assert blind["right"]["value"] == pytest.approx(4 / 6, abs=1e-4)  # the normal ones
        assert blind["embarrassing"]["value"] == 0 and blind["micro_f1"]["value"] == 0


def test_a_card_says_how_the_reports_stand(measured):
    text = experts_text({"experts": measured})
    whole = overall_text({"calibration": {"abnormality": asdict(POINT)}}, {"experts": measured})
    assert "2 abnormal films" in whole and "500 images" in whole and "25.0" in whole
    assert overall_text({"calibration": {}}, {"experts": measured}) == NOT_JUDGED
    assert "2 of 4" in text and "Serious: cardiomegaly, mass." in text


def test_a_split_that_nobody_read_is_refused(tmp_path):
    root = make_nih(tmp_path / "nih")
    with pytest.raises(ValueError, match="expert_labels.csv"):
        evaluate_against_experts(Suggester(), None, root, "val", tmp_path, 20, 0)
