"""Features of frozen encoders, computed once and kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
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
    return cached_parts(folder, {"": key}, lambda _: {"": make()})[""]


def cached_parts(
    folder: Path,
    keys: Mapping[str, Sequence],
    make: Callable[[frozenset[str]], Mapping[str, dict[str, torch.Tensor]]],
) -> dict[str, dict[str, torch.Tensor]]:
    """As cached_features, of several parts that one pass over the data may compute.

    Args:
        folder: As for cached_features.
        keys: By part, what it depends on.
        make: Is given the parts that are not kept, and computes these at least; called once at
            most.

    Returns:
        The tensors by part.
    """
    files = {part: folder / _file_name(key) for part, key in keys.items()}
    if missing := frozenset(part for part, file in files.items() if not file.exists()):
        made = make(missing)
        for part in missing:
            _save(made[part], files[part])
    return {part: load_file(str(file)) for part, file in files.items()}


def _file_name(key: Sequence) -> str:
    name = hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()[:24]
    return f"features-{name}.safetensors"


def _save(features: Mapping[str, torch.Tensor], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial")
    save_file({name: value.contiguous().cpu() for name, value in features.items()}, str(partial))
    os.replace(partial, file)
