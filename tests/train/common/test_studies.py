"""Labels and attributes of studies as tensors."""

from __future__ import annotations

from cxr.findings import Study
from train.common.studies import Attributes, labels_of


def study(findings=None, **more):
    return Study(id="s", source="drawn", patient="p", findings=findings or {}, **more)


def test_labels_of_uncertain_and_unread_findings_are_unknown():
    rows = labels_of([study({"mass": 1, "edema": 0, "hernia": -1})], ("mass", "edema", "hernia"))
    assert rows[0, :2].tolist() == [1, 0] and rows[0, 2].isnan()
    known = Attributes.of([study(age=70, sex="F", view="AP"), study(view="frontal")])
    assert known.age[0] == 2 and known.female[0] == 1 and known.ap[0] == 1
    assert known.age[1].isnan() and known.female[1].isnan() and known.ap[1].isnan()
