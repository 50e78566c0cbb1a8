"""The U-Nets of localization: one that redraws images, and one that marks what a text names.

U-Net (Ronneberger et al. 2015) with a ResNet encoder from segmentation-models-pytorch. The text
enters as a frozen encoder's embedding: at the bottleneck (the reference), or at every level of the
decoder by scale and shift (FiLM, Perez et al. 2018) or as kernels. Models return logits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    KernelFusion,
    ScaleShiftFusion,
)

FUSIONS = ("bottleneck", "film", "kernel", "none")


@dataclass(frozen=True)
class LocalizerConfig:
    """Architecture of a TextGuidedUNet.

    Attributes:
        encoder: a name of segmentation-models-pytorch.
        preprocess: from an image to the encoder's input.
        fusion: one of FUSIONS; "none" is a plain U-Net with one output for each of `outputs`,
            "film" is a ScaleShiftFusion.
        outputs: names of the masks of a plain U-Net, empty otherwise.
        text_dimension: of the embedding.
        hidden: width between the embedding and what it steers.
        decoder: channels of the decoder's levels, coarsest first; as many levels as halvings of
            the image.
        grid_channels: of the features of a PatchEncoder that are probed beside the U-Net, 0 for
            none.
        grid_layers: that encoder's layers.
        grid_side: that encoder's side in pixels.
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
            for name in ("outputs", "decoder"):
                rest[name] = tuple(rest[name])
            rest["grid_layers"] = tuple(rest.get("grid_layers", ()))
            return cls(preprocess=preprocess, **rest)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected the architecture of a localizer; got one with a wrong key: {error}. "
                "Use the code version that wrote the checkpoint."
            ) from error


def _body(config: LocalizerConfig) -> tuple[Any, nn.ModuleList]:
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
    """Redraws an image (phase 1): the encoder learns images without labels.

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
    """Marks in an image what a text names.

    The encoder runs once an image, and so does the decoder with fusion "kernel"; else the decoder
    runs once a prompt. With fusion "none" it is a plain U-Net: text is not looked at, and each
    image gives a mask for every one of `config.outputs`.
    """

    def __init__(self, config: LocalizerConfig) -> None:
        super().__init__()
        self.config = config
        encoder, self.blocks = _body(config)
        self.encoder = encoder
        deepest = encoder.out_channels[-1]
        self.fusion: BottleneckFusion | ScaleShiftFusion | KernelFusion | None = None
        if config.fusion == "bottleneck":
            self.fusion = BottleneckFusion(deepest, config.text_dimension)
        elif config.fusion == "film":
            self.fusion = ScaleShiftFusion(
                (deepest, *config.decoder), config.text_dimension, config.hidden
            )
        elif config.fusion == "kernel":
            self.fusion = KernelFusion(config.decoder, config.text_dimension, config.hidden)
        # A checkpoint's tensors carry this name: "reading.kernel.weight".
        self.reading: DenseProbe | None = None
        if config.grid_channels:
            self.reading = DenseProbe(config.grid_channels, config.text_dimension)
        self.head: nn.Conv2d | None = None
        if config.fusion != "kernel":
            self.head = nn.Conv2d(config.decoder[-1], max(1, len(config.outputs)), 1)
            assert self.head.bias is not None
            nn.init.constant_(self.head.bias, START)

    @property
    def preprocess(self) -> Preprocess:
        """The transform from an image to `encode`'s input."""
        return self.config.preprocess

    def encode(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Pixels float [B, C, S, S] -> features, finest first: [B, C_i, S / 2^i, S / 2^i]."""
        return self.encoder(pixels)

    def decode(self, features: Sequence[torch.Tensor], text: torch.Tensor) -> torch.Tensor:
        """Mark what each prompt names.

        Args:
            features: of B images, as `encode` gives them.
            text: float [B, P, D], unit rows, P prompts about each image; with fusion "none" it is
                not looked at and P is the number of outputs.

        Returns:
            Logits, float [B, P, S, S].
        """
        fusion = self.fusion
        if isinstance(fusion, KernelFusion):
            return fusion(_decode(self.blocks, features), text)
        assert self.head is not None  # only kernels need none
        if fusion is None:
            return self.head(_decode(self.blocks, features)[-1])
        prompts = text.shape[1]
        levels = None
        deepest = _for_each_prompt(features[-1], prompts)
        if isinstance(fusion, BottleneckFusion):
            deepest = fusion(deepest, text.flatten(0, 1))
        else:
            levels = fusion(text.flatten(0, 1))
            deepest = torch.addcmul(levels[0][1], deepest, levels[0][0])
        feature_map = _decode(self.blocks, [*features[:-1], deepest], levels)[-1]
        return self.head(feature_map).unflatten(0, (-1, prompts))[:, :, 0]

    def forward(self, pixels: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """`encode`, then `decode`: pixels [B, C, S, S], text [B, P, D] -> [B, P, S, S]."""
        return self.decode(self.encode(pixels), text)

    def probe(self, feature_map: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Mark what each prompt names by the probe of a PatchEncoder's features alone.

        Args:
            feature_map: float [B, grid_channels, h, w], as the PatchEncoder gives it.
            text: float [B, P, D], unit rows.

        Returns:
            Logits, float32 [B, P, S, S] at the side of `preprocess`.
        """
        assert self.reading is not None, "this architecture has no grid_channels"
        logits = self.reading(feature_map, text)
        return F.interpolate(logits, size=self.config.preprocess.size, mode="bilinear")


def _for_each_prompt(feature_map: torch.Tensor, prompts: int) -> torch.Tensor:
    """[B, C, h, w] -> [B * prompts, C, h, w], channels last in memory."""
    cells = feature_map.permute(0, 2, 3, 1)[:, None].expand(-1, prompts, -1, -1, -1)
    return cells.flatten(0, 1).permute(0, 3, 1, 2)


def _decode(
    blocks: Iterable[Any],
    features: Sequence[torch.Tensor],
    modulation: Sequence[tuple[torch.Tensor, torch.Tensor]] | None = None,
) -> list[torch.Tensor]:
    """Up the decoder, each level with its skip connection, and what each gives.

    The last level has no skip connection, since features[0] is the input itself.

    Args:
        blocks: of segmentation-models-pytorch's decoder.
        features: of B images; the deepest may be those of B images times P prompts.
        modulation: (scale, shift) for the bottleneck, done already, and for every level.
    """
    skips: list[torch.Tensor | None] = [*features[1:-1][::-1], None]
    feature_map, feature_maps = features[-1], []
    for level, (block, skip) in enumerate(zip(blocks, skips), 1):
        feature_map = F.interpolate(feature_map, scale_factor=2.0, mode=block.interpolation_mode)
        feature_map = block.conv2(_first_convolution(block.conv1, feature_map, skip))
        if modulation:
            scale, shift = modulation[level]
            feature_map = torch.addcmul(shift, feature_map, scale)
        feature_maps.append(feature_map)
    return feature_maps


def _first_convolution(
    layer: nn.Sequential, feature_map: torch.Tensor, skip: torch.Tensor | None
) -> torch.Tensor:
    """`layer` (convolution, norm, ReLU) on [B * P, C, h, w] beside [B, K, h, w].

    A convolution of two things side by side is the sum of one of each: that of the skip connection
    is done once an image, not once a prompt.
    """
    if skip is None:
        return layer(feature_map)
    convolution, *rest = layer
    assert isinstance(convolution, nn.Conv2d)
    own, padding = (
        convolution.weight.split([feature_map.shape[1], skip.shape[1]], 1),
        convolution.padding,
    )
    shared = F.conv2d(skip, own[1], convolution.bias, padding=padding)
    summed = (
        F.conv2d(feature_map, own[0], padding=padding).unflatten(0, (len(skip), -1))
        + shared[:, None]
    )
    return nn.Sequential(*rest)(summed.flatten(0, 1))
