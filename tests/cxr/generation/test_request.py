"""What a text asks to draw: findings by severity, heart ratio, person, view; and what it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_generator import CONDITION

from cxr.generation import ConditionFormat, read_request
from cxr.generation.request import AGES, HEART_RATIOS, SEVERITY


def read(text):
    return read_request(text, CONDITION)


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("cardiomegaly", {"cardiomegaly": 1.6}),
        ("severe cardiomegaly", {"cardiomegaly": 2.0}),
        ("moderate effusion", {"pleural effusion": 1.2}),
        ("mild to moderate effusion", {"pleural effusion": 1.0}),
        ("moderate-to-large effusion", {"pleural effusion": 1.6}),
        ("edema, moderate to severe", {"edema": 1.6}),
        ("mild or moderate edema, severe mass", {"edema": 1.0, "mass": 2.0}),
        ("mild edema or severe mass", {"edema": 0.8, "mass": 2.0}),
        ("a tiny nodule", {"nodule": 0.8}),
        ("massive effusion", {"pleural effusion": 2.0}),
        ("HUGE heart", {"cardiomegaly": 2.0}),
        ("mild cardiomegaly and severe edema", {"cardiomegaly": 0.8, "edema": 2.0}),
        ("severe cardiomegaly, edema", {"cardiomegaly": 2.0, "edema": 1.6}),
        ("pneumothorax, large", {"pneumothorax": 2.0}),
        ("large left and right effusions", {"pleural effusion": 2.0}),
        ("edema but no effusion", {"edema": 1.6}),
        ("possible pneumonia", {"pneumonia": 0.8}),
        ("lung opacity", {"consolidation": 1.6}),
        ("lung opacity, no consolidation", {"infiltration": 1.6}),
        ("opacity from pneumonia", {"pneumonia": 1.6}),
        ("lung lesion", {"mass": 1.6}),
        ("pleural other", {"pleural thickening": 1.6}),
        ("normal", {}),
        ("no effusion", {}),
        ("clear lungs", {}),
        ("70-year-old woman", {}),
        ("AP view", {}),
    ],
)
def test_findings_by_severity(text, severities):
    assert read(text).severities == severities


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("cardiothoracic ratio 0.6", 0.6),
        ("edema with a CTR of .55", 0.55),
        ("Heart ratio: 0,62 in a man of 45", 0.62),
        ("heart ratio of 60%", 0.6),
        ("no cardiomegaly, heart ratio 0.4", 0.4),
        ("CTR of 55%", 0.55),
        ("cardiothoracic index 55 %, 60-year-old", 0.55),
        ("CTR < 0.5", 0.46),
        ("heart ratio below 0.5", 0.46),
        ("ctr<=50%, woman", 0.46),
        ("CTR under 0.45", 0.42),
        ("CTR not above 0.5", 0.46),
        ("no CTR above 0.5", 0.46),
        ("CTR > 0.55", 0.58),
        ("heart ratio of at least 0.6", 0.63),
        ("CTR over 60 percent", 0.63),
        ("CTR ≥ 0.74 in a man of 45", 0.75),
        ("CTR above 0.4", 0.46),
        ("CTR about 0.55 or more", 0.58),
        ("heart ratio 0.5 or less", 0.46),
        ("CTR 0.5-0.6", 0.55),
        ("heart ratio between 50 and 60%", 0.55),
        ("CTR (0.6), 2 nodules", 0.6),
        ("high CTR, 70-year-old", None),
        ("cardiomegaly", None),
    ],
)
def test_a_heart_ratio_is_read_and_drawn_exactly(text, ratio):
    request = read(text)
    assert request.heart_ratio == ratio
    if ratio is not None:
        assert f"heart ratio towards {ratio:.2f}" in request.drawn
        assert {request.condition(i, 3).heart_ratio for i in range(4)} == {ratio}
        assert ("cardiomegaly" in request.severities) == (ratio > 0.5)


def test_person_and_view_are_those_asked_for():
    request = read("edema in a 64-year-old woman, frontal AP view")
    drawn = [request.condition(index, 0) for index in range(30)]
    assert {(one.age, one.sex, one.view) for one in drawn} == {(64, "F", "AP")}
    assert request.drawn == ("edema", "64-year-old woman", "AP view")
    ages = [read("men over 60").condition(index, 0).age for index in range(100)]
    assert min(ages) >= 60 and max(ages) <= 85 and np.std(ages) > 5
    assert read("teenager").ages == (16, 19)


@pytest.mark.parametrize(
    ("text", "drawn", "not_drawn"),
    [
        (
            "ETT and left pleural effusion",
            ("pleural effusion",),
            ("endotracheal tube", "left side"),
        ),
        ("edema, fracture, tuberculosis", ("edema",), ("fracture", "tuberculosis")),
        ("left lower lobe collapse", ("atelectasis",), ("left side", "lower zone")),
        ("lung opacity", ("lung opacity (drawn as consolidation)",), ()),
        ("heart failure", ("heart failure (drawn as edema)",), ()),
        ("severe CHF in a man", ("severe heart failure (drawn as edema)", "man"), ()),
        ("mild–moderate edema", ("mild to moderate edema",), ()),
        ("possible heart failure", ("possible heart failure (drawn as edema)",), ()),
        ("ARDS, no consolidation", ("ARDS (drawn as infiltration)", "no consolidation"), ()),
        ("hazy, from pneumonia", ("pneumonia",), ("ground-glass opacity",)),
        ("tuberculosis with an effusion", ("pleural effusion",), ("tuberculosis",)),
        ("pneumothorax in a dog", ("pneumothorax",), ("dog",)),
        ("cardiomegaly and normal", ("cardiomegaly",), ("normal",)),
        ("severe edema, no effusion", ("severe edema", "no pleural effusion"), ()),
        ("normal, with a pacemaker", ("no finding",), ("pacemaker",)),
        ("big heart", ("cardiomegaly",), ()),
    ],
)
def test_what_is_drawn_and_what_is_not_is_named(text, drawn, not_drawn):
    request = read(text)
    assert (request.drawn, request.not_drawn) == (drawn, not_drawn)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a cat", "something that can be drawn, got 'a cat'"),
        ("support devices", "got 'support devices'"),
        ("woman with a fracture", "got 'woman with a fracture'"),
        ("tuberculosis", "something that can be drawn"),
        ("knee x-ray", "a chest, got 'knee'"),
        ("effusion in the knee", "a chest, got 'knee'"),
        ("left", "something that can be drawn"),
        ("left upper zone", "something that can be drawn"),
        ("heart", "something that can be drawn"),
        ("abnormal", "something that can be drawn"),
        ("Lungenentzündung", "something that can be drawn"),
        ("心脏扩大", "something that can be drawn"),
        ("🫁", "something that can be drawn"),
        ("effusion, lateral view", "got a lateral view"),
        ("child", "got a child"),
        ("2 yo with croup", "got a child"),
        ("pneumonia, age 5", "got a child"),
        ("15-year-old girl", "got a child"),
        ("120-year-old man", "got 120 years"),
        ("heart ratio 0.9", "0.35 to 0.75, .* got 'heart ratio 0.9'"),
        ("CTR of 0.2", "0.35 to 0.75"),
        ("CTR > 0.8", "0.35 to 0.75, such as \"heart ratio 0.55\", .* got 'CTR > 0.8'"),
        ("CTR below half", 'a heart ratio in figures, such as "heart ratio 0.55"'),
        ("low heart ratio", "a heart ratio in figures"),
        ("no CTR of 0.6", "got 'no CTR of 0.6'"),
        ("edema without edema", "asked for or excluded"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_can(text, said):
    with pytest.raises(ValueError, match=said) as raised:
        read(text)
    message = str(raised.value)
    assert all(name in message for name in (*CONDITION.findings, *map(str, HEART_RATIOS)))
    assert f"{AGES[0]} to {AGES[1]} years" in message and "PA or AP" in message


@pytest.mark.parametrize("text", ["", " ", "x" * 2001, None])
def test_a_text_is_needed(text):
    with pytest.raises(ValueError, match="expected a text"):
        read(text)


def test_a_generator_of_fewer_findings_draws_fewer():
    few = ConditionFormat(("edema",))
    assert read_request("edema, hernia", few).not_drawn == ("hernia",)
    with pytest.raises(ValueError, match=r"findings \(edema\)"):
        read_request("hernia", few)


def test_what_is_left_open_varies_and_truncation_0_makes_it_alike():
    request = read("mild cardiomegaly")
    drawn = [request.condition(index, 7) for index in range(400)]
    assert drawn[:5] == [request.condition(index, 7) for index in range(5)]
    assert drawn[0] != request.condition(0, 8)
    ages = [one.age for one in drawn]
    assert 20 <= min(ages) < max(ages) <= 85 and abs(np.mean(ages) - 50) < 3
    ratios = [one.heart_ratio for one in drawn]
    expected = 0.46 + 0.09 * SEVERITY["mild"]
    assert abs(np.mean(ratios) - expected) < 0.005 and 0.015 < np.std(ratios) < 0.025
    assert 0.62 < np.mean([one.view == "PA" for one in drawn]) < 0.78
    assert 0.4 < np.mean([one.sex == "F" for one in drawn]) < 0.6
    alike = [request.condition(index, 7, 0.0) for index in range(9)]
    assert alike.count(alike[0]) == 9 and alike[0].heart_ratio == pytest.approx(expected)
    near = [request.condition(index, 7, 0.3).age for index in range(400)]
    assert np.std(near) < 0.5 * np.std(ages)


@pytest.mark.parametrize(
    "text",
    [
        "severe edema",
        "fluid in a woman over 60, PA view",
        "mass, 17-year-old girl",
        "ctr 0.6, male",
    ],
)
def test_the_start_is_the_same_person_without_the_finding(text):
    request = read(text)
    start = read(request.start)
    assert start.severities == {} and start.heart_ratio is None and request.severities
    for index in range(5):
        target, first = request.condition(index, 2), start.condition(index, 2)
        assert (first.age, first.sex, first.view) == (target.age, target.sex, target.view)
        assert first.heart_ratio <= target.heart_ratio


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("severe cardiomegaly, 70-year-old man", "no cardiomegaly", "severe cardiomegaly"),
        ("edema and left effusion", "no finding", "edema, pleural effusion"),
        ("normal", "no finding", "no finding"),
        ("heart ratio 0.45", "no finding", "heart ratio 0.45"),
    ],
)
def test_both_ends_of_the_way_have_a_title(text, start, end):
    assert (read(text).start_title, read(text).title) == (start, end)
