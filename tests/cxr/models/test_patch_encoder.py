"""The frozen image encoder under a localizer: where things are stays, and no other one serves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from clip_folder import make_clip
from tiny import tiny_dual_encoder
from tiny_localizer import CONFIG, SIZE, save_localizer

from cxr.checkpoints.encoders import load_patch_encoder, load_text_encoder, save_dual_encoder
from cxr.checkpoints.io import load_checkpoint, save_checkpoint
from cxr.checkpoints.push import push_checkpoint
from cxr.localization.localizer import SURE, Localizer
from cxr.localization.targets import Target

VIT = "vit_tiny_patch16_224"
LAYERS, SIDE = (2, 4), 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("grid")
    return save_dual_encoder(tiny_dual_encoder(backbone=VIT), root / "retrieval")


@pytest.fixture(scope="module")
def encoder(folder):
    return load_patch_encoder(folder, LAYERS, SIDE)


@pytest.fixture(scope="module")
def weights(folder, encoder):
    config = replace(
        CONFIG, fusion="kernel", grid_channels=encoder.channels, grid_layers=LAYERS, grid_side=SIDE
    )
    about = {
        "weights": "retrieval",
        "sha256": load_text_encoder(folder).fingerprint,
        "image_sha256": encoder.fingerprint,
    }
    return save_localizer(folder.parent, config, text_encoder=about, shares={"opacity": 0.5})


def test_the_features_are_those_of_the_image_half(encoder):
    films = torch.rand(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    grid = encoder(films)
    assert grid.shape == (2, encoder.channels, 6, 6) == (2, 2 * 192, 6, 6)
    assert not grid.requires_grad
    backbone = tiny_dual_encoder(backbone=VIT).image_encoder.backbone
    backbone.layers = list(LAYERS)
    with torch.no_grad():
        _, whole = backbone((films - 0.5) / 0.25)
    torch.testing.assert_close(grid, whole, atol=0.02, rtol=0.02)  # stored in half precision


def test_films_of_any_side_are_seen_at_its_own(encoder):
    film = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(2))
    small, large = (
        torch.nn.functional.interpolate(film, size=side, mode="bilinear") for side in (192, 384)
    )
    assert encoder(small).shape == encoder(large).shape
    torch.testing.assert_close(encoder(small), encoder(large), atol=0.1, rtol=0.1)


@pytest.mark.parametrize(
    ("layers", "side"),
    [
        ((), SIDE),
        ((12,), SIDE),
        ((-1, 3), SIDE),
        ((3, 3), SIDE),
        ((4, 2), SIDE),
        (LAYERS, 100),
        (LAYERS, 0),
    ],
)
def test_layers_and_sides_that_do_not_go_are_refused(folder, layers, side):
    with pytest.raises(ValueError, match="expected rising layers below 12 and a side that 16"):
        load_patch_encoder(folder, layers, side)


def test_what_has_no_such_image_half_is_refused(folder, tmp_path):
    for name in ("resnet10t", "efficientnet_lite0"):  # the latter has blocks as well
        other = save_dual_encoder(tiny_dual_encoder(backbone=name), tmp_path / name)
        with pytest.raises(ValueError, match="expected a vision transformer"):
            load_patch_encoder(other, LAYERS, SIDE)
    with pytest.raises(ValueError, match="expected a retrieval checkpoint"):
        load_patch_encoder(make_clip(tmp_path), LAYERS, SIDE)
    config, state = load_checkpoint(folder)
    kept = {name: value for name, value in state.items() if "blocks.3" not in name}
    files = {"tokenizer.json": (folder / "tokenizer.json").read_text()}
    torn = save_checkpoint(tmp_path / "torn", kept, config, files=files)
    with pytest.raises(ValueError, match="fit its architecture"):
        load_patch_encoder(torn, LAYERS, SIDE)


def test_a_target_gets_its_share_of_the_reading(weights, film):
    localizer = Localizer.load(weights)
    heat = localizer.locate(film(1), "opacity")
    assert heat.shape == (112, 96) and 0 <= heat.min() and heat.max() <= 1
    square = localizer.model.preprocess.square(film(1))
    queries = [
        Target("opacity"),
        Target("opacity", "left", "lower"),
        Target("heart and mediastinum"),
    ]
    maps = {}
    for share in (0.0, 0.5, 1.0):
        localizer.shares = {"opacity": share}
        maps[share] = np.log(raw := localizer._raw(square, queries)) - np.log1p(-raw)
    halves = (maps[0.0].clip(-SURE, SURE) + maps[1.0]) / 2
    np.testing.assert_allclose(maps[0.5][:2], halves[:2], atol=1e-3)
    assert abs(maps[1.0] - maps[0.0])[:2].max() > 0.05
    np.testing.assert_array_equal(maps[1.0][2], maps[0.0][2])
    # Sides are cut out of what the whole target reads as.
    np.testing.assert_allclose(maps[1.0][0], maps[1.0][1], atol=1e-5)


def test_neither_half_outvotes_the_other_however_sure_it_is(weights, film):
    localizer = Localizer.load(weights)
    square = localizer.model.preprocess.square(film(1))
    localizer.model.probe = lambda grid, text: torch.full((1, text.shape[1], SIZE, SIZE), -1e3)
    localizer.shares = {"opacity": 1.0}
    np.testing.assert_allclose(
        localizer._raw(square, [Target("opacity")]), 1 / (1 + np.exp(SURE)), rtol=1e-4
    )


def test_anatomy_does_without_the_frozen_encoder(weights, film):
    localizer = Localizer.load(weights)
    localizer.patch_encoder = lambda films: pytest.fail("not needed")
    assert localizer.locate(film(1), "heart").shape == (112, 96)


def test_the_hub_must_hold_the_image_half_too(weights, folder, hub, tmp_path):
    config, state = load_checkpoint(folder)
    name = next(name for name in state if name.endswith("blocks.1.norm1.weight"))
    other = save_checkpoint(
        tmp_path / "retrieval",
        {**state, name: state[name] + 1},
        config,
        files={"tokenizer.json": (folder / "tokenizer.json").read_text()},
    )
    push_checkpoint(other, "owner/retrieval")
    with pytest.raises(ValueError, match=r"expected image encoder \w{12}, .* push that first"):
        push_checkpoint(weights, "owner/localizer")
    push_checkpoint(folder, "owner/retrieval")
    found = Localizer.load(push_checkpoint(weights, "owner/localizer"))
    assert found.patch_encoder.fingerprint == Localizer.load(weights).patch_encoder.fingerprint


def test_the_order_of_questions_changes_no_map(weights, film):
    """A text that is encoded for the reading serves the U-Net later."""
    sided, whole = "opacity in the left lung", "opacity"
    alone = Localizer.load(weights).locate(film(1), whole)
    localizer = Localizer.load(weights)
    localizer.locate(film(1), sided)
    np.testing.assert_array_equal(localizer.locate(film(1), whole), alone)


def test_a_config_that_does_not_name_its_encoder_is_refused(weights, tmp_path):
    config, state = load_checkpoint(weights)
    for about, said in (
        ({**config, "text_encoder": {**config["text_encoder"], "image_sha256": None}}, "image enc"),
        (
            {
                **config,
                "text_encoder": {key: config["text_encoder"][key] for key in ("weights", "sha256")},
            },
            "expected image_sha256",
        ),
        ({**config, "architecture": {**config["architecture"], "grid_layers": [2]}}, "features a"),
    ):
        other = save_checkpoint(tmp_path / "localizer", state, about)
        with pytest.raises(ValueError, match=said):
            Localizer.load(other, weights.parent / "retrieval")


def test_another_image_half_is_refused_though_the_words_are_the_same(weights, folder, tmp_path):
    config, state = load_checkpoint(folder)
    name = next(name for name in state if name.endswith("blocks.1.norm1.weight"))
    other = save_checkpoint(
        tmp_path / "other",
        {**state, name: state[name] + 1},
        config,
        files={"tokenizer.json": (folder / "tokenizer.json").read_text()},
    )
    with pytest.raises(ValueError, match="expected image encoder .* trained with"):
        Localizer.load(weights, other)
