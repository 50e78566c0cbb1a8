"""The conditional generator: noise and what is asked for -> an image of 128 x 128.

Two configurations of one class. REFERENCE is what the field uses: a fully connected layer, three
transposed-convolution blocks and a final one, told by the embedding of a text. GRADED is what
ships: noise and a condition (cxr.generation.ConditionFormat) make a style, and residual blocks are
normalized by it. Discriminators are in cxr.models.discriminator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

SIDE = 128  # pixels
BLOCKS = {"transposed": 4, "residual": 5}  # a body's number of channels makes its side SIDE


@dataclass(frozen=True)
class GeneratorConfig:
    """Architecture of a Generator.

    Attributes:
        body: "transposed" or "residual".
        noise: length of the noise.
        text: length of the embedding, or of the condition.
        channels: of the maps at each side, the smallest side first.
        style: width of the style (residual bodies).
    """

    body: str = "residual"
    noise: int = 128
    text: int = 512
    channels: tuple[int, ...] = (256, 256, 160, 80, 48)
    style: int = 256

    def __post_init__(self) -> None:
        if len(self.channels) != BLOCKS.get(self.body):
            raise ValueError(
                f"expected a body and its number of channels out of {BLOCKS}; "
                f"got {self.body!r} with {len(self.channels)}."
            )
        if min(self.noise, self.text, self.style, *self.channels) < 4:
            raise ValueError(f"expected widths of at least 4; got {self}.")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `from_dict` gives it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GeneratorConfig:
        """Read what `to_dict` wrote. Raises ValueError for an unknown or missing key."""
        try:
            return cls(**{**values, "channels": tuple(values["channels"])})
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected the architecture of a generator; got one with a wrong key: {error}. "
                "Use the code version that wrote the checkpoint."
            ) from error


REFERENCE = GeneratorConfig("transposed", 100, 512, (256, 128, 64, 32))
GRADED = GeneratorConfig(text=18)


def double(maps: torch.Tensor) -> torch.Tensor:
    """Repeat each pixel: [B, C, H, W] -> [B, C, 2H, 2W].

    On a processor this is several times faster than F.interpolate, backwards most of all.
    """
    rows = maps.permute(0, 2, 3, 1)
    batch, height, width, channels = rows.shape
    wide = torch.stack((rows, rows), 3).reshape(batch, height, 2 * width, channels)
    tall = torch.stack((wide, wide), 2).reshape(batch, 2 * height, 2 * width, channels)
    return tall.permute(0, 3, 1, 2)


class _Modulate(torch.autograd.Function):
    """Compute maps * gain + bias, each of them a number for a channel of a row.

    The sums over places that its gradient needs are matrix products, ten times faster in bfloat16
    than `sum`.
    """

    @staticmethod
    def forward(ctx, maps: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Maps [B, C, H, W]; gain, bias [B, C] of the same dtype -> [B, C, H, W]."""
        ctx.save_for_backward(maps, gain)
        return torch.addcmul(bias[:, :, None, None], maps, gain[:, :, None, None])

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """[B, C, H, W] -> the gradients of maps [B, C, H, W], gain and bias [B, C]."""
        maps, gain = ctx.saved_tensors
        return (
            gradient * gain[:, :, None, None],
            _over_places(gradient * maps),
            _over_places(gradient),
        )


def _over_places(maps: torch.Tensor) -> torch.Tensor:
    """[B, C, H, W] -> [B, C]: the sum over H and W."""
    rows = maps.permute(0, 2, 3, 1).flatten(1, 2)
    return torch.bmm(rows.new_ones(len(rows), 1, rows.shape[1]), rows)[:, 0]


class ConditionalNorm(nn.Module):
    """Batch normalization whose gain and bias come from a style (de Vries et al. 2017)."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.affine = nn.Linear(style, 2 * channels)
        nn.init.normal_(self.affine.weight, std=0.02)
        nn.init.zeros_(self.affine.bias)

    def forward(self, maps: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """Maps [B, C, H, W], style [B, S] -> [B, C, H, W]."""
        gain, bias = self.affine(style).to(maps.dtype).chunk(2, 1)
        return _Modulate.apply(self.norm(maps), 1 + gain, bias)


class ResidualUp(nn.Module):
    """Twice the side: two convolutions beside a shortcut (BigGAN, Brock et al. 2019)."""

    def __init__(self, inner: int, outer: int, style: int) -> None:
        super().__init__()
        self.first, self.second = ConditionalNorm(inner, style), ConditionalNorm(outer, style)
        self.grow = nn.Conv2d(inner, outer, 3, padding=1)
        self.refine = nn.Conv2d(outer, outer, 3, padding=1)
        self.shortcut = nn.Conv2d(inner, outer, 1)

    def forward(self, maps: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """Maps [B, inner, H, W], style [B, S] -> [B, outer, 2H, 2W]."""
        hidden = self.grow(double(F.relu(self.first(maps, style))))
        hidden = self.refine(F.relu(self.second(hidden, style)))
        return hidden + double(self.shortcut(maps))


class TransposedBody(nn.Module):
    """The generator of DCGAN (Radford et al. 2016).

    A fully connected layer to an 8 x 8 map, transposed convolutions with batch norm and ReLU that
    double it, a final one, Tanh.
    """

    START = 8

    def __init__(self, inputs: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = channels[0]
        self.start = nn.Linear(inputs, self.channels * self.START**2)
        layers: list[nn.Module] = [nn.BatchNorm2d(self.channels), nn.ReLU()]
        for inner, outer in zip(channels, channels[1:]):
            layers += [
                nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=False),
                nn.BatchNorm2d(outer),
                nn.ReLU(),
            ]
        self.blocks = nn.Sequential(*layers, nn.ConvTranspose2d(channels[-1], 1, 4, 2, 1))

    def forward(self, noise: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Noise [B, Z], text [B, D] -> [B, 1, 8 * 2^n, 8 * 2^n] for n channels, in [-1, 1]."""
        maps = self.start(torch.cat([noise, text], 1))
        maps = maps.reshape(-1, self.channels, self.START, self.START)
        return self.blocks(maps).float().tanh()


class ResidualBody(nn.Module):
    """A mapping to a style, residual blocks normalized by it, and few channels at the full side.

    The text is brought to the length of the noise, so that it does not drown it.
    """

    START = 4

    def __init__(self, noise: int, text: int, channels: Sequence[int], style: int) -> None:
        super().__init__()
        self.channels, last = channels[0], channels[-1]
        self.text = nn.Sequential(nn.Linear(text, noise), nn.LayerNorm(noise))
        self.mapping = nn.Sequential(
            nn.Linear(2 * noise, style),
            nn.LeakyReLU(0.2),
            nn.Linear(style, style),
            nn.LeakyReLU(0.2),
        )
        self.start = nn.Linear(style, self.channels * self.START**2)
        self.blocks = nn.ModuleList(
            ResidualUp(inner, outer, style) for inner, outer in zip(channels, channels[1:])
        )
        self.norm = ConditionalNorm(last, style)
        few = max(4, last // 3)
        self.narrow = nn.Conv2d(last, few, 3, padding=1)
        self.refine = nn.Conv2d(few, few, 3, padding=1)
        self.last = nn.Conv2d(few, 1, 3, padding=1)

    def forward(self, noise: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Noise [B, Z], text [B, D] -> [B, 1, 4 * 2^n, 4 * 2^n] for n channels, in [-1, 1]."""
        style = self.mapping(torch.cat([noise, self.text(text)], 1))
        maps = self.start(style).reshape(-1, self.channels, self.START, self.START)
        maps = maps.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            maps = block(maps, style)
        maps = double(F.relu(self.narrow(F.relu(self.norm(maps, style)))))
        return self.last(F.relu(self.refine(maps))).float().tanh()


class Generator(nn.Module):
    """Noise and text -> image. In eval mode each row depends on its own inputs alone."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        if config.body == "transposed":
            # A checkpoint's tensors carry this name: "standardise.running_mean".
            self.standardise: nn.Module = nn.Identity()
            self.body: nn.Module = TransposedBody(config.noise + config.text, config.channels)
        else:
            # Captions resemble each other: their common part would drown what tells them apart.
            self.standardise = nn.BatchNorm1d(config.text, affine=False)
            self.body = ResidualBody(config.noise, config.text, config.channels, config.style)

    def forward(self, noise: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Generate images.

        Args:
            noise: float [B, noise] from N(0, 1).
            text: float [B, text], unit rows of embeddings, or conditions.

        Returns:
            float32 [B, 1, 128, 128] in [-1, 1], black to white.

        Raises:
            ValueError: other shapes.
        """
        expected = [len(text), self.config.noise], [len(text), self.config.text]
        if [list(noise.shape), list(text.shape)] != list(expected):
            raise ValueError(
                f"expected noise {expected[0]} and text {expected[1]}; got {list(noise.shape)} "
                f"and {list(text.shape)}. Use the text encoder that the generator was trained with."
            )
        # Unit rows have small entries; half precision holds their variance better at this scale.
        return self.body(noise, self.standardise(text * self.config.text**0.5))
