"""A simulated reader of given sensitivities, and what the estimates say of it after 60 studies."""

import numpy as np
import pytest
from practice_pool import SHOWN, make_pool

from cxr.practice.profile import Course
from cxr.practice.schedule.rating import predict, update
from cxr.practice.schedule.selection import normal_plan
from cxr.practice.truth import NORMAL

READERS = {
    "beginner": dict.fromkeys((NORMAL, *SHOWN), 0.45),
    "usual": {NORMAL: 0.8, **dict(zip(SHOWN, (0.9, 0.7, 0.5, 0.75, 0.4, 0.65)))},
    "overcalling": {NORMAL: 0.4, **dict.fromkeys(SHOWN, 0.9)},
    "expert": dict.fromkeys((NORMAL, *SHOWN), 0.93),
}


def simulate(reader, seed):
    """The estimated and the true success rate over the pool after 60 studies."""
    pool, rng, course = make_pool(), np.random.default_rng(seed), Course()
    rows = [row for name in SHOWN for row in pool.rows("films", name)]

    def chance(row):
        given = reader[pool.truths[row].targets[0]]
        return 1 / (1 + np.exp(pool.difficulty[row] - np.log(given / (1 - given))))

    def drawn(normal):
        return int(rng.choice(pool.rows("films", NORMAL) if normal else rows))

    for normal in normal_plan(seed, 60):
        row = drawn(normal)
        score = float(rng.random() < chance(row))
        course = update(course, pool.truths[row].targets, float(pool.difficulty[row]), score)
    asked = [*rng.choice(pool.rows("films", NORMAL), 45), *rng.choice(rows, 55)]
    said = [predict(course, pool.truths[r].targets, float(pool.difficulty[r])) for r in asked]
    return float(np.mean(said)), float(np.mean([chance(row) for row in asked]))


@pytest.mark.parametrize("name", READERS)
def test_a_reader_is_estimated_within_a_tenth(name):
    said, true = simulate(READERS[name], 1)
    assert said == pytest.approx(true, abs=0.1)


def test_most_of_many_readers_are_and_the_mean_error_is_small():
    pairs = [simulate(reader, seed) for reader in READERS.values() for seed in range(25)]
    errors = np.abs([said - true for said, true in pairs])
    assert (errors <= 0.1).mean() >= 0.9 and errors.mean() < 0.05


def test_right_answers_raise_and_sureness_grows():
    course = update(Course(), ("mass",), 0.0, 1.0)
    assert course.overall.mean > Course().overall.mean
    assert course.overall.variance < Course().overall.variance
    assert predict(course, ("mass",), 0.0) > predict(course, ("edema",), 0.0)
    assert update(Course(), (), 0.0, 1.0) == Course()
