"""Is anything to be learned from generated images? A classifier trained on them reads real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr.findings import NIH_FINDINGS, Study
from cxr.metrics import value_with_interval
from train.common.studies import labels_of
from train.evaluate.films import FilmSet
from train.evaluate.groups import LEAST_CASES, Statistic, mean_auroc_of
from train.reporting.heads import FOLDS, Images, fit_part

Part = tuple[str, np.ndarray, float]  # as train.reporting.heads.feature_parts gives them


def usefulness(
    part: Part,
    made: tuple[FilmSet, Sequence[Study]],
    real: tuple[FilmSet, Sequence[Study]],
    test: tuple[FilmSet, Sequence[Study]],
    rounds: int,
    seed: int,
    cache: Path,
) -> dict:
    """Train on generated images, on as many real ones and on both; test on other real ones.

    The classifier is linear in frozen features of the image encoder, a head a finding.

    Args:
        part: the features it reads.
        made: generated images, with the studies that they were asked for by.
        real: real images, with their studies.
        test: the same, of other patients.
        rounds: bootstrap rounds.
        seed: of folds and bootstrap.
        cache: where fits are kept.

    Returns:
        "films" trained on and "tested", and by what was trained on the mean AUROC over the
        findings of enough test images, with a 95% interval over these.

    Raises:
        ValueError: no finding is on enough test images.
    """
    labels = labels_of(test[1], NIH_FINDINGS).numpy()
    out: dict = {"films": len(made[1]), "tested": len(labels)}
    for name, sets in {"generated": (made,), "real": (real,), "both": (made, real)}.items():
        statistic, about = _measured(_scores(part, sets, test[0], seed, cache), labels)
        out |= {**about, name: value_with_interval(statistic, len(labels), rounds, seed)}
    return out


def _measured(scores: np.ndarray, labels: np.ndarray) -> tuple[Statistic, dict[str, int]]:
    found = mean_auroc_of(scores, labels, LEAST_CASES)([np.arange(len(labels))])
    if found is None:
        raise ValueError(
            f"expected a finding with and without which there are {LEAST_CASES} test images, got "
            "none; use another data set"
        )
    return found


def _scores(
    part: Part,
    sets: Sequence[tuple[FilmSet, Sequence[Study]]],
    test: FilmSet,
    seed: int,
    cache: Path,
) -> np.ndarray:
    """Scores of the test images, float32 [N, F], by heads fitted to the sets."""
    features = np.concatenate([*(films.features for films, _ in sets), test.features])
    asked = np.concatenate([labels_of(studies, NIH_FINDINGS).numpy() for _, studies in sets])
    folds = np.random.default_rng(seed).permutation(len(asked)) % FOLDS
    missing = ((0, len(test)), (0, 0))
    images = Images(
        features,
        np.pad(np.nan_to_num(asked), missing),
        np.pad((~np.isnan(asked)).astype(np.float32), missing),
        np.pad(folds, missing[0], constant_values=-1),
        np.zeros(len(features), bool),
    )
    return fit_part(*part, images, cache).scores[len(asked) :]
