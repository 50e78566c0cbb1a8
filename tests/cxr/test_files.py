"""A folder is replaced whole, with one system call or with two."""

from __future__ import annotations

import pytest

from cxr import files
from cxr.files import read_json, replace_folder, write_json


@pytest.fixture
def folders(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    return tmp_path / "new", tmp_path / "old"


@pytest.mark.parametrize("exchange", [None, lambda new, target: False], ids=["one", "two"])
def test_replaces_a_folder_and_leaves_nothing_else(folders, monkeypatch, exchange):
    if exchange:
        monkeypatch.setattr(files, "_exchange", exchange)
    new, old = folders
    replace_folder(new, old)
    assert [p.name for p in old.iterdir()] == ["new.txt"]
    assert [p.name for p in old.parent.iterdir()] == ["old"]


def test_takes_a_free_name(folders, tmp_path):
    replace_folder(folders[0], tmp_path / "free")
    assert (tmp_path / "free" / "new.txt").read_text() == "new"


def test_json_round_trip(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "größer"})
    assert read_json(tmp_path / "a.json", "a file") == {"b": 1, "a": "größer"}
    assert "größer" in (tmp_path / "a.json").read_text("utf-8")


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b"\xff\xfe"])
def test_what_is_no_json_object(tmp_path, content):
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match="expected the header"):
        read_json(tmp_path / "a.json", "the header")
