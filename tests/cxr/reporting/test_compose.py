"""Composed reports: whatever the probabilities, no report says a thing and its opposite."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.findings import NIH_FINDINGS
from cxr.reporting.calibration import Bands
from cxr.reporting.claims import (
    ABSENT,
    POSSIBLE,
    PRESENT,
    claims_of,
    contradictions,
    labels_of_text,
    sentences,
)
from cxr.reporting.compose import AKIN, LIMITS, compose_report, report_text
from cxr.reporting.phrases import WORDINGS, phrase_bank

BANDS = Bands(0.5, 0.2, 0.1)
UNLIKELY = dict.fromkeys(NIH_FINDINGS, "unlikely")


def choose_by(random: np.random.Generator):
    """A chooser that takes any of our phrases that make exactly the claims."""

    def choose(claims):
        fitting = [p for p in phrase_bank() if p.neutral and dict(p.claims) == dict(claims)]
        return (fitting[random.integers(len(fitting))], 0.1) if fitting else None

    return choose


@pytest.mark.parametrize("seed", range(40))
def test_no_report_contradicts_itself(seed):
    """Random probabilities, some all low or all high; the text is read again by other rules."""
    random = np.random.default_rng(seed)
    for power in (0.3, 1.0, 4.0, 10.0):
        chances = random.uniform(0, 1, len(NIH_FINDINGS)) ** power
        words = {name: BANDS.word(p) for name, p in zip(NIH_FINDINGS, chances)}
        told = compose_report(words, choose_by(random))
        assert contradictions(one.claims for one in told) == []
        text = report_text(told)
        open_ = [name for name, word in words.items() if word == "not sure"]
        read = [claims_of(one) for one in sentences(text) if not one.startswith("Not sure")]
        assert contradictions(read) == [], text
        said = labels_of_text(
            " ".join(one for one in sentences(text) if not one.startswith("Not sure"))
        )
        for name, word in words.items():
            expected = {"likely": {PRESENT}, "possible": {POSSIBLE}}.get(word, {ABSENT, None})
            assert said.get(name) in expected, (name, word, text)
        assert not any(name in said for name in open_), text


@pytest.mark.parametrize("group", AKIN, ids=lambda group: "-".join(sorted(group)))
def test_what_is_akin_to_a_raised_finding_is_not_denied(group):
    members = sorted(group.intersection(NIH_FINDINGS))
    for raised in members:
        told = compose_report({**UNLIKELY, raised: "possible"}, choose_by(np.random.default_rng(0)))
        denied = {name for one in told for name, state in one.claims.items() if state == ABSENT}
        assert denied.isdisjoint(members)


def test_a_normal_film_is_told_to_be_normal_as_far_as_it_was_looked_at():
    text = report_text(compose_report(UNLIKELY, choose_by(np.random.default_rng(0))))
    assert "ungs are clear." in text and LIMITS in text
    assert labels_of_text(text).keys() >= set(NIH_FINDINGS)
    assert set(labels_of_text(text).values()) == {ABSENT}
    assert text.endswith("Impression: No acute cardiopulmonary abnormality is suggested.")


def test_the_likely_come_before_the_possible_and_the_open_are_named():
    words = {**UNLIKELY, "mass": "possible", "hernia": "likely", "edema": "not sure"}
    text = report_text(compose_report(words, choose_by(np.random.default_rng(0))))
    assert text.endswith("Impression: 1. Likely hernia through the diaphragm. 2. Possible mass.")
    assert "Not sure either way: pulmonary edema." in text
    assert "clear" not in text


def test_nothing_is_called_normal_while_something_acute_is_open():
    words = {**UNLIKELY, "pneumothorax": "not sure"}
    text = report_text(compose_report(words, choose_by(np.random.default_rng(0))))
    assert text.endswith("Impression: No finding is suggested with confidence.")
    assert "pneumothorax" not in labels_of_text(
        text.replace("Not sure either way: pneumothorax.", "")
    )


def test_a_finding_without_a_phrase_is_still_said():
    told = compose_report({"edema": "likely"}, lambda claims: None)
    assert told[0].claims == {"edema": PRESENT} and "edema" in told[0].text


def test_every_finding_with_labels_has_its_wording():
    assert set(NIH_FINDINGS) == set(WORDINGS)
