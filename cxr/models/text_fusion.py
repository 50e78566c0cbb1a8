"""How a text's embedding enters a U-Net: at the bottleneck, by scale and shift, or by kernels; and
how it reads the features of a frozen encoder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

START = -2.0  # logit of every pixel at first: nearly everything is outside of a mask
READING_HIDDEN = 16  # width between the text and its kernel, for a few targets
READING_DROPOUT = 0.3  # of a frozen encoder's features, whole channels


class BottleneckFusion(nn.Module):
    """The embedding, expanded over the grid beside the image's channels, brought back to their
    number by a 1x1 convolution that starts as the identity on the image and as zero on the text.
    """

    def __init__(self, channels: int, text_dimension: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)  # a unit vector's entries are small: about 1 instead
        self.convolution = nn.Conv2d(channels + text_dimension, channels, 1)
        with torch.no_grad():
            self.convolution.weight.zero_()
            self.convolution.weight[:, :channels, 0, 0] = torch.eye(channels)
            self.convolution.bias.zero_()

    def forward(self, grid: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Grid [P, C, h, w], text [P, D] unit rows -> [P, C, h, w]."""
        cells = (text * self.scale).to(grid.dtype)[:, :, None, None]
        return self.convolution(torch.cat([grid, cells.expand(-1, -1, *grid.shape[2:])], 1))


class FilmFusion(nn.Module):
    """Scale and shift of every decoder level's channels, and of the bottleneck's, from the text.
    Starts as the identity.
    """

    def __init__(self, channels: Sequence[int], text_dimension: int, hidden: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)
        self.channels = tuple(channels)
        self.hidden = nn.Sequential(nn.Linear(text_dimension, hidden), nn.GELU())
        self.levels = nn.ModuleList(nn.Linear(hidden, 2 * count) for count in channels)
        for level in self.levels:
            nn.init.zeros_(level.weight)
            nn.init.zeros_(level.bias)

    def forward(self, text: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Text [P, D] unit rows -> for each level (scale, shift), [P, C, 1, 1] each."""
        hidden = self.hidden(text * self.scale)
        pairs = (level(hidden)[:, :, None, None].chunk(2, 1) for level in self.levels)
        return [(1 + scale, shift) for scale, shift in pairs]


class KernelFusion(nn.Module):
    """A 1x1 kernel of the text's own for every decoder level, whose maps are summed (dynamic
    filters, Jia et al. 2016; read from a language model's embedding as by LSeg, Li et al. 2022).

    The decoder runs once a film, whatever is asked about it. Starts alike for every text.
    """

    def __init__(self, channels: Sequence[int], text_dimension: int, hidden: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)
        self.hidden = nn.Sequential(nn.Linear(text_dimension, hidden), nn.GELU())
        self.levels = nn.ModuleList(nn.Linear(hidden, count) for count in channels)
        self.bias = nn.Linear(hidden, 1)
        for level in self.levels:
            nn.init.zeros_(level.weight)
            nn.init.normal_(level.bias, std=level.out_features**-0.5)
        nn.init.zeros_(self.bias.weight)
        nn.init.constant_(self.bias.bias, START)

    def forward(self, grids: Sequence[torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Grids [B, C, h, w], coarsest first, each twice the side of the one before; text
        [B, P, D] unit rows -> logits [B, P, H, W] at the side of the last.
        """
        hidden = self.hidden(text * self.scale)
        total: torch.Tensor | None = None
        for level, grid in zip(self.levels, grids):
            rows = grid.permute(0, 2, 3, 1).flatten(1, 2)  # [B, h * w, C]
            maps = level(hidden).to(rows.dtype) @ rows.transpose(1, 2)
            maps = maps.unflatten(2, grid.shape[2:])
            if total is not None:
                maps = maps + F.interpolate(total, scale_factor=2.0, mode="bilinear")
            total = maps
        return total + self.bias(hidden)[..., None].to(total.dtype)


class DenseProbe(nn.Module):
    """What a text names, read off a frozen encoder's features by a 1x1 kernel of the text's own.

    A linear reading of features that were learned elsewhere takes few masks to learn, and does not
    come to know the films it was taught with by heart.
    """

    def __init__(self, channels: int, text_dimension: int) -> None:
        super().__init__()
        self.scale = math.sqrt(text_dimension)
        self.register_buffer("mean", torch.zeros(channels))  # of the features in training films
        self.register_buffer("std", torch.ones(channels))
        self.dropout = nn.Dropout2d(READING_DROPOUT)
        self.hidden = nn.Sequential(nn.Linear(text_dimension, READING_HIDDEN), nn.GELU())
        self.kernel = nn.Linear(READING_HIDDEN, channels)
        self.bias = nn.Linear(READING_HIDDEN, 1)
        nn.init.normal_(self.kernel.weight, std=0.02)  # a larger one would be noise to unlearn
        nn.init.zeros_(self.kernel.bias)
        nn.init.zeros_(self.bias.weight)
        nn.init.constant_(self.bias.bias, START)

    def forward(self, grid: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Grid [B, C, h, w], text [B, P, D] unit rows -> logits float32 [B, P, h, w]."""
        with torch.autocast(grid.device.type, enabled=False):  # sums over many channels
            cells = (grid.float() - self.mean[:, None, None]) / self.std[:, None, None]
            hidden = self.hidden(text.float() * self.scale)
            maps = torch.einsum("bpc,bchw->bphw", self.kernel(hidden), self.dropout(cells))
            return maps + self.bias(hidden)[..., None]
