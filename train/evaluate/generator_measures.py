"""Measures of generated films beside real ones, on embeddings and on small pictures."""

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


def thumbnails(films: np.ndarray, side: int = THUMBNAIL) -> np.ndarray:
    """Films uint8 [N, S, S] -> float32 [N, side * side] in [0, 1], means of blocks; S must be a
    multiple of side. What a film looks like from afar, in the eyes of no network.
    """
    count, size, _ = films.shape
    block = size // side
    small = films.reshape(count, side, block, side, block).mean((2, 4), dtype=np.float32)
    return small.reshape(count, -1) / 255


def pictures(films: np.ndarray) -> list[Image.Image]:
    """Films uint8 [N, S, S] -> images of mode "L"."""
    return [Image.fromarray(film) for film in films]


def distances(
    real: tuple[np.ndarray, np.ndarray], generated: tuple[np.ndarray, np.ndarray]
) -> dict[str, float | int]:
    """Frechet and kernel distance of embeddings [N, D], and Frechet distance of thumbnails
    [N, P], with the numbers of films. real, generated: (embeddings, thumbnails).
    """
    return {
        "real": len(real[0]),
        "generated": len(generated[0]),
        "frechet_distance": round(frechet_distance(real[0], generated[0]), 5),
        "kernel_distance": round(1000 * kernel_distance(real[0], generated[0]), 4),
        "thumbnail_distance": round(frechet_distance(real[1], generated[1]), 4),
    }


def halves(patients: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two halves of the films, no patient in both: two int64 arrays."""
    names = sorted(set(patients))
    chosen = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2])
    inside = np.array([patient in chosen for patient in patients])
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def imagined_films(findings: Sequence[str], each: int, seed: int) -> list[Study]:
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


def caption_agreement(films: np.ndarray, texts: np.ndarray) -> dict[str, float]:
    """Does a film go with its own caption? films, texts float [N, D], row by row a pair ->
    "similarity", the mean cosine, and "recall_at_10", the share of films whose own caption is
    among the ten that the encoder finds most similar.
    """
    similarity = films @ texts.T
    return {
        "similarity": round(float(np.diag(similarity).mean()), 4),
        "recall_at_10": round(recall_at_k(similarity, 10), 4),
    }


def shown_findings(
    scores: np.ndarray, asked: Sequence[str], names: Sequence[str], rounds: int, seed: int
) -> dict[str, dict[str, float]]:
    """For each name: AUROC of its zero-shot score between films that were asked for with it and
    those asked for with another, with a 95% interval. scores float [N, F], columns as names;
    asked: N names.
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
    """Mean AUROC over findings, as `shown_findings` has it, among films asked for of one sex, age
    band or view. scores float [N, F], columns as names; asked: N studies with one finding each.
    """
    wanted = np.array([[study.positive[0] == name for name in names] for study in asked], float)
    return by_group(asked, {"mean_auroc": mean_auroc_of(scores, wanted)}, rounds, seed)


def spread(generated: np.ndarray, real: np.ndarray) -> dict[str, float | int]:
    """Mean cosine distance among films of one caption and among real films with its finding;
    "ratio" of the two. Both float [N, D].
    """
    ours, theirs = mean_pairwise_distance(generated), mean_pairwise_distance(real)
    return {
        "real_films": len(real),
        "generated": round(ours, 4),
        "real": round(theirs, 4),
        "ratio": round(ours / theirs, 3),
    }


def nearest_pair(rows: np.ndarray, patients: Sequence[str]) -> float:
    """How near films of different patients come to each other: `copy_limit` of their distances.
    rows float [N, D]; patients: N names, "" where not known, which are left out.
    """
    names = np.array(patients)
    known = names != ""
    names, rows = names[known], rows[known]
    distance, _ = nearest_distance(rows, rows, names[:, None] != names[None])
    return copy_limit(distance)


def copies(
    generated: np.ndarray, training: np.ndarray, patients: Sequence[str]
) -> dict[str, float | int]:
    """How near generated films come to training films. generated float [M, D], training [N, D],
    patients as for nearest_pair. "limit": how near films of different patients come; "nearer": how
    many generated films are nearer than that to a training film, and must not be shipped.
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
