"""A frozen finding network: feature maps, features, findings and heart ratio of images.

It guides the training of the generator: the discriminator looks at its feature maps, and its own
answers say how clearly an image, real or generated, shows each finding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cxr.devices import has_bf16
from cxr.findings import NIH_FINDINGS
from cxr.metrics import mean_pairwise_distance
from cxr.models import FindingNetwork

COUNT = len(NIH_FINDINGS)
TAPS = 4  # the deepest stages whose maps are used
PENALTIES = (1.0, 10.0, 100.0, 1000.0)  # of the ridge that reads the heart ratio
FOLDS = 5
MEASURED = 50  # the fewest hearts for a regression
USUAL_RATIO = 0.48


class Seen(NamedTuple):
    """What the guide makes of B images."""

    maps: list[torch.Tensor]  # [B, C, h, w] each, fine to coarse
    features: torch.Tensor  # float32 [B, D]
    logits: torch.Tensor  # float32 [B, COUNT], the mean log odds of all its kinds of readers


class Guide(nn.Module):
    """A FindingNetwork, frozen, differentiable in its input, at `size` px."""

    def __init__(self, network: FindingNetwork, size: int, device: torch.device) -> None:
        super().__init__()
        self.view, self.size = network.config.preprocess, size
        self.dtype = torch.bfloat16 if has_bf16(device) else torch.float32
        weight, bias = network.classifier
        self.register_buffer("weight", weight.float().to(device))
        self.register_buffer("bias", bias.float().to(device))
        model = network.model.eval().requires_grad_(False).to(device, self.dtype)
        self.model = model.to(memory_format=torch.channels_last)
        with torch.no_grad():
            self.channels = tuple(part.shape[1] for part in self._maps(self._blank(device))[0])

    def _blank(self, device: torch.device) -> torch.Tensor:
        return torch.zeros(1, 1, self.size, self.size, dtype=self.dtype, device=device)

    def train(self, mode: bool = True) -> Guide:
        """Stay in eval mode whatever is asked for."""
        return super().train(False)

    def _maps(self, pixels: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        last, maps = self.model.forward_intermediates(pixels)
        return maps[-TAPS:], self.model.forward_head(last, pre_logits=True)

    def forward(self, images: torch.Tensor) -> Seen:
        """Look at images float [B, 1, S, S] in [-1, 1], resized to `size` where S is another."""
        if images.shape[-1] != self.size:
            shape = (self.size, self.size)
            images = F.interpolate(images, shape, mode="bilinear", antialias=True)
        pixels = ((images + 1) / 2 - self.view.mean) / self.view.std
        pixels = pixels.to(self.dtype).contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, enabled=False):
            maps, features = self._maps(pixels)
            features = features.float()
            logits = features @ self.weight + self.bias
        return Seen(maps, features, logits.reshape(len(images), -1, COUNT).mean(1))


@torch.no_grad()
def look_at_packed(guide: Guide, images: np.ndarray, batch_size: int = 128) -> torch.Tensor:
    """Features and log odds of decoded images uint8 [N, S, S]: float32 [N, D + COUNT]."""
    device, rows = guide.weight.device, []
    for first in range(0, len(images), batch_size):
        part = torch.from_numpy(np.array(images[first : first + batch_size])).to(device)
        seen = guide(part[:, None].float() / 127.5 - 1)
        rows.append(torch.cat([seen.features, seen.logits], 1).cpu())
    return torch.cat(rows)


class Scale(nn.Module):
    """Log odds as severities: 0 for the mean image without a finding, 1 for the mean with it."""

    def __init__(self, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Measure both means.

        A finding that no image has, or that scores no higher with it, gets the mean unit of the
        others.

        Args:
            logits: Float [N, F].
            labels: Float [N, F], 1 present, 0 absent, NaN unknown.
        """
        super().__init__()
        nan = torch.full_like(logits, float("nan"))
        absent = torch.where(labels == 0, logits, nan).nanmean(0)
        absent = torch.where(absent.isnan(), logits.mean(0), absent)
        unit = torch.where(labels == 1, logits, nan).nanmean(0) - absent
        known = unit > 0
        unit = torch.where(known, unit, unit[known].mean().nan_to_num(1.0))
        self.register_buffer("absent", absent)
        self.register_buffer("unit", unit)

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """Log odds [B, F] -> severities [B, F]."""
        return (logits - self.absent) / self.unit


class HeartRatioReading(nn.Module):
    """The cardiothoracic ratio, read off the guide's features by a ridge regression.

    Attributes:
        error: Mean absolute error on images left out; NaN where none was measured.
    """

    def __init__(self, features: torch.Tensor, ratios: np.ndarray) -> None:
        """Fit it; the penalty is the one that errs least on images left out in turn.

        Where fewer than MEASURED were measured, every image gets USUAL_RATIO.

        Args:
            features: Float [N, D].
            ratios: Float [N], measured; NaN where not.
        """
        super().__init__()
        known = np.isfinite(ratios)
        rows, values = features[torch.from_numpy(known)].double(), ratios[known]
        target = torch.from_numpy(values).double()
        fold = torch.arange(len(rows)) % FOLDS

        def left_out(penalty: float) -> float:
            wrong = [
                _ridge(rows[fold != one], target[fold != one], penalty)
                .of(rows[fold == one])
                .sub(target[fold == one])
                for one in range(FOLDS)
            ]
            return float(torch.cat(wrong).abs().mean())

        fitted, self.error = Linear(features.new_zeros(features.shape[1]), USUAL_RATIO), np.nan
        if len(rows) >= MEASURED:
            errors = {penalty: left_out(penalty) for penalty in PENALTIES}
            best = min(errors, key=errors.__getitem__)
            fitted, self.error = _ridge(rows, target, best), errors[best]
        self.register_buffer("weight", fitted.weight.float())
        self.register_buffer("bias", torch.tensor(float(fitted.bias)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, D] -> ratios [B]."""
        return features @ self.weight + self.bias


class Linear(NamedTuple):
    """Features [N, D] -> numbers [N]."""

    weight: torch.Tensor  # [D]
    bias: float

    def of(self, rows: torch.Tensor) -> torch.Tensor:
        """Read rows [N, D]."""
        return rows @ self.weight + self.bias


def _ridge(rows: torch.Tensor, target: torch.Tensor, penalty: float) -> Linear:
    """Regression of a target on standardized features, float64."""
    mean, spread = rows.mean(0), rows.std(0).clamp_min(1e-6)
    standard = (rows - mean) / spread
    square = standard.T @ standard + penalty * torch.eye(rows.shape[1], dtype=rows.dtype)
    weight = torch.linalg.solve(square, standard.T @ (target - target.mean())) / spread
    return Linear(weight, float(target.mean() - mean @ weight))


def typical_distances(
    features: np.ndarray, small: np.ndarray, labels: np.ndarray, least: int = 8
) -> tuple[float, float]:
    """How far apart images with the same finding are.

    Args:
        features: Float [N, D].
        small: Thumbnails, float [N, P].
        labels: Float [N, F], 1 present.
        least: The fewest images with a finding for it to count; without any all images count.

    Returns:
        Mean cosine distance of features and mean Euclidean distance of thumbnails, means over
        findings.
    """
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    groups = [np.flatnonzero(column == 1) for column in labels.T]
    groups = [rows for rows in groups if len(rows) >= least] or [np.arange(len(labels))]
    by_pixels = [
        np.linalg.norm(small[rows] - small[np.roll(rows, 1)], axis=1).mean() for rows in groups
    ]
    return (
        float(np.mean([mean_pairwise_distance(unit[rows]) for rows in groups])),
        float(np.mean(by_pixels)),
    )
