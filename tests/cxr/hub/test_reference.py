"""The reference profile from the Hub: ResNet-50, Bio_ClinicalBERT and CLIP in their layouts."""

from __future__ import annotations

import pytest
import torch
from clip_folder import make_clip
from published_weights import make_pickled_text_model, make_timm_folder
from safetensors.torch import load_file
from tiny_localizer import CONFIG

from cxr.checkpoints.encoders import load_dual_encoder, load_text_encoder, save_dual_encoder
from cxr.checkpoints.io import save_checkpoint
from cxr.checkpoints.push import push_checkpoint
from cxr.localization.localizer import Localizer
from cxr.models.unet import LocalizerConfig, TextGuidedUNet
from train.retrieval.profiles import REFERENCE, build

CLIP = "openai/clip-vit-base-patch32"
FORBIDDEN = ("tf_model.h5", "flax_model.msgpack", "modeling_evil.py", "training_args.bin")


@pytest.fixture
def published(hub, tmp_path):
    """The three repositories with small random weights, beside files that nobody needs."""
    make_timm_folder(tmp_path / "resnet", "resnet50")
    make_pickled_text_model(tmp_path / "bert", max_position_embeddings=512)
    make_clip(tmp_path / "clip")
    (tmp_path / "clip" / "pytorch_model.bin").write_bytes(b"a pickle beside safetensors")
    for name, folder in (
        (REFERENCE.image_weights.removeprefix("hf://"), "resnet"),
        (REFERENCE.text_model.removeprefix("hf://"), "bert"),
        (CLIP, "clip"),
    ):
        for extra in FORBIDDEN:
            (tmp_path / folder / extra).write_bytes(b"megabytes")
        hub.add(name, tmp_path / folder)
    return tmp_path


def test_the_encoders_are_those_that_were_published(hub, published, film):
    model = build(REFERENCE).eval()
    assert (REFERENCE.image.backbone, REFERENCE.image.preprocess.size) == ("resnet50", 256)
    state, images = model.state_dict(), load_file(published / "resnet" / "model.safetensors")
    own = {
        name.removeprefix("image_encoder.backbone.model."): value
        for name, value in state.items()
        if name.startswith("image_encoder.backbone.model.")
    }
    assert len(own) > 300 and all(torch.equal(value, images[name]) for name, value in own.items())
    words = torch.load(published / "bert" / "pytorch_model.bin", weights_only=True)
    table = "embeddings.word_embeddings.weight"
    assert torch.equal(state[f"text_encoder.transformer.{table}"], words[f"bert.{table}"])
    sent = {line.rpartition("/")[2] for line in hub.asked("HEAD .*/resolve/")}
    assert not sent & set(FORBIDDEN) and {"model.safetensors", "vocab.txt"} <= sent
    with torch.inference_mode():
        pixels = torch.stack([model.preprocess(film(1))])
        rows = model.encode_image(pixels), model.encode_text(["cardiomegaly, " * 400])
    assert all(row.shape == (1, 512) and torch.isfinite(row).all() for row in rows)
    folder = save_dual_encoder(model, published / "reference")
    address = push_checkpoint(folder, "owner/reference")
    again = load_dual_encoder(address)[0].state_dict()
    assert all(
        torch.equal(again[name], value.half().float() if value.is_floating_point() else value)
        for name, value in state.items()
    )


def test_a_localizer_is_steered_by_clips_text_model(hub, published, film):
    text_encoder = load_text_encoder(f"hf://{CLIP}")
    assert text_encoder.fingerprint == load_text_encoder(published / "clip").fingerprint
    assert "pytorch_model.bin" not in str(hub.log)
    config = LocalizerConfig(
        "resnet34",
        CONFIG.preprocess,
        "film",
        hidden=8,
        text_dimension=text_encoder.dimension,
        decoder=CONFIG.decoder,
    )
    torch.manual_seed(0)
    net = TextGuidedUNet(config)
    about = {"weights": "clip", "sha256": text_encoder.fingerprint}
    folder = save_checkpoint(
        published / "localizer",
        net.state_dict(),
        {"architecture": config.to_dict(), "text_encoder": about},
    )
    address = push_checkpoint(folder, "owner/localizer", text_weights=f"hf://{CLIP}")
    heat = Localizer.load(address).locate(film(1), "right lung")
    beside = Localizer.load(folder, published / "clip").locate(film(1), "right lung")
    assert (heat == beside).all() and heat.shape == (112, 96)
