"""Augmentation of decoded images on the device, a batch at a time.

Images are never mirrored here: left and right carry meaning on a chest X-ray.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def random_affine(
    images: torch.Tensor,
    generator: torch.Generator,
    degrees: float = 8.0,
    scale: tuple[float, float] = (0.8, 1.1),
    shift: float = 0.06,
) -> torch.Tensor:
    """Rotate, scale and shift each image; outside the image is black.

    Args:
        images: float32 [B, C, S, S].
        generator: What is drawn from.
        degrees: Largest rotation.
        scale: Range of the side that is kept, as a fraction of the image; below 1 enlarges.
        shift: Largest shift, as a fraction of the side.

    Returns:
        float32 [B, C, S, S].
    """
    count = len(images)

    def uniform(low: float, high: float) -> torch.Tensor:
        drawn = torch.rand(count, generator=generator) * (high - low) + low
        return drawn.to(images.device)

    angle = uniform(-degrees, degrees) * math.pi / 180
    zoom, aspect = uniform(*scale), uniform(-0.06, 0.06).exp()
    row_x = torch.stack(
        [angle.cos() * zoom * aspect, -angle.sin() * zoom, uniform(-2 * shift, 2 * shift)], 1
    )
    row_y = torch.stack(
        [angle.sin() * zoom, angle.cos() * zoom / aspect, uniform(-2 * shift, 2 * shift)], 1
    )
    grid = F.affine_grid(torch.stack([row_x, row_y], 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", align_corners=False)


def random_tone(
    images: torch.Tensor,
    generator: torch.Generator,
    contrast: float = 0.25,
    brightness: float = 0.1,
    gamma: float = 0.25,
    noise: float = 0.02,
) -> torch.Tensor:
    """Vary exposure as detectors do.

    Args:
        images: float32 [B, 1, S, S] in [0, 1].
        generator: What is drawn from.
        contrast: Largest relative change.
        brightness: Largest change in gray levels.
        gamma: Largest logarithm of the exponent.
        noise: Standard deviation in gray levels.

    Returns:
        float32 [B, 1, S, S] in [0, 1].
    """
    shape = (len(images), 1, 1, 1)

    def uniform(spread: float) -> torch.Tensor:
        return ((torch.rand(shape, generator=generator) * 2 - 1) * spread).to(images.device)

    images = images.clamp(0, 1) ** uniform(gamma).exp()
    mean = images.mean((2, 3), keepdim=True)
    images = (images - mean) * (1 + uniform(contrast)) + mean + uniform(brightness)
    grain = torch.randn(images.shape, generator=generator).to(images.device)
    return (images + grain * noise).clamp(0, 1)


def random_erase(
    images: torch.Tensor, generator: torch.Generator, probability: float = 0.25
) -> torch.Tensor:
    """Fill a random square, 22 to 45% of the side, of some images with their mean.

    Args:
        images: float32 [B, 1, S, S].
        generator: What is drawn from.
        probability: Of an image to lose a square.

    Returns:
        float32 [B, 1, S, S].
    """
    side = images.shape[-1]
    images = images.clone()
    for row in range(len(images)):
        chance, fraction, left, top = torch.rand(4, generator=generator).tolist()
        if chance < probability:
            box = int(side * (0.22 + 0.23 * fraction))
            x, y = int(left * (side - box)), int(top * (side - box))
            images[row, :, y : y + box, x : x + box] = images[row].mean()
    return images


def augment(
    images: torch.Tensor, generator: torch.Generator, strength: float = 1.0
) -> torch.Tensor:
    """The training augmentation.

    Args:
        images: uint8 [B, S, S].
        generator: What is drawn from.
        strength: 0 only converts; 1 is retrieval's; self-supervision takes more.

    Returns:
        float32 [B, 1, S, S] in [0, 1].
    """
    images = images.unsqueeze(1).float() / 255
    if strength <= 0:
        return images
    low = max(0.35, 1 - 0.2 * strength)
    images = random_affine(images, generator, degrees=8 * strength, scale=(low, 1.1))
    images = random_tone(images, generator, 0.25 * strength, 0.1 * strength, 0.25 * strength)
    return random_erase(images, generator, min(0.5, 0.25 * strength))
