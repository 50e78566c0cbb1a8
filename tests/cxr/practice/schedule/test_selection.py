from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from practice_pool import NOW, make_pool

from cxr.practice.grading import Commitment
from cxr.practice.pool import Pool
from cxr.practice.profile import Profile
from cxr.practice.schedule.answers import answered
from cxr.practice.schedule.selection import calibration_keys, choose, normal_plan
from cxr.practice.sets import CALIBRATION, Session


@pytest.fixture(scope="module")
def pool():
    return make_pool()


def visit(pool, knows, length=30, seed=3, step=40):
    """Rows and profile of a session in which the findings in `knows` alone are recognized."""
    profile, now, rows = Profile(), NOW, []
    for position in range(length):
        session = Session(length=length, seed=seed, position=position)
        row = choose(pool, profile, session, now)
        seen = [name for name in pool.truths[row].positive if name in knows]
        answer = Commitment(bool(pool.truths[row].abnormal), dict.fromkeys(seen), 0.8, 30)
        profile, _, _ = answered(pool, profile, row, answer, now, "practice")
        rows.append(row)
        now += timedelta(seconds=step)
    return rows, profile


@pytest.mark.parametrize("length", [5, 12, 15, 30])
@pytest.mark.parametrize("seed", range(4))
def test_two_in_five_to_one_in_two_are_normal(length, seed):
    assert 0.4 <= np.mean(normal_plan(seed, length)) <= 0.5


def test_no_film_twice_and_no_finding_twice_in_a_row(pool):
    rows, _ = visit(pool, ("mass", "edema"))
    assert len(set(rows)) == len(rows)
    shown = [pool.truths[row].positive for row in rows if pool.truths[row].positive]
    assert all(not set(a) & set(b) for a, b in zip(shown, shown[1:]))


def test_a_miss_comes_back_on_another_film_once_it_is_due(pool):
    rows, profile = visit(pool, ("mass", "edema", "nodule", "atelectasis", "pneumothorax"), 15)
    times = [one.at for one in profile.records if one.values["pleural effusion"] == 1]
    assert len(times) >= 2  # while others of the six were shown once or twice
    mass = [one for one in profile.records if one.values["mass"] == 1]
    assert len(times) >= len(mass)


def test_the_same_seed_and_profile_give_the_same_study_and_another_seed_another(pool):
    first = [choose(pool, Profile(), Session(seed=7, position=i), NOW) for i in range(8)]
    again = [choose(pool, Profile(), Session(seed=7, position=i), NOW) for i in range(8)]
    other = [choose(pool, Profile(), Session(seed=8, position=i), NOW) for i in range(8)]
    assert first == again != other


def test_studies_are_about_as_hard_as_they_should_be(pool):
    from cxr.practice.schedule.rating import predict

    rows, profile = visit(pool, ("mass", "edema", "nodule", "pneumothorax"))
    course = Profile().course("films")
    chances = [predict(course, pool.truths[r].targets, float(pool.difficulty[r])) for r in rows[:5]]
    assert 0.65 <= np.mean(chances) <= 0.85


def test_the_calibration_does_not_follow_the_learner(pool):
    keys = calibration_keys(pool, Session("calibration", 12, 1))
    assert len(set(keys)) == CALIBRATION
    shown = [pool.truths[pool.row(key)].positive for key in keys]
    assert 0.4 <= np.mean([not one for one in shown]) <= 0.5
    assert all(not set(a) & set(b) for a, b in zip(shown, shown[1:]))


def test_a_lesson_on_a_pair_shows_both_sides(pool):
    session = Session(length=20, pair=("mass", "nodule"))
    rows = [choose(pool, Profile(), replace(session, position=i), NOW) for i in range(20)]
    shown = {name for row in rows for name in pool.truths[row].positive}
    assert shown == {"mass", "nodule"}


def test_a_fixed_set_ends_and_a_foreign_study_is_refused(pool):
    session = Session("set", 1, keys=(pool.keys[5],))
    assert choose(pool, Profile(), session, NOW) == 5
    with pytest.raises(ValueError, match="its end is reached"):
        choose(pool, Profile(), replace(session, position=1), NOW)
    with pytest.raises(ValueError, match="study of this gallery"):
        choose(pool, Profile(), replace(session, keys=("0" * 24,)), NOW)


def test_a_gallery_without_labels_says_what_to_do():
    empty = Pool.of([], np.empty((0, 512), np.float16))
    with pytest.raises(ValueError, match="labelled frontal films"):
        choose(empty, Profile(), Session(), NOW)
