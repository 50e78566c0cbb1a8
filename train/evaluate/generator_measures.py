"""Measures of generated images beside real ones, on embeddings and on thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from cxr.findings import SEXES, Study, caption
from cxr.generation import copy_limit
from cxr.metrics import (
    auroc,
    bootstrap_interval,
    frechet_distance,
    kernel_distance,
    mean_pairwise_distance,
    nearest_distance,
    recall_at_k,
)
from train.evaluate.groups import by_group, mean_auroc_of

THUMBNAIL = 16  # pixels


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


def to_images(squares: np.ndarray) -> list[Image.Image]:
    """Squares uint8 [N, S, S] -> images of mode "L"."""
    return [Image.fromarray(square) for square in squares]


def distances(
    real: tuple[np.ndarray, np.ndarray], generated: tuple[np.ndarray, np.ndarray]
) -> dict[str, float | int]:
    """Measure how far two sets of images are from each other.

    Args:
        real: (embeddings float [N, D], thumbnails float [N, P]).
        generated: the same of M generated images.

    Returns:
        Frechet and kernel distance of embeddings, Frechet distance of thumbnails, N and M.
    """
    return {
        "real": len(real[0]),
        "generated": len(generated[0]),
        "frechet_distance": round(frechet_distance(real[0], generated[0]), 5),
        "kernel_distance": round(1000 * kernel_distance(real[0], generated[0]), 4),
        "thumbnail_distance": round(frechet_distance(real[1], generated[1]), 4),
    }


def halves(patients: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two halves of the studies, no patient in both: two int64 arrays."""
    names = sorted(set(patients))
    chosen = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2])
    inside = np.array([patient in chosen for patient in patients])
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def imagined_studies(findings: Sequence[str], each: int, seed: int) -> list[Study]:
    """Studies to ask for: `each` with one finding alone, of all ages, both sexes and views."""
    rng = np.random.default_rng(seed)
    return [
        Study(
            id=f"{name} {row}",
            source="text",
            patient="none",
            view=("PA", "AP")[row // 2 % 2],
            sex=SEXES[row % 2],
            age=int(rng.integers(20, 91)),
            findings={name: 1},
        )
        for name in findings
        for row in range(each)
    ]


def caption_agreement(images: np.ndarray, texts: np.ndarray) -> dict[str, float]:
    """Measure whether images go with their own captions.

    Args:
        images: embeddings, float [N, D], unit rows.
        texts: embeddings of their captions, float [N, D], unit rows.

    Returns:
        "similarity", the mean cosine of pairs, and "recall_at_10", the share of images whose own
        caption is among the ten most similar.
    """
    similarity = images @ texts.T
    return {
        "similarity": round(float(np.diag(similarity).mean()), 4),
        "recall_at_10": round(recall_at_k(similarity, 10), 4),
    }


def shown_findings(
    scores: np.ndarray, asked: Sequence[str], names: Sequence[str], rounds: int, seed: int
) -> dict[str, dict[str, float]]:
    """Measure whether the findings that were asked for are recovered from generated images.

    Args:
        scores: zero-shot scores of N images, float [N, F], columns as names.
        asked: the finding that each image was asked for with, N names.
        names: F findings.
        rounds: bootstrap rounds.
        seed: of the bootstrap.

    Returns:
        By name: AUROC of its score between images asked for with it and with another, with a 95%
        interval.
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
    return out


def shown_by_group(
    scores: np.ndarray, asked: Sequence[Study], names: Sequence[str], rounds: int, seed: int
) -> dict:
    """Mean AUROC of `shown_findings` among images asked for of one sex, age band or view.

    scores: float [N, F], columns as names; asked: N studies with one finding each.
    """
    wanted = np.array([[study.positive[0] == name for name in names] for study in asked], float)
    return by_group(asked, {"mean_auroc": mean_auroc_of(scores, wanted)}, rounds, seed)


def spread_of(generated: np.ndarray, real: np.ndarray) -> dict[str, float | int]:
    """Mean cosine distance among images of one caption and among real ones with its finding.

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
    names, rows = names[known], rows[known]
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


def canonical(studies: Sequence[Study]) -> list[str]:
    """The canonical captions."""
    return [caption(study) for study in studies]
