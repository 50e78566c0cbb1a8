"""A convolutional network that was trained for findings alone.

It stands beside the image encoder, which was trained for search: its last features are joined to
those of the encoder, and linear heads read both (cxr.checkpoints.FindingClassifier).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from cxr.images import Preprocess


@dataclass(frozen=True)
class FindingNetworkConfig:
    """What a finding network is built from.

    Attributes:
        name: of a convolutional network in timm.
        outputs: K, how many log odds it gives.
        preprocess: of its input; one channel.
    """

    name: str = "resnet18"
    outputs: int = 42
    preprocess: Preprocess = Preprocess(160, 0.5, 0.25, 1)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FindingNetworkConfig:
        """Read what to_dict gave. Raises ValueError for unknown or missing values."""
        try:
            preprocess = Preprocess.from_dict(values["preprocess"])
            return cls(str(values["name"]), int(values["outputs"]), preprocess)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected name, outputs and preprocess of a finding network, got {values}; "
                "train it again: python -m train.findings"
            ) from error


class FindingNetwork(nn.Module):
    """Pixels -> log odds; random weights.

    Attributes:
        width: D, of the features that `read` gives.
    """

    model: Any  # timm's networks share neither a typed base nor their attributes

    def __init__(self, config: FindingNetworkConfig) -> None:
        import timm  # here: a second that users without such a network skip

        super().__init__()
        self.config = config
        self.model = timm.create_model(
            config.name, pretrained=False, num_classes=config.outputs, in_chans=1
        )
        self.width: int = self.model.get_classifier().in_features

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels float [B, 1, S, S], as Preprocess gives them -> log odds [B, K]."""
        return self.model(pixels)

    @property
    def classifier(self) -> tuple[torch.Tensor, torch.Tensor]:
        """What makes log odds of features: weight [D, K] and bias [K]."""
        last = self.model.get_classifier()
        return last.weight.detach().T, last.bias.detach()

    def read(self, levels: torch.Tensor) -> torch.Tensor:
        """Read the features that the log odds are linear in.

        Args:
            levels: gray levels float [B, 1, s, s] in [0, 1] of squares of any side.

        Returns:
            float32 [B, D].
        """
        view = self.config.preprocess
        if levels.shape[-1] != view.size:
            levels = F.interpolate(
                levels.float(), (view.size, view.size), mode="bilinear", antialias=True
            )
        maps = self.model.forward_features((levels - view.mean) / view.std)
        return self.model.forward_head(maps, pre_logits=True).float()
