"""The findings that a query asks for are marked, and no others."""

from __future__ import annotations

import re

import pytest

from cxr.findings import FINDINGS, Study
from cxr.language.query import asked_for
from cxr.tabs.shared.study_text import chips


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("edema", {"edema"}),
        ("Pulmonary EDEMA, possible pleural effusions", {"edema", "pleural effusion"}),
        ("no edema", set()),
        ("No evidence of edema", set()),
        ("cardiomegaly without edema", {"cardiomegaly"}),
        ("no edema, cardiomegaly", {"cardiomegaly"}),
        ("no edema, mass or nodule", set()),
        ("no edema but cardiomegaly", {"cardiomegaly"}),
        ("no edema. Cardiomegaly.", {"cardiomegaly"}),
        ("edema ruled out; a mass", {"mass"}),
        ("pneumothorax absent", set()),
        ("negative for pneumonia", set()),
        ("no change in cardiomegaly", {"cardiomegaly"}),
        ("edema, no edema", {"edema"}),
        ("massive heart", {"cardiomegaly"}),
        ("notable edema", {"edema"}),
        ("two nodules and masses", {"nodule", "mass"}),
        ("", set()),
    ],
)
def test_findings_asked_for(query, names):
    assert asked_for(query, FINDINGS[1:]) == names


def test_only_what_is_asked_for_is_marked():
    study = Study("s", "drawn", "p", findings={"edema": 1, "mass": 1})
    assert "hit" not in chips(study, "no edema")
    assert re.search(r'class="chip hit"><a [^>]*>mass</a>', chips(study, "a mass without edema"))
    assert chips(study, "a mass without edema").count("hit") == 1
