"""What ships is found from any working directory, and what lies there comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

import cxr
from cxr import defaults
from cxr.checkpoints.format import resolve
from cxr.defaults import find_shipped

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    defaults.RETRIEVAL,
    defaults.LOCALIZER,
    defaults.GENERATOR,
    defaults.REPORTING,
    defaults.GALLERY,
]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_folders_are_found_from_elsewhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_shipped(name) == find_shipped(Path(name)) == ROOT / name
    (tmp_path / name).mkdir(parents=True)
    assert find_shipped(name) == Path(name)


def test_other_folders_are_taken_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("weights", "tests", "weights/other", "../weights/retrieval", str(tmp_path)):
        assert find_shipped(name) == Path(name)


def test_a_service_loads_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve("weights/generator") == ROOT / "weights/generator"
    assert cxr.Sampler.load().sample("cardiomegaly", 1)[0].size == (128, 128)
