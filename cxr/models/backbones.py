"""Image backbones of timm and torchvision: pixels -> class token and feature map."""

from __future__ import annotations

import re
from inspect import signature
from typing import Any

import torch
from torch import nn

from cxr.images import Preprocess

_TIMM_NAME = re.compile(r"\w[\w.-]*")


class TimmBackbone(nn.Module):
    """Any timm model that gives one feature map.

    These are convolutional networks, Swin-like ones, and vision transformers with or without a
    class token, of which several blocks may be joined.
    """

    model: Any  # timm's networks share neither a typed base nor their attributes

    def __init__(self, name: str, preprocess: Preprocess, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.model = _timm_model(name, preprocess)
        blocks = getattr(self.model, "blocks", ())
        options = getattr(self.model, "forward_intermediates", lambda: None)
        self._tokens = "return_prefix_tokens" in signature(options).parameters
        self.has_cls = self._tokens and getattr(self.model, "cls_token", None) is not None
        if layers and not (self.has_cls and max(layers) < len(blocks)):
            raise ValueError(
                f"expected layers of a transformer with a class token; got {layers} for {name}."
            )
        self.layers = list(layers)
        # Linear heads read findings best from the middle of a transformer; what later blocks keep
        # is bent towards the labels that they were trained on.
        count = len(blocks) if self.has_cls else 0
        self.middle = list(range(max(0, count // 2 - 1), min(count, count // 2 + 1)))
        self.channels: int = self.model.num_features * max(1, len(layers))
        self._name = name

    def published_name(self, own: str) -> str:
        """Timm's name of one of this module's tensors."""
        return own.removeprefix("model.")

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Compute the features of a batch.

        Args:
            pixels: float [B, C, S, S], as Preprocess gives them.

        Returns:
            The class token [B, D], or None without one, and the feature map [B, D, h, w].

        Raises:
            ValueError: a network that does not give such a feature map.
        """
        if not self._tokens:
            feature_map = self.model.forward_features(pixels)
            if getattr(self.model, "output_fmt", "NCHW") == "NHWC" and torch.is_tensor(feature_map):
                feature_map = feature_map.permute(0, 3, 1, 2)
            return None, self._checked(feature_map)
        if not self.has_cls:
            last = [len(self.model.blocks) - 1]
            found = self.model.forward_intermediates(
                pixels, indices=last, norm=True, intermediates_only=True
            )
            return None, self._checked(torch.cat(found, 1))
        return _joined(self.blocks(pixels, self._own))

    def with_middle(
        self, pixels: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor, list[tuple[torch.Tensor | None, torch.Tensor]]]:
        """Compute what `forward` does and what the middle blocks say, in one pass.

        Args:
            pixels: as for `forward`.

        Returns:
            The class token, the feature map, and of each of the `middle` blocks its class token
            [B, D] and feature map [B, D, h, w]. A network without class token has no middle: its
            one feature map stands there, without a class token.
        """
        if not self.has_cls:
            cls, feature_map = self(pixels)
            return cls, feature_map, [(cls, feature_map)]
        wanted = sorted({*self._own, *self.middle})
        found = dict(zip(wanted, self.blocks(pixels, wanted)))
        cls, feature_map = _joined([found[block] for block in self._own])
        return cls, feature_map, [found[block] for block in self.middle]

    @property
    def _own(self) -> list[int]:
        return self.layers or [len(self.model.blocks) - 1]

    def blocks(
        self, pixels: torch.Tensor, indices: list[int]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Class token [B, D] and feature map [B, D, h, w] of these blocks of a transformer."""
        found = self.model.forward_intermediates(
            pixels,
            indices=indices,
            norm=True,
            return_prefix_tokens=True,
            intermediates_only=True,
        )
        return [(prefix[:, 0], feature_map) for feature_map, prefix in found]

    def _checked(self, feature_map: torch.Tensor) -> torch.Tensor:
        if (
            not torch.is_tensor(feature_map)
            or feature_map.ndim != 4
            or feature_map.shape[1] != self.channels
        ):
            came = (
                list(feature_map.shape)
                if torch.is_tensor(feature_map)
                else type(feature_map).__name__
            )
            raise ValueError(
                f"expected a feature map [B, {self.channels}, h, w] from {self._name}; got "
                f"{came}. Use a convolutional network, a Swin or a plain vision transformer."
            )
        return feature_map


def _joined(found: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    tokens, feature_maps = zip(*found)
    return torch.cat(tokens, 1), torch.cat(feature_maps, 1)


def _timm_model(name: str, preprocess: Preprocess) -> Any:
    """Timm's network of this name, with random weights, for squares of this size."""
    import timm  # here: a second that users of torchvision backbones skip

    if not _TIMM_NAME.fullmatch(name):  # "hf-hub:owner/name" would be fetched, code and all
        raise ValueError(
            f"expected the plain name of a network in timm; got {name!r}. Name the network, and "
            "give published weights to train.retrieval as --image-weights hf://owner/name."
        )
    sized: dict[str, Any] = {"img_size": preprocess.size}
    # Transformers resample position embeddings; convolutional networks take any size.
    shapes: tuple[dict[str, Any], ...] = ({**sized, "dynamic_img_size": True}, sized, {})
    for shape in shapes:
        try:
            return timm.create_model(
                name, pretrained=False, num_classes=0, in_chans=preprocess.channels, **shape
            )
        except TypeError:  # this network has no such option
            continue
        except RuntimeError as error:
            raise ValueError(
                f"expected a backbone that timm knows; got {name!r} ({error}). "
                "timm.list_models() lists them."
            ) from error
    raise ValueError(f"expected an image network of timm; {name!r} cannot be built as one.")


class TorchvisionBackbone(nn.Module):
    """A torchvision convolutional network up to its last feature map."""

    has_cls = False

    def __init__(self, name: str, preprocess: Preprocess) -> None:
        from torchvision.models import get_model

        super().__init__()
        try:
            model = get_model(name, weights=None)
        except ValueError as error:
            raise ValueError(f"expected a network that torchvision knows; got {name!r}.") from error
        if preprocess.channels != 3:
            raise ValueError(f"expected 3 channels for torchvision; got {preprocess.channels}.")
        if hasattr(model, "features"):
            self.model = model.features
            self._published = {"": "features."}
        elif hasattr(model, "layer4"):
            parts = [(n, part) for n, part in model.named_children() if n not in ("avgpool", "fc")]
            self.model = nn.Sequential(*(part for _, part in parts))
            self._published = {f"{i}.": f"{part}." for i, (part, _) in enumerate(parts)}
        else:
            raise ValueError(f"expected a convolutional network; got {name!r}. Use timm's name.")
        with torch.inference_mode():
            self.channels: int = self.model.eval()(torch.zeros(1, 3, 64, 64)).shape[1]
        self.model.train()

    def published_name(self, own: str) -> str:
        """Torchvision's name of one of this module's tensors."""
        own = own.removeprefix("model.")
        start = next(start for start in self._published if own.startswith(start))
        return self._published[start] + own.removeprefix(start)

    def forward(self, pixels: torch.Tensor) -> tuple[None, torch.Tensor]:
        """Pixels float [B, 3, S, S] -> (None, feature map [B, D, h, w])."""
        return None, self.model(pixels)

    def with_middle(
        self, pixels: torch.Tensor
    ) -> tuple[None, torch.Tensor, list[tuple[None, torch.Tensor]]]:
        """As TimmBackbone.with_middle of a network without class token."""
        cls, feature_map = self(pixels)
        return cls, feature_map, [(cls, feature_map)]


def create_backbone(
    name: str, preprocess: Preprocess, layers: tuple[int, ...] = ()
) -> TimmBackbone | TorchvisionBackbone:
    """Build a backbone with random weights.

    Args:
        name: a timm name, or "torchvision/<name>".
        preprocess: gives the side and the channels of its input.
        layers: blocks of a transformer whose tokens are joined; empty means the last.

    Raises:
        ValueError: an unknown name, or `layers` where there are no transformer blocks.
    """
    library, _, rest = name.rpartition("/")
    if library == "torchvision":
        if layers:
            raise ValueError(f"expected no layers for a torchvision network; got {layers}.")
        return TorchvisionBackbone(rest, preprocess)
    return TimmBackbone(name, preprocess, layers)
