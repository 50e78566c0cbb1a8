"""What the localizer measures joins a finding's log odds where that helps, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from reporting_parts import tiny_calibration

from cxr.checkpoints import sigmoid
from cxr.metrics import auroc
from train.reporting.measured_terms import LEAST_GAIN, Measured, fit_term

NAME = "pleural effusion"


def cases(per_score: float, per_value: float, count: int = 600) -> Measured:
    random = np.random.default_rng(3)
    scores, values = random.normal(size=count), random.normal(0.48, 0.06, count)
    chance = sigmoid(per_score * scores + per_value * (values - 0.48) / 0.06 - 1.5)
    return Measured(scores, values, random.uniform(size=count) < chance)


def test_a_measured_value_that_says_more_is_joined():
    calibration, measured = tiny_calibration(), cases(1.0, 2.0)
    term, tried = fit_term(measured, calibration, NAME, 0)
    assert term is not None and tried["both"] > tried["features"] + 0.1
    assert term.weights.shape == (1 + len(calibration.refits), 3)
    assert (term.weights[:, 1] > 0).all() and np.ptp(term.weights[1:, 1]) > 0
    platt = calibration.platt[:, calibration.findings.index(NAME)]
    joined = sigmoid(term.weights[0] @ measured.inputs(platt))
    assert auroc(joined, measured.present) == pytest.approx(tried["both"], abs=0.02)
    assert joined.mean() == pytest.approx(measured.present.mean(), abs=0.01)  # calibrated
    assert term.point.truth == "expert" and term.point.positives == measured.present.sum()


def test_a_measured_value_that_says_nothing_is_left_aside():
    term, tried = fit_term(cases(2.0, 0.0), tiny_calibration(), NAME, 0)
    assert term is None and tried["both"] < tried["features"] + LEAST_GAIN


@pytest.mark.parametrize("slopes", [(-1.5, 2.0), (2.0, -1.5)])
def test_what_would_count_against_the_finding_is_left_aside(slopes):
    """As where the localizer has seen the answers: it gains, but by overruling the features."""
    term, tried = fit_term(cases(*slopes), tiny_calibration(), NAME, 0)
    assert term is None and tried["both"] > tried["features"] + LEAST_GAIN


def test_too_few_images_of_a_finding_fit_nothing():
    few = cases(1.0, 2.0)
    present = np.zeros_like(few.present)
    present[:3] = True
    assert fit_term(Measured(few.scores, few.values, present), tiny_calibration(), NAME, 0) == (
        None,
        {},
    )


def test_images_without_a_value_or_a_label_do_not_count():
    values, labels = np.array([0.5, np.nan, 0.5]), np.array([1.0, 1.0, np.nan])
    assert len(Measured.of(np.zeros(3), values, labels).present) == 1


def test_a_measured_value_that_says_all_speaks_alone():
    """As where the features only see the same, less well."""
    one = cases(0.0, 3.0, 200)
    blurred = (one.values - 0.48) / 0.06 + 0.6 * one.scores
    same = Measured(blurred, one.values, one.present)
    term, tried = fit_term(same, tiny_calibration(), NAME, 0)
    assert term is not None and tried["measured"] >= tried["both"]
    assert (term.weights[:, 0] == 0).all() and (term.weights[:, 1] > 0).all()
    joined = sigmoid(term.weights[0] @ same.inputs(np.array([1.0, 0.0])))
    assert auroc(joined, same.present) == pytest.approx(tried["measured"], abs=1e-3)
    assert joined.mean() == pytest.approx(same.present.mean(), abs=0.01)


def test_what_is_measured_speaks_alone_for_a_finding_that_it_defines():
    """However much the features add: else a heart were called large beside a normal ratio."""
    term, tried = fit_term(cases(1.0, 2.0), tiny_calibration(), "cardiomegaly", 0)
    assert tried["both"] > tried["measured"] + LEAST_GAIN
    assert term is not None and (term.weights[:, 0] == 0).all()
