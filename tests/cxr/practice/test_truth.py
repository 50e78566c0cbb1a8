import pytest
from practice_pool import SQUARE, study

from cxr.findings import FINDINGS, Study
from cxr.practice.truth import GENERATED, MINED, VERIFIED, Region, decoded, truth_of


def test_tiers_say_who_speaks_of_a_study():
    assert truth_of(study(1, "mass")).tier == MINED
    assert truth_of(study(1, "mass", label_source="expert")).tier == VERIFIED
    assert truth_of(study(1, "mass", source="synthetic: ours")).tier == GENERATED


def test_a_drawn_finding_is_present_and_verified_and_the_rest_stays_a_label():
    drawn = truth_of(study(1, "mass"), {}, {"nodule": (Region(SQUARE),)})
    assert drawn.value("nodule") == drawn.value("mass") == 1
    assert drawn.verified == {"nodule"} and drawn.tier == VERIFIED


def test_a_normal_study_lacks_every_finding_and_an_unread_one_none():
    normal = truth_of(Study("a", "s", "p", findings={"no finding": 1}))
    assert normal.abnormal is False and normal.value("hernia") == 0
    unread = truth_of(Study("a", "s", "p"))
    assert unread.abnormal is None and unread.value("hernia") is None and not unread.targets


@pytest.mark.parametrize(
    ("findings", "abnormal"),
    [
        ({"edema": -1, "no finding": 1}, None),
        ({"support devices": 1, "no finding": 1}, False),
        ({"edema": 0}, None),
        ({"edema": 1}, True),
    ],
)
def test_whether_a_study_is_abnormal(findings, abnormal):
    assert truth_of(Study("a", "s", "p", findings=findings)).abnormal is abnormal


def test_the_letters_of_a_record_give_the_truth_back():
    code = truth_of(study(1, "mass"), {"edema": 0}).code()
    values = decoded(code)
    assert values["mass"] == (1, False) and values["edema"] == (0, True)
    assert values["hernia"] == (None, False) and len(code) == len(FINDINGS)
    with pytest.raises(ValueError, match="21 letters"):
        decoded("ppp")
