"""Differentiable augmentation of real and generated images alike (DiffAugment, Zhao et al. 2020).

It keeps a discriminator from memorizing few images. Nothing is mirrored: sides carry meaning.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def _uniform(
    images: torch.Tensor, generator: torch.Generator, low: float, high: float, columns: int = 1
) -> torch.Tensor:
    drawn = torch.rand(len(images), columns, generator=generator) * (high - low) + low
    return drawn.to(images.device)


def vary_tone(
    images: torch.Tensor, generator: torch.Generator, brightness: float = 0.2, contrast: float = 0.3
) -> torch.Tensor:
    """Vary brightness and contrast of images float [B, 1, S, S] in [-1, 1]; same shape back."""
    lift = _uniform(images, generator, -brightness, brightness)[:, :, None, None]
    gain = _uniform(images, generator, 1 - contrast, 1 + contrast)[:, :, None, None]
    mean = images.mean((2, 3), keepdim=True)
    return (images - mean) * gain + mean + lift


def move(
    images: torch.Tensor,
    generator: torch.Generator,
    size: int,
    shift: float = 0.08,
    zoom: float = 0.1,
) -> torch.Tensor:
    """Shift and scale at random; outside the image its edge goes on.

    Black there would teach a generator to draw black borders, since real images come with them.

    Args:
        images: Float [B, 1, S, S] in [-1, 1].
        generator: What is drawn from.
        size: Side of the output in pixels.
        shift: Largest shift, as a fraction of the side.
        zoom: 0.1 keeps 0.9 to 1.1 of the side. With 0 and size S images move by whole pixels and
            stay as sharp as before.

    Returns:
        Float [B, 1, size, size].
    """
    side = images.shape[-1]
    places = _uniform(images, generator, -2 * shift, 2 * shift, 2)
    scale = _uniform(images, generator, 1 - zoom, 1 + zoom)
    if not zoom:
        places = (places * side / 2).round() * 2 / side
    identity = torch.eye(2, device=images.device)
    matrices = torch.cat([identity * scale[:, :, None], places[:, :, None]], 2)
    grid = F.affine_grid(matrices, [len(images), 1, size, size], align_corners=False)
    return F.grid_sample(images, grid, "bilinear", "border", align_corners=False)


def cut_out(
    images: torch.Tensor, generator: torch.Generator, side: float = 0.3, chance: float = 0.4
) -> torch.Tensor:
    """Hide a part of some images, float [B, 1, S, S], by a gray square; same shape back."""
    pixels = images.shape[-1]
    centre = _uniform(images, generator, 0, pixels, 2)
    hidden = _uniform(images, generator, 0, 1) < chance
    line = torch.arange(pixels, device=images.device)
    inside = (line[None, None] - centre[:, :, None]).abs() < side * pixels / 2
    box = inside[:, 0, :, None] & inside[:, 1, None, :] & hidden[:, :, None]
    return images.masked_fill(box[:, None], 0.0)
