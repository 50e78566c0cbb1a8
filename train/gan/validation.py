"""The scores that choose a generator's checkpoint: by the guide, on fixed conditions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from cxr.metrics import auroc, frechet_distance, mean_pairwise_distance
from train.gan.guide import COUNT, Guide, HeartRatioReading, Scale, look_at_packed

MIN_IMAGES = 5  # with and without a finding for its AUROC to count
GRID = 32  # samples in a picture
SHOWN = 0.6  # a severity from which a finding counts as asked for


@dataclass(frozen=True, eq=False)
class FixedEvaluation:
    """Real features and what to generate to compare with them, always the same."""

    real: np.ndarray  # float32 [N, D]
    wanted: torch.Tensor  # float32 [M, C]: conditions, or embeddings of captions
    noise: torch.Tensor  # float32 [M, Z]
    severities: np.ndarray  # float32 [M, F], asked for; NaN for captions
    ratios: np.ndarray  # float32 [M], asked for; NaN for captions

    @classmethod
    def of(
        cls,
        real: np.ndarray,
        wanted: torch.Tensor,
        asked: tuple[np.ndarray, np.ndarray] | None,
        noise: int,
        seed: int,
    ) -> FixedEvaluation:
        """Draw the noise.

        Args:
            real: float32 [N, D], features of real images.
            wanted: float32 [M, C].
            asked: Severities [M, F] and heart ratios [M]; None: captions were.
            noise: Z.
            seed: Of the noise.
        """
        drawn = torch.randn(len(wanted), noise, generator=torch.Generator().manual_seed(seed))
        nothing = np.full((len(wanted), COUNT), np.nan), np.full(len(wanted), np.nan)
        return cls(real, wanted, drawn, *(asked or nothing))


@torch.no_grad()
def generate(
    generator: nn.Module, noise: torch.Tensor, wanted: torch.Tensor, batch_size: int = 32
) -> torch.Tensor:
    """Generate images. Sets eval mode.

    Args:
        generator: The network.
        noise: float32 [M, Z].
        wanted: float32 [M, C], conditions or embeddings of texts.
        batch_size: Images at a time.

    Returns:
        uint8 [M, 128, 128] on the CPU.
    """
    generator.eval()
    device = next(generator.parameters()).device
    parts = []
    for first in range(0, len(noise), batch_size):
        rows = slice(first, first + batch_size)
        images = generator(noise[rows].to(device), wanted[rows].to(device))
        parts.append(((images[:, 0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu())
    return torch.cat(parts)


@torch.no_grad()
def evaluate(
    generator: nn.Module,
    guide: Guide,
    scale: Scale,
    ratio: HeartRatioReading,
    fixed: FixedEvaluation,
) -> dict[str, float]:
    """Score a generator.

    Args:
        generator: The network.
        guide: What looks at its images.
        scale: The guide's severities.
        ratio: The guide's heart ratio.
        fixed: What is generated, and compared with.

    Returns:
        frechet_distance: To the real images.
        spread: Of the generated images in units of that of real images.
        finding_auroc, ratio_error: The mean with which the guide finds what was asked for, and the
            mean absolute error of the heart ratio; where numbers were asked for.
    """
    images = generate(generator, fixed.noise, fixed.wanted).numpy()
    seen = look_at_packed(guide, images)
    features, logits = seen[:, :-COUNT], seen[:, -COUNT:]
    found = scale.cpu()(logits).numpy()
    aurocs = []
    for column, wanted in enumerate(fixed.severities.T):
        present = wanted >= SHOWN
        if min(present.sum(), (~present).sum()) >= MIN_IMAGES:
            aurocs.append(auroc(found[:, column], present))
    errors = np.abs(ratio.cpu()(features).numpy() - fixed.ratios)
    values = features.numpy()
    scores = {
        "frechet_distance": frechet_distance(fixed.real, values),
        "spread": mean_pairwise_distance(values) / mean_pairwise_distance(fixed.real),
    }
    if aurocs:
        scores["finding_auroc"] = float(np.mean(aurocs))
    if np.isfinite(errors).any():
        scores["ratio_error"] = float(np.nanmean(errors))
    return scores


def save_grid(images: torch.Tensor, path: Path, columns: int = 8) -> None:
    """Write images uint8 [M, S, S] as one PNG, `columns` images a row."""
    rows = [
        torch.cat(list(images[first : first + columns]), 1)
        for first in range(0, len(images) - columns + 1, columns)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(torch.cat(rows).numpy()).save(path)
