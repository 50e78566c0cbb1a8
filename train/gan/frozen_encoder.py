"""A frozen retrieval model as the eye of the training: feature maps, embeddings, findings."""

from __future__ import annotations

import os
from pathlib import Path
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

TAPS = 4  # blocks of a transformer, at equal distances, whose maps are looked at


class Seen(NamedTuple):
    """What the frozen encoder sees in B films."""

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
        """Stays in eval mode."""
        return super().train(False)

    def forward(self, films: torch.Tensor) -> Seen:
        """Films float [B, 1, S, S] in [-1, 1] -> Seen; resized to `size` where S is another."""
        if films.shape[-1] != self.size:
            films = F.interpolate(
                films,
                size=(self.size, self.size),
                mode="bilinear",
                antialias=True,
                align_corners=False,
            )
        pixels = ((films + 1) / 2 - self.view.mean) / self.view.std
        pixels = pixels.expand(-1, self.view.channels, -1, -1).to(self.dtype)
        with torch.autocast(films.device.type, enabled=False):
            cls, maps, grid = self._maps(pixels)
            pooled = self.encoder.pool(cls, grid).float()
            return Seen(maps, F.normalize(self.projection(pooled), dim=1))

    def _maps(
        self, pixels: torch.Tensor
    ) -> tuple[torch.Tensor | None, list[torch.Tensor], torch.Tensor]:
        """-> (class token, the maps to look at, the grid that the embedding is pooled from)."""
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
def embed_packed(eye: FrozenEncoder, films: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Packed films uint8 [N, S, S] -> float32 [N, D], unit rows."""
    device = next(eye.parameters()).device
    rows = []
    for first in range(0, len(films), batch_size):
        part = torch.from_numpy(np.array(films[first : first + batch_size])).to(device)
        rows.append(eye(part[:, None].float() / 127.5 - 1).embedding.cpu())
    return torch.cat(rows).numpy()


def embed_once(eye: FrozenEncoder, films: np.ndarray, file: Path) -> np.ndarray:
    """`embed_packed`, kept in `file` for a run that goes on."""
    if file.exists():
        kept = np.load(file)
        if len(kept) == len(films):
            return kept
    embedding = embed_packed(eye, films)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.npy")
    np.save(partial, embedding)
    os.replace(partial, file)
    return embedding


def typical_distances(
    embeddings: np.ndarray, small: np.ndarray, labels: np.ndarray, least: int = 8
) -> tuple[float, float]:
    """How far apart films with the same finding are: (mean cosine distance of embeddings [N, D],
    mean Euclidean distance of thumbnails [N, P]), means over findings with `least` films or more,
    over all films where there is none. labels: float [N, F], 1 present.
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


class Findings(nn.Module):
    """Zero-shot scores of embeddings, and what films with and without each finding score."""

    def __init__(
        self, yes: torch.Tensor, no: torch.Tensor, real: torch.Tensor, labels: torch.Tensor
    ) -> None:
        """yes, no: float [F, D], mean embeddings of the prompts. real: float [N, D], embeddings
        of films; labels: float [N, F], NaN unknown. A finding that no film has gets the spread of
        the others around its own mean.
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
        """[B, D] -> scores [B, F], similarity to "X" less that to "no X"."""
        return embedding @ self.direction.T

    @classmethod
    def of(cls, encode_text, real: np.ndarray, labels: torch.Tensor) -> Findings:
        """encode_text: texts -> [N, D]; real [N, D] and labels [N, F] of the same films."""
        yes = torch.stack([encode_text(affirmative(name)).mean(0) for name in ABNORMAL_FINDINGS])
        no = torch.stack([encode_text(negative(name)).mean(0) for name in ABNORMAL_FINDINGS])
        return cls(yes, no, torch.from_numpy(real), labels)
