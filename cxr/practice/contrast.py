"""What to lay beside a study after an answer: more of the same, its look-alikes, a normal one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxr.practice.grading import FALSE_ALARM, MISS, Grade
from cxr.practice.lookalikes import rivals
from cxr.practice.pool import Pool
from cxr.practice.profile import course_of
from cxr.practice.truth import NORMAL

SAME, ALIKE = 2, 2  # studies of each kind


@dataclass(frozen=True)
class Contrast:
    """Rows of a pool to compare a study with.

    Attributes:
        finding: what it is about.
        rival: the look-alike; "" where the gallery shows none.
        same: further studies with the finding.
        alike: the most similar studies with a look-alike and without the finding: (row, name).
        normal: a normal study of the same view and sex and the nearest age; None without one.
        transfer: a study that the learner has not seen, with the finding or the rival; None where
            there is no such pair.
    """

    finding: str
    rival: str
    same: tuple[int, ...]
    alike: tuple[tuple[int, str], ...]
    normal: int | None
    transfer: int | None


def contrast_of(pool: Pool, row: int, grade: Grade, seen: Sequence[str], seed: int) -> Contrast:
    """Choose what to compare a study with.

    Args:
        pool: the gallery's studies.
        row: of the study that was answered.
        grade: of the answer; what was missed, or named though absent, is what it is about.
        seen: keys that the learner has met.
        seed: decides on the transfer question.
    """
    truth = pool.truths[row]
    course = course_of(truth.tier)
    alarms = grade.of(FALSE_ALARM)
    finding = next(iter((*grade.of(MISS), *truth.targets)), NORMAL)
    if finding == NORMAL and alarms:
        finding = alarms[0]
    wrong = [name for name in alarms if name != finding]
    names = list(dict.fromkeys((*wrong, *rivals(finding)))) if finding != NORMAL else []
    cosines = np.asarray(pool.vectors, np.float32) @ np.asarray(pool.vectors[row], np.float32)
    used = {row}

    def nearest(rows: Sequence[int], count: int) -> tuple[int, ...]:
        best = sorted((r for r in rows if r not in used), key=lambda r: -cosines[r])[:count]
        used.update(best)
        return tuple(best)

    same = nearest(pool.rows(course, finding), SAME)
    alike: list[tuple[int, str]] = []
    for name in (*names, *names):  # one of each look-alike, then more of the nearest
        without = [r for r in pool.rows(course, name) if pool.truths[r].value(finding) != 1]
        if len(alike) < ALIKE:
            alike += [(one, name) for one in nearest(without, 1)]
    rival = alike[0][1] if alike else ""
    normal = _matched(pool, course, row, used)
    transfer = _transfer(pool, course, (finding, rival), {*seen, *(pool.keys[r] for r in used)})
    chosen = transfer[np.random.default_rng(seed).integers(len(transfer))] if transfer else None
    return Contrast(finding, rival, same, tuple(alike), normal, chosen)


def _matched(pool: Pool, course: str, row: int, used: set[int]) -> int | None:
    """The normal study that is nearest in view, sex and age."""
    study = pool.studies[row]

    def distance(other: int) -> tuple[bool, bool, int]:
        one = pool.studies[other]
        years = abs((one.age if one.age is not None else 50) - (study.age or 50))
        return one.view != study.view, one.sex != study.sex, years

    rows = [other for other in pool.rows(course, NORMAL) if other not in used]
    return min(rows, key=distance, default=None)


def _transfer(pool: Pool, course: str, pair: tuple[str, str], seen: set[str]) -> list[int]:
    """Unseen studies that show exactly one of a pair."""
    if not pair[1]:
        return []
    rows = [row for name in pair for row in pool.rows(course, name)]
    return [
        row
        for row in dict.fromkeys(rows)
        if pool.keys[row] not in seen
        and sum(pool.truths[row].value(name) == 1 for name in pair) == 1
    ]
