"""When a pair of look-alikes comes back: a card of the package fsrs for each, never for a film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import Any

from fsrs import Card, Rating, Scheduler

from cxr.practice.grading import FALSE_ALARM, HIT, MISS, Grade
from cxr.practice.lookalikes import SIGNS, pair_key, rivals, split_pair
from cxr.practice.profile import Course, moment

SURE, UNSURE = 0.9, 0.75  # confidence
QUICK, SLOW = 20.0, 60.0  # seconds, until a learner's own pace is known
PACE_FROM = 8  # answers from which it is

# Without fuzz the same answers give the same dates, and an exported profile can be checked.
SCHEDULER = Scheduler(enable_fuzzing=False)


def recall(right: bool, confidence: float, seconds: float, pace: float | None = None) -> Rating:
    """What an answer says about a card.

    Args:
        right: whether the finding was told from its look-alike, and seen in the right place.
        confidence: 0.5 to 1.
        seconds: that it took.
        pace: the learner's median; None where it is not known.

    Returns:
        Again for a wrong answer; Hard for a right one that was unsure or slow; Easy for one that
        was sure and quick; Good for the rest.
    """
    if not right:
        return Rating.Again
    slow, quick = (SLOW, QUICK) if pace is None else (2 * pace, pace)
    if confidence < UNSURE or seconds > slow:
        return Rating.Hard
    return Rating.Easy if confidence >= SURE and seconds <= quick else Rating.Good


def pace_of(seconds: Sequence[float]) -> float | None:
    """The median of a learner's times; None before PACE_FROM answers."""
    return median(seconds) if len(seconds) >= PACE_FROM else None


def review(
    course: Course,
    grade: Grade,
    confidence: float,
    seconds: float,
    now: datetime,
    pace: float | None = None,
) -> Course:
    """The course with the cards that an answer was about, each reviewed.

    Each finding that is present is about one of its pairs: the one that it was taken for, else the
    one that is due first, else the first that was never asked. A finding named where it is not
    is about the pair with what the study does show, or with its first mimic.
    """
    cards = dict(course.cards)
    present, alarms = [*grade.of(HIT), *grade.of(MISS)], grade.of(FALSE_ALARM)
    placed = {one.finding: one.located for one in grade.verdicts}
    for finding in present:
        missed = finding in grade.of(MISS)
        rival = next((one for one in rivals(finding) if missed and one in alarms), None)
        key = pair_key(finding, rival) if rival else next_pair(course, finding, now)
        rating = recall(not missed, confidence, seconds, pace)
        if placed[finding] is False and rating != Rating.Again:
            rating = Rating.Hard
        cards[key] = _reviewed(cards.get(key), rating, now)
    for finding in alarms:
        shown = next((one for one in rivals(finding) if one in present), None)
        key = pair_key(finding, shown or (*SIGNS[finding].mimics, *rivals(finding))[0])
        cards[key] = _reviewed(cards.get(key), Rating.Again, now)
    return replace(course, cards=cards)


def _reviewed(values: Mapping[str, Any] | None, rating: Rating, now: datetime) -> dict[str, Any]:
    """A card after a review, as Card.to_dict writes it but for its number."""
    # A number is given, since Card() waits for the clock to find one.
    card = Card.from_dict({"card_id": 0, **values}) if values else Card(card_id=0, due=now)  # type: ignore[typeddict-item]
    after, _ = SCHEDULER.review_card(card, rating, now)
    return {name: value for name, value in after.to_dict().items() if name != "card_id"}


def next_pair(course: Course, finding: str, now: datetime) -> str:
    """The pair of a finding that is most overdue; else one never asked; else that due first."""
    due = [key for key in due_pairs(course, now) if split_pair(key)[0] == finding]
    keys = [pair_key(finding, rival) for rival in rivals(finding)]
    keys += [key for key in course.cards if split_pair(key)[0] == finding and key not in keys]
    return due[0] if due else min(keys, key=lambda key: (due_at(course, key), keys.index(key)))


def due_at(course: Course, key: str) -> str:
    """When a pair is due, ISO 8601 in UTC; "" for one that was never asked."""
    card = course.cards.get(key)
    return str(card["due"]) if card else ""


def due_pairs(course: Course, now: datetime) -> list[str]:
    """The pairs that are due, the most overdue first."""
    due = [(moment(card["due"]), key) for key, card in course.cards.items()]
    return [key for at, key in sorted(due) if at <= now]
