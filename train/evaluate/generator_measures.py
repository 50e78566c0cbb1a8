"""Measures of generated images beside real ones, by what networks make of them and by pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxr.findings import FINDINGS, NIH_FINDINGS, SEXES, Study
from cxr.generation import SEVERITY as severities
from cxr.generation import Condition, DrawingRequest, copy_limit
from cxr.metrics import (
    auroc,
    bootstrap_interval,
    frechet_distance,
    kernel_distance,
    mean_pairwise_distance,
    nearest_distance,
)
from train.evaluate.films import FilmSet
from train.evaluate.groups import by_group, mean_auroc_of

THUMBNAIL = 16  # pixels
SEVERITY = severities[None]  # of a finding that is asked for, unless said otherwise
NORMAL = FINDINGS[0]
VIEWS = ("PA", "AP")


def thumbnails(squares: np.ndarray, side: int = THUMBNAIL) -> np.ndarray:
    """Reduce images to the means of blocks.

    Args:
        squares: uint8 [N, S, S], S a multiple of side.
        side: of the thumbnails, pixels.

    Returns:
        float32 [N, side * side] in [0, 1].
    """
    count, size, _ = squares.shape
    block = size // side
    small = squares.reshape(count, side, block, side, block).mean((2, 4), dtype=np.float32)
    return small.reshape(count, -1) / 255


def distances(real: FilmSet, generated: FilmSet) -> dict[str, float | int]:
    """Measure how far two sets of images are from each other.

    Returns:
        Frechet and kernel distance of the retrieval model's embeddings and of the finding
        network's features (both as unit rows), Frechet distance of thumbnails, N and M.
    """
    found: dict[str, float | int] = {"real": len(real), "generated": len(generated)}
    for name, one, other in (
        ("", real.embeddings, generated.embeddings),
        ("network_", _unit(real.network), _unit(generated.network)),
    ):
        if one.shape[1]:
            found[f"{name}frechet_distance"] = round(frechet_distance(one, other), 5)
            found[f"{name}kernel_distance"] = round(1000 * kernel_distance(one, other), 4)
    small = thumbnails(real.squares), thumbnails(generated.squares)
    return {**found, "thumbnail_distance": round(frechet_distance(*small), 4)}


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)


def halves(patients: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two halves of the studies, no patient in both: two int64 arrays."""
    names = sorted(set(patients))
    chosen = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2])
    inside = np.array([patient in chosen for patient in patients])
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def imagined_studies(findings: Sequence[str], each: int, seed: int) -> list[Study]:
    """Studies to ask for: `each` with one finding alone, of all ages, both sexes and views.

    "no finding" may be among the findings.
    """
    rng = np.random.default_rng(seed)
    return [
        Study(
            id=f"{name} {row}",
            source="asked for",
            patient="none",
            view=VIEWS[row // 2 % 2],
            sex=SEXES[row % 2],
            age=int(rng.integers(20, 91)),
            findings={name: 1},
        )
        for name in findings
        for row in range(each)
    ]


def request_of(study: Study, severity: float = SEVERITY) -> DrawingRequest:
    """What to ask for to get an image such as a study's: each of NIH's findings that it shows."""
    shown = {name: severity for name in study.positive if name in NIH_FINDINGS}
    ages = None if study.age is None else (study.age, study.age)
    view = study.view if study.view in VIEWS else None
    return DrawingRequest("", shown, None, ages, study.sex, view)


def conditions_of(requests: Sequence[DrawingRequest], seed: int) -> list[Condition]:
    """One condition for each; what a request leaves open varies, as where a text is typed."""
    return [request.condition(row, seed) for row, request in enumerate(requests)]


def shown_findings(
    scores: np.ndarray, asked: Sequence[str], names: Sequence[str], rounds: int, seed: int
) -> dict[str, dict[str, float]]:
    """Measure whether the findings that were asked for are recovered from generated images.

    Args:
        scores: the judge's, of N images, float [N, F], columns as names.
        asked: the finding that each image was asked for with, or another name, N of them.
        names: F findings.
        rounds: bootstrap rounds.
        seed: of the bootstrap.

    Returns:
        By name: AUROC of its score between images asked for with it and with another, with a 95%
        interval; "beside_normal": the same between those with it and normal ones, where there are
        any.
    """
    wanted = np.array(asked)
    out = {}
    for column, name in enumerate(names):
        present = wanted == name
        if not present.any() or present.all():
            continue
        values = scores[:, column]
        low, high = bootstrap_interval(
            lambda rows, v=values, p=present: auroc(v[rows], p[rows]), len(values), rounds, seed
        )
        out[name] = {
            "films": int(present.sum()),
            "value": round(auroc(values, present), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
        if (normal := wanted == NORMAL).any():
            rows = present | normal
            out[name]["beside_normal"] = round(auroc(values[rows], present[rows]), 4)
    return out


def shown_by_group(
    scores: np.ndarray, asked: Sequence[Study], names: Sequence[str], rounds: int, seed: int
) -> dict:
    """Mean AUROC of `shown_findings` among images asked for of one sex, age band or view.

    scores: float [N, F], columns as names; asked: N studies with one finding each, or none.
    """
    wanted = np.array([[name in study.positive for name in names] for study in asked], float)
    return by_group(asked, {"mean_auroc": mean_auroc_of(scores, wanted)}, rounds, seed)


def spread_of(generated: np.ndarray, real: np.ndarray) -> dict[str, float | int]:
    """Mean cosine distance among images asked for with a finding and among real ones with it.

    generated: float [M, D]; real: float [N, D]; "ratio" is the first distance over the second.
    """
    ours, theirs = mean_pairwise_distance(generated), mean_pairwise_distance(real)
    return {
        "real_films": len(real),
        "generated": round(ours, 4),
        "real": round(theirs, 4),
        "ratio": round(ours / theirs, 3),
    }


def nearest_pair(rows: np.ndarray, patients: Sequence[str]) -> float:
    """How near images of different patients come to each other: `copy_limit` of their distances.

    rows: float [N, D]; patients: N names, "" where not known, which are left out.
    """
    names = np.array(patients)
    known = names != ""
    names, rows = np.unique(names[known], return_inverse=True)[1], rows[known]
    distance, _ = nearest_distance(rows, rows, names[:, None] != names[None])
    return copy_limit(distance)


def copies(
    generated: np.ndarray, training: np.ndarray, patients: Sequence[str]
) -> dict[str, float | int]:
    """Measure how near generated images come to training images.

    Args:
        generated: float [M, D].
        training: float [N, D].
        patients: of the training images, as for nearest_pair.

    Returns:
        "limit": how near images of different patients come; "nearer": how many generated images
        are nearer than that to a training image, and must not be shipped; "nearest", "median".
    """
    distance, _ = nearest_distance(generated, training)
    limit = nearest_pair(training, patients)
    return {
        "generated": len(generated),
        "training": len(training),
        "limit": round(limit, 4),
        "nearest": round(float(distance.min()), 4),
        "median": round(float(np.median(distance)), 4),
        "nearer": int((distance < limit).sum()),
    }
