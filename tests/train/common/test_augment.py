"""Augmentation of decoded images: range, side and seed."""

from __future__ import annotations

import torch

from train.common.augment import augment


def test_augmentation_keeps_range_and_side_and_never_mirrors():
    films = torch.zeros(8, 40, 40, dtype=torch.uint8)
    films[:, 16:24, :12] = 255  # a mark on the left
    out = augment(films, torch.Generator().manual_seed(0))
    assert out.shape == (8, 1, 40, 40) and out.min() >= 0 and out.max() <= 1
    left, right = out[..., :20].mean((1, 2, 3)), out[..., 20:].mean((1, 2, 3))
    assert (left > right).all()
    assert torch.equal(augment(films, torch.Generator(), 0.0)[:, 0], films.float() / 255)
    again = augment(films, torch.Generator().manual_seed(0))
    assert torch.equal(out, again)
