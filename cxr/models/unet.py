"""The U-Nets of localization: one that redraws films, and one that marks what a text names.

U-Net (Ronneberger et al. 2015) with a ResNet encoder from segmentation-models-pytorch. The text
enters as a frozen encoder's embedding: at the bottleneck (the reference), or at every level of the
decoder by scale and shift (FiLM, Perez et al. 2018) or as kernels. Models return logits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from torch import nn

from cxr.images import Preprocess
from cxr.models.text_fusion import (
    START,
    BottleneckFusion,
    DenseProbe,
    FilmFusion,
    KernelFusion,
)

FUSIONS = ("bottleneck", "film", "kernel", "none")


@dataclass(frozen=True)
class LocalizerConfig:
    """encoder: a name of segmentation-models-pytorch. fusion: one of FUSIONS; "none" is a plain
    U-Net with one output for each of `outputs`, which is empty otherwise. text_dimension: of the
    embedding. hidden: width between the embedding and what it steers. decoder: channels of the
    decoder's levels, coarsest first; as many levels as halvings of the picture. grid_channels: of
    the features of a PatchEncoder that text reads beside the U-Net, 0 for none; grid_layers and
    grid_side: the encoder's.
    """

    encoder: str = "resnet34"
    preprocess: Preprocess = field(default_factory=lambda: Preprocess(256, 0.5, 0.25, 1))
    fusion: str = "bottleneck"
    outputs: tuple[str, ...] = ()
    text_dimension: int = 512
    hidden: int = 128
    decoder: tuple[int, ...] = (256, 128, 64, 32, 16)
    grid_channels: int = 0
    grid_layers: tuple[int, ...] = ()
    grid_side: int = 0

    def __post_init__(self) -> None:
        if self.fusion not in FUSIONS:
            raise ValueError(f"expected a fusion out of {FUSIONS}; got {self.fusion!r}.")
        if (self.fusion == "none") != bool(self.outputs):
            raise ValueError(
                'expected outputs with fusion "none" and only there; '
                f"got {self.fusion!r} with {self.outputs}."
            )
        if self.preprocess.size % 2 ** len(self.decoder):
            raise ValueError(
                f"expected a side that {2 ** len(self.decoder)} divides; "
                f"got {self.preprocess.size}. Choose another size."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `from_dict` gives it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LocalizerConfig:
        """Read what `to_dict` wrote. Raises ValueError for an unknown or missing key."""
        try:
            rest = dict(values)
            preprocess = Preprocess.from_dict(rest.pop("preprocess"))
            lists = {name: tuple(rest.pop(name)) for name in ("outputs", "decoder")}
            lists["grid_layers"] = tuple(rest.pop("grid_layers", ()))
            return cls(preprocess=preprocess, **lists, **rest)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected the architecture of a localizer; got one with a wrong key: {error}. "
                "Use the code version that wrote the checkpoint."
            ) from error


def _body(config: LocalizerConfig) -> tuple[nn.Module, nn.ModuleList]:
    """Encoder and decoder blocks of segmentation-models-pytorch's U-Net, random weights."""
    unet = smp.Unet(
        config.encoder,
        encoder_depth=len(config.decoder),
        encoder_weights=None,
        in_channels=config.preprocess.channels,
        decoder_channels=config.decoder,
    )
    return unet.encoder, unet.decoder.blocks


class AutoencoderUNet(nn.Module):
    """Redraws a film (phase 1): the encoder learns films without labels.

    The skip connections are those of the localizer, so fine detail can pass them by; what is
    masked out or noisy in the input cannot.
    """

    def __init__(self, config: LocalizerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.blocks = _body(config)
        self.head = nn.Conv2d(config.decoder[-1], config.preprocess.channels, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels float [B, C, S, S] as Preprocess gives them -> the same, redrawn."""
        features = self.encoder(pixels)
        return self.head(_decode(self.blocks, features)[-1])


class TextGuidedUNet(nn.Module):
    """Marks in a film what a text names: the encoder runs once a film, and so does the decoder with
    fusion "kernel"; else it runs once a prompt.

    With fusion "none" it is a plain U-Net: text is not looked at, and each film gives a mask for
    every one of `config.outputs`.
    """

    def __init__(self, config: LocalizerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.blocks = _body(config)
        deepest = self.encoder.out_channels[-1]
        self.fusion: nn.Module | None = None
        if config.fusion == "bottleneck":
            self.fusion = BottleneckFusion(deepest, config.text_dimension)
        elif config.fusion == "film":
            self.fusion = FilmFusion(
                (deepest, *config.decoder), config.text_dimension, config.hidden
            )
        elif config.fusion == "kernel":
            self.fusion = KernelFusion(config.decoder, config.text_dimension, config.hidden)
        self.reading: DenseProbe | None = None
        if config.grid_channels:
            self.reading = DenseProbe(config.grid_channels, config.text_dimension)
        self.head: nn.Module | None = None
        if config.fusion != "kernel":
            self.head = nn.Conv2d(config.decoder[-1], max(1, len(config.outputs)), 1)
            nn.init.constant_(self.head.bias, START)

    @property
    def preprocess(self) -> Preprocess:
        """The transform from an image to `encode`'s input."""
        return self.config.preprocess

    def encode(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Pixels float [B, C, S, S] -> features, finest first: [B, C_i, S / 2^i, S / 2^i]."""
        return self.encoder(pixels)

    def decode(self, features: Sequence[torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Features of B films and P prompts about each, float [B, P, D], unit rows -> logits float
        [B, P, S, S]; with fusion "none" text is not looked at and P is the number of outputs.
        """
        if self.config.fusion == "none":
            return self.head(_decode(self.blocks, features)[-1])
        if self.config.fusion == "kernel":
            return self.fusion(_decode(self.blocks, features), text)
        prompts = text.shape[1]
        levels = None
        deepest = _for_each_prompt(features[-1], prompts)
        if self.config.fusion == "bottleneck":
            deepest = self.fusion(deepest, text.flatten(0, 1))
        else:
            levels = self.fusion(text.flatten(0, 1))
            deepest = torch.addcmul(levels[0][1], deepest, levels[0][0])
        grid = _decode(self.blocks, [*features[:-1], deepest], levels)[-1]
        return self.head(grid).unflatten(0, (-1, prompts))[:, :, 0]

    def forward(self, pixels: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """`encode`, then `decode`: pixels [B, C, S, S], text [B, P, D] -> [B, P, S, S]."""
        return self.decode(self.encode(pixels), text)

    def read(self, grid: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """What a PatchEncoder gives of B films, and P prompts about each -> logits float32
        [B, P, S, S] at the served size, of the reading alone.
        """
        logits = self.reading(grid, text)
        return F.interpolate(logits, size=self.config.preprocess.size, mode="bilinear")


def _for_each_prompt(grid: torch.Tensor, prompts: int) -> torch.Tensor:
    """[B, C, h, w] -> [B * prompts, C, h, w], channels last in memory."""
    cells = grid.permute(0, 2, 3, 1)[:, None].expand(-1, prompts, -1, -1, -1)
    return cells.flatten(0, 1).permute(0, 3, 1, 2)


def _decode(
    blocks: nn.ModuleList,
    features: Sequence[torch.Tensor],
    film: Sequence[tuple[torch.Tensor, torch.Tensor]] | None = None,
) -> list[torch.Tensor]:
    """Up the decoder, each level with its skip connection, and what each gives; the last has none,
    since features[0] is the input itself. film: (scale, shift) for the bottleneck, done already,
    and for every level.

    The deepest features may be those of B films times P prompts, the others those of B films.
    """
    grid, skips, grids = features[-1], [*features[1:-1][::-1], None], []
    for level, (block, skip) in enumerate(zip(blocks, skips), 1):
        grid = F.interpolate(grid, scale_factor=2.0, mode=block.interpolation_mode)
        grid = block.conv2(_first_convolution(block.conv1, grid, skip))
        if film:
            grid = torch.addcmul(film[level][1], grid, film[level][0])
        grids.append(grid)
    return grids


def _first_convolution(
    layer: nn.Sequential, grid: torch.Tensor, skip: torch.Tensor | None
) -> torch.Tensor:
    """`layer` (convolution, norm, ReLU) on [B * P, C, h, w] beside [B, K, h, w].

    A convolution of two things side by side is the sum of one of each: that of the skip connection
    is done once a film, not once a prompt.
    """
    convolution, *rest = layer
    if skip is None:
        return layer(grid)
    own, padding = convolution.weight.split([grid.shape[1], skip.shape[1]], 1), convolution.padding
    shared = F.conv2d(skip, own[1], convolution.bias, padding=padding)
    summed = F.conv2d(grid, own[0], padding=padding).unflatten(0, (len(skip), -1)) + shared[:, None]
    return nn.Sequential(*rest)(summed.flatten(0, 1))
