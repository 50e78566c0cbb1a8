"""finding_network.safetensors beside a retrieval checkpoint: a network that reads findings.

It may be missing. It is no part of the encoder's fingerprint, since embeddings do not depend on it;
heads that read its features are refused without it, for the width of what they read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cxr.checkpoints.io import build_model
from cxr.models import FindingNetwork, FindingNetworkConfig

FILE = "finding_network.safetensors"


def save_finding_network(network: FindingNetwork, folder: Path, about: Mapping[str, Any]) -> Path:
    """Write a network beside a checkpoint's weights and return the file.

    Args:
        network: kernels are stored in half precision, all else in single.
        folder: of the retrieval checkpoint.
        about: JSON-able, such as how the network was trained.
    """
    from safetensors.torch import save_file

    tensors = {
        name: (value.half() if value.ndim > 1 else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }
    header = {"architecture": network.config.to_dict(), "about": dict(about)}
    save_file(tensors, folder / FILE, {name: json.dumps(part) for name, part in header.items()})
    return folder / FILE


def read_finding_network(folder: Path) -> dict[str, Any]:
    """What save_finding_network wrote of the network beside a checkpoint's weights; {}: nothing."""
    from safetensors import safe_open

    if not (folder / FILE).is_file():
        return {}
    with safe_open(folder / FILE, "pt") as file:
        return json.loads((file.metadata() or {}).get("about", "{}"))


def load_finding_network(folder: Path) -> FindingNetwork | None:
    """Read the network beside a checkpoint's weights.

    Args:
        folder: of the retrieval checkpoint.

    Returns:
        The network in eval mode, frozen, on the CPU; None where there is none.

    Raises:
        ValueError: a damaged file, or weights that do not fit their architecture.
    """
    if not (folder / FILE).is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / FILE, "pt") as file:
            header = file.metadata() or {}
            config = FindingNetworkConfig.from_dict(json.loads(header.get("architecture", "{}")))
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise ValueError(
            f"expected a finding network in {folder / FILE}, could not read it ({error}); "
            "copy the checkpoint again"
        ) from error
    state = {
        name: value.float() if value.is_floating_point() else value
        for name, value in tensors.items()
    }
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise ValueError(f"expected finite weights in {folder / FILE}; copy the checkpoint again")
    network = build_model(lambda: FindingNetwork(config), state, folder / FILE)
    return network.requires_grad_(False)
