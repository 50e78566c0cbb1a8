"""What chooses a generator's checkpoint while it trains: Frechet distance on fixed captions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from cxr.metrics import auroc, frechet_distance, mean_pairwise_distance
from cxr.models import Generator
from train.gan.frozen_encoder import Findings, FrozenEncoder, embed_packed

LEAST = 5  # films with and without a finding for its AUROC to count


@dataclass(frozen=True, eq=False)
class FixedEvaluation:
    """Real embeddings and what to generate to compare with them, the same at every look."""

    real: np.ndarray  # float32 [N, D]
    text: torch.Tensor  # float32 [M, D]
    noise: torch.Tensor  # float32 [M, Z]
    labels: np.ndarray  # float32 [M, F]
    captions: int  # the texts repeat after so many rows
    apart: float  # mean cosine distance of real films with one finding


@torch.no_grad()
def generate(
    generator: nn.Module, noise: torch.Tensor, text: torch.Tensor, batch_size: int = 32
) -> torch.Tensor:
    """Noise [M, Z], text [M, D] -> uint8 [M, 128, 128] on the CPU. Sets eval mode."""
    generator.eval()
    device = next(generator.parameters()).device
    parts = []
    for first in range(0, len(noise), batch_size):
        rows = slice(first, first + batch_size)
        films = generator(noise[rows].to(device), text[rows].to(device))
        parts.append(((films[:, 0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu())
    return torch.cat(parts)


def look(
    generator: Generator, eye: FrozenEncoder, findings: Findings, yardstick: FixedEvaluation
) -> dict[str, float]:
    """Frechet distance to the real films, spread of the generated ones and of those of one caption
    (1 is that of real films, and of real films with one finding), and mean AUROC with which the
    frozen encoder finds what was asked for.
    """
    films = generate(generator, yardstick.noise, yardstick.text).numpy()
    seen = embed_packed(eye, films)
    scores = findings(torch.from_numpy(seen).to(findings.direction.device)).cpu().numpy()
    found = []
    for column, labels in enumerate(yardstick.labels.T):
        present, absent = labels == 1, labels == 0
        if present.sum() >= LEAST and absent.sum() >= LEAST:
            known = present | absent
            found.append(auroc(scores[known, column], present[known]))
    pairs = min(yardstick.captions, len(seen) - yardstick.captions)
    alike = [row @ seen[place + yardstick.captions] for place, row in enumerate(seen[:pairs])]
    return {
        "frechet_distance": frechet_distance(yardstick.real, seen),
        "spread": mean_pairwise_distance(seen) / mean_pairwise_distance(yardstick.real),
        "caption_spread": float(1 - np.mean(alike)) / yardstick.apart,
        "finding_auroc": float(np.mean(found)) if found else 0.5,
    }


def save_grid(films: torch.Tensor, path: Path, columns: int = 8) -> None:
    """uint8 [M, S, S] -> one PNG, `columns` films a row."""
    rows = [
        torch.cat(list(films[first : first + columns]), 1)
        for first in range(0, len(films) - columns + 1, columns)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(torch.cat(rows).numpy()).save(path)
