"""A frozen image encoder's features of every place of a film, for models that build on them.

The image half of a retrieval checkpoint, a vision transformer, has learned from films and their
findings what few masks cannot teach; the tokens of its middle blocks keep where they saw it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F

from cxr.backbones import TimmBackbone
from cxr.checkpoints import load_checkpoint, resolve
from cxr.encoders import DualEncoderConfig, ImageEncoder
from cxr.images import Preprocess

_OURS = "image_encoder."


class GridEncoder:
    """Films -> a grid of features; in eval mode, without gradients, safe in several threads.

    Attributes:
        channels: of the features, those of all layers together.
    """

    def __init__(
        self, backbone: TimmBackbone, preprocess: Preprocess, layers: Sequence[int], side: int
    ) -> None:
        """layers: blocks of the transformer, counted from 0. side: of the square that it sees, in
        pixels. Raises ValueError for a network without such blocks."""
        blocks = getattr(getattr(backbone, "model", None), "blocks", ())
        if not layers or not 0 <= min(layers) <= max(layers) < len(blocks):
            raise ValueError(
                f"expected layers of a vision transformer; got {tuple(layers)} for a network of "
                f"{len(blocks)} blocks. Use a retrieval checkpoint with a transformer."
            )
        self._model = backbone.model.eval().requires_grad_(False)
        self._preprocess, self._layers, self._side = preprocess, list(layers), side
        self.channels = backbone.model.num_features * len(layers)

    def to(self, device: torch.device) -> GridEncoder:
        """Move it, and give it back."""
        self._model.to(device)
        return self

    @torch.no_grad()
    def __call__(self, films: torch.Tensor) -> torch.Tensor:
        """films float [B, 1, S, S] in [0, 1] -> [B, channels, h, w], without gradient."""
        seen = F.interpolate(films, size=self._side, mode="bilinear", antialias=True)
        seen = (seen - self._preprocess.mean) / self._preprocess.std
        grids = self._model.forward_intermediates(
            seen.expand(-1, self._preprocess.channels, -1, -1), indices=self._layers, norm=True,
            stop_early=True, intermediates_only=True,
        )  # fmt: skip
        return torch.cat(grids, 1)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hex digits) over the tensors."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
            digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def load_grid_encoder(address: str | Path, layers: Sequence[int], side: int) -> GridEncoder:
    """Load the image half of a retrieval checkpoint.

    Args:
        address: a folder or "hf://owner/name[@revision]". layers, side: as for GridEncoder.

    Raises:
        ValueError: missing or damaged files, another kind of model, one without such layers, or
            weights that do not fit.
    """
    folder = resolve(address)
    config, state = load_checkpoint(folder)
    if "image" not in (config.get("architecture") or {}):
        raise ValueError(
            f"expected a retrieval checkpoint in {folder}, got "
            f"{config.get('model_type', 'another model')!r}; give for instance weights/retrieval"
        )
    architecture = DualEncoderConfig.from_dict(config["architecture"]).image
    encoder = ImageEncoder(architecture)
    own = {name.removeprefix(_OURS): value for name, value in state.items()
           if name.startswith(_OURS)}
    try:
        encoder.load_state_dict(own, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"expected the image encoder in {folder} to fit its configuration, it does not "
            f"({reason}); copy the checkpoint again"
        ) from error
    return GridEncoder(encoder.backbone, architecture.preprocess, layers, side)
