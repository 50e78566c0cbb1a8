"""Discriminators: does this image look real, and does it show what the text says?

"convolutions" is DCGAN's with four convolutions, the text beside the last map (Reed et al. 2016).
"features" looks at the feature maps of a frozen image encoder (projected GAN, Sauer et al. 2021)
and, through a few convolutions of its own, at the pixels; the text enters by projection (Miyato
and Koyama 2018), every layer is spectrally normalized.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Architecture of a Discriminator.

    Attributes:
        kind: "convolutions" or "features".
        text: length of the embedding.
        channels: of the convolutions on pixels.
        features: channels of each feature map ("features" only).
        width: of the heads on feature maps.
    """

    kind: str = "features"
    text: int = 512
    channels: tuple[int, ...] = (32, 64, 128, 192)
    features: tuple[int, ...] = ()
    width: int = 128

    def __post_init__(self) -> None:
        if self.kind not in ("convolutions", "features"):
            raise ValueError(f'expected kind "convolutions" or "features"; got {self.kind!r}.')


class TextMap(nn.Module):
    """Four convolutions with the text between the third and the last; a single logit."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        first, second, third = config.channels[:3]
        self.text = nn.Sequential(nn.Linear(config.text, config.width), nn.LeakyReLU(0.2))
        self.pixels = nn.Sequential(
            nn.Conv2d(1, first, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(first, second, 4, 2, 1, bias=False),
            nn.BatchNorm2d(second),
            nn.LeakyReLU(0.2),
            nn.Conv2d(second, third, 4, 2, 1, bias=False),
            nn.BatchNorm2d(third),
            nn.LeakyReLU(0.2),
        )
        self.last = nn.Conv2d(third + config.width, 1, 16)

    def forward(self, images: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Images [B, 1, 128, 128], text [B, D] -> logits [B, 1]."""
        maps = self.pixels(images)
        beside = self.text(text)[:, :, None, None].expand(-1, -1, *maps.shape[2:])
        return self.last(torch.cat([maps, beside.to(maps.dtype)], 1)).flatten(1).float()


class Projection(nn.Module):
    """The end of a head: at each place "real?" and, where asked, "does it go with the text?"."""

    def __init__(self, channels: int, text: int) -> None:
        super().__init__()
        self.real = spectral_norm(nn.Conv2d(channels, 1, 1))
        self.text = spectral_norm(nn.Linear(text, channels))

    def forward(self, maps: torch.Tensor, text: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """Maps [B, C, h, w], text [B, D], asked float [B] 0 or 1 -> logits float32 [B, h * w]."""
        real = self.real(maps).flatten(1).float()
        matches = torch.einsum("bchw,bc->bhw", maps.float(), self.text(text).float()).flatten(1)
        return real + asked[:, None] * matches / maps.shape[1] ** 0.5


class Head(nn.Module):
    """Two convolutions on a feature map, then a Projection."""

    def __init__(self, channels: int, width: int, text: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(channels, width, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
        )
        self.end = Projection(width, text)

    def forward(self, maps: torch.Tensor, text: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """Maps [B, C, h, w], text [B, D], asked [B] -> logits float32 [B, h * w]."""
        return self.end(self.layers(maps), text, asked)


class PixelHead(nn.Module):
    """Convolutions on the image itself, each halving the side, then a Projection."""

    def __init__(self, channels: Sequence[int], text: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inner, outer in zip((1, *channels), channels):
            layers += [spectral_norm(nn.Conv2d(inner, outer, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.end = Projection(channels[-1], text)

    def forward(
        self, images: torch.Tensor, text: torch.Tensor, asked: torch.Tensor
    ) -> torch.Tensor:
        """Images [B, 1, S, S], text [B, D], asked [B] -> logits float32 [B, places]."""
        images = images.contiguous(memory_format=torch.channels_last)
        return self.end(self.layers(images), text, asked)


class Discriminator(nn.Module):
    """Images, texts and, for kind "features", feature maps of the images -> logits."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        if config.kind == "convolutions":
            self.single = TextMap(config)
            return
        self.standardise = nn.BatchNorm1d(config.text, affine=False)
        self.pixels = PixelHead(config.channels, config.text)
        self.heads = nn.ModuleList(
            Head(channels, config.width, config.text) for channels in config.features
        )

    def forward(
        self,
        images: torch.Tensor,
        text: torch.Tensor,
        asked: torch.Tensor | None = None,
        features: Sequence[torch.Tensor] = (),
    ) -> torch.Tensor:
        """Judge whether images are real and show what their texts say.

        Args:
            images: float [B, 1, 128, 128] in [-1, 1].
            text: float [B, D], unit rows.
            asked: float [B], 1 where the text counts and 0 where only the looks do; None: 1.
            features: float [B, C, h, w] each, in the order of config.features.

        Returns:
            Logits, float32 [B, L], above 0 for real: one for "convolutions", else as many from
            each head as from the others, so that each counts the same in a mean.
        """
        if self.config.kind == "convolutions":
            return self.single(images, text)
        asked = text.new_ones(len(text)) if asked is None else asked
        text = self.standardise(text)
        logits = [self.pixels(images, text, asked)]
        logits += [head(maps, text, asked) for head, maps in zip(self.heads, features, strict=True)]
        longest = max(part.shape[1] for part in logits)
        return torch.cat(
            [
                F.interpolate(part[:, None], longest)[:, 0] if part.shape[1] != longest else part
                for part in logits
            ],
            1,
        )


REFERENCE_DISCRIMINATOR = DiscriminatorConfig("convolutions", 512, (64, 128, 256), (), 128)
