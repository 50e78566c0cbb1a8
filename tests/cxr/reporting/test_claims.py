"""What a sentence says about a finding: present, possible, absent, or nothing."""

from __future__ import annotations

import pytest

from cxr.data.load import load_reports
from cxr.reporting.claims import (
    ABSENT,
    POSSIBLE,
    PRESENT,
    claims_of,
    contradictions,
    labels_of_text,
    sentences,
)
from cxr.reporting.phrases import phrase_bank


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("There is a small left pleural effusion.", {"pleural effusion": PRESENT}),
        (
            "No pleural effusion or pneumothorax.",
            {"pleural effusion": ABSENT, "pneumothorax": ABSENT},
        ),
        ("Pneumonia cannot be excluded.", {"pneumonia": POSSIBLE}),
        ("There may be a nodule.", {"nodule": POSSIBLE}),
        ("A mass is not seen.", {"mass": ABSENT}),
        (
            "No pneumothorax, but a large effusion.",
            {"pneumothorax": ABSENT, "pleural effusion": PRESENT},
        ),
        ("The heart is enlarged.", {"cardiomegaly": PRESENT}),
        ("The heart is not enlarged.", {"cardiomegaly": ABSENT}),
        ("The lungs are clear of consolidation.", {"consolidation": ABSENT}),
        ("A pericardial effusion.", {}),
        ("The trachea is in the midline.", {}),
        ("Likely pleural effusion.", {"pleural effusion": POSSIBLE}),
        ("Not assessed by this model: nodule, mass and bones.", {}),
        ("Not sure either way: pneumothorax.", {}),
    ],
)
def test_known_sentences(sentence, claims):
    found = claims_of(sentence)
    assert {name: found.get(name) for name in claims} == claims
    assert claims or not found


def test_a_normal_structure_denies_what_would_make_it_abnormal():
    assert claims_of("The lungs are clear.")["pneumonia"] == ABSENT
    assert claims_of("The heart size is normal.") == {"cardiomegaly": ABSENT}


def test_every_phrase_of_ours_says_what_it_claims_and_occurs_once():
    bank = phrase_bank()
    wrong = [phrase.text for phrase in bank if claims_of(phrase.text) != dict(phrase.claims)]
    assert wrong == []
    assert len({phrase.text for phrase in bank}) == len(bank) > 200
    assert {phrase.side for phrase in bank} == {"", "left", "right", "bilateral"}


def test_a_report_falls_into_sentences_without_its_headings():
    text = "Findings: The heart is enlarged. No effusion.\nImpression: 1. Cardiomegaly. 2. Normal."
    assert sentences(text) == ["The heart is enlarged.", "No effusion.", "Cardiomegaly.", "Normal."]
    assert labels_of_text(text) == {"cardiomegaly": PRESENT, "pleural effusion": ABSENT}


def test_contradictions_are_named():
    raised, denied = {"mass": POSSIBLE}, {"mass": ABSENT, "edema": ABSENT}
    assert contradictions([raised, denied]) == ["mass"]
    assert contradictions([raised, {"edema": ABSENT}]) == []


def test_on_real_reports_the_rules_agree_with_the_indexers(real_data):
    if not (real_data / "openi").is_dir():
        pytest.skip("no Open-I here")
    reports = [
        study
        for study in load_reports(real_data / "openi")[:600]
        if study.report and study.findings
    ]
    for name, least in (("cardiomegaly", 0.8), ("atelectasis", 0.7), ("pleural effusion", 0.6)):
        said = [labels_of_text(study.report).get(name) in (PRESENT, POSSIBLE) for study in reports]
        coded = [study.findings[name] != 0 for study in reports]
        both = sum(a and b for a, b in zip(said, coded))
        assert 2 * both / (sum(said) + sum(coded)) > least, name
