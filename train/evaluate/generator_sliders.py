"""What becomes of an image when one number that conditions it changes and the noise stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import pearsonr, spearmanr

from cxr.anatomy import HEART
from cxr.generation import Condition, ConditionFormat, read_request
from cxr.localization import Localizer
from cxr.metrics import value_with_interval
from train.evaluate.films import FilmSet, to_images
from train.evaluate.generator_judge import Judge
from train.evaluate.generator_measures import NORMAL, conditions_of, imagined_studies, request_of

CARDIOMEGALY = "cardiomegaly"
SLIDERS = (CARDIOMEGALY, "pleural effusion", "edema", "consolidation")
STEPS = (0.0, 0.5, 1.0, 1.5, 2.0)
FILMS = 60  # for each step
RATIOS = (0.42, 0.46, 0.5, 0.55, 0.6, 0.65)
RATIO_FILMS = 40  # for each of them

Draw = Callable[[Sequence[Condition], int], FilmSet]


def heart_ratios(localizer: Localizer, squares: np.ndarray) -> np.ndarray:
    """Measure the cardiothoracic ratio of squares uint8 [N, S, S]: float64 [N], NaN where none."""
    found = (localizer.find(image, HEART).ratio for image in to_images(squares))
    return np.array([np.nan if ratio is None else ratio.value for ratio in found], float)


def severity_effects(draw: Draw, judge: Judge, localizer: Localizer | None, seed: int) -> dict:
    """For each of SLIDERS: FILMS images at each of STEPS, with noise and person held still.

    Returns:
        By finding: "steps", the mean score of the judge at each; "rising", the share of neighboring
        steps of an image between which its score rises; "spearman", the mean rank correlation
        of step and score, with a 95% interval over images; "monotone", whether each mean is above
        the one before; of cardiomegaly also "heart_ratio", what the localizer measures.
    """
    people = [request_of(one) for one in imagined_studies((NORMAL,), FILMS, seed)]
    still = draw(conditions_of(people, seed), seed)
    out = {}
    for name in SLIDERS:
        column = judge.findings.index(name)
        asked = [[replace(one, severities={name: step}) for one in people] for step in STEPS[1:]]
        films = [still, *(draw(conditions_of(requests, seed), seed) for requests in asked)]
        scores = np.stack([judge.scores(one.features)[:, column] for one in films])
        out[name] = {"films": FILMS, **effect_of(scores, seed)}
        if name == CARDIOMEGALY and localizer is not None:
            ratios = [heart_ratios(localizer, one.squares) for one in films]
            out[name]["heart_ratio"] = [round(float(np.nanmean(step)), 4) for step in ratios]
    return out


def effect_of(scores: np.ndarray, seed: int) -> dict:
    """The numbers of severity_effects from scores float [S, N], a row for each of STEPS."""
    means = scores.mean(1)
    ranks = np.array([_correlation(column) for column in scores.T])
    return {
        "steps": dict(zip(map(str, STEPS), means.astype(float).round(3).tolist())),
        "rising": round(float((np.diff(scores, axis=0) > 0).mean()), 3),
        "spearman": value_with_interval(
            lambda rows: float(ranks[rows].mean()), len(ranks), 300, seed
        ),
        "monotone": bool((np.diff(means) > 0).all()),
    }


def _correlation(values: np.ndarray) -> float:
    """Spearman's, of values with STEPS; 0 where all are equal."""
    return 0.0 if np.ptp(values) == 0 else float(spearmanr(STEPS, values).statistic)


def heart_ratio_effect(
    draw: Draw, numbers: ConditionFormat, localizer: Localizer, seed: int
) -> dict:
    """RATIO_FILMS images for each of RATIOS, typed: what was asked for against what is measured.

    Returns:
        "asked": by ratio the mean that is measured; "mean_absolute_error"; "r", Pearson's;
        "not_measured", images on which the localizer finds no heart or lung.
    """
    people = [request_of(one) for one in imagined_studies((NORMAL,), RATIO_FILMS, seed)]
    rows = []
    for ratio in RATIOS:
        read = read_request(f"heart ratio {ratio}", numbers)
        asked = [
            replace(one, severities=read.severities, heart_ratio=read.heart_ratio) for one in people
        ]
        rows.append(heart_ratios(localizer, draw(conditions_of(asked, seed), seed).squares))
    measured = np.stack(rows)
    known = ~np.isnan(measured.ravel())
    given, found = np.repeat(RATIOS, RATIO_FILMS)[known], measured.ravel()[known]
    means = [float(np.nanmean(row)) if (~np.isnan(row)).any() else None for row in measured]
    varied = len(found) > 1 and np.ptp(found) > 0 and np.ptp(given) > 0
    return {
        "films": measured.size,
        "not_measured": int((~known).sum()),
        "asked": {
            str(ratio): None if mean is None else round(mean, 4)
            for ratio, mean in zip(RATIOS, means)
        },
        "mean_absolute_error": round(float(np.abs(given - found).mean()), 4)
        if len(found)
        else None,
        "r": round(float(pearsonr(given, found).statistic), 4) if varied else None,
    }
