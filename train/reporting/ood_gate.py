"""Fitting the gate of the report suggester: kinds, distance, autoencoder, limits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from cxr.findings import Study
from cxr.reporting import FRONTAL, KINDS, FilmFeatures, OODGate, ThumbnailAutoencoder, standardize
from train.common.studies import frontal

AXES = 48  # principal axes of the embeddings of films
STRENGTH = 0.01  # inverse regularisation of the head, on standardize embeddings
FALSE_ALARMS = {"kind": 0.01, "distance": 0.005, "reconstruction": 0.005}  # share of films each
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
    pictures: Mapping[str, FilmFeatures], films: FilmFeatures, epochs: int, seed: int
) -> OODGate:
    """Fit a gate to pictures of every kind, by name in KINDS.

    Its limits come from `films`, frontal images that nothing was fitted on.
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
    )
    return replace(gate, limits=choose_limits(gate, films))


def choose_limits(gate: OODGate, films: FilmFeatures) -> dict[str, float]:
    """For each signal the limit above which FALSE_ALARMS of frontal films lie.

    From the mean and spread of the logarithm of a distance or an error (a log-normal tail), and
    from the film itself of that rank for the kind, whichever is more lenient.
    """
    limits = {}
    for name, values in gate.signals(films).items():
        share = FALSE_ALARMS[name]
        limits[name] = float(np.quantile(values, 1 - share))
        if name != "kind":
            logs, z = np.log(values), {0.005: 2.576, 0.01: 2.326}[share]
            limits[name] = max(limits[name], float(np.exp(logs.mean() + z * logs.std())))
    return {name: round(limit, 4) for name, limit in limits.items()}


def _fit_head(pictures: Mapping[str, FilmFeatures]) -> np.ndarray:
    """float32 [D + 1, 7]: multinomial logistic regression, every kind weighing the same."""
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([pictures[kind].embeddings for kind in KINDS])
    kinds = np.repeat(np.arange(len(KINDS)), [len(pictures[kind]) for kind in KINDS])
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
