"""Encoders: documented shapes and ranges, any backbone, configuration that travels."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import tiny_config, tiny_dual_encoder, tiny_tokenizer

from cxr.images.load import Preprocess
from cxr.models.dual_encoder import (
    DualEncoder,
    DualEncoderConfig,
    ImageConfig,
    ImageEncoder,
    TextConfig,
    TextEncoder,
)


@pytest.fixture(scope="module")
def model():
    return tiny_dual_encoder()


def pixels(count, size=64, channels=1):
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def test_both_encoders_give_unit_rows_of_512(model):
    with torch.inference_mode():
        for rows in (model.encode_image(pixels(3)), model.encode_text(["mass", "no mass", "🙂"])):
            assert rows.shape == (3, 512) and rows.dtype == torch.float32
            assert torch.allclose(rows.norm(dim=1), torch.ones(3), atol=1e-5)


def test_text_does_not_depend_on_what_it_is_batched_with(model):
    with torch.inference_mode():
        alone = model.encode_text(["mass"])
        beside = model.encode_text(["mass", "64 year old female frontal ap view findings edema"])
    assert torch.allclose(alone[0], beside[0], atol=1e-5)


def test_overlong_text_is_cut(model):
    with torch.inference_mode():
        assert model.encode_text(["edema " * 500]).shape == (1, 512)


def test_the_map_depends_on_the_text(model):
    """A map of another text is another map, finite and not empty."""
    with torch.inference_mode():
        text = model.encode_text(["mass"])[0]
    heat = model.patch_similarity(pixels(2), text)
    assert heat.shape == (2, 2, 2) and heat.dtype == torch.float32
    assert torch.isfinite(heat).all() and heat.abs().max() > 0
    assert not torch.allclose(heat, model.patch_similarity(pixels(2), -text))


def test_the_map_works_in_inference_mode_too(model):
    with torch.inference_mode():
        text = model.encode_text(["mass"])[0]
        assert model.patch_similarity(pixels(1), text).shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("backbone", "pooling", "layers", "width"),
    [
        ("resnet10t", ("mean", "max"), (), 1024),
        ("vit_tiny_patch16_224", ("cls", "mean"), (), 384),
        ("vit_tiny_patch16_224", ("cls", "mean", "max"), (5, 11), 1152),
        ("swin_tiny_patch4_window7_224", ("mean",), (), 768),
        ("test_vit2", ("mean", "max"), (), 128),  # a register, no class token
        ("test_vit3", ("mean",), (), 96),  # neither
        ("test_maxvit", ("mean",), (), 128),
        ("torchvision/resnet18", ("mean",), (), 512),
        ("torchvision/mobilenet_v3_small", ("mean",), (), 576),
    ],
)
def test_any_backbone_of_timm_or_torchvision(backbone, pooling, layers, width):
    encoder = ImageEncoder(ImageConfig(backbone, Preprocess(64), pooling, layers)).eval()
    with torch.inference_mode():
        assert encoder.width == width
        assert encoder(pixels(2, channels=3)).shape == (2, width)


def test_a_grid_lies_as_the_film_does():
    """A bright upper half changes the upper rows of a Swin's grid, whose channels come last."""
    config = ImageConfig("swin_tiny_patch4_window7_224", Preprocess(64), ("mean",))
    encoder = ImageEncoder(config).eval()
    dark = torch.zeros(1, 3, 64, 64)
    bright = dark.clone()
    bright[:, :, :16] = 5
    with torch.inference_mode():
        change = (encoder.backbone(bright)[1] - encoder.backbone(dark)[1]).abs().sum((0, 1))
    assert change.shape == (2, 2) and change[0].mean() > change[1].mean()


@pytest.mark.parametrize("name", ["xcit_nano_12_p16_224", "levit_128s"])
def test_a_network_without_a_feature_map_is_refused(name):
    encoder = ImageEncoder(ImageConfig(name, Preprocess(64), ("mean",))).eval()
    with (
        torch.inference_mode(),
        pytest.raises(ValueError, match=f"expected a feature map .* from {name}"),
    ):
        encoder(pixels(1, channels=3))


@pytest.mark.parametrize(
    "name",
    [
        "hf-hub:timm/resnet18.a1_in1k",
        "hf_hub:owner/name",
        "local-dir:/tmp/x",
        "timm/resnet18",
        "../resnet18",
        "https://example.org/x",
        "torchvision/../resnet18",
        "",
    ],
)
def test_remote_and_odd_names_are_refused_without_a_look(name, monkeypatch):
    monkeypatch.setattr("timm.create_model", None)  # a call would be a TypeError
    with pytest.raises(ValueError, match="expected"):
        ImageEncoder(ImageConfig(name, Preprocess(64)))


def test_a_transformer_takes_films_of_another_size_while_training():
    encoder = ImageEncoder(ImageConfig("vit_tiny_patch16_224", Preprocess(64), ("mean",))).eval()
    with torch.inference_mode():
        assert encoder(pixels(1, size=32, channels=3)).shape == (1, 192)


def test_reference_and_embedded_are_configurations_of_one_class():
    reference = DualEncoderConfig()
    assert reference.image.backbone == "resnet50" and reference.temperature == 0.2
    assert reference.image.preprocess.size == 256 and reference.dimension == 512
    assert reference.text.max_tokens == 512


def test_the_configuration_travels_through_json():
    config = tiny_config(hidden=16, learn_temperature=True)
    assert DualEncoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    "change",
    [
        {"colour": 1},
        {"image": {"backbone": "resnet18"}},
        {"image": None},
        {"text": None},
        {"text": {"transformer": {"hidden_size": 32}}},
        {"text": {"transformer": None}},
    ],
)
def test_a_configuration_with_wrong_keys_is_refused(change):
    with pytest.raises(ValueError, match="architecture|model_type"):
        DualEncoderConfig.from_dict({**tiny_config().to_dict(), **change})


@pytest.mark.parametrize(
    "config",
    [
        lambda: ImageConfig(pooling=("median",)),
        lambda: TextConfig(pooling="max"),
        lambda: TextConfig({}),
        lambda: TextConfig({"hidden_size": 32}),
        lambda: TextConfig({"model_type": None}),
        lambda: TextEncoder(TextConfig({"model_type": "no such model"}), tiny_tokenizer()),
        lambda: TextEncoder(
            TextConfig({"model_type": "bert", "hidden_size": "wide"}), tiny_tokenizer()
        ),
        lambda: TextEncoder(
            TextConfig({"model_type": "bert", "hidden_size": 30, "num_attention_heads": 4}),
            tiny_tokenizer(),
        ),
        lambda: ImageEncoder(ImageConfig("no_such_network", Preprocess(64))),
        lambda: ImageEncoder(ImageConfig("torchvision/no_such_network", Preprocess(64))),
        lambda: ImageEncoder(ImageConfig("resnet10t", Preprocess(64), ("cls",))),
        lambda: ImageEncoder(ImageConfig("resnet10t", Preprocess(64), layers=(1,))),
    ],
)
def test_what_cannot_be_built_is_said(config):
    with pytest.raises(ValueError, match="expected"):
        config()


def test_temperature_is_fixed_unless_it_is_learned():
    assert tiny_dual_encoder().temperature.item() == pytest.approx(0.2)
    assert not tiny_dual_encoder().logit_scale.requires_grad
    assert tiny_dual_encoder(learn_temperature=True).logit_scale.requires_grad


def test_same_seed_same_model():
    one, other = tiny_dual_encoder(1), tiny_dual_encoder(1)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters()))
    config = tiny_config()
    with torch.inference_mode():
        again = DualEncoder(config, tiny_tokenizer()).eval()
        again.load_state_dict(one.state_dict())
        assert np.array_equal(again.encode_image(pixels(1)), one.encode_image(pixels(1)))


def test_one_pass_gives_the_embedding_and_the_features_of_the_middle_blocks():
    config = replace(
        tiny_config(),
        image=ImageConfig(
            "test_vit", Preprocess(96, 0.5, 0.25, 3), pooling=("cls", "mean"), layers=(3,)
        ),
    )
    torch.manual_seed(0)
    model = DualEncoder(config, tiny_tokenizer()).eval()
    blocks = model.image_encoder.backbone
    pixels = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        embeddings, features = model.encode_image_with_features(pixels)
        assert torch.equal(embeddings, model.encode_image(pixels))
        middle = len(blocks.model.blocks) // 2
        (cls, feature_map), (later_cls, _) = blocks.blocks(pixels, [middle - 1, middle])
    width = cls.shape[1]
    assert features.shape == (2, model.image_encoder.feature_width) == (2, 2 * 11 * width)
    assert torch.equal(features[:, :width], cls) and torch.equal(
        features[:, 11 * width : 12 * width], later_cls
    )
    torch.testing.assert_close(features[:, width : 2 * width], feature_map.mean((2, 3)))
    third = feature_map.shape[-1] // 3
    corner = feature_map[:, :, :third, :third].mean((2, 3))
    torch.testing.assert_close(features[:, 2 * width : 3 * width], corner)


def test_a_network_without_class_token_has_the_features_of_its_last_map():
    model = tiny_dual_encoder()
    pixels = torch.randn(2, 1, 64, 64)
    with torch.inference_mode():
        _, features = model.encode_image_with_features(pixels)
        _, feature_map = model.image_encoder.backbone(pixels)
    count = feature_map.shape[1]
    assert features.shape == (2, 10 * count) == (2, model.image_encoder.feature_width)
    torch.testing.assert_close(features[:, :count], feature_map.mean((2, 3)))
