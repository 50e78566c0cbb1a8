"""Augmentation of packed films on the device, a batch at a time.

Films are never mirrored here: left and right carry meaning on a chest X-ray.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def random_affine(
    films: torch.Tensor,
    generator: torch.Generator,
    degrees: float = 8.0,
    scale: tuple[float, float] = (0.8, 1.1),
    shift: float = 0.06,
) -> torch.Tensor:
    """Rotate, scale and shift each film; what comes from outside the film is black.

    films: float32 [B, 1, S, S]; the same shape comes back. `scale` is the side of the window
    that is kept as a fraction of the film (below 1 enlarges), `shift` a fraction of the side.
    """
    count = len(films)

    def uniform(low: float, high: float) -> torch.Tensor:
        drawn = torch.rand(count, generator=generator) * (high - low) + low
        return drawn.to(films.device)

    angle = uniform(-degrees, degrees) * math.pi / 180
    zoom, aspect = uniform(*scale), uniform(-0.06, 0.06).exp()
    row_x = torch.stack(
        [angle.cos() * zoom * aspect, -angle.sin() * zoom, uniform(-2 * shift, 2 * shift)], 1
    )
    row_y = torch.stack(
        [angle.sin() * zoom, angle.cos() * zoom / aspect, uniform(-2 * shift, 2 * shift)], 1
    )
    grid = F.affine_grid(torch.stack([row_x, row_y], 1), list(films.shape), align_corners=False)
    return F.grid_sample(films, grid, mode="bilinear", align_corners=False)


def random_tone(
    films: torch.Tensor,
    generator: torch.Generator,
    contrast: float = 0.25,
    brightness: float = 0.1,
    gamma: float = 0.25,
    noise: float = 0.02,
) -> torch.Tensor:
    """Vary exposure as film and detector do. films: float32 [B, 1, S, S] in [0, 1], same back."""
    shape = (len(films), 1, 1, 1)

    def uniform(spread: float) -> torch.Tensor:
        return ((torch.rand(shape, generator=generator) * 2 - 1) * spread).to(films.device)

    films = films.clamp(0, 1) ** uniform(gamma).exp()
    mean = films.mean((2, 3), keepdim=True)
    films = (films - mean) * (1 + uniform(contrast)) + mean + uniform(brightness)
    grain = torch.randn(films.shape, generator=generator).to(films.device)
    return (films + grain * noise).clamp(0, 1)


def random_erase(
    films: torch.Tensor, generator: torch.Generator, probability: float = 0.25
) -> torch.Tensor:
    """Fill a random square, 22 to 45% of the side, of some films with their mean grey.

    films: float32 [B, 1, S, S]; the same shape comes back. probability: of a film to be hit.
    """
    side = films.shape[-1]
    films = films.clone()
    for row in range(len(films)):
        chance, fraction, left, top = torch.rand(4, generator=generator).tolist()
        if chance < probability:
            box = int(side * (0.22 + 0.23 * fraction))
            x, y = int(left * (side - box)), int(top * (side - box))
            films[row, :, y : y + box, x : x + box] = films[row].mean()
    return films


def augment(films: torch.Tensor, generator: torch.Generator, strength: float = 1.0) -> torch.Tensor:
    """The training augmentation: uint8 [B, S, S] -> float32 [B, 1, S, S] in [0, 1].

    strength 0 only converts; 1 is the default for retrieval; larger is for self-supervision.
    """
    films = films.unsqueeze(1).float() / 255
    if strength <= 0:
        return films
    low = max(0.35, 1 - 0.2 * strength)
    films = random_affine(films, generator, degrees=8 * strength, scale=(low, 1.1))
    films = random_tone(films, generator, 0.25 * strength, 0.1 * strength, 0.25 * strength)
    return random_erase(films, generator, min(0.5, 0.25 * strength))
