import json
from dataclasses import replace

import pytest
from practice_pool import NOW, make_pool

from cxr.practice.grading import Commitment
from cxr.practice.profile import Flag, Judgement, Profile
from cxr.practice.schedule.answers import answered


@pytest.fixture
def profile():
    pool, profile = make_pool(), Profile()
    for row, findings in ((0, {"mass": None}), (-1, {}), (20, {"atelectasis": None})):
        answer = Commitment(bool(findings), findings, 0.8, 12)
        profile, _, _ = answered(pool, profile, row % len(pool.keys), answer, NOW, "practice")
    judged = Judgement("ab" * 12, "s", NOW.isoformat(), 3.0, 0.7, True, False)
    flag = Flag(pool.keys[0], "s", "no effusion", NOW.isoformat(), "a finding is not there")
    return replace(profile, judged=(judged,), flags=(flag,))


def test_a_profile_comes_back_from_json_as_it_was(profile):
    assert Profile.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile


def test_a_profile_of_before_has_no_judgements_and_no_reasons(profile):
    document = profile.to_dict()
    del document["judged"]
    document["flags"] = [
        {k: v for k, v in one.items() if k != "reason"} for one in document["flags"]
    ]
    read = Profile.from_dict(json.loads(json.dumps(document)))
    assert read.judged == () and read.flags[0].reason == "" and read.flags[0].note


def test_a_record_says_what_was_missed_whatever_a_file_says(profile):
    document = json.loads(json.dumps(profile.to_dict()))
    missed = [one["missed"] for one in document["records"]]
    assert missed == [["pleural effusion"], [], []]
    document["records"][0]["missed"] = ["mass"]
    again = Profile.from_dict(document).to_dict()["records"]
    assert [one["missed"] for one in again] == missed


def test_a_record_grades_itself_as_the_answer_was(profile):
    assert [one.grade.score for one in profile.records] == [0, 1, 1]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("records",), "none"),
        (("records",), [{}] * 5001),
        (("records", 0, "key"), "../../etc/passwd"),
        (("records", 0, "truth"), "x"),
        (("records", 0, "confidence"), 3),
        (("records", 0, "at"), "yesterday"),
        (("records", 0, "tier"), "gold"),
        (("records", 0, "findings"), {"<script>": None}),
        (("judged", 0, "said"), "yes"),
        (("judged", 0, "key"), "x"),
        (("judged", 0, "confidence"), 0),
        (("flags", 0, "reason"), "I say so"),
        (("courses", "other"), {}),
        (("courses", "films", "overall", "mean"), float("inf")),
        (("courses", "films", "cards", "mass|<b>"), {}),
    ],
)
def test_damaged_profiles_are_refused_in_words(profile, path, value):
    document = json.loads(json.dumps(profile.to_dict()))
    at = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(ValueError, match="expected"):
        Profile.from_dict(document)


@pytest.mark.parametrize("junk", [None, [], "profile", 3, {}])
def test_junk_is_no_profile(junk):
    with pytest.raises(ValueError, match="expected a practice profile"):
        Profile.from_dict(junk)
