"""How far generated pictures are from real ones, in the space of any feature extractor."""

from __future__ import annotations

import numpy as np


def _pair(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    real, generated = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    shapes = f"{list(real.shape)} and {list(generated.shape)}"
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise ValueError(f"expected features [N, D] and [M, D]; got {shapes}.")
    if min(len(real), len(generated)) < 2:
        raise ValueError(f"expected at least two rows of features each; got {shapes}.")
    if not (np.isfinite(real).all() and np.isfinite(generated).all()):
        raise ValueError("expected finite features; got NaN or infinity. Look at the pictures.")
    return real, generated


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Squared Frechet distance of two normal distributions fitted to features (Heusel et al. 2017).

    real float [N, D], generated float [M, D], N and M at least 2. Returns a float >= 0, in the
    features' unit squared: |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^0.5). It falls with the number
    of rows, so report that beside it; only with Inception-v3's features is it called FID.
    Raises ValueError for other shapes, NaN or infinity.
    """
    real, generated = _pair(real, generated)
    apart = real.mean(0) - generated.mean(0)
    first, second = np.cov(real.T).reshape(2 * real.shape[1:]), np.cov(generated.T)
    second = second.reshape(first.shape)
    root = _square_root(first)
    middle = np.linalg.eigvalsh(root @ second @ root).clip(min=0)
    distance = apart @ apart + np.trace(first) + np.trace(second) - 2 * np.sqrt(middle).sum()
    return float(max(distance, 0.0))


def _square_root(matrix: np.ndarray) -> np.ndarray:
    """Of a symmetric positive semidefinite matrix [D, D]."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(min=0))) @ vectors.T


def kernel_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Squared maximum mean discrepancy under the kernel (x y / D + 1)^3 (Binkowski et al. 2018).

    The unbiased estimate: around 0, also below it, for equal distributions of any number of rows.
    real float [N, D], generated float [M, D]. Raises ValueError as frechet_distance.
    """
    real, generated = _pair(real, generated)

    def kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (one @ other.T / one.shape[1] + 1) ** 3

    def within(rows: np.ndarray) -> float:
        values = kernel(rows, rows)
        return (values.sum() - np.trace(values)) / (len(rows) * (len(rows) - 1))

    return float(within(real) + within(generated) - 2 * kernel(real, generated).mean())


def mean_pairwise_distance(rows: np.ndarray) -> float:
    """Mean cosine distance between two different rows.

    rows float [N, D], N >= 2. Returns a float in [0, 2]: 0 when all point the same way. Raises
    ValueError as frechet_distance.
    """
    rows, _ = _pair(rows, rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)
    similarity = unit @ unit.T
    count = len(rows)
    return float(1 - (similarity.sum() - np.trace(similarity)) / (count * (count - 1)))


def nearest_distance(
    queries: np.ndarray, others: np.ndarray, allowed: np.ndarray | None = None, block: int = 512
) -> tuple[np.ndarray, np.ndarray]:
    """For each query the Euclidean distance to the nearest other, and which one that is.

    queries float [Q, D], others float [N, D]; allowed bool [Q, N]: which others may be compared
    (None: all). Returns (float32 [Q], infinite where none is allowed; int64 [Q]). Raises
    ValueError for other shapes.
    """
    queries, others = np.asarray(queries, np.float32), np.asarray(others, np.float32)
    if (
        queries.ndim != 2
        or others.ndim != 2
        or queries.shape[1] != others.shape[1]
        or (not len(others))
    ):
        raise ValueError(
            f"expected [Q, D] and [N, D], N >= 1; got {list(queries.shape)} and "
            f"{list(others.shape)}."
        )
    length = (others * others).sum(1)
    distance, row = np.empty(len(queries), np.float32), np.empty(len(queries), np.int64)
    for first in range(0, len(queries), block):
        part = queries[first : first + block]
        squared = (part * part).sum(1)[:, None] + length - 2 * part @ others.T
        if allowed is not None:
            squared = np.where(allowed[first : first + block], squared, np.inf)
        row[first : first + block] = squared.argmin(1)
        distance[first : first + block] = np.sqrt(squared.min(1).clip(min=0))
    return distance, row
