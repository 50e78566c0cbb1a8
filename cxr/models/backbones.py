"""Image backbones of timm and torchvision behind one interface: pixels -> class token and grid."""

from __future__ import annotations

import re
from inspect import signature

import torch
from torch import nn

from cxr.images import Preprocess

_TIMM_NAME = re.compile(r"\w[\w.-]*")


class TimmBackbone(nn.Module):
    """Any timm model that gives one grid of features: convolutional networks, Swin-like ones, and
    vision transformers with or without a class token, of which several blocks may be joined.
    """

    def __init__(self, name: str, preprocess: Preprocess, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.model = _timm_model(name, preprocess)
        blocks = getattr(self.model, "blocks", None)
        options = getattr(self.model, "forward_intermediates", lambda: None)
        self._tokens = "return_prefix_tokens" in signature(options).parameters
        self.has_cls = self._tokens and getattr(self.model, "cls_token", None) is not None
        if layers and not (self.has_cls and max(layers) < len(blocks)):
            raise ValueError(
                f"expected layers of a transformer with a class token; got {layers} for {name}."
            )
        self.layers = list(layers)
        self.channels = self.model.num_features * max(1, len(layers))
        self._name = name

    def published_name(self, own: str) -> str:
        """Timm's name of one of this module's tensors."""
        return own.removeprefix("model.")

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Pixels [B, C, S, S] -> (class token [B, D] or None, grid [B, D, h, w]). Raises
        ValueError for a network without such a grid.
        """
        if not self._tokens:
            grid = self.model.forward_features(pixels)
            if getattr(self.model, "output_fmt", "NCHW") == "NHWC" and torch.is_tensor(grid):
                grid = grid.permute(0, 3, 1, 2)
            return None, self._checked(grid)
        indices = self.layers or [len(self.model.blocks) - 1]
        found = self.model.forward_intermediates(
            pixels,
            indices=indices,
            norm=True,
            return_prefix_tokens=self.has_cls,
            intermediates_only=True,
        )
        if not self.has_cls:
            return None, self._checked(torch.cat(found, 1))
        grids, prefixes = zip(*found)
        return torch.cat([prefix[:, 0] for prefix in prefixes], 1), torch.cat(grids, 1)

    def _checked(self, grid: torch.Tensor) -> torch.Tensor:
        if not torch.is_tensor(grid) or grid.ndim != 4 or grid.shape[1] != self.channels:
            came = list(grid.shape) if torch.is_tensor(grid) else type(grid).__name__
            raise ValueError(
                f"expected a grid [B, {self.channels}, h, w] of features from {self._name}; got "
                f"{came}. Use a convolutional network, a Swin or a plain vision transformer."
            )
        return grid


def _timm_model(name: str, preprocess: Preprocess) -> nn.Module:
    """Timm's network of this name, with random weights, for squares of this size."""
    import timm  # here: a second that users of torchvision backbones skip

    if not _TIMM_NAME.fullmatch(name):  # "hf-hub:owner/name" would be fetched, code and all
        raise ValueError(
            f"expected the plain name of a network in timm; got {name!r}. Name the network, and "
            "give published weights to train.retrieval as --image-weights hf://owner/name."
        )
    sized = {"img_size": preprocess.size}
    # Transformers resample position embeddings; convolutional networks take any size.
    for shape in ({**sized, "dynamic_img_size": True}, sized, {}):
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
            self.channels = self.model.eval()(torch.zeros(1, 3, 64, 64)).shape[1]
        self.model.train()

    def published_name(self, own: str) -> str:
        """Torchvision's name of one of this module's tensors."""
        own = own.removeprefix("model.")
        start = next(start for start in self._published if own.startswith(start))
        return self._published[start] + own.removeprefix(start)

    def forward(self, pixels: torch.Tensor) -> tuple[None, torch.Tensor]:
        """Pixels [B, 3, S, S] -> (None, grid [B, D, h, w])."""
        return None, self.model(pixels)


def create_backbone(
    name: str, preprocess: Preprocess, layers: tuple[int, ...] = ()
) -> TimmBackbone | TorchvisionBackbone:
    """A backbone with random weights: a timm name, or "torchvision/<name>".

    Raises ValueError for an unknown name, or `layers` where there are no transformer blocks.
    """
    library, _, rest = name.rpartition("/")
    if library == "torchvision":
        if layers:
            raise ValueError(f"expected no layers for a torchvision network; got {layers}.")
        return TorchvisionBackbone(rest, preprocess)
    return TimmBackbone(name, preprocess, layers)
