"""Fitting the gate of the report suggester: kinds, distance, autoencoder, limits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from cxr.findings import Study
from cxr.reporting import (
    CHILD,
    FRONTAL,
    KINDS,
    FilmFeatures,
    OODGate,
    ThumbnailAutoencoder,
    standardize,
)
from train.common.studies import frontal

AXES = 48  # principal axes of the embeddings of films
STRENGTH = 0.1  # inverse regularisation of the head, on standardized embeddings
# Share of films each, every hospital weighing the same.
FALSE_ALARMS = {"kind": 0.01, "distance": 0.005, "reconstruction": 0.005, CHILD: 0.005}
NETWORK = {"code": 24, "width": 16}


def by_patient(studies: Sequence[Study]) -> dict[str, list[Study]]:
    """Frontal studies of a data set without splits: half of the patients to train, a quarter each.

    Returns:
        The studies under "train", "val" and "test".
    """
    parts: dict[str, list[Study]] = {"train": [], "val": [], "test": []}
    for study in frontal(studies):
        quarter = zlib.crc32(f"{study.source}:{study.patient}".encode()) % 4
        parts[("train", "train", "val", "test")[quarter]].append(study)
    return parts


def fit_gate(
    pictures: Mapping[str, FilmFeatures], films: Sequence[FilmFeatures], epochs: int, seed: int
) -> OODGate:
    """Fit a gate to pictures of each kind, by name in KINDS.

    Its limits come from `films`, frontal images of each hospital that nothing was fitted on.
    """
    films_of = pictures[FRONTAL]
    centre, axes, residual = _principal_axes(films_of.embeddings)
    gate = OODGate(
        _fit_head(pictures),
        centre,
        axes,
        residual,
        {},
        fit_autoencoder(films_of.thumbnails, epochs, seed),
        tuple(kind for kind in KINDS if kind in pictures),
    )
    return replace(gate, limits=choose_limits(gate, films))


def choose_limits(gate: OODGate, films: Sequence[FilmFeatures]) -> dict[str, float]:
    """For each signal the limit above which FALSE_ALARMS of frontal films lie.

    Every hospital's films weigh the same together. From the mean and spread of the logarithm of a
    distance or an error (a log-normal tail), and from the film itself of that rank for the kinds,
    whichever is more lenient.
    """
    signals = [gate.signals(one) for one in films]
    weights = np.concatenate([np.full(len(one), 1 / len(one)) for one in films]) / len(films)
    limits = {}
    for name in signals[0]:
        values, share = np.concatenate([one[name] for one in signals]), FALSE_ALARMS[name]
        limits[name] = _upper_quantile(values, weights, share)
        if name in ("distance", "reconstruction"):
            logs, z = np.log(values), {0.005: 2.576, 0.01: 2.326}[share]
            mean = float(np.average(logs, weights=weights))
            spread = float(np.sqrt(np.average((logs - mean) ** 2, weights=weights)))
            limits[name] = max(limits[name], float(np.exp(mean + z * spread)))
    return {name: round(limit, 4) for name, limit in limits.items()}


def _upper_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The least of the values above which no more than `share` of the weight lies."""
    order = np.argsort(values)
    above = 1 - np.cumsum(weights[order])
    return float(values[order][np.argmax(above <= share + 1e-9)])


def _fit_head(pictures: Mapping[str, FilmFeatures]) -> np.ndarray:
    """float32 [D + 1, K]: multinomial logistic regression, every kind weighing the same."""
    from sklearn.linear_model import LogisticRegression

    parts = [pictures[kind] for kind in KINDS if kind in pictures]
    rows = np.concatenate([part.embeddings for part in parts])
    kinds = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(
        (rows - mean) / spread, kinds
    )
    weights = (fitted.coef_ / spread).T
    offset = fitted.intercept_ - mean @ weights
    return np.vstack([weights, offset]).astype(np.float32)


def _principal_axes(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(centre [D], axes [P, D] divided by their standard deviation, spread of the rest)."""
    centre = embeddings.mean(0)
    _, values, axes = np.linalg.svd(embeddings - centre, full_matrices=False)
    variances = values**2 / len(embeddings)
    count = min(AXES, len(variances) // 2)
    rest = variances[count:].sum() / max(1, embeddings.shape[1] - count)
    scaled = axes[:count] / np.sqrt(variances[:count, None])
    return centre.astype(np.float32), scaled.astype(np.float32), float(np.sqrt(rest))


def fit_autoencoder(thumbnails: np.ndarray, epochs: int, seed: int) -> ThumbnailAutoencoder:
    """A network that redraws frontal films. thumbnails: uint8 [N, 64, 64]."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ThumbnailAutoencoder(**NETWORK).train()
        pixels = standardize(thumbnails)
        steps = epochs * (len(pixels) // 64 + 1)
        optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
        for _ in range(steps):
            batch = pixels[torch.randint(len(pixels), (min(64, len(pixels)),))]
            loss = (network(batch) - batch).pow(2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval().requires_grad_(False)
