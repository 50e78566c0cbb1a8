"""Sanity checks of heat maps: do they depend on the weights, and does what they mark matter?

Randomization of the weights after Adebayo et al. (2018); deletion after Petsiuk et al. (2018).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageFilter

from cxr.metrics import value_with_interval
from cxr.retrieval import Retriever

SHARE = 0.15  # of the image that is deleted
SHIFTS = 8  # areas elsewhere that the marked one is compared with


def randomized(retriever: Retriever, seed: int = 0) -> Retriever:
    """The same retriever, but its image side has random weights; its text side is as it was."""
    model = copy.deepcopy(retriever.model)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for part in (model.image_encoder, model.image_projection):
            for value in part.parameters():
                if value.ndim > 1:
                    torch.nn.init.normal_(value, std=0.02)
    return Retriever(model, None, device=retriever.device)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation of two maps [H, W]; 0 where one of them is flat."""
    from scipy.stats import spearmanr

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a.ravel()[::7], b.ravel()[::7]).statistic)


def marked_area(heat: np.ndarray, share: float = SHARE) -> np.ndarray:
    """Bool [H, W]: the `share` of the map with the highest values, ties broken by place."""
    count = max(1, round(share * heat.size))
    mask = np.zeros(heat.size, bool)
    mask[np.argsort(-heat.ravel(), kind="stable")[:count]] = True
    return mask.reshape(heat.shape)


def blurred(image: Image.Image, mask: np.ndarray) -> Image.Image:
    """The image with the masked area blurred away, so that deleting makes no new edge."""
    smooth = image.filter(ImageFilter.GaussianBlur(max(image.size) / 16))
    return Image.composite(smooth, image, Image.fromarray(mask.astype(np.uint8) * 255))


def shifted_areas(mask: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """The same area moved elsewhere, wrapped at the edges: `count` masks of the same size."""
    random = np.random.default_rng(seed)
    height, width = mask.shape
    return [
        np.roll(
            mask,
            (
                int(random.integers(height // 6, height - height // 6)),
                int(random.integers(width // 6, width - width // 6)),
            ),
            (0, 1),
        )
        for _ in range(count)
    ]


def deletion_drops(
    retriever: Retriever, image: Image.Image, query: str, seed: int = 0
) -> tuple[float, float]:
    """By how much the similarity to `query` falls when an area is deleted.

    Returns:
        (the drop for the marked area, the mean drop for areas of its size and shape elsewhere).
    """
    mask = marked_area(retriever.heat_map(image, query))
    images = [
        image,
        blurred(image, mask),
        *(blurred(image, one) for one in shifted_areas(mask, SHIFTS, seed)),
    ]
    scores = retriever.encode_images(images) @ retriever.encode_text([query])[0]
    return float(scores[0] - scores[1]), float(scores[0] - scores[2:].mean())


def saliency_report(
    retriever: Retriever, cases: Sequence[tuple[Image.Image, str]], rounds: int, seed: int
) -> dict:
    """Run both checks over cases.

    Args:
        retriever: whose heat maps are checked.
        cases: (image, a finding that it shows).
        rounds: bootstrap rounds.
        seed: of the random weights, the shifts and the bootstrap.

    Returns:
        The numbers, JSON-able.

    Raises:
        ValueError: there is no case.
    """
    if not cases:
        raise ValueError("expected images that show a finding, got none; use another split")
    other = randomized(retriever, seed)
    kept = np.array(
        [
            rank_correlation(retriever.heat_map(image, query), other.heat_map(image, query))
            for image, query in cases
        ]
    )
    drops = np.array(
        [
            deletion_drops(retriever, image, query, seed + row)
            for row, (image, query) in enumerate(cases)
        ]
    )

    def mean(values: np.ndarray) -> dict[str, float]:
        return value_with_interval(
            lambda rows: float(values[rows].mean()), len(values), rounds, seed
        )

    return {
        "cases": len(cases),
        "deleted_share": SHARE,
        "correlation_with_randomised": mean(kept),
        "drop_marked": mean(drops[:, 0]),
        "drop_elsewhere": mean(drops[:, 1]),
        "drop_difference": mean(drops[:, 0] - drops[:, 1]),
        "marked_drops_more": mean((drops[:, 0] > drops[:, 1]).astype(float)),
    }
