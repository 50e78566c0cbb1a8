"""Which study comes next: normals among the rest, what is due, and how hard it should be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from cxr.practice.lookalikes import split_pair
from cxr.practice.pool import Pool
from cxr.practice.profile import Profile, Record
from cxr.practice.schedule.rating import predict
from cxr.practice.schedule.spacing import due_pairs
from cxr.practice.sets import CALIBRATION, Session
from cxr.practice.truth import NORMAL

NORMALS = 0.45  # of a session
AIM = 0.75  # success that a study should have
RECENT = 2  # abnormal studies after which a finding may come again, so never twice in a row
NEAREST = 5  # studies nearest to it among which chance decides


def normal_plan(seed: int, length: int) -> tuple[bool, ...]:
    """At which places of a session a normal study stands: 40 to 50% of them, where it has five."""
    plan = np.arange(length) < round(NORMALS * length)
    np.random.default_rng([seed, length]).shuffle(plan)
    return tuple(bool(one) for one in plan)


def course_for(pool: Pool, session: Session) -> str:
    """The course that a session draws from: the one asked for, else the gallery's real studies.

    Raises:
        ValueError: the gallery has no study that can be practised on.
    """
    if session.course in pool.courses:
        return session.course
    if not pool.courses:
        raise ValueError(
            "expected a gallery with labelled frontal films, got one without; build one from a "
            "data set that has labels"
        )
    return pool.courses[0]


def choose(pool: Pool, profile: Profile, session: Session, now: datetime) -> int:
    """The row of the study that comes next in a session.

    Args:
        pool: the gallery's studies.
        profile: the learner's, with what was answered so far.
        session: with the position that is asked for.
        now: in UTC; decides what is due.

    Raises:
        ValueError: the gallery has no study to show.
    """
    if session.keys:
        if session.position >= len(session.keys):
            raise ValueError("expected a study of the set, its end is reached; end the session")
        return pool.row(session.keys[session.position])
    rng = np.random.default_rng([session.seed, session.position])
    course = course_for(pool, session)
    normal = normal_plan(session.seed, session.length)[session.position % session.length]
    if normal and pool.rows(course, NORMAL):
        return _film(pool, profile, course, NORMAL, rng)
    if session.pair:
        return _lesson(pool, profile, course, session, rng)
    finding, rival = _finding(pool, profile, course, now, rng)
    return _film(pool, profile, course, finding, rng, rival, _last_shown(profile, course))


def _lesson(
    pool: Pool, profile: Profile, course: str, session: Session, rng: np.random.Generator
) -> int:
    """A study of either side of a pair; the same finding may come twice here."""
    sides = [name for name in session.pair if pool.rows(course, name)]
    if not sides:
        raise ValueError(f"expected studies of {' or '.join(session.pair)}, the gallery has none")
    finding = sides[rng.integers(len(sides))]
    other = next((name for name in session.pair if name != finding), "")
    return _film(pool, profile, course, finding, rng, other)


def _last_shown(profile: Profile, course: str) -> set[str]:
    """What the last RECENT abnormal studies answered in a course showed."""
    shown = [_shown(one) for one in profile.records[-4 * RECENT :] if one.course == course]
    return set().union(*[names for names in shown if names][-RECENT:])


def _shown(record: Record) -> set[str]:
    return {name for name, value in record.values.items() if value == 1} - {NORMAL}


def _finding(
    pool: Pool, profile: Profile, course: str, now: datetime, rng: np.random.Generator
) -> tuple[str, str]:
    """The finding to show and the look-alike it should be told from ("" for any).

    What is due comes first; else a finding that was seldom shown.
    """
    barred = _last_shown(profile, course)
    there = [name for name in pool.findings(course) if name not in barred]
    there = there or list(pool.findings(course))
    if not there:
        raise ValueError(
            "expected studies that show a finding, the gallery has none; choose another gallery"
        )
    for key in due_pairs(profile.course(course), now):
        finding, rival = split_pair(key)
        if finding in there:
            return finding, rival
    shown = [name for one in profile.records for name, value in one.values.items() if value == 1]
    counts = [shown.count(name) for name in there]
    least = [name for name, count in zip(there, counts) if count <= min(counts)]
    return least[rng.integers(len(least))], ""


def _film(
    pool: Pool,
    profile: Profile,
    course: str,
    target: str,
    rng: np.random.Generator,
    rival: str = "",
    barred: set[str] | frozenset[str] = frozenset(),
) -> int:
    """A study with a target that was not seen yet, about as hard as it should be."""
    rows = pool.rows(course, target)
    rows = [row for row in rows if not barred & set(pool.truths[row].positive)] or rows
    rows = [row for row in rows if pool.truths[row].value(rival) != 1] or rows if rival else rows
    fresh = _unseen(pool, rows, profile)
    fresh = pool.verified(fresh) or fresh
    at = profile.course(course)
    far = [
        abs(predict(at, pool.truths[row].targets, float(pool.difficulty[row])) - AIM)
        for row in fresh
    ]
    order = rng.permutation(len(fresh))  # among equals chance decides
    nearest = sorted(order, key=lambda place: far[place])[:NEAREST]
    return fresh[nearest[rng.integers(len(nearest))]]


def _unseen(pool: Pool, rows: Sequence[int], profile: Profile) -> list[int]:
    """Rows that were never met; where there are none, the quarter met longest ago."""
    last = {key: place for place, key in enumerate(pool.met(profile))}
    fresh = [row for row in rows if pool.keys[row] not in last]
    if fresh:
        return fresh
    oldest = sorted(rows, key=lambda row: last[pool.keys[row]])
    return oldest[: max(1, len(oldest) // 4)]


def calibration_keys(pool: Pool, session: Session, length: int = CALIBRATION) -> list[str]:
    """The studies that a learner begins with: normals and different findings, easy and hard ones.

    They do not follow the learner, so that they can be graded at the end.
    """
    return fixed_keys(pool, Session("calibration", length, session.seed, course=session.course))


def fixed_keys(pool: Pool, session: Session) -> list[str]:
    """The studies of a session that stand from the beginning, no finding twice in a row."""
    course = course_for(pool, session)
    rng = np.random.default_rng([session.seed, session.length, 1])
    findings = [str(name) for name in rng.permutation(pool.findings(course))]
    plan = normal_plan(session.seed, session.length)
    keys: list[str] = []
    shown: set[str] = set()
    turn = 0
    for normal in plan:
        target = NORMAL
        if not (normal and pool.rows(course, NORMAL)) and findings:
            target = next((n for n in _turned(findings, turn) if n not in shown), findings[0])
            turn = findings.index(target) + 1
        rows = [row for row in pool.rows(course, target) if pool.keys[row] not in keys]
        rows = [r for r in rows if not shown & set(pool.truths[r].positive)] or rows
        rows = pool.verified(rows) or rows
        if not rows:
            continue
        row = rows[rng.integers(len(rows))]
        shown = set(pool.truths[row].positive)
        keys.append(pool.keys[row])
    return keys


def _turned(names: Sequence[str], start: int) -> list[str]:
    at = start % len(names)
    return [*names[at:], *names[:at]]
