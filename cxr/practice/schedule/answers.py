"""An answer taken into a profile: graded, recorded, the estimates moved, the cards reviewed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cxr.practice.grading import Commitment, Grade, grade_answer
from cxr.practice.pool import Pool
from cxr.practice.profile import MOST_RECORDS, Profile, Record, course_of, located
from cxr.practice.schedule.rating import update
from cxr.practice.schedule.spacing import pace_of, review


def answered(
    pool: Pool, profile: Profile, row: int, commitment: Commitment, now: datetime, mode: str
) -> tuple[Profile, Record, Grade]:
    """Take an answer in.

    Args:
        pool: the gallery's studies.
        profile: before the answer.
        row: of the study that was answered.
        commitment: the answer.
        now: when it was given, in UTC.
        mode: of the session, one of MODES.

    Returns:
        The profile after it, the new record and the grade.
    """
    truth, study = pool.truths[row], pool.studies[row]
    graded = grade_answer(commitment, truth)
    record = Record(
        key=pool.keys[row],
        study=study.id,
        tier=truth.tier,
        at=now.isoformat(),
        seconds=round(commitment.seconds, 2),
        confidence=commitment.confidence,
        abnormal=commitment.abnormal,
        findings=located(graded.verdicts),
        truth=truth.code(),
        mode=mode,
    )
    name = course_of(truth.tier)
    course = profile.course(name)
    pace = pace_of([one.seconds for one in profile.records if one.course == name])
    course = update(course, truth.targets, float(pool.difficulty[row]), graded.score)
    course = review(course, graded, commitment.confidence, commitment.seconds, now, pace)
    records = (*profile.records, record)[-MOST_RECORDS:]
    after = replace(profile, records=records).with_course(name, course)
    return after, record, graded
