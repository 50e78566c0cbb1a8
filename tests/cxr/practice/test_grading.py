import pytest
from practice_pool import SQUARE, make_pool

from cxr.findings import Study
from cxr.practice.grading import (
    FALSE_ALARM,
    HIT,
    MISS,
    OPEN,
    Commitment,
    Mark,
    grade_answer,
    in_place,
    inside,
    overlap,
)
from cxr.practice.truth import Region, truth_of

TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


def test_overlap_is_that_of_the_boxes():
    assert overlap(Mark(0.2, 0.2, 0.2, 0.2), SQUARE) == pytest.approx(1)
    assert overlap(Mark(0.3, 0.2, 0.2, 0.2), SQUARE) == pytest.approx(1 / 3)
    assert overlap(Mark(0.6, 0.6, 0.2, 0.2), SQUARE) == 0
    assert overlap(Mark(0.3, 0.3), SQUARE) == 0


@pytest.mark.parametrize(
    ("mark", "right"),
    [
        (Mark(0.3, 0.3), True),  # a point inside
        (Mark(0.5, 0.5), False),
        (Mark(0.0, 0.0, 0.8, 0.8), False),  # much too large, its center elsewhere
        (Mark(0.0, 0.0, 0.6, 0.6), True),  # too large, but its center lies inside
        (Mark(0.31, 0.2, 0.2, 0.2), True),  # IoU .29, center outside
        (Mark(0.33, 0.2, 0.2, 0.2), False),  # IoU .21
        (None, False),
    ],
)
def test_a_mark_is_in_place_by_overlap_or_center(mark, right):
    assert in_place(mark, (Region(SQUARE),)) is right


def test_the_polygon_counts_and_not_its_box():
    assert inside((0.2, 0.2), TRIANGLE) and not inside((0.9, 0.9), TRIANGLE)


def graded(row, abnormal=True, findings=None):
    answer = {"abnormal": abnormal, "findings": findings or {}, "confidence": 0.8, "seconds": 9}
    return grade_answer(Commitment.from_dict(answer), make_pool().truths[row])


def test_hits_misses_and_false_alarms_stand_apart():
    grade = graded(0, findings={"pleural effusion": [0.25, 0.25, 0.1, 0.1], "mass": None})
    assert grade.of(HIT) == ("pleural effusion",) and grade.of(FALSE_ALARM) == ("mass",)
    assert grade.score == 0.5 and grade.abnormal_right
    assert {one.finding: one.located for one in grade.verdicts}["pleural effusion"] is True
    assert graded(0, findings={"edema": None}).of(MISS) == ("pleural effusion",)


def test_what_nobody_knows_is_open_and_counts_nothing():
    grade = graded(0, findings={"pleural effusion": None, "fracture": None})
    assert grade.of(OPEN) == ("fracture",) and grade.score == 1


def test_normal_studies_are_right_when_called_normal():
    assert graded(-1, abnormal=False).score == 1
    assert graded(-1, findings={"mass": None}).score == 0


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"abnormal": "yes"},
        {"abnormal": True, "confidence": 0.3, "seconds": 1},
        {"abnormal": True, "confidence": float("nan"), "seconds": 1},
        {"abnormal": True, "confidence": 0.9, "seconds": -1},
        {"abnormal": True, "confidence": 0.9, "seconds": 1, "findings": {"cat": None}},
        {"abnormal": True, "confidence": 0.9, "seconds": 1, "findings": {"mass": [0, 0, 2, 1]}},
        {"abnormal": True, "confidence": 0.9, "seconds": 1, "findings": {"mass": "here"}},
    ],
)
def test_answers_that_are_none_are_refused(answer):
    with pytest.raises(ValueError, match="expected"):
        Commitment.from_dict(answer)


def test_a_kind_of_what_is_present_names_it_too():
    study = Study("a", "s", "p", findings={"lung opacity": 1})
    truth = truth_of(study, {}, {"lung opacity": (Region(SQUARE),)})
    answer = Commitment(True, {"consolidation": Mark(0.3, 0.3)}, 0.8, 9)
    (hit, open_) = grade_answer(answer, truth).verdicts
    assert (hit.finding, hit.kind, hit.located) == ("lung opacity", HIT, True)
    assert (open_.finding, open_.kind) == ("consolidation", OPEN)


def test_what_only_a_label_says_costs_nothing_beside_what_radiologists_say():
    findings = {"lung opacity": 1, "infiltration": 1}
    truth = truth_of(Study("a", "s", "p", findings=findings), {"lung opacity": 1})
    grade = grade_answer(Commitment(True, {"lung opacity": None}, 0.8, 9), truth)
    assert grade.of(MISS) == ("infiltration",) and grade.missed == () and grade.score == 1
    assert grade_answer(Commitment(False), truth).missed == ("lung opacity",)
    mined = truth_of(Study("a", "s", "p", findings=findings))
    assert grade_answer(Commitment(False), mined).missed == ("lung opacity", "infiltration")
