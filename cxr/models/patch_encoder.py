"""The features of a frozen vision transformer's patches, for models that build on them.

The image encoder of a retrieval checkpoint has learned from images and their findings what few
masks cannot teach; the tokens of its middle blocks keep where in the image that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
import torch.nn.functional as F

from cxr.images import Preprocess
from cxr.models.backbones import TimmBackbone, TorchvisionBackbone
from cxr.models.text_encoder import digest_of


class PatchEncoder:
    """Images to feature maps; in eval mode, without gradients, safe in several threads.

    Attributes:
        channels: of the features, those of all layers together.
    """

    def __init__(
        self,
        backbone: TimmBackbone | TorchvisionBackbone,
        preprocess: Preprocess,
        layers: Sequence[int],
        side: int,
    ) -> None:
        """Wrap a vision transformer, which is frozen where it is and not copied.

        Args:
            backbone: a transformer with a class token.
            preprocess: of the encoder that it belongs to.
            layers: blocks of the transformer, counted from 0, rising.
            side: of the square that it is given, in pixels.

        Raises:
            ValueError: a network without such blocks, or a side that its patches do not divide.
        """
        if not isinstance(backbone, TimmBackbone) or not backbone.has_cls:
            raise ValueError(
                "expected a vision transformer with a class token; got another network. Use a "
                "retrieval checkpoint with a transformer."
            )
        count, patch = len(backbone.model.blocks), backbone.model.patch_embed.patch_size[0]
        rising = bool(layers) and list(layers) == sorted(set(layers))
        if not rising or not 0 <= layers[0] <= layers[-1] < count or side < 1 or side % patch:
            raise ValueError(
                f"expected rising layers below {count} and a side that {patch} divides; got "
                f"{tuple(layers)} and {side}. Choose others."
            )
        self._model = backbone.model.eval().requires_grad_(False)
        self._preprocess, self._layers, self._side = preprocess, list(layers), side
        self.channels: int = backbone.model.num_features * len(layers)

    def to(self, device: torch.device) -> PatchEncoder:
        """Move the transformer to a device, and return this encoder."""
        self._model.to(device)
        return self

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """The features of each patch.

        Args:
            images: float [B, 1, S, S] in [0, 1], of any side S.

        Returns:
            [B, channels, h, w], without gradient.
        """
        seen = F.interpolate(images, size=self._side, mode="bilinear", antialias=True)
        seen = (seen - self._preprocess.mean) / self._preprocess.std
        feature_maps = self._model.forward_intermediates(
            seen.expand(-1, self._preprocess.channels, -1, -1),
            indices=self._layers,
            norm=True,
            stop_early=True,
            intermediates_only=True,
        )
        return torch.cat(feature_maps, 1)

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 (64 hex digits) over the tensors."""
        return digest_of(self._model.state_dict()).hexdigest()
