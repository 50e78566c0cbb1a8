"""Differentiable augmentation of real and generated films alike (DiffAugment, Zhao et al. 2020),
so that a discriminator cannot learn few films by heart. Never mirrored: sides carry meaning.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def _uniform(
    films: torch.Tensor, generator: torch.Generator, low: float, high: float, columns: int = 1
) -> torch.Tensor:
    drawn = torch.rand(len(films), columns, generator=generator) * (high - low) + low
    return drawn.to(films.device)


def vary_tone(
    films: torch.Tensor, generator: torch.Generator, brightness: float = 0.2, contrast: float = 0.3
) -> torch.Tensor:
    """Brightness and contrast. films float [B, 1, S, S] in [-1, 1]; the same shape comes back."""
    lift = _uniform(films, generator, -brightness, brightness)[:, :, None, None]
    gain = _uniform(films, generator, 1 - contrast, 1 + contrast)[:, :, None, None]
    mean = films.mean((2, 3), keepdim=True)
    return (films - mean) * gain + mean + lift


def move(
    films: torch.Tensor,
    generator: torch.Generator,
    size: int,
    shift: float = 0.08,
    zoom: float = 0.1,
) -> torch.Tensor:
    """Shift and enlarge or reduce at random onto [B, 1, size, size]; outside the film is black.

    films float [B, 1, S, S] in [-1, 1]. shift: fraction of the side, up to; zoom: 0.1 keeps 0.9 to
    1.1 of the side. With zoom 0 and size S films move by whole pixels and stay as sharp as before.
    """
    side = films.shape[-1]
    places = _uniform(films, generator, -2 * shift, 2 * shift, 2)
    scale = _uniform(films, generator, 1 - zoom, 1 + zoom)
    if not zoom:
        places = (places * side / 2).round() * 2 / side
    identity = torch.eye(2, device=films.device)
    matrices = torch.cat([identity * scale[:, :, None], places[:, :, None]], 2)
    grid = F.affine_grid(matrices, [len(films), 1, size, size], align_corners=False)
    return F.grid_sample(films + 1, grid, "bilinear", "zeros", align_corners=False) - 1


def cut_out(
    films: torch.Tensor, generator: torch.Generator, side: float = 0.3, chance: float = 0.4
) -> torch.Tensor:
    """A grey square hides a part of some films. films float [B, 1, S, S]; the same comes back."""
    pixels = films.shape[-1]
    centre = _uniform(films, generator, 0, pixels, 2)
    hidden = _uniform(films, generator, 0, 1) < chance
    line = torch.arange(pixels, device=films.device)
    inside = (line[None, None] - centre[:, :, None]).abs() < side * pixels / 2
    box = inside[:, 0, :, None] & inside[:, 1, None, :] & hidden[:, :, None]
    return films.masked_fill(box[:, None], 0.0)
