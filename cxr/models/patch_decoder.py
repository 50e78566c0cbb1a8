"""Maps of many targets from the features of a frozen image encoder's patches and the image itself.

Of organs the features say what there is, the image where exactly its edge lies: they are joined on
the way from the coarse grid of the patches up to maps many times as fine, as in a U-Net
(Ronneberger et al. 2015) whose encoder is frozen. Of findings there are too few films for that:
they are read off the patches' features alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from cxr.images import Preprocess

PATCH_DECODER = "patch decoder"  # of a checkpoint's architecture
_TOP = 0.02  # of a map: the share whose mean speaks for the whole


@dataclass(frozen=True)
class PatchDecoderConfig:
    """What a PatchDecoder is made of.

    Attributes:
        outputs: names of the targets, in the order of the maps.
        findings: the last of `outputs`: those that are read off the patches alone.
        layers: blocks of the image encoder, counted from 0.
        channels: of their features together.
        widths: channels on the patches' grid, and on two or three finer ones, each with twice the
            side of the one before. The last is that of the maps; the third adds their edges.
        image_widths: channels that the image brings to each of the finer grids.
        hidden: channels between the features and the maps of findings.
        preprocess: how an image becomes the square that encoder and decoder see.
        dropout: of the features' channels, in training.
        side: of the maps, a multiple of four; 0: four times that of the patches' grid.
        encoder_side: of the square that the image encoder sees; 0: that of `preprocess`.
    """

    outputs: tuple[str, ...]
    findings: tuple[str, ...] = ()
    layers: tuple[int, ...] = (4, 6)
    channels: int = 768
    widths: tuple[int, ...] = (64, 40, 24)
    image_widths: tuple[int, ...] = (16, 8)
    hidden: int = 48
    preprocess: Preprocess = field(
        default_factory=lambda: Preprocess(size=336, mean=0.5, std=0.25, channels=1)
    )
    dropout: float = 0.1
    side: int = 0
    encoder_side: int = 0

    def __post_init__(self) -> None:
        if len(self.widths) not in (3, 4) or len(self.image_widths) != len(self.widths) - 1:
            raise ValueError(
                f"expected widths of three or four grids and one image width fewer; got "
                f"{self.widths} and {self.image_widths}."
            )
        if self.side % 4 or (len(self.widths) == 4 and not self.side):
            raise ValueError(f"expected maps with a side that four divides; got {self.side}.")

    @property
    def seen(self) -> int:
        """The side of the square that the image encoder sees, in pixels."""
        return self.encoder_side or self.preprocess.size

    def map_side(self, grid: int) -> int:
        """The side of the maps, for patches' features of so many a side."""
        return self.side or 4 * grid

    def to_dict(self) -> dict:
        """As config.json holds it."""
        return {"kind": PATCH_DECODER, **asdict(self)}

    @classmethod
    def from_dict(cls, entries: dict) -> PatchDecoderConfig:
        """What `to_dict` made, also after JSON.

        Raises:
            ValueError: entries are missing or not known.
        """
        try:
            values = {key: value for key, value in entries.items() if key != "kind"}
            values["preprocess"] = Preprocess(**values["preprocess"])
            for key in ("outputs", "findings", "layers", "widths", "image_widths"):
                values[key] = tuple(values[key])
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected the architecture of a patch decoder, got {sorted(entries)}; copy the "
                "checkpoint again"
            ) from error


class PatchDecoder(nn.Module):
    """Features of patches and the image -> logits of every target's map and of its presence."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: PatchDecoderConfig) -> None:
        super().__init__()
        self.config = config
        coarse, middle, fine, *finest = config.widths
        image_middle, image_fine, *image_finest = config.image_widths
        self.register_buffer("mean", torch.zeros(config.channels))
        self.register_buffer("std", torch.ones(config.channels))
        self.dropout = nn.Dropout2d(config.dropout)
        self.reduce = nn.Conv2d(config.channels, coarse, 1)
        self.context = nn.Sequential(_Residual(coarse), _Residual(coarse))
        self.image_finest = _Step(1, *image_finest) if finest else None
        self.image_fine = _Step(1, image_fine, stride=2)
        self.image_middle = _Step(image_fine, image_middle, stride=2)
        self.middle = nn.Sequential(_Step(coarse + image_middle, middle), _Residual(middle))
        self.fine = _Step(middle + image_fine, fine)
        self.finest = _Step(fine + image_finest[0], *finest) if finest else None
        findings = len(config.findings)
        organs = len(config.outputs) - findings
        self.maps = nn.Conv2d(fine, organs, 3, padding=1)
        self.edges = nn.Conv2d(finest[0], organs, 3, padding=1) if finest else None
        if self.edges is not None:  # a decoder without them is gone on from
            nn.init.zeros_(self.edges.weight)
        self.reading = nn.Sequential(
            nn.Conv2d(config.channels, config.hidden, 1),
            nn.GELU(),
            nn.Conv2d(config.hidden, findings, 3, padding=1),
        )
        self.presence = nn.Linear(config.channels, findings)
        self.presence_scale = nn.Parameter(torch.full((findings,), 0.5))

    @property
    def preprocess(self) -> Preprocess:
        """How an image becomes the square that the decoder sees."""
        return self.config.preprocess

    def forward(
        self, pixels: torch.Tensor, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw every target.

        Args:
            pixels: float [B, 1, S, S], normalized by `preprocess`.
            features: float [B, channels, g, g] of the same squares, g patches a side.

        Returns:
            Logits of the maps, float [B, T, s, s] with s of the configuration's `map_side`, and of
            the presence of each of the findings in the image, float [B, F].
        """
        coarse, presence = self.read(features)
        organs = self.draw(pixels, features)
        return torch.cat([organs, _sized(coarse, organs.shape[-1])], 1), presence

    def draw(self, pixels: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Draw the organs: logits [B, T - F, s, s]. Arguments as of `forward`."""
        side = self.config.map_side(features.shape[-1])
        seen = side if self.image_finest is not None else 2 * side
        image = F.interpolate(pixels, size=seen, mode="bilinear", antialias=True)
        image_fine = self.image_fine(image)
        image_middle = self.image_middle(image_fine)
        coarse = self.context(self.reduce(self.dropout(self._scaled(features))))
        middle = self.middle(_beside(coarse, image_middle))
        fine = self.fine(_beside(middle, image_fine))
        maps = self.maps(fine)
        if self.finest is None or self.image_finest is None or self.edges is None:
            return maps
        finest = self.finest(_beside(fine, self.image_finest(image)))
        return _sized(maps, side) + self.edges(finest)

    def read(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Read the findings off the features: logits [B, F, g, g] and [B, F] of their presence."""
        scaled = self._scaled(features)
        maps = self.reading(self.dropout(scaled))
        return maps, self.presence(scaled.mean((2, 3))) + self.presence_scale * highest(maps)

    def _scaled(self, features: torch.Tensor) -> torch.Tensor:
        return (features - self.mean[:, None, None]) / self.std[:, None, None]


def highest(maps: torch.Tensor) -> torch.Tensor:
    """The mean of the highest values of maps [B, T, H, W]: [B, T]."""
    flat = maps.flatten(2)
    return flat.topk(max(1, round(_TOP * flat.shape[-1])), -1).values.mean(-1)


def _sized(maps: torch.Tensor, side: int) -> torch.Tensor:
    return F.interpolate(maps, size=side, mode="bilinear", align_corners=False)


def _beside(maps: torch.Tensor, finer: torch.Tensor) -> torch.Tensor:
    """Maps, enlarged to the size of finer ones, and those: [B, C, h, w] and [B, D, H, W]."""
    return torch.cat([_sized(maps, finer.shape[-1]), finer], 1)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // 8), channels)


class _Step(nn.Sequential):
    """A 3 x 3 convolution with its normalization and activation."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), _norm(outputs), nn.GELU()
        )


class _Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            _norm(channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            _norm(channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + self.steps(maps)
