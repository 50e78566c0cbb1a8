"""How a text's embedding enters a U-Net, and how it probes the features of a frozen encoder.

It enters at the bottleneck, by scale and shift, or by kernels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

START = -2.0  # logit of every pixel at first: nearly everything is outside of a mask
PROBE_HIDDEN = 16  # width between the text and its kernel, for a few targets
PROBE_DROPOUT = 0.3  # of a frozen encoder's features, whole channels


class BottleneckFusion(nn.Module):
    """The embedding at every place of the deepest feature map, beside the image's channels.

    A 1x1 convolution brings the two back to the number of those channels; it starts as the identity
    on the image and as zero on the text.
    """

    def __init__(self, channels: int, text_dimension: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)  # a unit vector's entries are small: about 1 instead
        self.convolution = nn.Conv2d(channels + text_dimension, channels, 1)
        with torch.no_grad():
            for parameter in self.convolution.parameters():
                parameter.zero_()
            self.convolution.weight[:, :channels, 0, 0] = torch.eye(channels)

    def forward(self, feature_map: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Feature map [P, C, h, w], text [P, D] unit rows -> [P, C, h, w]."""
        cells = (text * self.scale).to(feature_map.dtype)[:, :, None, None]
        return self.convolution(
            torch.cat([feature_map, cells.expand(-1, -1, *feature_map.shape[2:])], 1)
        )


class ScaleShiftFusion(nn.Module):
    """Scale and shift of the channels of every decoder level and of the bottleneck, from the text.

    This is feature-wise linear modulation (Perez et al. 2018). It starts as the identity.
    """

    def __init__(self, channels: Sequence[int], text_dimension: int, hidden: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)
        self.channels = tuple(channels)
        self.hidden = nn.Sequential(nn.Linear(text_dimension, hidden), nn.GELU())
        levels = [nn.Linear(hidden, 2 * count) for count in channels]
        for level in levels:
            nn.init.zeros_(level.weight)
            nn.init.zeros_(level.bias)
        self.levels = nn.ModuleList(levels)

    def forward(self, text: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Text [P, D] unit rows -> for each level (scale, shift), [P, C, 1, 1] each."""
        hidden = self.hidden(text * self.scale)
        pairs = (level(hidden)[:, :, None, None].chunk(2, 1) for level in self.levels)
        return [(1 + scale, shift) for scale, shift in pairs]


class KernelFusion(nn.Module):
    """A 1x1 kernel of the text's own for every decoder level, whose maps are summed.

    These are dynamic filters (Jia et al. 2016), computed from a language model's embedding as by
    LSeg (Li et al. 2022). The decoder runs once an image, whatever is asked about it. Starts alike
    for every text.
    """

    def __init__(self, channels: Sequence[int], text_dimension: int, hidden: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)
        self.hidden = nn.Sequential(nn.Linear(text_dimension, hidden), nn.GELU())
        levels = [nn.Linear(hidden, count) for count in channels]
        self.levels = nn.ModuleList(levels)
        self.bias = nn.Linear(hidden, 1)
        for level in levels:
            nn.init.zeros_(level.weight)
            nn.init.normal_(level.bias, std=level.out_features**-0.5)
        nn.init.zeros_(self.bias.weight)
        nn.init.constant_(self.bias.bias, START)

    def forward(self, feature_maps: Sequence[torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Sum the maps of every level.

        Args:
            feature_maps: float [B, C, h, w] each, coarsest first, each twice the side of the one
                before.
            text: float [B, P, D], unit rows.

        Returns:
            Logits [B, P, H, W] at the side of the last feature map.
        """
        hidden = self.hidden(text * self.scale)
        total: torch.Tensor | None = None
        for level, feature_map in zip(self.levels, feature_maps):
            rows = feature_map.permute(0, 2, 3, 1).flatten(1, 2)  # [B, h * w, C]
            maps = level(hidden).to(rows.dtype) @ rows.transpose(1, 2)
            maps = maps.unflatten(2, feature_map.shape[2:])
            if total is not None:
                maps = maps + F.interpolate(total, scale_factor=2.0, mode="bilinear")
            total = maps
        assert total is not None  # a decoder has a level
        return total + self.bias(hidden)[..., None].to(total.dtype)


class DenseProbe(nn.Module):
    """What a text names, read off a frozen encoder's features by a 1x1 kernel of the text's own.

    A linear probe of features that were learned elsewhere takes few masks to learn, and does not
    memorize the images that it was trained on.
    """

    mean: torch.Tensor  # float32 [C], of the features in training images
    std: torch.Tensor

    def __init__(self, channels: int, text_dimension: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))
        self.dropout = nn.Dropout2d(PROBE_DROPOUT)
        self.hidden = nn.Sequential(nn.Linear(text_dimension, PROBE_HIDDEN), nn.GELU())
        self.kernel = nn.Linear(PROBE_HIDDEN, channels)
        self.bias = nn.Linear(PROBE_HIDDEN, 1)
        nn.init.normal_(self.kernel.weight, std=0.02)  # a larger one would be noise to unlearn
        nn.init.zeros_(self.kernel.bias)
        nn.init.zeros_(self.bias.weight)
        nn.init.constant_(self.bias.bias, START)

    def forward(self, feature_map: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Feature map [B, C, h, w], text [B, P, D] unit rows -> logits float32 [B, P, h, w]."""
        with torch.autocast(feature_map.device.type, enabled=False):  # sums over many channels
            cells = (feature_map.float() - self.mean[:, None, None]) / self.std[:, None, None]
            hidden = self.hidden(text.float() * self.scale)
            maps = torch.einsum("bpc,bchw->bphw", self.kernel(hidden), self.dropout(cells))
            return maps + self.bias(hidden)[..., None]
