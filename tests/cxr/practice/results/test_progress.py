from dataclasses import replace

import pytest
from practice_pool import NOW, make_pool

from cxr.practice.grading import Commitment
from cxr.practice.profile import Judgement, Profile
from cxr.practice.results.progress import measure_progress, origin_summary, summary
from cxr.practice.schedule.answers import answered


def records(*answers):
    """answers: (row, findings named, confidence)."""
    profile, pool = Profile(), make_pool()
    for row, findings, confidence in answers:
        answer = Commitment(bool(findings), dict.fromkeys(findings), confidence, 10)
        row %= len(pool.keys)
        profile, _, _ = answered(pool, profile, row, answer, NOW, "practice")
    return profile.records


def test_known_answers_give_known_measures():
    found = summary(records((0, ["pleural effusion"], 1.0), (1, [], 0.5), (-1, [], 1.0)))
    assert found["sensitivity"] == {"value": 0.5, "right": 1, "of": 2}
    assert found["specificity"]["value"] == 1 and found["median_seconds"] == 10
    assert found["brier"] == pytest.approx((0 + 0.25 + 0) / 3)
    assert found["auc"] is None and found["localized"] == {"value": 0.0, "right": 0, "of": 1}
    assert found["confusions"] == [
        {"finding": "pleural effusion", "named": "no finding", "times": 1}
    ]


def test_intervals_and_auc_stand_from_twenty_on():
    many = [(i % 12, ["pleural effusion"], 0.9) for i in range(20)] + [(-1, [], 0.9)] * 20
    found = summary(records(*many))
    assert found["sensitivity"]["low"] == pytest.approx(0.8389, abs=1e-3)
    assert found["auc"]["value"] == 1.0 and len(found["curve"]) == 8
    assert found["findings"]["pleural effusion"]["mastered"] is False  # the last 20 show it nowhere


def test_a_finding_is_mastered_over_twenty_mixed_studies():
    mixed = [(i, ["pleural effusion"], 0.9) for i in range(10)] + [
        (-i, [], 0.9) for i in range(1, 11)
    ]
    assert summary(records(*mixed))["findings"]["pleural effusion"]["mastered"] is True
    missed = [(i, [], 0.9) for i in range(4)] + mixed[4:]
    assert summary(records(*missed))["findings"]["pleural effusion"]["mastered"] is False


def judged(count, right):
    said = [place < right for place in range(count)]
    return tuple(
        Judgement("ab" * 12, f"s{i}", NOW.isoformat(), 10.0, 0.8, one, True)
        for i, one in enumerate(said)
    )


def test_real_or_generated_is_summed_up_apart_with_an_interval_from_twenty_on():
    few = origin_summary(judged(19, 15))
    assert few["accuracy"] == {"value": 15 / 19, "right": 15, "of": 19} and few["real"] is None
    many = origin_summary(judged(20, 15))["accuracy"]
    assert (many["low"], many["high"]) == pytest.approx((0.5313, 0.8881), abs=1e-4)  # Wilson 1927
    real = records((0, ["pleural effusion"], 0.9))
    with_it = measure_progress(Profile(records=real, judged=judged(20, 3)))
    without = measure_progress(Profile(records=real))
    assert with_it["tiers"] == without["tiers"] and without["origin"] is None
    assert with_it["origin"]["accuracy"]["right"] == 3


def test_tiers_are_never_summed_together():
    real = records((0, ["pleural effusion"], 0.9))
    rehearsed = [replace(one, tier="synthetic") for one in real]
    found = measure_progress(Profile(records=(*real, *rehearsed)))["tiers"]
    assert {tier: one["answers"] for tier, one in found.items()} == {"verified": 1, "synthetic": 1}
