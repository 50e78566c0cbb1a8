"""python -m cxr report: what it says of a picture that is no chest X-ray."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from drawn_models import PLACES, DrawnLocalizer
from reporting_parts import save_reporting
from tiny import tiny_dual_encoder

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.cli.main import main
from cxr.localization import Localizer


@pytest.fixture(scope="module")
def words(tmp_path_factory, film) -> list[str]:
    """The command for an image and a gate that refuses every image."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("report")
    encoder = save_dual_encoder(tiny_dual_encoder(), root / "encoder")
    save_reporting(root / "refusing", fingerprint(encoder), limit=0)
    film(1).save(root / "film.png")
    folders = [f"--weights={encoder}", f"--reporting={root / 'refusing'}"]
    return ["report", str(root / "film.png"), *folders]


def test_a_picture_that_is_no_chest_film_is_code_2(words, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.splitlines()) == 1
    assert "not look like a frontal chest X-ray" in captured.err and "--force" in captured.err


def test_in_json_the_document_says_so_too(words, capsys):
    assert main([*words, "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["in_domain"] is False and document["findings"] == []


def test_forced_it_is_read(words, capsys):
    assert main([*words, "--force"]) == 0
    captured = capsys.readouterr()
    assert "For education" in captured.out and "not look like" in captured.err


def test_a_mirrored_film_is_warned_of(words, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "reporting"
    encoder = next(word for word in words if word.startswith("--weights=")).partition("=")[2]
    save_reporting(folder, fingerprint(Path(encoder)), limit=1e9)
    monkeypatch.setattr(Localizer, "load", lambda *_: DrawnLocalizer())
    accepted = [word for word in words if not word.startswith("--reporting=")]
    command = [*accepted, f"--reporting={folder}", f"--localizer={tmp_path}"]
    assert main(command) == 0
    assert "mirrored" not in capsys.readouterr().err
    monkeypatch.setitem(PLACES, "heart and mediastinum", (0.42, 0.7, 0.1, 0.1))
    assert main(command) == 0
    assert "seems to be mirrored" in capsys.readouterr().err


def test_the_image_as_a_whole_comes_first(words, tmp_path, capsys):
    folder = tmp_path / "reporting"
    encoder = next(word for word in words if word.startswith("--weights=")).partition("=")[2]
    save_reporting(folder, fingerprint(Path(encoder)), judged=True)
    command = [*words, f"--reporting={folder}"]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("  0.95  0.95-0.95  looks abnormal as a whole\n")
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["overall"]["word"] == "looks abnormal"
