"""Checkpoints go to the Hub and come back the same, whole and checked, or not at all."""

from __future__ import annotations

import json
import socket

import pytest
import torch
from hub_checkpoints import fails, make_checkpoint, same, state
from hub_repos import Blob

from cxr.checkpoints.format import resolve
from cxr.checkpoints.io import load_checkpoint, save_checkpoint
from cxr.checkpoints.push import pull_checkpoint, push_checkpoint
from cxr.cli.main import main
from cxr.generation.memorization import FILE


@pytest.fixture
def saved(tmp_path):
    return make_checkpoint(tmp_path / "model")


@pytest.fixture
def pushed(saved, hub):
    return push_checkpoint(saved, "owner/model")


def test_a_checkpoint_makes_the_round_trip(saved, hub, pushed, tmp_path):
    repo = hub.repos["models", "owner/model"]
    assert repo.private and pushed == f"hf://owner/model@{repo.refs['main']}"
    files = repo.commits[repo.refs["main"]]
    assert set(files) == {file.name for file in saved.iterdir()} - {"pytorch_model.bin"}
    assert files["README.md"].content == (saved / "README.md").read_bytes()
    assert [name for name, blob in files.items() if blob.large] == [
        f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)
    ]
    for address in (pushed, "hf://owner/model", "hf://owner/model@main"):
        assert same(address, saved)
    assert pull_checkpoint(pushed, tmp_path / "pulled") == tmp_path / "pulled"
    assert same(tmp_path / "pulled", saved)
    assert not [file for file in (tmp_path / "pulled").iterdir() if file.is_symlink()]
    assert not hub.leaked, "the token went to the storage host"


def test_a_second_load_fetches_nothing_again(hub, pushed):
    load_checkpoint(pushed)
    assert hub.asked("GET /storage")
    hub.log.clear()
    load_checkpoint("hf://owner/model")
    assert not hub.asked("GET /storage|resolve")


def test_new_weights_replace_the_former_ones_and_a_revision_keeps_its_own(saved, hub, pushed):
    save_checkpoint(saved, state(1), {"architecture": {}})
    newer = push_checkpoint(saved, "owner/model")
    files = hub.repos["models", "owner/model"].commits[newer.rpartition("@")[2]]
    assert set(files) == {"config.json", "model.safetensors", "README.md"}
    assert "Out of scope" in files["README.md"].content.decode()
    assert torch.equal(load_checkpoint("hf://owner/model")[1]["b"], state(1)["b"].half().float())
    assert torch.equal(load_checkpoint(pushed)[1]["b"], state(0)["b"].half().float())


def test_only_a_checkpoints_own_files_go_and_only_those_are_replaced(saved, hub):
    save_checkpoint(
        saved,
        state(),
        {"architecture": {}},
        {"measured": 1},
        files={"trials.json": "[]", "tokenizer.json": "{}"},
    )
    (saved / "reliability.png").write_bytes(b"a plot")
    (saved / FILE).write_bytes(b"fingerprints of films")
    own = {file.name for file in saved.iterdir()} - {"pytorch_model.bin"} | {"README.md"}
    for name in (
        "samples.png",
        "curves.png",
        "token.txt",
        "kaggle.json",
        ".token.json",
        "notes.md",
        "optimizer.safetensors",
        "model-00001-of-00009.safetensors",
    ):
        (saved / name).write_bytes(b"of its owner alone")
    theirs = ("notes.json", "film.png", "sub/config.json", "sub/model-00001-of-00002.safetensors")
    stale = ("merges.txt", "model-00001-of-00002.safetensors")
    hub.repo("owner/model", private=True).commit(
        {name: Blob(b"there before", False) for name in (*theirs, *stale)}
    )
    address = push_checkpoint(saved, "owner/model")
    files = hub.repos["models", "owner/model"].commits[address.rpartition("@")[2]]
    assert set(files) == own | set(theirs)


def test_private_means_private(saved, hub, monkeypatch):
    assert not hub.repos
    push_checkpoint(saved, "owner/open", private=False)
    assert not hub.repos["models", "owner/open"].private
    with pytest.raises(ValueError, match="expected a private repository .* it is public"):
        push_checkpoint(saved, "owner/open")
    push_checkpoint(saved, "owner/closed")
    monkeypatch.delenv("HF_TOKEN")
    assert "no such repository, or it is private; check the name, or log in" in fails(
        "hf://owner/closed"
    )
    with pytest.raises(ValueError, match="log in with: hf auth login"):
        push_checkpoint(saved, "owner/third")


def test_damaged_checkpoints_are_not_pushed(saved, hub):
    shard = sorted(saved.glob("*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(ValueError, match="truncated or corrupt"):
        push_checkpoint(saved, "owner/model")
    assert not hub.log


def test_an_upload_that_was_cut_off_goes_on(saved, hub, pushed):
    save_checkpoint(saved, state(2), {"architecture": {}}, shard_mb=0.005)
    hub.fault("POST .*/commit/", status=500, times=99)
    with pytest.raises(ValueError, match="got 500 from the server; try again later"):
        push_checkpoint(saved, "owner/model")
    hub.faults.clear()
    hub.log.clear()
    push_checkpoint(saved, "owner/model")
    assert not hub.asked("PUT /storage"), "large files were sent twice"
    assert same("hf://owner/model", saved)


def test_a_download_goes_on_where_the_connection_was_cut(hub, pushed, saved, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)  # what is kept
    hub.fault("GET /storage", cut=300, times=3)
    assert same(pushed, saved)
    assert len(hub.asked("GET /storage.* Range")) == 3


def test_a_wrong_checksum_is_found_and_thrown_away(hub, pushed, saved):
    hub.fault("GET /storage", mask_patches=True)
    line = fails(pushed)
    assert "safetensors of hf://owner/model@" in line and "with checksum" in line
    assert same(pushed, saved), "the damaged file is still there"


def test_small_files_are_checked_too(hub, pushed, saved):
    hub.fault("GET .*config.json", mask_patches=True)
    assert "expected config.json of" in fails(pushed)
    assert same(pushed, saved)


def test_a_download_that_was_killed_before_the_check_is_checked_later(hub, pushed, monkeypatch):
    hub.fault("GET /storage", mask_patches=True)
    with monkeypatch.context() as patch:
        patch.setattr(
            "cxr.hub.repository._check", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            resolve(pushed)
    assert "with checksum" in fails(pushed)


def test_the_cache_serves_when_nothing_answers(hub, pushed, saved, monkeypatch):
    from huggingface_hub import constants

    load_checkpoint("hf://owner/model")
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # a port where nothing listens
    for endpoint in (f"http://127.0.0.1:{closed.getsockname()[1]}", hub.address):
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", endpoint == hub.address)
        hub.log.clear()
        for address in ("hf://owner/model", pushed):
            assert same(address, saved)
        assert not hub.log
    assert "HF_HUB_OFFLINE=1 is set and nothing is cached" in fails("hf://owner/other")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
    line = fails("hf://owner/other")
    assert "the Hub did not answer" in line and "nothing is cached" in line
    assert "give a local folder" in line


def test_half_a_download_is_told_from_none(hub, pushed, monkeypatch):
    from huggingface_hub import constants

    hub.fault("GET /storage", status=404, times=99)
    assert "got 404 from the server" in fails()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "only a part of it was downloaded" in fails()


def test_pulling_replaces_only_what_it_may(hub, pushed, saved, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="add --overwrite"):
        pull_checkpoint(pushed, saved)
    with pytest.raises(ValueError, match=r"holds pytorch_model\.bin; move that away"):
        pull_checkpoint(pushed, saved, overwrite=True)
    (saved / "pytorch_model.bin").unlink()
    pull_checkpoint(pushed, saved, overwrite=True)
    for name in (".git", "app.py"):
        (saved / name).mkdir()
        with pytest.raises(ValueError, match="move that away, or give another folder"):
            pull_checkpoint(pushed, saved, overwrite=True)
        (saved / name).rmdir()
    for inside in (saved, saved / "deep"):
        inside.mkdir(exist_ok=True)
        monkeypatch.chdir(inside)
        with pytest.raises(ValueError, match="is or holds the working directory"):
            pull_checkpoint(pushed, saved, overwrite=True)
    assert same(saved, pushed)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="holds something else"):
        pull_checkpoint(pushed, tmp_path / "home", overwrite=True)
    assert (tmp_path / "home" / "thesis.txt").exists()
    with pytest.raises(ValueError, match="hf://owner/name"):
        pull_checkpoint(str(saved), tmp_path / "copy")


def test_the_command_line(hub, saved, tmp_path, capsys):
    words = ["push", str(saved), "owner/model", "--json"]
    assert main(words) == 0
    address = json.loads(capsys.readouterr().out)["address"]
    assert address.startswith("hf://owner/model@")
    again = ["pull", address, str(tmp_path / "pulled"), "--json"]
    assert main(again) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(tmp_path / "pulled")}
    assert same(tmp_path / "pulled", saved)
    capsys.readouterr()
    for words in (
        ["push", str(tmp_path), "owner/model"],
        ["push", str(saved), "model"],
        ["pull", "hf://owner/none", str(tmp_path / "new")],
        again,
    ):
        assert main(words) == 2
        printed = capsys.readouterr()
        assert not printed.out and printed.err.splitlines()[-1].startswith("cxr: expected ")


def test_the_caches_own_tool_still_reads_it(hub, pushed):
    from huggingface_hub import constants, scan_cache_dir

    load_checkpoint(pushed)
    report = scan_cache_dir(constants.HF_HUB_CACHE)
    assert [repo.repo_id for repo in report.repos] == ["owner/model"] and not report.warnings
