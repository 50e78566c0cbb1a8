"""Features of frozen encoders, computed once and kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn


def module_fingerprint(module: nn.Module) -> str:
    """The SHA-256 of a network's names and weights."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        data = value.detach().cpu().reshape(-1).view(torch.uint8)
        digest.update(name.encode() + data.numpy().tobytes())
    return digest.hexdigest()


def cached_features(
    folder: Path, key: Sequence, make: Callable[[], dict[str, torch.Tensor]]
) -> dict[str, torch.Tensor]:
    """What `make` returned for the same key before, or returns.

    Args:
        folder: Where a file of features is looked for and kept. It appears whole, so that several
            processes may ask for the same one.
        key: What the features depend on, such as the encoder's fingerprint and the texts; anything
            that JSON can hold.
        make: Computes the features, tensors by name.

    Returns:
        The tensors, on the CPU.
    """
    name = hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()[:24]
    file = folder / f"features-{name}.safetensors"
    if not file.exists():
        features = {name: value.contiguous().cpu() for name, value in make().items()}
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        save_file(features, str(partial))
        os.replace(partial, file)
    return load_file(str(file))
