"""The patch decoder: shapes, its configuration, and that it can learn."""

from __future__ import annotations

import json

import pytest
import torch

from cxr.images.load import Preprocess
from cxr.models.patch_decoder import PATCH_DECODER, PatchDecoder, PatchDecoderConfig, highest

CONFIG = PatchDecoderConfig(
    ("heart", "mass"),
    ("mass",),
    (1, 2),
    8,
    (16, 8, 8),
    (8, 8),
    8,
    Preprocess(96, 0.5, 0.25, 1),
    0.0,
)


def test_maps_are_four_times_as_fine_as_the_patches():
    maps, presence = PatchDecoder(CONFIG)(torch.rand(3, 1, 96, 96), torch.rand(3, 8, 6, 6))
    assert maps.shape == (3, 2, 24, 24) and presence.shape == (3, 1)


def test_the_configuration_survives_json():
    entries = json.loads(json.dumps(CONFIG.to_dict()))
    assert entries["kind"] == PATCH_DECODER and PatchDecoderConfig.from_dict(entries) == CONFIG
    for wrong in ({}, {**entries, "extra": 1}, {**entries, "preprocess": 3}):
        with pytest.raises(ValueError, match="expected the architecture of a patch decoder"):
            PatchDecoderConfig.from_dict(wrong)


def test_the_highest_values_speak_for_a_map():
    maps = torch.zeros(1, 2, 10, 10)
    maps[0, 1, 3, 4:6] = torch.tensor([4.0, 2.0])
    assert highest(maps).tolist() == [[0.0, 3.0]]


def test_it_learns_what_features_and_image_show():
    torch.manual_seed(0)
    model = PatchDecoder(CONFIG)
    features = torch.zeros(2, 8, 6, 6)
    features[0, :, :3], features[1, :, 3:] = 1, 1
    pixels, goal = torch.zeros(2, 1, 96, 96), torch.zeros(2, 2, 24, 24)
    goal[0, :, :12], goal[1, :, 12:] = 1, 1
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(30):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            model(pixels, features)[0], goal
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.15
