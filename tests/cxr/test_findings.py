"""The vocabulary, Study and the caption rule, with answers that a person can check."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from cxr.findings import (
    CHEXPERT_FINDINGS,
    FINDINGS,
    NIH_FINDINGS,
    OPENI_FINDINGS,
    OPENI_NAMES,
    OPENI_QUALIFIED,
    OUTLINED,
    Study,
    canonical_finding,
    canonical_sex,
    canonical_view,
    caption,
    demographics,
)

NORMAL = "demonstrates no acute cardiopulmonary abnormality."


def make(**about) -> Study:
    return Study(id="s", source="test", patient="p", **about)


def test_vocabulary_is_chexpert_and_the_further_ones_of_nih():
    assert len(FINDINGS) == len(set(FINDINGS)) == 21
    assert FINDINGS[:14] == CHEXPERT_FINDINGS
    assert set(FINDINGS) == {*CHEXPERT_FINDINGS, *NIH_FINDINGS}
    assert len(NIH_FINDINGS) == 14 and "no finding" not in NIH_FINDINGS
    mapped = {*OPENI_NAMES.values(), *(name for name, _ in OPENI_QUALIFIED.values())}
    assert mapped == set(OPENI_FINDINGS) <= set(FINDINGS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Effusion", "pleural effusion"),
        ("Pleural Effusion", "pleural effusion"),
        ("Pleural_Thickening", "pleural thickening"),
        ("Enlarged Cardiomediastinum", "enlarged cardiomediastinum"),
        ("Airspace Opacity", "lung opacity"),
        ("Infiltrate", "infiltration"),
        ("  no  FINDING ", "no finding"),
        ("COVID-19", None),
        ("", None),
    ],
)
def test_canonical_finding(name, expected):
    assert canonical_finding(name) == expected


def test_outlined_names_are_findings_save_what_the_shipped_models_do_not_know():
    assert len(OUTLINED) == 13 and set(OUTLINED) - set(FINDINGS) == {
        "calcification",
        "diffuse nodule",
    }


def test_every_canonical_name_is_its_own():
    assert [canonical_finding(name) for name in FINDINGS] == list(FINDINGS)


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("PA", "PA"),
        ("ap", "AP"),
        ("AP Supine", "AP"),
        ("Frontal AP", "AP"),
        ("LL", "lateral"),
        ("Lateral", "lateral"),
        ("Frontal", "frontal"),
        ("PA and lateral", None),
        ("", None),
        ("PA/AP", None),
        ("frontal/lateral", None),
        ("axial", None),
    ],
)
def test_canonical_view(name, view):
    assert canonical_view(name) == view


@pytest.mark.parametrize(
    ("name", "sex"), [("Female", "F"), (" m ", "M"), ("Unknown", None), ("O", None)]
)
def test_canonical_sex(name, sex):
    assert canonical_sex(name) == sex


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (
            {"age": 64, "sex": "F", "view": "AP", "findings": {"edema": -1, "cardiomegaly": 1}},
            "64-year-old female, frontal AP view. Findings: cardiomegaly, possible edema.",
        ),
        ({"age": 64, "sex": "F", "view": "AP"}, f"64-year-old female, frontal AP view, {NORMAL}"),
        (
            {"age": 1, "sex": "M", "view": "lateral", "findings": {"no finding": 1, "mass": 0}},
            f"1-year-old male, lateral view, {NORMAL}",
        ),
        (
            {"sex": "F", "view": "PA", "findings": {"hernia": 1, "no finding": 1}},
            "female, frontal PA view. Findings: hernia.",
        ),
        (
            {"view": "frontal", "findings": {"pneumonia": -1}},
            "frontal view. Findings: possible pneumonia.",
        ),
        ({"age": 0}, f"0-year-old, {NORMAL}"),
        ({"sex": "F", "findings": {"mass": 1}}, "female. Findings: mass."),
        ({"findings": {"mass": 1}}, "Findings: mass."),
        ({}, "Demonstrates no acute cardiopulmonary abnormality."),
    ],
)
def test_caption(about, expected):
    assert caption(make(**about)) == expected


def test_caption_lists_findings_in_the_vocabulary_s_order():
    study = make(findings=dict.fromkeys(reversed(FINDINGS), 1))
    assert caption(study) == f"Findings: {', '.join(FINDINGS[1:])}."


def test_demographics_says_nothing_on_findings():
    assert demographics(make(age=64, sex="F", view="AP", findings={"mass": 1})) == (
        "64-year-old female, frontal AP view."
    )
    assert demographics(make()) == ""


def test_positive_and_uncertain_leave_no_finding_out():
    study = make(findings={"mass": 1, "edema": -1, "hernia": 0, "no finding": 1, "fracture": 1})
    assert study.positive == ("fracture", "mass")
    assert study.uncertain == ("edema",)
    assert study.labelled and not make().labelled


def test_round_trip_through_json_and_pickle():
    about = {"view": "PA", "sex": "M", "age": 3, "findings": {"mass": -1}, "report": "r"}
    study = make(image=Path("a/b.png"), **about)
    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study
    assert pickle.loads(pickle.dumps(study)) == study
    assert Study.from_dict(make().to_dict()) == make()
    assert study in {study}  # may stand in a set, though findings is a dict


def test_a_study_takes_other_spellings_and_keeps_ours():
    study = make(view="AP Supine", sex="female")
    assert (study.view, study.sex) == ("AP", "F")


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"view": "axial"}, "expected view among PA, AP, lateral, frontal .* got 'axial'"),
        ({"sex": "x"}, "expected sex among F, M .* got 'x'"),
        ({"findings": {"Effusion": 1}}, "got Effusion; cxr.findings.canonical_finding"),
        ({"label_source": "guessed"}, "expected label_source among mined, .* got 'guessed'"),
        ({"findings": {"mass": 2}}, "expected 1 present, 0 absent or -1 uncertain; got"),
    ],
)
def test_a_study_refuses_what_is_not_in_the_vocabulary(about, message):
    with pytest.raises(ValueError, match=message):
        make(**about)
