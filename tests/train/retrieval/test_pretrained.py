"""Published weights: timm's and torchvision's names, the Hub's layouts, and no code in a pickle."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from published_weights import make_pickled_text_model, make_timm_folder
from safetensors.torch import load_file, save_file
from training_data import make_nih, make_text_model, training_options

from cxr.images.load import Preprocess, load_image
from cxr.models.backbones import create_backbone
from cxr.retrieval.retriever import Retriever
from train.retrieval import train as retrieval
from train.retrieval.pretrained import load_backbone, load_text_model


@pytest.mark.parametrize("pickled", [False, True])
def test_a_backbone_starts_from_timms_own_folder(tmp_path, pickled):
    folder = make_timm_folder(tmp_path / "hub")
    state = load_file(folder / "model.safetensors")
    if pickled:
        (folder / "model.safetensors").unlink()
        torch.save(state, folder / "pytorch_model.bin")
    published = timm.create_model("resnet10t", num_classes=10)
    published.load_state_dict(state)
    backbone = create_backbone("resnet10t", Preprocess(64, channels=3))
    load_backbone(backbone, str(folder))
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = published.eval().forward_features(pixels)
        assert torch.equal(backbone.eval()(pixels)[1], expected)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_backbone_starts_from_torchvisions_own_names(tmp_path, name, suffix):
    torch.manual_seed(0)
    published = torchvision.models.get_model(name)
    path = tmp_path / f"{name}{suffix}"
    (torch.save if suffix == ".pth" else save_file)(published.state_dict(), path)
    backbone = create_backbone(f"torchvision/{name}", Preprocess(64, channels=3))
    load_backbone(backbone, str(path))
    features = (
        published.features
        if hasattr(published, "features")
        else torch.nn.Sequential(*list(published.children())[:-2])
    )
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(backbone.eval()(pixels)[1], features.eval()(pixels))


def test_weights_of_another_network_are_refused(tmp_path):
    folder = make_timm_folder(tmp_path / "hub")
    for name in ("resnet14t", "vit_tiny_patch16_224", "torchvision/resnet18"):
        with pytest.raises(ValueError, match=r"missing \["):
            load_backbone(create_backbone(name, Preprocess(64, channels=3)), str(folder))
    with pytest.raises(ValueError, match="other shapes"):
        load_backbone(create_backbone("resnet10t", Preprocess(64, channels=1)), str(folder))


@pytest.mark.parametrize("model_type", [True, False])
def test_a_text_model_of_a_pickle_and_a_word_list(tmp_path, model_type):
    published = make_pickled_text_model(tmp_path / "hub", model_type)
    config, tokenizer, model = load_text_model(str(tmp_path / "hub"))
    assert config["model_type"] == "bert" and config["hidden_dropout_prob"] == 0
    assert tokenizer.encode("Mass, edema").tokens == ["[CLS]", "mass", ",", "edema", "[SEP]"]
    loaded = {n: v for n, v in model.state_dict().items() if not n.startswith("pooler.")}
    assert loaded and all(
        torch.equal(value, published[f"bert.{name}"]) for name, value in loaded.items()
    )


def test_safetensors_come_before_a_pickle(tmp_path):
    folder = make_text_model(tmp_path / "text")
    expected = load_text_model(str(folder))[2].state_dict()
    (folder / "pytorch_model.bin").write_bytes(b"no pickle at all")
    assert all(
        torch.equal(value, expected[name])
        for name, value in load_text_model(str(folder))[2].state_dict().items()
        if not name.startswith("pooler.")
    )


class Bomb:
    """What runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_code_in_a_pickle_never_runs(tmp_path):
    make_pickled_text_model(tmp_path / "hub")
    mark = tmp_path / "it ran"
    torch.save(
        {"bert.embeddings.word_embeddings.weight": Bomb(mark)},
        tmp_path / "hub" / "pytorch_model.bin",
    )
    with pytest.raises(ValueError, match="tensors alone"):
        load_text_model(str(tmp_path / "hub"))
    assert not mark.exists()


def broken(folder: Path, file: str, content: bytes | None) -> None:
    (folder / file).unlink() if content is None else (folder / file).write_bytes(content)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pytorch_model.bin", None),
        ("pytorch_model.bin", b""),
        ("config.json", None),
        ("config.json", b"[]"),
        ("config.json", b'{"model_type": "no such model"}'),
        ("config.json", b'{"model_type": "bert", "hidden_size": "x"}'),
    ],
)
def test_a_damaged_text_model_is_a_value_error(tmp_path, file, content):
    make_pickled_text_model(tmp_path / "hub")
    broken(tmp_path / "hub", file, content)
    with pytest.raises(ValueError, match="expected"):
        load_text_model(str(tmp_path / "hub"))


def test_a_text_model_that_lacks_weights_is_refused(tmp_path):
    make_pickled_text_model(tmp_path / "hub")
    path = tmp_path / "hub" / "pytorch_model.bin"
    state = torch.load(path, weights_only=True)
    del state["bert.encoder.layer.0.output.dense.weight"]
    torch.save(state, path)
    with pytest.raises(ValueError, match="encoder.layer.0.output.dense.weight"):
        load_text_model(str(tmp_path / "hub"))


def test_the_hub_sends_only_what_is_needed(tmp_path, hub):
    pickled, safe = tmp_path / "pickled", make_text_model(tmp_path / "safe")
    make_pickled_text_model(pickled)
    for folder in (pickled, safe):
        for name in ("tf_model.h5", "flax_model.msgpack", "modeling_evil.py", "training_args.bin"):
            (folder / name).write_bytes(b"megabytes")
    (safe / "pytorch_model.bin").write_bytes(b"a pickle beside safetensors")
    hub.add("owner/pickled", pickled)
    hub.add("owner/safe", safe)
    load_text_model("hf://owner/pickled")
    sent = {line.rpartition("/")[2] for line in hub.asked("HEAD .*/resolve/")}
    assert sent == {"config.json", "pytorch_model.bin", "vocab.txt"}
    hub.log.clear()
    load_text_model("hf://owner/safe")
    sent = {line.rpartition("/")[2] for line in hub.asked("HEAD .*/resolve/")}
    assert "model.safetensors" in sent and not [n for n in sent if n.endswith((".bin", ".h5"))]


def test_the_reference_profile_from_the_hubs_formats_to_the_retriever(tmp_path):
    """What `--profile reference` does, at a size that takes seconds."""
    make_pickled_text_model(tmp_path / "clinical")
    images, data = make_timm_folder(tmp_path / "resnet"), make_nih(tmp_path / "nih")
    options = training_options(
        tmp_path,
        data,
        tmp_path / "clinical",
        "reference",
        epochs=1,
        **{"profile": "reference", "image-weights": images, "image-rate": 0, "text-rate": 0},
    )
    retrieval.main(options)
    checkpoint = tmp_path / "reference" / "checkpoint"
    retriever = Retriever.load(checkpoint, gallery=None)
    assert retriever.model.config.text.pooling == "cls"
    assert retriever.model.config.image.preprocess.channels == 3
    film = load_image(data / "images" / "00000000_000.png")
    assert retriever.encode_images([film]).shape == (1, 512)
    # At rate zero the encoders are still those that were published.
    published = load_file(images / "model.safetensors")["layer1.0.conv1.weight"]
    loaded = retriever.model.state_dict()["image_encoder.backbone.model.layer1.0.conv1.weight"]
    torch.testing.assert_close(loaded.cpu(), published, atol=1e-3, rtol=1e-3)
