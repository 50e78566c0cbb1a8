"""What a learner's answers come to: measures with intervals, the learning curve, confusions.

Scores rest on studies that radiologists drew or verified. Agreement with labels from reports and
rehearsals on synthetic studies are summed up apart, and so are answers to whether an image is
generated; nothing here says what anybody learned.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from cxr.findings import FINDINGS
from cxr.metrics import bootstrap_interval, reliability
from cxr.practice.grading import FALSE_ALARM, MISS
from cxr.practice.profile import Judgement, Profile, Record
from cxr.practice.truth import TIERS, VERIFIED, decoded

ENOUGH = 20  # answers from which a measure has an interval, and a finding can be mastered
MASTERED = 0.85  # sensitivity and specificity
FEWEST = 4  # studies of either kind among the last ENOUGH
WINDOW = 20  # answers in a point of the learning curve
CONFUSIONS = 5


def measure_progress(profile: Profile) -> dict[str, Any]:
    """Everything that the page and the exports say, JSON-able.

    Returns:
        "tiers": {tier: summary(its records)} for each tier with answers; "origin", as
        origin_summary gives it.
    """
    tiers = {
        tier: summary(records)
        for tier in TIERS
        if (records := [one for one in profile.records if one.tier == tier])
    }
    origin = origin_summary(profile.judged)
    return {"tiers": tiers, "origin": origin}


def origin_summary(judged: Sequence[Judgement]) -> dict[str, Any] | None:
    """What judgements of real or generated come to, JSON-able; None where there are none.

    Returns:
        answers; accuracy, and the same of generated and of real images alone, each as share gives
        it; median_seconds.
    """
    if not judged:
        return None
    return {
        "answers": len(judged),
        "accuracy": share([one.right for one in judged]),
        "generated": share([one.right for one in judged if one.generated]),
        "real": share([one.right for one in judged if not one.generated]),
        "median_seconds": median(one.seconds for one in judged),
    }


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """The measures of some answers; a measure that cannot be taken is None.

    Args:
        records: in the order in which they were answered, of one tier.
    """
    judged = [one for one in records if one.truly_abnormal is not None]
    right = [bool(one.grade.abnormal_right) for one in judged]
    confidence = [one.confidence for one in judged]
    places = [place for one in records for place in one.findings.values() if place is not None]
    return {
        "answers": len(records),
        "sensitivity": share([one.abnormal for one in judged if one.truly_abnormal]),
        "specificity": share([not one.abnormal for one in judged if not one.truly_abnormal]),
        "auc": _auc(judged),
        "localized": share(places),
        "score": _mean([one.grade.score for one in records]),
        "median_seconds": median(one.seconds for one in records) if records else None,
        "brier": _mean([(c - r) ** 2 for c, r in zip(confidence, right)]),
        "calibration": [asdict(one) for one in _reliability(confidence, right)],
        "curve": _curve(records),
        "confusions": _confusions(records),
        "findings": _findings(records),
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def share(values: Sequence[bool]) -> dict[str, Any] | None:
    """A share with its Wilson interval (Wilson 1927), which stands from ENOUGH cases on.

    Returns:
        value, right, of; low and high where there are enough. None for no values.
    """
    if not values:
        return None
    count = sum(values)
    found: dict[str, Any] = {"value": count / len(values), "right": count, "of": len(values)}
    if len(values) >= ENOUGH:
        bounds = binomtest(count, len(values)).proportion_ci(method="wilson")
        found |= {"low": float(bounds.low), "high": float(bounds.high)}
    return found


def _auc(records: Sequence[Record]) -> dict[str, Any] | None:
    """Area under the curve of "abnormal" by confidence; from ENOUGH answers of both kinds on."""
    truths = np.array([bool(one.truly_abnormal) for one in records])
    if len(truths) < ENOUGH or truths.all() or not truths.any():
        return None
    scores = np.array([one.confidence if one.abnormal else 1 - one.confidence for one in records])

    def area(cases: np.ndarray) -> float:
        drawn = truths[cases]
        if drawn.all() or not drawn.any():
            return math.nan
        return float(roc_auc_score(drawn, scores[cases]))

    low, high = bootstrap_interval(area, len(truths), rounds=300)
    return {"value": area(np.arange(len(truths))), "low": low, "high": high, "of": len(truths)}


def _reliability(confidence: Sequence[float], right: Sequence[bool]) -> Iterable[Any]:
    return reliability(np.array(confidence), np.array(right)) if confidence else []


def _curve(records: Sequence[Record]) -> list[dict[str, float]]:
    """The mean score of the last WINDOW answers, after every fifth."""
    scores = [one.grade.score for one in records]
    ends = range(5, len(scores) + 1, 5)
    return [
        {"answers": end, "score": float(np.mean(scores[max(0, end - WINDOW) : end]))}
        for end in ends
    ]


def _confusions(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Findings missed while another was named in their place, the most common first."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in records:
        graded = one.grade
        counted = [v for v in graded.verdicts if v.verified or one.tier != VERIFIED]
        missed = [verdict.finding for verdict in counted if verdict.kind == MISS]
        alarms = [verdict.finding for verdict in counted if verdict.kind == FALSE_ALARM]
        counts.update((seen, said) for seen in missed for said in alarms)
        if not one.abnormal:
            counts.update((seen, FINDINGS[0]) for seen in missed)
    listed = counts.most_common(CONFUSIONS)
    return [{"finding": seen, "named": said, "times": times} for (seen, said), times in listed]


def _findings(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Each finding that was met: sensitivity, specificity, and whether it is mastered."""
    found = {}
    for name in FINDINGS[1:]:
        known = [one for one in records if _known(one, name)]
        if not any(one.values[name] == 1 for one in known):
            continue
        recent = known[-ENOUGH:]
        sensitivity, specificity = _rates(recent, name)
        enough = all(one and one["of"] >= FEWEST for one in (sensitivity, specificity))
        found[name] = {
            "sensitivity": sensitivity,
            "specificity": specificity,
            "of": len(recent),
            "mastered": len(recent) >= ENOUGH
            and enough
            and all(one["value"] >= MASTERED for one in (sensitivity, specificity) if one),
        }
    return found


def _known(record: Record, name: str) -> bool:
    """Whether a finding's truth is known; to a scored answer, by radiologists."""
    value, verified = decoded(record.truth)[name]
    return value in (0, 1) and (verified or record.tier != VERIFIED)


def _rates(
    records: Sequence[Record], name: str
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Sensitivity and specificity for one finding."""
    return (
        share([name in one.findings for one in records if one.values[name] == 1]),
        share([name not in one.findings for one in records if one.values[name] == 0]),
    )
