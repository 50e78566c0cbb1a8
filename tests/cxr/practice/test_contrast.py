from practice_pool import make_pool

from cxr.practice.contrast import contrast_of
from cxr.practice.grading import Commitment, grade_answer


def strip(row, findings, seen=()):
    pool = make_pool()
    grade = grade_answer(Commitment(bool(findings), dict.fromkeys(findings)), pool.truths[row])
    return pool, contrast_of(pool, row, grade, seen, 0)


def test_two_of_the_same_two_look_alikes_and_a_matched_normal():
    pool, found = strip(0, ["atelectasis"])
    assert (found.finding, found.rival) == ("pleural effusion", "atelectasis")
    assert len(found.same) == 2 and len(found.alike) == 2
    assert all(pool.truths[row].value("pleural effusion") == 1 for row in found.same)
    assert all(pool.truths[row].value("pleural effusion") == 0 for row, _ in found.alike)
    assert pool.truths[found.normal].abnormal is False
    assert pool.studies[found.normal].view == pool.studies[0].view
    assert pool.studies[found.normal].sex == pool.studies[0].sex
    rows = [0, *found.same, *(row for row, _ in found.alike), found.normal, found.transfer]
    assert len(set(rows)) == len(rows)


def test_the_transfer_question_is_unseen_and_shows_one_of_the_pair():
    pool, first = strip(0, ["atelectasis"])
    pool, found = strip(0, ["atelectasis"], [pool.keys[first.transfer]])
    assert found.transfer != first.transfer
    shown = [pool.truths[found.transfer].value(n) for n in ("pleural effusion", "atelectasis")]
    assert sorted(shown) == [0, 1]


def test_a_false_alarm_on_a_normal_study_is_what_the_strip_is_about():
    assert strip(-1, ["mass"])[1].finding == "mass"
    assert strip(-1, [])[1].transfer is None
