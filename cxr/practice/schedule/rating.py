"""How able a learner seems: a Rasch model, estimated answer by answer as Elo does.

P(right) = sigmoid(ability + what is added for the finding - difficulty of the study). Each answer
moves the estimates by as much as they are unsure (Glickman 1999), so that a few answers move a
new learner far and an old one little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cxr.practice.profile import Course, Rating

UNKNOWN_FINDING = Rating(0.0, 0.2)
DRIFT, LEAST = 0.0005, 0.01  # variance added by each answer, since learners change; and its least


def predict(course: Course, targets: Sequence[str], difficulty: float) -> float:
    """The probability that an answer is right.

    Args:
        course: the learner's.
        targets: what the study shows; ("no finding",) for a normal one.
        difficulty: of the study, in logits.
    """
    return 1 / (1 + math.exp(-_logit(course, targets, difficulty)))


def update(course: Course, targets: Sequence[str], difficulty: float, score: float) -> Course:
    """The course after an answer. score: in [0, 1], as Grade has it."""
    if not targets:
        return course
    chance = predict(course, targets, difficulty)
    information = chance * (1 - chance)
    share = 1 / len(targets)
    ratings = {name: course.findings.get(name, UNKNOWN_FINDING) for name in targets}
    spread = course.overall.variance + sum(one.variance * share**2 for one in ratings.values())
    step = (score - chance) / (1 + spread * information)
    shrink = information / (1 + spread * information)
    return replace(
        course,
        overall=_moved(course.overall, 1.0, step, shrink),
        findings={
            **course.findings,
            **{name: _moved(one, share, step, shrink) for name, one in ratings.items()},
        },
    )


def _logit(course: Course, targets: Sequence[str], difficulty: float) -> float:
    added = [course.findings.get(name, UNKNOWN_FINDING).mean for name in targets]
    return course.overall.mean + sum(added) / max(len(added), 1) - difficulty


def _moved(rating: Rating, share: float, step: float, shrink: float) -> Rating:
    """One estimate after an answer in which it had a share."""
    mean = rating.mean + rating.variance * share * step
    variance = rating.variance - (rating.variance * share) ** 2 * shrink + DRIFT
    return Rating(min(max(mean, -6.0), 6.0), max(variance, LEAST))
