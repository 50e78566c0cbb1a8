"""The scores that choose a generator's checkpoint: Frechet distance on fixed captions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from cxr.findings import Study, caption
from cxr.metrics import auroc, frechet_distance, mean_pairwise_distance
from cxr.models import Generator
from train.common.studies import labels_of
from train.gan.frozen_encoder import FindingScores, FrozenEncoder, embed_packed

MIN_IMAGES = 5  # with and without a finding for its AUROC to count
GRID = 32  # samples in a picture


@dataclass(frozen=True, eq=False)
class FixedEvaluation:
    """Real embeddings and what to generate to compare with them, always the same."""

    real: np.ndarray  # float32 [N, D]
    text: torch.Tensor  # float32 [M, D]
    noise: torch.Tensor  # float32 [M, Z]
    labels: np.ndarray  # float32 [M, F]
    captions: int  # the texts repeat after so many rows
    distance: float  # mean cosine distance of real images with one finding
    grid: list[int]  # rows of M whose samples are drawn

    @classmethod
    def of(
        cls,
        real: np.ndarray,
        studies: Sequence[Study],
        encode_text: Callable[[list[str]], torch.Tensor],
        distance: float,
        shape: tuple[int, int],
        seed: int,
    ) -> FixedEvaluation:
        """Draw the noise and encode the captions.

        Args:
            real: float32 [N, D], embeddings of real images.
            studies: Whose captions are generated, in turn.
            encode_text: T texts -> float32 [T, D].
            distance: Mean cosine distance of real images with one finding.
            shape: (M, Z), how many images, and the size of the noise.
            seed: Of noise and grid.
        """
        generator = torch.Generator().manual_seed(seed)
        asked = [studies[place % len(studies)] for place in range(shape[0])]
        order = list(range(shape[0]))
        random.Random(seed).shuffle(order)
        return cls(
            real,
            encode_text([caption(study) for study in asked]),
            torch.randn(*shape, generator=generator),
            labels_of(asked).numpy(),
            len(studies),
            distance,
            order[:GRID],
        )


@torch.no_grad()
def generate(
    generator: nn.Module, noise: torch.Tensor, text: torch.Tensor, batch_size: int = 32
) -> torch.Tensor:
    """Generate images. Sets eval mode.

    Args:
        generator: The network.
        noise: float32 [M, Z].
        text: float32 [M, D], unit rows.
        batch_size: Images at a time.

    Returns:
        uint8 [M, 128, 128] on the CPU.
    """
    generator.eval()
    device = next(generator.parameters()).device
    parts = []
    for first in range(0, len(noise), batch_size):
        rows = slice(first, first + batch_size)
        images = generator(noise[rows].to(device), text[rows].to(device))
        parts.append(((images[:, 0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu())
    return torch.cat(parts)


def evaluate(
    generator: Generator, encoder: FrozenEncoder, scores: FindingScores, fixed: FixedEvaluation
) -> dict[str, float]:
    """Score a generator.

    Args:
        generator: The network.
        encoder: What embeds its images.
        scores: What finds findings in embeddings.
        fixed: What is generated, and compared with.

    Returns:
        frechet_distance: To the real images.
        spread, caption_spread: Of the generated images and of those of one caption, in units of
            that of real images, and of real images with one finding.
        finding_auroc: The mean with which the encoder finds what was asked for.
    """
    images = generate(generator, fixed.noise, fixed.text).numpy()
    embeddings = embed_packed(encoder, images)
    device = scores.direction.device
    found = scores(torch.from_numpy(embeddings).to(device)).cpu().numpy()
    aurocs = []
    for column, labels in enumerate(fixed.labels.T):
        present, absent = labels == 1, labels == 0
        if present.sum() >= MIN_IMAGES and absent.sum() >= MIN_IMAGES:
            known = present | absent
            aurocs.append(auroc(found[known, column], present[known]))
    pairs = min(fixed.captions, len(embeddings) - fixed.captions)
    alike = [
        row @ embeddings[place + fixed.captions] for place, row in enumerate(embeddings[:pairs])
    ]
    return {
        "frechet_distance": frechet_distance(fixed.real, embeddings),
        "spread": mean_pairwise_distance(embeddings) / mean_pairwise_distance(fixed.real),
        "caption_spread": float(1 - np.mean(alike)) / fixed.distance,
        "finding_auroc": float(np.mean(aurocs)) if aurocs else 0.5,
    }


def save_grid(images: torch.Tensor, path: Path, columns: int = 8) -> None:
    """Write images uint8 [M, S, S] as one PNG, `columns` images a row."""
    rows = [
        torch.cat(list(images[first : first + columns]), 1)
        for first in range(0, len(images) - columns + 1, columns)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(torch.cat(rows).numpy()).save(path)
