"""Small checkpoints for the tests of the Hub, and what their loading says when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cxr.checkpoints.io import load_checkpoint, save_checkpoint


def state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Two tensors that depend on the seed."""
    g = torch.Generator().manual_seed(seed)
    return {"a": torch.randn(64, 32, generator=g), "b": torch.randn(3000, generator=g)}


def make_checkpoint(folder: Path) -> Path:
    """A checkpoint in three shards, with a card and a file that is none of its own."""
    card = "---\nlicense: cc-by-4.0\n---\n\n# A card\n"
    save_checkpoint(folder, state(), {"architecture": {}}, card=card, shard_mb=0.005)
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    return folder


def same(address: object, folder: object) -> bool:
    """Whether two addresses hold the same checkpoint."""
    (config, found), (expected, tensors) = load_checkpoint(address), load_checkpoint(folder)
    return (
        config == expected
        and found.keys() == tensors.keys()
        and all(torch.equal(found[name], tensors[name]) for name in tensors)
    )


def fails(address: str = "hf://owner/model") -> str:
    """The error of loading, which is one line."""
    with pytest.raises(ValueError) as caught:
        load_checkpoint(address)
    line = str(caught.value)
    assert line.startswith("expected ") and "\n" not in line and len(line) < 400
    return line
