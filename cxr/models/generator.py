"""The conditional generator: noise and the embedding of a text -> a chest film of 128 x 128.

Two configurations of one class. REFERENCE is what the field uses: a fully connected layer, three
transposed-convolution blocks and a final one. EMBEDDED is what ships: noise and text make a style,
and residual blocks are normalised by it. Discriminators are in cxr.models.discriminator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from cxr.models.generator_layers import ResidualBody, TransposedBody

SIDE = 128  # pixels
BLOCKS = {"transposed": 4, "residual": 5}  # a body's number of channels makes its side SIDE


@dataclass(frozen=True)
class GeneratorConfig:
    """body: "transposed" or "residual". noise, text: lengths of the two inputs. channels: of the
    maps at each side, the smallest side first. style: width of the style (residual bodies).
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
EMBEDDED = GeneratorConfig()


class Generator(nn.Module):
    """Noise and text -> film. In eval mode each row depends on its own inputs alone."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        if config.body == "transposed":
            self.standardise: nn.Module = nn.Identity()
            self.body: nn.Module = TransposedBody(config.noise + config.text, config.channels)
        else:
            # Captions resemble each other: their common part would drown what tells them apart.
            self.standardise = nn.BatchNorm1d(config.text, affine=False)
            self.body = ResidualBody(config.noise, config.text, config.channels, config.style)

    def forward(self, noise: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Noise float [B, noise] from N(0, 1); text float [B, text], unit rows.

        Returns float32 [B, 1, 128, 128] in [-1, 1]: black to white. Raises ValueError for other
        shapes.
        """
        expected = [len(text), self.config.noise], [len(text), self.config.text]
        if [list(noise.shape), list(text.shape)] != list(expected):
            raise ValueError(
                f"expected noise {expected[0]} and text {expected[1]}; got {list(noise.shape)} "
                f"and {list(text.shape)}. Use the text encoder that the generator was trained with."
            )
        # Unit rows have small entries; half precision holds their variance better at this scale.
        return self.body(noise, self.standardise(text * self.config.text**0.5))
