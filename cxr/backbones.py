"""Image backbones of timm and torchvision behind one interface: pixels -> class token and grid."""

from __future__ import annotations

import torch
from torch import nn

from cxr.images import Preprocess


class TimmBackbone(nn.Module):
    """Any timm model. For a transformer, tokens of several blocks may be concatenated."""

    def __init__(self, name: str, preprocess: Preprocess, layers: tuple[int, ...]) -> None:
        import timm  # here: a second that users of torchvision backbones skip

        super().__init__()
        shape = {}
        if "vit" in name or "deit" in name:  # position embeddings are resampled for other sizes
            shape = {"img_size": preprocess.size, "dynamic_img_size": True}
        try:
            self.model = timm.create_model(
                name, pretrained=False, num_classes=0, in_chans=preprocess.channels, **shape
            )
        except RuntimeError as error:
            raise ValueError(
                f"expected a backbone that timm knows; got {name!r} ({error}). "
                "timm.list_models() lists them."
            ) from error
        blocks = getattr(self.model, "blocks", None)
        self.has_cls = bool(getattr(self.model, "num_prefix_tokens", 0))
        if layers and not (self.has_cls and max(layers) < len(blocks)):
            raise ValueError(
                f"expected layers of a transformer with a class token; got {layers} for {name}."
            )
        self.layers = list(layers)
        self.channels = self.model.num_features * max(1, len(layers))

    def published_name(self, own: str) -> str:
        """timm's name of one of this module's tensors."""
        return own.removeprefix("model.")

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        """pixels [B, C, S, S] -> (class token [B, D] or None, grid [B, D, h, w])."""
        if not self.has_cls:
            return None, self.model.forward_features(pixels)
        indices = self.layers or [len(self.model.blocks) - 1]
        found = self.model.forward_intermediates(
            pixels, indices=indices, norm=True, return_prefix_tokens=True, intermediates_only=True
        )
        grids, prefixes = zip(*found)
        return torch.cat([prefix[:, 0] for prefix in prefixes], 1), torch.cat(grids, 1)


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
        """torchvision's name of one of this module's tensors."""
        own = own.removeprefix("model.")
        start = next(start for start in self._published if own.startswith(start))
        return self._published[start] + own.removeprefix(start)

    def forward(self, pixels: torch.Tensor) -> tuple[None, torch.Tensor]:
        """pixels [B, 3, S, S] -> (None, grid [B, D, h, w])."""
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
