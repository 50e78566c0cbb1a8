"""A frozen image encoder's features of every place of a film, for models that build on them.

The image half of a retrieval checkpoint, a vision transformer, has learned from films and their
findings what few masks cannot teach; the tokens of its middle blocks keep where they saw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F

from cxr.checkpoints import digest_of, load_checkpoint, resolve
from cxr.images import Preprocess
from cxr.models.backbones import TimmBackbone
from cxr.models.dual_encoder import DualEncoderConfig, ImageEncoder

_OURS = "image_encoder."


class PatchEncoder:
    """Films -> a grid of features; in eval mode, without gradients, safe in several threads.

    Attributes:
        channels: of the features, those of all layers together.
    """

    def __init__(
        self, backbone: TimmBackbone, preprocess: Preprocess, layers: Sequence[int], side: int
    ) -> None:
        """layers: blocks of the transformer, counted from 0, rising. side: of the square that it
        sees, in pixels. Raises ValueError for a network without such blocks, or a side that its
        patches do not divide.
        """
        if not getattr(backbone, "has_cls", False):
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
        self.channels = backbone.model.num_features * len(layers)

    def to(self, device: torch.device) -> PatchEncoder:
        """Move it, and give it back."""
        self._model.to(device)
        return self

    @torch.no_grad()
    def __call__(self, films: torch.Tensor) -> torch.Tensor:
        """Films float [B, 1, S, S] in [0, 1] -> [B, channels, h, w], without gradient."""
        seen = F.interpolate(films, size=self._side, mode="bilinear", antialias=True)
        seen = (seen - self._preprocess.mean) / self._preprocess.std
        grids = self._model.forward_intermediates(
            seen.expand(-1, self._preprocess.channels, -1, -1),
            indices=self._layers,
            norm=True,
            stop_early=True,
            intermediates_only=True,
        )
        return torch.cat(grids, 1)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hex digits) over the tensors."""
        return digest_of(self._model.state_dict()).hexdigest()


def load_patch_encoder(address: str | Path, layers: Sequence[int], side: int) -> PatchEncoder:
    """Load the image half of a retrieval checkpoint.

    Args:
        address: a folder or "hf://owner/name[@revision]". layers, side: as for PatchEncoder.

    Raises:
        ValueError: missing or damaged files, another kind of model, one without such layers, or
            weights that do not fit.
    """
    encoder = _image_half(address)
    return PatchEncoder(encoder.backbone, encoder.config.preprocess, layers, side)


def image_fingerprint(address: str | Path) -> str:
    """The `fingerprint` of whatever PatchEncoder is loaded from there. Raises as that does."""
    return digest_of(_image_half(address).backbone.model.state_dict()).hexdigest()


def _image_half(address: str | Path) -> ImageEncoder:
    folder = resolve(address)
    config, state = load_checkpoint(folder)
    if "image" not in (config.get("architecture") or {}):
        raise ValueError(
            f"expected a retrieval checkpoint in {folder}, got "
            f"{config.get('model_type', 'another model')!r}; give for instance weights/retrieval"
        )
    encoder = ImageEncoder(DualEncoderConfig.from_dict(config["architecture"]).image)
    own = {
        name.removeprefix(_OURS): value for name, value in state.items() if name.startswith(_OURS)
    }
    try:
        encoder.load_state_dict(own, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"expected the image encoder in {folder} to fit its configuration, it does not "
            f"({reason}); copy the checkpoint again"
        ) from error
    return encoder
