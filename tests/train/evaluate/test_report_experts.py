"""Suggested reports against a panel's reading: what is denied, and what is made up."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from expert_files import expert_table
from training_data import make_nih

from cxr.data.load import load_studies
from cxr.reporting.claims import ABSENT, POSSIBLE, PRESENT
from cxr.reporting.compose import Sentence
from cxr.reporting.ood_gate import FilmFeatures
from train.cards.report import experts_text
from train.evaluate import report_experts
from train.evaluate.report_experts import claimed, evaluate_against_experts

NAMES = ("cardiomegaly", "mass", "fibrosis")
# By the number that stands first in an image's vector: what its report says.
SAID = (
    {},
    {"cardiomegaly": ABSENT, "mass": ABSENT},
    {"fibrosis": PRESENT, "mass": POSSIBLE, "hernia": PRESENT},
)


class Suggester:
    """Says SAID[k] of an image whose vector begins with k, and gives it k tenths as a chance."""

    retriever = None
    calibration = SimpleNamespace(
        findings=NAMES,
        probabilities=lambda rows: np.repeat(rows[:, :1] / 10, len(NAMES), 1),
        suggested=lambda chances: chances >= 0.2,
    )

    def findings(self, vector):
        return []

    def sentences_for(self, vector, findings):
        return [
            Sentence("x", "findings", {name: state}) for name, state in SAID[int(vector[0])].items()
        ]


def images(vectors: list[list[float]]) -> FilmFeatures:
    rows = np.array(vectors)
    return FilmFeatures(rows, np.zeros((len(rows), 64, 64), np.uint8), rows)


def test_claims_are_read_from_the_sentences():
    raised, denied = claimed(Suggester(), images([[0.0], [1.0], [2.0]]), NAMES)
    np.testing.assert_array_equal(raised, [[0, 0, 0], [0, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(denied, [[0, 0, 0], [1, 1, 0], [0, 0, 0]])


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
        return images(vectors)

    monkeypatch.setattr(report_experts, "features_of", features)
    return evaluate_against_experts(Suggester(), root, "val", tmp_path, 20, 0)


def test_serious_findings_that_are_denied_count_and_so_do_false_ones(measured):
    assert json.loads(json.dumps(measured)) == measured
    assert measured["films"] == 6 and measured["normal_films"] == 4
    assert measured["serious"] == ["cardiomegaly", "mass"]
    assert (measured["serious_findings"], measured["serious_denied"]) == (4, 2)
    assert measured["denied"]["value"] == 0.5
    assert measured["false_findings"]["value"] == 0.5  # fibrosis and mass on one of four
    # Only the third image is suggested anything, all three findings, and it is normal.
    assert measured["micro_f1"]["value"] == 0
    text = experts_text({"experts": measured})
    assert "2 of 4" in text and "Serious: cardiomegaly, mass." in text


def test_a_split_that_nobody_read_is_refused(tmp_path):
    root = make_nih(tmp_path / "nih")
    with pytest.raises(ValueError, match="expert_labels.csv"):
        evaluate_against_experts(Suggester(), root, "val", tmp_path, 20, 0)
