"""What fails between this machine and the Hub says why in one line, and what to do."""

from __future__ import annotations

import errno
import json

import pytest
from hub_checkpoints import fails, make_checkpoint, same
from hub_repos import TOKEN, Blob

from cxr.checkpoints.format import resolve
from cxr.checkpoints.io import load_checkpoint
from cxr.checkpoints.push import pull_checkpoint, push_checkpoint


@pytest.fixture
def saved(tmp_path):
    return make_checkpoint(tmp_path / "model")


@pytest.fixture
def pushed(saved, hub):
    return push_checkpoint(saved, "owner/model")


@pytest.mark.parametrize(
    ("about", "token", "expected"),
    [
        (
            {"gated": True},
            TOKEN,
            "got 403: it is gated and you were not let in yet; ask for access",
        ),
        ({"gated": True}, None, "got 401: it is gated"),
        (None, TOKEN, "got 404: there is no such repository, or it is private"),
        (None, None, "got 401: there is no such repository, or it is private"),
    ],
)
def test_refusals(hub, saved, monkeypatch, about, token, expected):
    if about:
        hub.add("owner/model", saved, **about)
    if not token:
        monkeypatch.delenv("HF_TOKEN")
    assert expected in fails()
    assert len(hub.asked("owner/model")) == 1, "a refusal was not taken for an answer"


def test_a_missing_revision(hub, pushed):
    assert "no such revision; give a branch, a tag or a commit" in fails("hf://owner/model@v9")
    assert "no such revision" in fails("hf://owner/model@" + "0" * 40)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(hub, pushed, saved, monkeypatch, status):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.fault("GET .*/revision/main", status=status, times=2)
    hub.fault("GET .*/tree/", status=status)
    hub.fault("HEAD .*/resolve/", status=status)
    hub.fault("GET /storage", status=status)
    assert same("hf://owner/model", saved)
    assert not any(fault.times for fault in hub.faults), "a fault that never came"


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_stays_busy(hub, pushed, saved, monkeypatch, status):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.log.clear()
    hub.fault(".*", status=status, times=999)
    assert f"got {status} from the Hub and nothing is cached; try again later" in fails()
    assert 2 <= len(hub.log) <= 8
    hub.faults.clear()
    load_checkpoint("hf://owner/model")
    hub.fault(".*", status=status, times=999)
    assert same("hf://owner/model", saved), "the cache does not serve"


def test_retry_after_is_heeded(hub, pushed, monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    hub.fault("GET /api/models", status=429, headers={"Retry-After": "7"})
    load_checkpoint("hf://owner/model")
    assert waits == [7]


@pytest.mark.parametrize("where", ["GET .*/revision/main", "GET .*/tree/", "GET /storage"])
def test_a_server_that_never_answers(hub, pushed, monkeypatch, where):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.1)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.fault(where, stall=True, times=99)
    line = fails()
    assert "did not answer" in line and "check the network" in line
    hub.closing.set()


def test_a_newer_format_is_refused_and_not_copied(hub, saved, tmp_path):
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**config, "format_version": 2}))
    hub.add("owner/model", saved)
    assert "update this package" in fails()
    with pytest.raises(ValueError, match="update this package"):
        pull_checkpoint("hf://owner/model", tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()


def test_a_repository_without_a_checkpoint(hub):
    hub.repo("owner/model").commit({"readme.txt": Blob(b"hello", False)})
    assert "found no such file" in fails()


@pytest.mark.parametrize("place", ["huggingface_hub.file_download.http_get", "shutil.copyfile"])
def test_a_full_disk(hub, pushed, monkeypatch, tmp_path, place):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    if place == "shutil.copyfile":
        resolve(pushed)
    monkeypatch.setattr(place, full)
    with pytest.raises(ValueError, match="the disk is full; make room, or .* (disk|folder)"):
        pull_checkpoint(pushed, tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".pulled")]
