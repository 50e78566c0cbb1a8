from datetime import datetime, timedelta, timezone

import pytest
from fsrs import Card, Rating, Scheduler
from practice_pool import NOW, make_pool

from cxr.practice.grading import Commitment, Mark, grade_answer
from cxr.practice.profile import Course, moment
from cxr.practice.schedule.spacing import _reviewed, due_pairs, next_pair, recall, review

A, H, G, E = Rating.Again, Rating.Hard, Rating.Good, Rating.Easy
# The vector of the library's own test: ratings, each given when the card is due, and the days
# until it is due again.
RATINGS = (G, G, G, G, G, G, A, A, G, G, G, G, G)
DAYS = [0, 2, 11, 46, 163, 498, 0, 0, 2, 4, 7, 12, 21]


def test_intervals_are_those_of_the_library_and_of_its_own_vector():
    card, theirs, at = None, Card(card_id=0), datetime(2022, 11, 29, 12, 30, tzinfo=timezone.utc)
    library, days = Scheduler(enable_fuzzing=False), []
    for rating in RATINGS:
        card = _reviewed(card, rating, at)
        theirs, _ = library.review_card(theirs, rating, at)
        assert {"card_id": 0, **card} == theirs.to_dict()
        days.append((theirs.due - theirs.last_review).days)
        at = moment(card["due"])
    assert days == DAYS


@pytest.mark.parametrize(
    ("right", "confidence", "seconds", "pace", "rating"),
    [
        (False, 1.0, 5, None, A),
        (True, 0.6, 5, None, H),
        (True, 0.95, 90, None, H),
        (True, 0.95, 10, None, E),
        (True, 0.8, 10, None, G),
        (True, 0.95, 30, None, G),
        (True, 0.95, 30, 40, E),
        (True, 0.95, 30, 10, H),
    ],
)
def test_wrong_unsure_slow_and_sure(right, confidence, seconds, pace, rating):
    assert recall(right, confidence, seconds, pace) == rating


def after(row, findings, course=None, confidence=0.8, seconds=30, now=NOW):
    pool = make_pool()
    grade = grade_answer(Commitment(bool(findings), findings), pool.truths[row])
    return review(course or Course(), grade, confidence, seconds, now)


def test_a_miss_is_about_what_it_was_taken_for_and_comes_back_soon():
    course = after(0, {"atelectasis": None})  # an effusion called atelectasis
    pair, card = "pleural effusion|atelectasis", Card(card_id=0)
    due = Scheduler(enable_fuzzing=False).review_card(card, A, NOW)[0].due
    assert moment(course.cards[pair]["due"]) == due
    assert pair not in due_pairs(course, NOW) and pair in due_pairs(course, due)
    assert "atelectasis|pleural effusion" in course.cards  # named where it was not


def test_a_hit_goes_to_the_next_pair_each_time():
    course = after(0, {"pleural effusion": None})
    assert list(course.cards) == ["pleural effusion|atelectasis"]
    assert next_pair(course, "pleural effusion", NOW) == "pleural effusion|pleural thickening"
    with_two = after(0, {"pleural effusion": None}, course)
    assert len(with_two.cards) == 2


def test_what_is_due_is_asked_before_what_was_never_asked():
    """Else what was missed would stay due, and come again and again while others are reviewed."""
    course = after(0, {})  # missed
    (pair,) = course.cards
    due = moment(course.cards[pair]["due"])
    assert next_pair(course, "pleural effusion", due) == pair
    again = after(0, {"pleural effusion": None}, course, now=due)
    assert list(again.cards) == [pair] and moment(again.cards[pair]["due"]) > due
    assert due_pairs(again, due) == []


def test_a_false_alarm_on_a_normal_study_is_about_its_mimic():
    assert list(after(-1, {"pneumothorax": None}).cards) == ["pneumothorax|skin fold"]


def test_a_finding_seen_at_once_and_in_place_is_not_due_for_days():
    course = after(0, {"pleural effusion": Mark(0.3, 0.3)}, confidence=1.0, seconds=5)
    (card,) = course.cards.values()
    assert moment(card["due"]) - NOW > timedelta(days=2)
    elsewhere = after(0, {"pleural effusion": Mark(0.9, 0.9)}, confidence=1.0, seconds=5)
    (card,) = elsewhere.cards.values()
    assert moment(card["due"]) - NOW < timedelta(minutes=10)
