"""What a finding's operating point lets a report say."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from reporting_parts import FEATURES, tiny_calibration

from cxr.reporting.calibration import Bands, Calibration, OperatingPoint

BANDS = Bands(0.5, 0.2, 0.1)
POINT = OperatingPoint(True, 0.3, 0.7, 0.9, 0.97, 0.05, 20, "expert")


def record(calibration: Calibration, **points: object) -> Calibration:
    config = {
        "findings": calibration.findings,
        "bands": asdict(calibration.bands),
        "source": "",
        "operating_points": points,
    }
    return Calibration.read(config, calibration.tensors())


@pytest.mark.parametrize(
    ("probability", "word"),
    [(0.6, "likely"), (0.3, "possible"), (0.29, "not sure"), (0.1, "not sure"), (0.09, "unlikely")],
)
def test_words_of_an_assessed_finding(probability, word):
    assert POINT.word(probability, BANDS) == word
    assert replace(POINT, assessed=False).word(probability, BANDS) == "not assessed"


def test_a_word_is_true_of_the_probability_however_rare_the_finding():
    rare = replace(POINT, threshold=0.02)
    chances = (0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.6)
    words = ["unlikely"] * 3 + ["not sure", "possible", "possible", "likely"]
    assert [rare.word(p, BANDS) for p in chances] == words
    assert rare.may_deny(0.01) and not rare.may_deny(0.03)
    screened = POINT.with_odds(0.1)  # what was 0.35, above the threshold, is one in twenty
    assert screened.threshold < 0.051 and screened.word(0.051, BANDS) == "not sure"


def test_another_setting_moves_odds_and_not_what_counts_as_seen():
    calibration = record(tiny_calibration(), edema=asdict(POINT))
    screening = calibration.in_setting("screening")
    features = np.random.default_rng(1).normal(0, 0.02, (50, FEATURES)).astype(np.float32)
    before, after = calibration.probabilities(features), screening.probabilities(features)
    np.testing.assert_allclose(after / (1 - after), 0.1 * before / (1 - before), rtol=1e-4)
    edema, point = calibration.findings.index("edema"), screening.operating_points["edema"]
    seen = before[:, edema] >= POINT.threshold
    np.testing.assert_array_equal(after[:, edema] >= point.threshold, seen)
    assert (point.sensitivity, point.specificity) == (POINT.sensitivity, POINT.specificity)
    prevalence = 0.005 / 0.955
    assert point.prevalence == pytest.approx(prevalence)
    right, wrong = 0.9 * (1 - prevalence), 0.3 * prevalence
    assert point.npv == pytest.approx(right / (right + wrong))
    assert calibration.in_setting("ward") is calibration
    with pytest.raises(ValueError, match="ward, screening; got 'Mars'"):
        calibration.in_setting("Mars")


def test_a_finding_is_denied_only_where_its_predictive_value_is_known():
    assert POINT.may_deny(0.29) and not POINT.may_deny(0.3)
    assert not replace(POINT, npv=None).may_deny(0.01)
    assert not replace(POINT, assessed=False).may_deny(0.01)
    strict = replace(POINT, deny_below=0.05)
    assert strict.may_deny(0.04) and not strict.may_deny(0.06)


def test_a_finding_without_a_record_keeps_its_word_and_is_never_denied():
    calibration = tiny_calibration()
    for name in calibration.findings:
        assert calibration.word(name, 0.0) == "unlikely" and not calibration.may_deny(name, 0.0)


def test_records_are_read_whatever_else_they_hold():
    calibration = record(tiny_calibration(), edema=asdict(POINT) | {"measured_on": "somewhere"})
    assert calibration.operating_points == {"edema": POINT}
    unknown = record(tiny_calibration(), edema=asdict(POINT) | {"npv": float("nan")})
    assert unknown.operating_points["edema"].npv is None


@pytest.mark.parametrize("damaged", [{"assessed": True}, 3, asdict(POINT) | {"threshold": 4.0}])
def test_a_damaged_record_is_refused_in_words(damaged):
    with pytest.raises(ValueError, match="train.reporting"):
        record(tiny_calibration(), edema=damaged)


def test_what_is_suggested_follows_the_words():
    calibration = record(tiny_calibration(), edema=asdict(replace(POINT, assessed=False)))
    chances = calibration.probabilities(np.eye(FEATURES, dtype=np.float32)[:5])
    suggested = calibration.suggested(chances)
    assert suggested.shape == chances.shape and suggested.any()
    edema = calibration.findings.index("edema")
    assert not suggested[:, edema].any()
    assert suggested[0, 0] == (chances[0, 0] >= calibration.bands.possible)


def test_the_prior_is_the_measured_prevalence_or_that_of_the_training():
    calibration = record(tiny_calibration(), edema=asdict(POINT))
    assert calibration.prior("edema") == 0.05
    first = calibration.findings[0]
    assert calibration.prior(first) == pytest.approx(1 / (1 + np.exp(-0.5)))
