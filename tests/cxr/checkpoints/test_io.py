"""Checkpoints round-trip, keep within their size, refuse what is missing, corrupt or hostile."""

from __future__ import annotations

import json
import pickle
import struct

import pytest
import torch
from safetensors.torch import save_file

from cxr.checkpoints.fingerprints import fingerprint
from cxr.checkpoints.format import resolve
from cxr.checkpoints.io import load_checkpoint, save_checkpoint


def state(seed: int = 0) -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return {
        "a.weight": torch.randn(64, 32, generator=g),
        "a.bias": torch.randn(64, generator=g),
        "steps": torch.tensor(7),
        "words": torch.randn(500, 16, generator=g),
    }


@pytest.fixture
def saved(tmp_path):
    return save_checkpoint(tmp_path / "model", state(), {"architecture": {"width": 32}})


@pytest.fixture
def sharded(tmp_path):
    return save_checkpoint(tmp_path / "sharded", state(), {"architecture": {}}, shard_mb=0.006)


def test_round_trip_in_half_precision(saved):
    config, loaded = load_checkpoint(saved)
    assert config["architecture"] == {"width": 32}
    for name, tensor in state().items():
        stored = tensor.half().float() if tensor.is_floating_point() else tensor
        assert loaded[name].dtype == stored.dtype
        assert torch.equal(loaded[name], stored), name
    assert loaded["a.weight"].dtype == torch.float32
    assert (saved / "model.safetensors").stat().st_size < 2 * (64 * 32 + 64 + 8000) + 2000
    assert sorted(p.name for p in saved.iterdir()) == ["config.json", "model.safetensors"]
    assert all(p.stat().st_mode & 0o044 == 0o044 for p in (saved, *saved.iterdir()))
    assert list(saved.parent.iterdir()) == [saved], "a temporary folder was left behind"


def test_shards_stay_within_their_size_and_give_the_same_tensors(saved, sharded):
    shards = list(sharded.glob("model-*.safetensors"))
    assert len(shards) > 2 and not (sharded / "model.safetensors").exists()
    assert max(p.stat().st_size for p in shards) <= 6000  # "words" alone is 16,000 bytes
    whole, parts = load_checkpoint(saved)[1], load_checkpoint(sharded)[1]
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[k], parts[k]) for k in whole)


def test_a_few_large_rows_stay_within_the_size_too(tmp_path):
    tensors = {"wide": torch.arange(4500.0).reshape(3, 1500), "one": torch.ones(2000)}
    folder = save_checkpoint(tmp_path / "m", tensors, {}, shard_mb=0.01, dtype=torch.float32)
    # Two rows of 6,000 bytes would be more than 10,000.
    assert max(p.stat().st_size for p in folder.glob("model-*.safetensors")) <= 10_000
    loaded = load_checkpoint(folder)[1]
    assert all(torch.equal(loaded[name], value) for name, value in tensors.items())
    with pytest.raises(ValueError, match=r"a row of 'wide' \[3, 1500\]"):
        save_checkpoint(tmp_path / "n", tensors, {}, shard_mb=0.005, dtype=torch.float32)
    assert list(tmp_path.iterdir()) == [folder]


def test_saving_again_keeps_other_files_and_drops_old_weights(sharded):
    (sharded / "tokenizer.json").write_text("{}")
    (sharded / "notes").mkdir()
    for name in ("a.txt", "config.json", "model.safetensors", "README.md"):
        (sharded / "notes" / name).write_text("kept")
    save_checkpoint(sharded, state(1), {}, metrics={"recall": 0.5}, card="# Card")
    assert not list(sharded.glob("model-*")), "shards of the former weights remain"
    assert (sharded / "tokenizer.json").read_text() == "{}"
    assert {p.name: p.read_text() for p in (sharded / "notes").iterdir()} == dict.fromkeys(
        ("a.txt", "config.json", "model.safetensors", "README.md"), "kept"
    )
    assert json.loads((sharded / "metrics.json").read_text()) == {"recall": 0.5}
    assert (sharded / "README.md").read_text() == "# Card"
    save_checkpoint(sharded, state(2), {})
    assert not (sharded / "README.md").exists(), "the card of the former weights remains"
    assert not (sharded / "metrics.json").exists(), "the former weights' numbers remain"
    assert torch.equal(load_checkpoint(sharded)[1]["a.bias"], state(2)["a.bias"].half().float())


def test_a_failed_save_leaves_the_former_checkpoint(saved):
    before = fingerprint(saved)
    broken = {**state(), "a.bias": torch.tensor([1.0, float("nan")])}
    with pytest.raises(ValueError, match="a.bias"):
        save_checkpoint(saved, broken, {})
    assert fingerprint(saved) == before and list(saved.parent.iterdir()) == [saved]


def test_values_too_large_for_half_precision_are_kept(tmp_path):
    folder = save_checkpoint(tmp_path / "m", {"var": torch.tensor([1e6, 1e-3])}, {})
    assert torch.equal(load_checkpoint(folder)[1]["var"], torch.tensor([1e6, 1e-3]))


def test_tied_and_strided_tensors_can_be_saved(tmp_path):
    base = torch.arange(6.0).reshape(2, 3)
    tensors = {"a": base, "b": base, "t": base.T}
    folder = save_checkpoint(tmp_path / "m", tensors, {}, dtype=torch.float32)
    loaded = load_checkpoint(folder)[1]
    assert torch.equal(loaded["b"], base) and torch.equal(loaded["t"], base.T)


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_truncated_weights(saved, keep):
    file = saved / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match="truncated or corrupt"):
        load_checkpoint(saved)


def test_header_that_claims_an_absurd_size(saved):
    (saved / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    with pytest.raises(ValueError, match="truncated or corrupt"):
        load_checkpoint(saved)


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def test_pickles_are_never_opened(saved):
    (saved / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="truncated or corrupt"):
        load_checkpoint(saved)
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    with pytest.raises(ValueError, match="no such file"):
        load_checkpoint(saved)


def test_missing_shard(sharded):
    (sharded / sorted(p.name for p in sharded.glob("model-*"))[1]).unlink()
    with pytest.raises(ValueError, match="no such file"):
        load_checkpoint(sharded)
    with pytest.raises(ValueError, match="no such file"):
        fingerprint(sharded)


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/passwd", "x/model.safetensors", 3])
def test_index_that_leaves_the_folder(sharded, name):
    save_file({"a.bias": torch.zeros(64)}, sharded.parent / "secret.safetensors")
    index = sharded / "model.safetensors.index.json"
    document = json.loads(index.read_text())
    document["weight_map"]["a.bias"] = name
    index.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="do not use this checkpoint"):
        load_checkpoint(sharded)


def test_index_that_disagrees_with_its_files(sharded):
    index = sharded / "model.safetensors.index.json"
    document = json.loads(index.read_text())
    document["weight_map"]["extra"] = document["weight_map"]["a.bias"]
    index.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="extra"):
        load_checkpoint(sharded)


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", '{"weight_map": 3}'])
def test_unreadable_index(sharded, text):
    (sharded / "model.safetensors.index.json").write_text(text)
    with pytest.raises(ValueError, match=r"index"):
        load_checkpoint(sharded)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_unreadable_config(saved, text):
    (saved / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        load_checkpoint(saved)


@pytest.mark.parametrize("version", [2, "1"])
def test_newer_format_is_refused(saved, version):
    (saved / "config.json").write_text(json.dumps({"format_version": version}))
    with pytest.raises(ValueError, match="update this package"):
        load_checkpoint(saved)


def test_missing_folder(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        load_checkpoint(tmp_path / "nowhere")


def test_fingerprint_names_what_an_embedding_depends_on(tmp_path):
    names = {
        "first": (state(), {"architecture": {"a": 1, "b": 2}}, "{}"),
        "same": (state(), {"architecture": {"b": 2, "a": 1}, "training": "otherwise"}, "{}"),
        "weights": (state(1), {"architecture": {"a": 1, "b": 2}}, "{}"),
        "architecture": (state(), {"architecture": {"a": 1, "b": 3}}, "{}"),
        "tokenizer": (state(), {"architecture": {"a": 1, "b": 2}}, "[]"),
    }
    folders = {
        name: save_checkpoint(tmp_path / name, tensors, config, files={"tokenizer.json": tokenizer})
        for name, (tensors, config, tokenizer) in names.items()
    }
    (folders["same"] / "README.md").write_text("a card changes nothing")
    found = {name: fingerprint(folder) for name, folder in folders.items()}
    assert all(len(name) == 64 for name in found.values())
    assert found.pop("same") == found["first"]
    assert len(set(found.values())) == 4


@pytest.mark.parametrize(
    "address", ["hf://", "hf://name", "hf://a/b/c", "hf://a/", "hf://datasets/x"]
)
def test_bad_hub_addresses(address):
    with pytest.raises(ValueError, match="hf://owner/name"):
        resolve(address)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """A Hub cache that holds owner/model at one commit, and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    repo = tmp_path / "hub" / "models--owner--model"
    commit = "0123456789abcdef0123456789abcdef01234567"
    save_checkpoint(repo / "snapshots" / commit, state(), {"architecture": {}})
    for name in ("main", "v1"):
        (repo / "refs").mkdir(exist_ok=True)
        (repo / "refs" / name).write_text(commit)
    return repo / "snapshots" / commit


@pytest.mark.parametrize("address", ["hf://owner/model", "hf://owner/model@v1"])
def test_hub_checkpoint_from_the_cache_without_network(offline, address):
    assert resolve(address) == offline
    assert load_checkpoint(address)[1]["a.bias"].shape == (64,)


def test_failed_download_is_a_value_error(offline):
    for address in ("hf://owner/other", "hf://owner/model@v2", "hf://datasets/owner/model"):
        with pytest.raises(ValueError, match="nothing is cached"):
            resolve(address)
