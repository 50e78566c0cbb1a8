"""Whether an image looks abnormal as a whole, and what may be said of it."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from reporting_parts import FEATURES, tiny_calibration

from cxr.findings import NIH_FINDINGS
from cxr.reporting.calibration import Calibration
from cxr.reporting.overall import (
    LOOKS_ABNORMAL,
    LOOKS_NORMAL,
    UNDECIDED,
    Abnormality,
    OverallPoint,
)

POINT = OverallPoint(0.75, 0.25, 0.8, 0.9, 0.03, 0.4, 0.75, 500)


def judge(*weights: float, refits: int = 50) -> Abnormality:
    """Of as many findings as there are weights, less what is added, with scattered refits."""
    row = np.array(weights, np.float32)
    scattered = row + np.random.default_rng(0).normal(0, 0.1, (refits, len(row)))
    return Abnormality(np.vstack([row, scattered]).astype(np.float32), POINT)


def calibration_with(abnormality: Abnormality | None) -> Calibration:
    return replace(tiny_calibration(), abnormality=abnormality)


@pytest.mark.parametrize(
    ("scores", "word"),
    [((2.0, 2.0), LOOKS_ABNORMAL), ((-2.0, -2.0), LOOKS_NORMAL), ((1.0, -1.0), UNDECIDED)],
)
def test_scores_of_all_findings_together_say_how_an_image_looks(scores, word):
    found = judge(1, 1, 0).judge(np.array(scores))
    assert found.word == word and found.low < found.probability < found.high
    assert found.probability == pytest.approx(1 / (1 + np.exp(-sum(scores))))


def test_beside_a_suggested_finding_no_image_looks_normal():
    normal = judge(1, 1, 0).judge(np.array([-2.0, -2.0]))
    assert normal.beside(True).word == UNDECIDED and normal.beside(False) == normal
    abnormal = judge(1, 1, 0).judge(np.array([2.0, 2.0]))
    assert abnormal.beside(True) == abnormal


def test_another_prevalence_changes_chances_and_values_but_no_word():
    """By Bayes' rule: thresholds move with the probabilities."""
    ward, screening = judge(1, 1, 0), judge(1, 1, 0).in_setting(0.1)
    for sums in np.linspace(-4, 4, 17):
        here, there = (one.judge(np.array([sums, 0])) for one in (ward, screening))
        assert here.word == there.word and there.probability < here.probability
        odds = [one.probability / (1 - one.probability) for one in (here, there)]
        assert odds[1] == pytest.approx(odds[0] / 10, rel=1e-4)
    assert screening.point.npv > POINT.npv
    assert POINT.npv == pytest.approx(0.1 / (0.1 + 0.0225))
    assert replace(POINT, missed=0.0, recognized=0.0).npv == 0


def test_a_calibration_carries_its_judge_into_a_checkpoint_and_back():
    whole = judge(*np.linspace(-1, 1, len(NIH_FINDINGS) + 1), refits=20)
    calibration = calibration_with(whole)
    config = {
        "findings": list(NIH_FINDINGS),
        "bands": vars(calibration.bands),
        "source": "random",
        "abnormality": asdict(POINT),
    }
    read = Calibration.read(config, calibration.tensors())
    features = np.random.default_rng(1).normal(0, 1e-3, FEATURES).astype(np.float32)
    assert read.overall(features) == calibration.overall(features)
    moved = read.in_setting("screening").overall(features)
    assert moved.probability < read.overall(features).probability
    assert read.with_measured({"cardiomegaly": 0.6}).overall(features) == read.overall(features)


def test_without_a_judge_nothing_is_said_of_the_whole():
    assert calibration_with(None).overall(np.zeros(FEATURES, np.float32)) is None
    assert "abnormality" not in calibration_with(None).tensors()


@pytest.mark.parametrize(
    "record",
    [
        {**asdict(POINT), "normal_below": 0.9},
        {**asdict(POINT), "missed": 1.5},
        {name: value for name, value in asdict(POINT).items() if name != "missed"},
        {**asdict(POINT), "more": 1},
    ],
)
def test_a_damaged_record_is_refused_in_words(record):
    calibration = calibration_with(judge(*np.zeros(len(NIH_FINDINGS) + 1), refits=20))
    config = {"findings": list(NIH_FINDINGS), "bands": vars(calibration.bands), "source": ""}
    with pytest.raises(ValueError, match=r"python -m train\.reporting"):
        Calibration.read({**config, "abnormality": record}, calibration.tensors())


@pytest.mark.parametrize("shape", [(3, 4), (15,)])
def test_weights_of_other_findings_are_refused(shape):
    with pytest.raises(ValueError, match="findings, got an array"):
        Abnormality.read(asdict(POINT), np.zeros(shape, np.float32), len(NIH_FINDINGS))
    with pytest.raises(ValueError, match="expected 2 scores"):
        judge(1, 1, 0).judge(np.zeros(3))
