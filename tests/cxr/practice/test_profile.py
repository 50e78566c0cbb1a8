import json

import pytest
from practice_pool import NOW, make_pool

from cxr.practice.grading import Commitment
from cxr.practice.profile import Profile
from cxr.practice.schedule.answers import answered


@pytest.fixture
def profile():
    pool, profile = make_pool(), Profile()
    for row, findings in ((0, {"mass": None}), (-1, {}), (20, {"atelectasis": None})):
        answer = Commitment(bool(findings), findings, 0.8, 12)
        profile, _, _ = answered(pool, profile, row % len(pool.keys), answer, NOW, "practice")
    return profile


def test_a_profile_comes_back_from_json_as_it_was(profile):
    assert Profile.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile


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
