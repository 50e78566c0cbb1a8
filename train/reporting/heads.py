"""Linear heads on the features of the image encoder's middle blocks, blended into one a finding.

Three kinds of readers (train.reporting.labels.READERS) give a head each, on each part of the
features. Every head is the mean of one fit for each fold of training patients, so that a training
image has scores of fits that never saw its patient, and any other image the mean of all fits.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from cxr.language import affirmative, negative
from cxr.models import FindingNetwork, ImageEncoder
from cxr.retrieval import Retriever
from train.common.feature_cache import cached_features
from train.reporting.labels import READERS

FOLDS, STEPS = 4, 25
GLOBAL_PENALTY, PLACES_PENALTY = 0.3, 1.0  # the more columns, the more they need
# How much each kind of reader counts, tried in turn: votes, outlines, mined.
SHARES = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.3, 0.5), (1.0, 0.3, 0.7), (1.0, 0.5, 1.0))
FINDING_NETWORK, NETWORK_PENALTY = "finding network", 1.0
NETWORK_SHARES = (0.0, 0.5, 1.0, 1.5, 2.0)  # how much it counts beside a part, tried in turn


@dataclass(frozen=True, eq=False)
class Images:
    """N images to fit heads on or to score, a blurred copy beside its original being one more.

    features: float16 [N, W]. goals, weights: float32 [N, 3F] as train.reporting.labels.goals gives
    them. folds: int64 [N], -1 for images that no head is fitted on. copies: bool [N], blurred ones.
    """

    features: np.ndarray
    goals: np.ndarray
    weights: np.ndarray
    folds: np.ndarray
    copies: np.ndarray

    def of(self, rows: np.ndarray) -> Images:
        """Some of them. rows: bool [N]."""
        return Images(*(value[rows] for value in vars(self).values()))


@dataclass(frozen=True, eq=False)
class PartHeads:
    """The heads on one part of the features.

    columns: int64 [P], of the features. weight: float32 [P, 3F]; bias: float32 [3F]. scores:
    float32 [N, 3F], out of fold where an image was fitted on. spread: float32 [3F], of the scores
    of training images that are no copies.
    """

    name: str
    columns: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    scores: np.ndarray
    spread: np.ndarray


def folds_of(patients: Sequence[str]) -> np.ndarray:
    """N names of patients -> int64 [N] in [0, FOLDS), the same for all images of a patient."""
    return np.array([zlib.crc32(name.encode()) % FOLDS for name in patients], np.int64)


def feature_parts(encoder: ImageEncoder) -> list[tuple[str, np.ndarray, float]]:
    """(name, columns int64 [P], penalty) of the parts that heads are fitted on.

    They are the class tokens and means of the middle blocks together, and the nine places of the
    first of them, in the order that ImageEncoder.forward_with_features describes. The second
    block's places add nothing to these.
    """
    middle = list(getattr(encoder.backbone, "middle", []))
    count = max(1, len(middle))
    columns = np.arange(encoder.feature_width).reshape(count, -1)
    ends = columns.shape[1] * (2 if middle else 1) // (11 if middle else 10)
    return [
        ("class token and mean", columns[:, :ends].ravel(), GLOBAL_PENALTY),
        ("nine places", columns[0, ends:], PLACES_PENALTY),
    ]


def fit_part(
    name: str, columns: np.ndarray, penalty: float, images: Images, cache: Path
) -> PartHeads:
    """Fit the heads of all readers on one part of the features; from `cache` where it was done."""
    digest = hashlib.sha256()
    for part in (images.goals, images.weights, images.folds, images.features[:, columns]):
        digest.update(np.ascontiguousarray(part).data)
    key = ["heads", digest.hexdigest(), penalty, FOLDS, STEPS]

    def fit() -> dict[str, torch.Tensor]:
        found = _fit_folds(columns, penalty, images)
        return {name: torch.from_numpy(value) for name, value in found.items()}

    found = {name: value.numpy() for name, value in cached_features(cache, key, fit).items()}
    return PartHeads(name, columns, **found)


def _fit_folds(columns: np.ndarray, penalty: float, images: Images) -> dict[str, np.ndarray]:
    """The heads of every fold, averaged, and the scores of the images."""
    x = images.features[:, columns].astype(np.float32)
    trained = images.folds >= 0
    weights, biases = [], []
    scores = np.full(images.goals.shape, np.nan, np.float32)
    for fold in range(FOLDS):
        inside = trained & (images.folds != fold)
        weight, bias = _fit(x[inside], images.goals[inside], images.weights[inside], penalty)
        held = images.folds == fold
        scores[held] = x[held] @ weight + bias
        weights.append(weight)
        biases.append(bias)
    mean, offset = np.mean(weights, 0), np.mean(biases, 0)
    scores[~trained] = x[~trained] @ mean + offset
    spread = scores[trained & ~images.copies].std(0) + 1e-6
    return {"weight": mean, "bias": offset, "scores": scores, "spread": spread}


def _fit(
    x: np.ndarray, goals: np.ndarray, weights: np.ndarray, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Multi-label logistic regression with soft labels on standardized features, by L-BFGS.

    Every column's weights are scaled to sum to one, so that one penalty serves frequent and rare
    findings. Returns weight float32 [P, K] and bias float32 [K] for features as they come.
    """
    mean, spread = x.mean(0), x.std(0) + 1e-3
    rows = torch.from_numpy((x - mean) / spread)
    asked = torch.from_numpy(goals)
    shares = torch.from_numpy(weights / np.maximum(weights.sum(0), 1e-6))
    weight = torch.zeros(rows.shape[1], asked.shape[1], requires_grad=True)
    chance = (asked * shares).sum(0).clamp(1e-4, 1 - 1e-4)
    bias = torch.logit(chance).requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], lr=1, max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = rows @ weight + bias
        entropy = F.binary_cross_entropy_with_logits(logits, asked, reduction="none")
        loss = (entropy * shares).sum() + penalty / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    unscaled = weight.detach().numpy() / spread[:, None]
    return unscaled, (bias.detach().numpy() - mean @ unscaled).astype(np.float32)


def network_part(
    network: FindingNetwork, first: int, images: Images, panel: np.ndarray, cache: Path
) -> PartHeads:
    """The heads on the features of the finding network.

    What is outlined or mined it has learned itself, on most of these images. Heads for the votes
    are fitted to the images that the panel read, which it never saw.

    Args:
        network: whose features are the last columns.
        first: the first of these columns.
        images: N, with those features.
        panel: bool [N], which the panel read.
        cache: as for fit_part.
    """
    columns = np.arange(first, images.features.shape[1])
    weight, bias = (part.numpy().copy() for part in network.classifier)
    scores = images.features[:, columns].astype(np.float32) @ weight + bias
    if panel.any():
        fitted = fit_part(FINDING_NETWORK, columns, NETWORK_PENALTY, images.of(panel), cache)
        votes = slice(0, weight.shape[1] // len(READERS))
        weight[:, votes], bias[votes] = fitted.weight[:, votes], fitted.bias[votes]
        scores[:, votes] = images.features[:, columns].astype(np.float32) @ weight[:, votes]
        scores[:, votes] += bias[votes]
        scores[panel, votes] = fitted.scores[:, votes]
    counted = (images.folds >= 0) & ~images.copies
    return PartHeads(FINDING_NETWORK, columns, weight, bias, scores, scores[counted].std(0) + 1e-6)


def blend(
    parts: Sequence[PartHeads], shares: Sequence[float], width: int, network: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One score a finding: the readers' scores, each over its spread, times their shares.

    Args:
        parts: heads on parts of the features.
        shares: how much each of READERS counts.
        width: W, of the features.
        network: how much the finding network counts beside each other part.

    Returns:
        Directions float32 [W, F], offsets float32 [F] and the images' scores float32 [N, F], whose
        mean is 0 and spread 1 over the images with a score.
    """
    count = len(parts[0].spread) // len(READERS)
    directions, offsets = np.zeros((width, count)), np.zeros(count)
    scores: np.ndarray = np.zeros((len(parts[0].scores), count))
    for part in parts:
        for place, share in enumerate(shares):
            own = slice(place * count, (place + 1) * count)
            # A finding that this kind of reader was never asked about has a spread of nothing.
            known = part.spread[own] > 1e-4
            counts = share * (network if part.name == FINDING_NETWORK else 1.0)
            factor = np.where(known, counts / part.spread[own], 0)
            directions[part.columns] += part.weight[:, own] * factor
            offsets += part.bias[own] * factor
            scores += part.scores[:, own] * factor
    middle, spread = scores.mean(0), scores.std(0) + 1e-9
    return (
        (directions / spread).astype(np.float32),
        ((offsets - middle) / spread).astype(np.float32),
        ((scores - middle) / spread).astype(np.float32),
    )


def zero_shot_directions(retriever: Retriever, names: Sequence[str]) -> np.ndarray:
    """float32 [D, F]: mean embedding of the texts that affirm less that of those that deny."""
    return np.stack(
        [
            retriever.encode_text(affirmative(name)).mean(0)
            - retriever.encode_text(negative(name)).mean(0)
            for name in names
        ],
        1,
    )


def shares_text(shares: Sequence[float]) -> Mapping[str, float]:
    """The shares by the readers' names, for config.json."""
    return dict(zip(READERS, map(float, shares)))
