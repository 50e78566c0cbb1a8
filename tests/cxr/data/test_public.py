"""Public data sets: fetched once, resumed, checked, unpacked whole and only where they belong."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
import zipfile
from hashlib import sha256

import pytest
from filelock import FileLock
from public_archives import listing, publish, tar

import cxr
from cxr.data import public as public_sets
from cxr.data.annotations import load_annotations
from cxr.data.archives import unpack
from cxr.data.download import download
from cxr.data.public import NIH_ARCHIVES, fetch_set, sources


@pytest.fixture
def published(hub, film, monkeypatch):
    publish(hub, film, monkeypatch)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return hub


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("openi", {"cardiomegaly"}),
        ("nih-sample", {"cardiomegaly", "mass"}),
        ("chexpert", {"cardiomegaly"}),
    ],
)
def test_a_set_is_fetched_and_can_be_read(published, tmp_path, name, findings):
    folder = fetch_set(name, tmp_path / "data")
    studies = cxr.load_studies(folder)
    assert {finding for study in studies for finding in study.positive} == findings
    assert all(cxr.load_image(study.image).mode == "L" for study in studies)
    left = {path.name for path in (tmp_path / "data").iterdir()}
    assert not [name for name in left if name.endswith((".part", ".json.part", "tgz", "zip"))]
    record = json.loads((tmp_path / "data" / "fetched.json").read_text())
    for file, about in record.items():
        content = published.files[f"{name}/{file}"]
        assert about == {
            "url": f"{published.address}/files/{name}/{file}",
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
        }
    published.log.clear()
    assert fetch_set(name, tmp_path / "data") == folder and not published.log


def test_outlines_are_fetched_into_the_folder_of_the_films(published, tmp_path):
    folder = fetch_set("nih-sample", tmp_path / "nih")
    assert fetch_set("chestx-det", tmp_path / "nih") == folder
    found = load_annotations(folder, cxr.load_studies(folder))
    (box,) = found["00000001_000"].outlines
    assert box.target == "pleural effusion" and box.points[0] == (0.25, 0.5)
    readings = found["00000002_000"].readings
    assert readings["mass"] == 0 and "cardiomegaly" not in readings  # ten were looked for
    assert {"chestxdet10_train.json", "chestxdet10_test.json"} <= set(
        json.loads((folder / "fetched.json").read_text())
    )


def test_the_published_addresses(monkeypatch):
    monkeypatch.delenv(public_sets.MIRROR, raising=False)
    monkeypatch.delenv("KAGGLE_API_ENDPOINT", raising=False)
    everything = [one for name in ("openi", "chexpert", "chestx-det") for one in sources(name)]
    everything += sources("nih-sample", NIH_ARCHIVES)
    assert all(one.url.startswith("https://") for one in everything)
    archives = [one for one in everything if one.name.startswith("images_")]
    assert len({one.url for one in archives}) == len({one.md5 for one in archives}) == 12
    for bad in (0, 13):
        with pytest.raises(ValueError, match="1 to 12 archives"):
            sources("nih-sample", bad)
    with pytest.raises(ValueError, match="openi, nih-sample, chexpert"):
        sources("mimic")


def test_a_cut_connection_is_taken_up_again(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)
    hub.files["set/file"] = os.urandom(1000)
    hub.fault("GET /files", cut=350, times=2)
    received = download(f"{hub.address}/files/set/file", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == hub.files["set/file"]
    assert received.sha256 == sha256(hub.files["set/file"]).hexdigest()
    assert len(hub.asked("GET .* Range")) == 2 and listing(tmp_path) == {"file"}


def test_a_later_run_goes_on_where_the_former_stopped(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)
    url, path = f"{hub.address}/files/set/file", tmp_path / "file"
    hub.files["set/file"] = os.urandom(1000)
    hub.fault("GET /files", cut=350)
    hub.fault("GET /files", status=500, times=99)
    with pytest.raises(ValueError, match="got 500 from the server; try again later"):
        download(url, path)
    assert (tmp_path / "file.part").stat().st_size == 300 and not path.exists()
    hub.faults.clear()
    hub.fault("HEAD /files", status=503)  # a server in trouble costs nothing of what is there
    download(url, path)
    assert hub.log[-1].endswith(" Range") and path.read_bytes() == hub.files["set/file"]


def test_the_beginning_of_another_file_is_dropped(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)
    url, path = f"{hub.address}/files/set/file", tmp_path / "file"
    hub.files["set/file"] = b"a" * 1000
    hub.fault("GET /files", cut=350)
    hub.fault("GET /files", status=500, times=99)
    with pytest.raises(ValueError, match="got 500"):
        download(url, path)
    hub.faults.clear()
    hub.files["set/file"] = b"b" * 1000
    download(url, path)
    assert path.read_bytes() == b"b" * 1000


def test_a_wrong_checksum_is_thrown_away(published, tmp_path):
    published.fault("GET .*images_001", mask_patches=True)
    with pytest.raises(ValueError, match="images_001.tar.gz with the published md5 .* run this"):
        fetch_set("nih-sample", tmp_path)
    assert listing(tmp_path) == {"Data_Entry_2017_v2020.csv", "fetched.json"}
    fetch_set("nih-sample", tmp_path)
    assert "images_001/images/00000001_000.png" in listing(tmp_path)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 404}, "got 404 from the server; check the address"),
        ({"status": 403}, "got 403: the key is not valid, or may not do this"),
        ({"status": 503}, "got 503 from the server; try again later"),
        ({"stall": True}, "the server did not answer"),
    ],
)
def test_refusals_and_silence(published, tmp_path, monkeypatch, fault, expected):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    published.fault("/files", times=99, **fault)
    with pytest.raises(ValueError, match="expected to fetch http") as caught:
        fetch_set("openi", tmp_path / "data")
    assert expected in str(caught.value) and "\n" not in str(caught.value)
    published.closing.set()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_while_fetching(hub, tmp_path):
    hub.files["set/file"] = b"content"
    url = f"{hub.address}/files/set/file"
    note = {"url": url, "size": 7, "version": f'"{sha256(b"content").hexdigest()}"'}
    (tmp_path / "file.part.json").write_text(json.dumps(note))
    (tmp_path / "file.part").symlink_to("/dev/full")
    with pytest.raises(ValueError, match="the disk is full; make room, or give another --out"):
        download(url, tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_an_interrupted_unpacking_leaves_nothing_half(published, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "cxr.data.archives._copy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        fetch_set("openi", tmp_path)
    assert listing(tmp_path) == {"NLMCXR_reports.tgz", "fetched.json"}
    monkeypatch.undo()
    stale = tmp_path / ".reports.unpacking" / "half"  # of a run that was killed
    stale.mkdir(parents=True)
    monkeypatch.setenv(public_sets.MIRROR, f"{published.address}/files")
    published.log.clear()
    assert len(cxr.load_studies(fetch_set("openi", tmp_path))) == 1
    assert not stale.exists() and not published.asked("NLMCXR_reports"), "fetched twice"


def test_two_at_once_are_told_apart(published, tmp_path):
    with FileLock(tmp_path / ".fetch.lock"):
        with pytest.raises(ValueError, match="another fetch is at work"):
            fetch_set("openi", tmp_path)


def hostile(kind: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(
        {"up": "../out.png", "root": "/tmp/out.png", "drive": "C:/out.png"}.get(kind, "link.png")
    )
    entry.type = {
        "symlink": tarfile.SYMTYPE,
        "hard": tarfile.LNKTYPE,
        "device": tarfile.CHRTYPE,
        "pipe": tarfile.FIFOTYPE,
    }.get(kind, tarfile.REGTYPE)
    entry.linkname = "/etc/passwd"
    return entry


@pytest.mark.parametrize("kind", ["up", "root", "drive", "symlink", "hard", "device", "pipe"])
def test_hostile_archives_write_nothing(published, tmp_path, kind):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(hostile(kind))
    published.files["openi/NLMCXR_reports.tgz"] = buffer.getvalue()
    with pytest.raises(ValueError, match="do not use this archive"):
        fetch_set("openi", tmp_path / "data")
    assert listing(tmp_path) <= {"data/fetched.json", "hub cache/CACHEDIR.TAG"}


@pytest.mark.parametrize("keep", [0, 10, -40])
def test_damaged_archives_are_fetched_again(published, tmp_path, keep):
    whole = published.files["openi/NLMCXR_png.tgz"]
    published.files["openi/NLMCXR_png.tgz"] = whole[:keep]
    with pytest.raises(ValueError, match="expected a readable ZIP or tar archive"):
        fetch_set("openi", tmp_path)
    assert not (tmp_path / "images").exists() and not (tmp_path / "NLMCXR_png.tgz").exists()
    published.files["openi/NLMCXR_png.tgz"] = whole
    assert len(cxr.load_studies(fetch_set("openi", tmp_path))) == 1


def test_a_tar_archive_may_not_grow_past_its_limits(tmp_path):
    (tmp_path / "big.tgz").write_bytes(tar({"a": b"0" * 5000, "b": b"1"}))
    for limit in ({"max_bytes": 5000}, {"max_files": 1}):
        with pytest.raises(ValueError, match="got more; unpack it yourself"):
            unpack(tmp_path / "big.tgz", tmp_path / "out", **limit)
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        entry = zipfile.ZipInfo("pipe")
        entry.external_attr = 0o010644 << 16
        archive.writestr(entry, "")
    with pytest.raises(ValueError, match="plain files"):
        unpack(tmp_path / "link.zip", tmp_path / "out")


@pytest.fixture
def kaggle(published, monkeypatch, tmp_path):
    """Kaggle's API on the server, which sends one on to another host, as the real one does."""
    monkeypatch.delenv(public_sets.MIRROR)
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "kaggle"))
    monkeypatch.setenv("KAGGLE_API_ENDPOINT", published.address)
    published.kaggle = "Basic " + base64.b64encode(b"me:secret").decode()
    return published


def test_chexpert_says_how_to_get_it(kaggle, tmp_path):
    with pytest.raises(ValueError, match="expected a key for Kaggle, found none; accept .* kaggle"):
        fetch_set("chexpert", tmp_path / "data")
    assert not kaggle.log and not (tmp_path / "data").exists()


@pytest.mark.parametrize("place", ["environment", "file", "token"])
def test_chexpert_with_a_key(kaggle, tmp_path, monkeypatch, place):
    if place == "file":
        (tmp_path / "kaggle").mkdir()
        (tmp_path / "kaggle" / "kaggle.json").write_text('{"username": "me", "key": "secret"}')
    elif place == "token":
        kaggle.kaggle = "Bearer newer"
        monkeypatch.setenv("KAGGLE_API_TOKEN", "newer")
    else:
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "secret")
    (study,) = cxr.load_studies(fetch_set("chexpert", tmp_path / "data"))
    assert study.findings["cardiomegaly"] == 1 and not kaggle.leaked
    kaggle.kaggle = "another"
    with pytest.raises(ValueError, match="got 401: the key is not valid"):
        fetch_set("chexpert", tmp_path / "other")
