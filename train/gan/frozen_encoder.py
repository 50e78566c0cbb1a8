"""A frozen retrieval model: feature maps, embeddings and findings of generated images."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cxr.devices import has_bf16
from cxr.language import affirmative, negative
from cxr.metrics import mean_pairwise_distance
from cxr.models import DualEncoder
from train.common.studies import ABNORMAL_FINDINGS

TAPS = 4  # blocks of a transformer, at equal distances, whose maps are used


class Encoded(NamedTuple):
    """What the frozen encoder makes of B images."""

    maps: list[torch.Tensor]  # [B, C, h, w] each
    embedding: torch.Tensor  # float32 [B, D], unit rows


class FrozenEncoder(nn.Module):
    """The image half of a DualEncoder, frozen, differentiable in its input, at `size` px."""

    def __init__(self, model: DualEncoder, size: int, device: torch.device) -> None:
        super().__init__()
        self.encoder = model.image_encoder.eval().requires_grad_(False).to(device)
        self.projection = model.image_projection.eval().requires_grad_(False).to(device)
        self.view, self.size = model.preprocess, size
        self.dtype = torch.bfloat16 if has_bf16(device) else torch.float32
        self.encoder.to(self.dtype)
        blocks = getattr(self.encoder.backbone.model, "blocks", None)
        self.depth = len(blocks) if self.encoder.backbone.has_cls else 0
        for block in blocks if self.depth else ():
            # The gradient of fused attention takes longer than all else on a processor.
            block.attn.fused_attn = False
        step = self.depth / TAPS
        self.taps = [round(step * (tap + 1)) - 1 for tap in range(TAPS)] if self.depth else []

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each feature map."""
        width = self.encoder.backbone.channels
        return (width // max(1, len(self.encoder.backbone.layers)),) * max(1, len(self.taps))

    def train(self, mode: bool = True) -> FrozenEncoder:
        """Stay in eval mode whatever is asked for."""
        return super().train(False)

    def forward(self, images: torch.Tensor) -> Encoded:
        """Encode images float [B, 1, S, S] in [-1, 1], resized to `size` where S is another."""
        if images.shape[-1] != self.size:
            images = F.interpolate(
                images,
                size=(self.size, self.size),
                mode="bilinear",
                antialias=True,
                align_corners=False,
            )
        pixels = ((images + 1) / 2 - self.view.mean) / self.view.std
        pixels = pixels.expand(-1, self.view.channels, -1, -1).to(self.dtype)
        with torch.autocast(images.device.type, enabled=False):
            cls, maps, grid = self._maps(pixels)
            pooled = self.encoder.pool(cls, grid).float()
            return Encoded(maps, F.normalize(self.projection(pooled), dim=1))

    def _maps(
        self, pixels: torch.Tensor
    ) -> tuple[torch.Tensor | None, list[torch.Tensor], torch.Tensor]:
        """Class token, the maps that are used, and the grid that the embedding is pooled from."""
        backbone = self.encoder.backbone
        if not self.depth:
            cls, grid = backbone(pixels)
            return cls, [grid], grid
        pooled = backbone.layers or [self.depth - 1]
        wanted = sorted({*self.taps, *pooled})
        found = dict(
            zip(
                wanted,
                backbone.model.forward_intermediates(
                    pixels,
                    indices=wanted,
                    norm=True,
                    return_prefix_tokens=True,
                    intermediates_only=True,
                ),
            )
        )
        cls = torch.cat([found[block][1][:, 0] for block in pooled], 1)
        grid = torch.cat([found[block][0] for block in pooled], 1)
        return cls, [found[block][0] for block in self.taps], grid


@torch.no_grad()
def embed_packed(encoder: FrozenEncoder, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Embed decoded images uint8 [N, S, S] -> float32 [N, D], unit rows."""
    device = next(encoder.parameters()).device
    rows = []
    for first in range(0, len(images), batch_size):
        part = torch.from_numpy(np.array(images[first : first + batch_size])).to(device)
        rows.append(encoder(part[:, None].float() / 127.5 - 1).embedding.cpu())
    return torch.cat(rows).numpy()


def typical_distances(
    embeddings: np.ndarray, small: np.ndarray, labels: np.ndarray, least: int = 8
) -> tuple[float, float]:
    """How far apart images with the same finding are.

    Args:
        embeddings: Float [N, D], unit rows.
        small: Thumbnails, float [N, P].
        labels: Float [N, F], 1 present.
        least: The fewest images with a finding for it to count; without any all images count.

    Returns:
        Mean cosine distance of embeddings and mean Euclidean distance of thumbnails, means over
        findings.
    """
    groups = [np.flatnonzero(column == 1) for column in labels.T]
    groups = [rows for rows in groups if len(rows) >= least] or [np.arange(len(labels))]
    by_pixels = [
        np.linalg.norm(small[rows] - small[np.roll(rows, 1)], axis=1).mean() for rows in groups
    ]
    return (
        float(np.mean([mean_pairwise_distance(embeddings[rows]) for rows in groups])),
        float(np.mean(by_pixels)),
    )


class FindingScores(nn.Module):
    """Zero-shot scores of embeddings, and what images with and without each finding score."""

    def __init__(
        self, yes: torch.Tensor, no: torch.Tensor, real: torch.Tensor, labels: torch.Tensor
    ) -> None:
        """Measure the scores of real images.

        A finding that no image has gets the spread of the others around its own mean.

        Args:
            yes: Float [F, D], mean embedding of the prompts "X".
            no: Float [F, D], that of "no X".
            real: Float [N, D], embeddings of images.
            labels: Float [N, F], NaN unknown.
        """
        super().__init__()
        self.register_buffer("direction", yes - no)
        scores = real @ self.direction.T
        nan = torch.full_like(scores, float("nan"))
        present = torch.where(labels == 1, scores, nan).nanmean(0)
        absent = torch.where(labels == 0, scores, nan).nanmean(0)
        gap = (present - absent)[(present > absent)].mean().nan_to_num(0.1)
        known = present > absent
        self.register_buffer("absent", torch.where(known, absent, scores.mean(0)))
        self.register_buffer("present", torch.where(known, present, self.absent + gap))

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """Embeddings [B, D] -> scores [B, F], similarity to "X" less that to "no X"."""
        return embedding @ self.direction.T

    @classmethod
    def of(cls, encode_text: Callable, real: np.ndarray, labels: torch.Tensor) -> FindingScores:
        """Measure them with prompts of every finding.

        Args:
            encode_text: T texts -> float [T, D].
            real: float32 [N, D], embeddings of images.
            labels: Float [N, F], NaN unknown.
        """
        yes = torch.stack([encode_text(affirmative(name)).mean(0) for name in ABNORMAL_FINDINGS])
        no = torch.stack([encode_text(negative(name)).mean(0) for name in ABNORMAL_FINDINGS])
        return cls(yes, no, torch.from_numpy(real), labels)
