"""A tiny localizer with random weights, and its checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch

from cxr.checkpoints.io import save_checkpoint
from cxr.images.load import Preprocess
from cxr.models.unet import LocalizerConfig, TextGuidedUNet

SIZE = 64


CONFIG = LocalizerConfig(
    "resnet18", Preprocess(SIZE, 0.5, 0.25, 1), "film", hidden=8, decoder=(16, 8, 8, 8, 4)
)


def save_localizer(root: Path, config: LocalizerConfig = CONFIG, **changes) -> Path:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = TextGuidedUNet(config)
    for parameter in model.fusion.parameters() if model.fusion else ():
        torch.nn.init.normal_(parameter, 0, 0.05)
    about = {"architecture": config.to_dict(), **changes}
    return save_checkpoint(root / "localizer", model.state_dict(), about)
