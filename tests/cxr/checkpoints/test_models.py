"""A DualEncoder goes to disk and back whole; a folder that does not fit together is refused."""

from __future__ import annotations

import json

import pytest
import torch
from tiny import tiny_dual_encoder

from cxr.checkpoints.encoders import load_dual_encoder, save_dual_encoder
from cxr.checkpoints.io import save_checkpoint
from cxr.models.dual_encoder import DualEncoder


@pytest.fixture
def weights(tmp_path):
    about = {"similarity_bands": [0.9, 0.5, 0.1]}
    return save_dual_encoder(tiny_dual_encoder(), tmp_path / "tiny", about)


def test_dual_encoder_round_trip(weights):
    model, config = load_dual_encoder(weights)
    original = tiny_dual_encoder()
    assert isinstance(model, DualEncoder) and not model.training
    assert model.config == original.config and config["similarity_bands"] == [0.9, 0.5, 0.1]
    for name, value in original.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    with torch.inference_mode():
        cosine = (model.encode_text(["mass"]) * original.encode_text(["mass"])).sum()
    assert cosine > 0.9999


def test_weights_that_do_not_fit(weights, tmp_path):
    model = tiny_dual_encoder()
    files = {"tokenizer.json": (weights / "tokenizer.json").read_text()}
    state = model.state_dict()
    config = {"architecture": model.config.to_dict()}
    cases = {
        "fit": ({k: v for k, v in state.items() if k != "logit_scale"}, config, files),
        "an architecture": (state, {}, files),
        "architecture of": (state, {"architecture": {"image": {}}}, files),
        "a tokenizer in": (state, config, {}),
        "could not read": (state, config, {"tokenizer.json": "{"}),
    }
    for number, (says, (tensors, about, texts)) in enumerate(cases.items()):
        folder = save_checkpoint(tmp_path / str(number), tensors, about, files=texts)
        with pytest.raises(ValueError, match=says):
            load_dual_encoder(folder)
    assert json.loads((weights / "config.json").read_text())["format_version"] == 1
