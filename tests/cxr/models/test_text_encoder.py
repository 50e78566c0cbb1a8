"""A text encoder is the text half of a checkpoint, or CLIP's text model, named by a fingerprint."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from clip_folder import make_clip
from tiny import tiny_dual_encoder, tiny_tokenizer
from transformers import CLIPTextModelWithProjection

from cxr.checkpoints.encoders import load_text_encoder, save_dual_encoder
from cxr.checkpoints.io import save_checkpoint

TEXTS = ["right lung", "possible edema, no mass", "a"]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return save_dual_encoder(
        tiny_dual_encoder(), tmp_path_factory.mktemp("checkpoint") / "retrieval"
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip"))


def test_our_text_encoder_gives_what_the_whole_model_gives(ours):
    text_encoder = load_text_encoder(ours)
    rows = text_encoder.encode_text(TEXTS)
    assert rows.shape == (3, 512) == (3, text_encoder.dimension) and rows.dtype == torch.float32
    assert not rows.requires_grad
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(3))
    with torch.no_grad():
        whole = tiny_dual_encoder().encode_text(TEXTS)
    assert ((rows * whole).sum(1) > 0.9999).all()


def test_rows_can_steer_a_model_that_is_trained(ours):
    """Tensors made under inference_mode would be refused by autograd."""
    layer = torch.nn.Linear(512, 2)
    layer(load_text_encoder(ours).encode_text(TEXTS)).sum().backward()
    assert layer.weight.grad.abs().sum() > 0


def test_clip_gives_what_transformers_gives(clip):
    text_encoder = load_text_encoder(clip)
    rows = text_encoder.encode_text(TEXTS)
    assert text_encoder.dimension == 16
    model = CLIPTextModelWithProjection.from_pretrained(clip).eval()
    for text, row in zip(TEXTS, rows):
        ids = torch.tensor([text_encoder._tokenizer.encode(text).ids])
        with torch.no_grad():
            alone = torch.nn.functional.normalize(model(input_ids=ids).text_embeds[0], dim=0)
        torch.testing.assert_close(row, alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["ours", "clip"])
def test_long_odd_and_no_texts(kind, request):
    text_encoder = load_text_encoder(request.getfixturevalue(kind))
    rows = text_encoder.encode_text(["lung " * 500, "🫁 \ud83e", "右肺", *["b"] * 70])
    assert rows.shape == (73, text_encoder.dimension) and torch.isfinite(rows).all()
    torch.testing.assert_close(rows[3], rows[72])
    assert text_encoder.encode_text([]).shape == (0, text_encoder.dimension)


def test_threads_get_the_same_rows(ours):
    text_encoder = load_text_encoder(ours)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: text_encoder.encode_text([TEXTS[n % 3]])[0], range(24)))
    alone = [text_encoder.encode_text([text])[0] for text in TEXTS]
    for n, row in enumerate(found):
        torch.testing.assert_close(row, alone[n % 3])


def test_fingerprint_names_the_text_half_and_nothing_else(ours, clip, tmp_path):
    name = load_text_encoder(ours).fingerprint
    assert len(name) == 64 and name == load_text_encoder(ours).fingerprint
    other_image = tiny_dual_encoder()
    for parameter in other_image.image_encoder.parameters():
        parameter.data.zero_()
    assert load_text_encoder(save_dual_encoder(other_image, tmp_path / "a")).fingerprint == name
    other_text = tiny_dual_encoder()
    other_text.text_projection[2].bias.data[0] += 1
    names = {
        name,
        load_text_encoder(clip).fingerprint,
        load_text_encoder(save_dual_encoder(other_text, tmp_path / "b")).fingerprint,
    }
    assert len(names) == 3


@pytest.mark.parametrize("texts", ["lung", [""], ["lung", " "], [3], [None]])
def test_what_is_no_list_of_texts_is_refused(ours, texts):
    with pytest.raises(ValueError, match="expected .*texts"):
        load_text_encoder(ours).encode_text(texts)


def test_folders_that_do_not_serve(ours, clip, tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        load_text_encoder(tmp_path / "nowhere")
    state = {n: v for n, v in tiny_dual_encoder().state_dict().items() if n[:5] == "image"}
    config = {"architecture": tiny_dual_encoder().config.to_dict()}
    files = {"tokenizer.json": tiny_tokenizer().to_str()}
    with pytest.raises(ValueError, match="fit its architecture"):
        load_text_encoder(save_checkpoint(tmp_path / "half", state, config, files=files))
    (tmp_path / "vit").mkdir()
    (tmp_path / "vit" / "config.json").write_text(json.dumps({"model_type": "vit"}))
    with pytest.raises(ValueError, match="CLIP's text model in .* got 'vit'"):
        load_text_encoder(tmp_path / "vit")
