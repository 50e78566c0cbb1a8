"""python -m cxr locate: numbers on stdout, pictures in files, one line for bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from reporting_parts import save_reporting
from tiny import tiny_dual_encoder

from cxr.anatomy import TARGETS
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.checkpoints.io import save_checkpoint
from cxr.cli.main import main
from cxr.images.load import Preprocess
from cxr.models.unet import LocalizerConfig, TextGuidedUNet


@pytest.fixture(scope="module")
def place(tmp_path_factory, film):
    """A plain net whose every output marks everything, and a film."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("locate")
    config = LocalizerConfig(
        "resnet18", Preprocess(64, 0.5, 0.25, 1), "none", TARGETS, decoder=(8, 8, 8, 8, 4)
    )
    model = TextGuidedUNet(config)
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.constant_(model.head.bias, 3.0)
    save_checkpoint(root / "localizer", model.state_dict(), {"architecture": config.to_dict()})
    film(1).save(root / "film.png")
    encoder = save_dual_encoder(tiny_dual_encoder(), root / "encoder")
    save_reporting(root / "reporting", fingerprint(encoder))
    save_reporting(root / "refusing", fingerprint(encoder), limit=0)
    return root


def words(place, text: str, *more: str, gate: str = "reporting") -> list[str]:
    folders = [f"--{name}={place / name}" for name in ("encoder", "reporting")]
    folders += [f"--weights={place / 'localizer'}", f"--reporting={place / gate}"]
    return ["locate", str(place / "film.png"), text, *folders, *more]


def test_one_document_and_two_pictures(place, tmp_path, capsys):
    files = ["--out", str(tmp_path / "o.png"), "--mask", str(tmp_path / "m.png")]
    assert main(words(place, "heart", "--json", *files)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["query"] == {"target": "heart and mediastinum", "side": None, "zone": None}
    assert document["found"] is True and document["percent_of_right_lung"] == 100.0
    mask, outline = Image.open(tmp_path / "m.png"), Image.open(tmp_path / "o.png")
    assert mask.size == outline.size == (96, 112) and outline.mode == "RGB"
    assert np.asarray(mask).min() == 255


def test_what_is_not_found_is_said_and_is_no_error(place, capsys):
    assert main(words(place, "heart", "--threshold", "0.99")) == 0
    assert "not found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("", ()),
        ("banana", ()),
        ("banana", ("--json",)),
        ("heart", ("--threshold", "0")),
        ("heart", ("--threshold", "x")),
        ("heart", ("--out", "a.jpg")),
        ("heart", ("--mask", "/nowhere/a.png")),
        ("heart", ("--weights", "/nowhere")),
        ("lung " * 999, ()),
    ],
)
def test_bad_input_is_one_line_and_code_2(place, capsys, text, more):
    assert main(words(place, text, *more)) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.splitlines()) == 1
    assert captured.err.startswith("cxr: ")


def test_a_picture_that_is_no_chest_film_is_withheld(place, tmp_path, capsys):
    files = ["--out", str(tmp_path / "o.png"), "--mask", str(tmp_path / "m.png")]
    assert main(words(place, "heart", *files, gate="refusing")) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.splitlines()) == 1
    assert "not look like a frontal chest X-ray" in captured.err and "--force" in captured.err
    assert main(words(place, "heart", "--json", *files, gate="refusing")) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["in_domain"] is document["found"] is False and document["warnings"]
    assert document["words"] == "withheld" and document["percent_of_lungs"] is None
    assert not list(tmp_path.iterdir())
    assert main(words(place, "heart", "--json", "--force", *files, gate="refusing")) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["found"] is True and "not look like" in captured.err
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_is_no_picture(place, tmp_path, capsys):
    (tmp_path / "film.png").write_bytes(b"no picture")
    assert main(["locate", str(tmp_path / "film.png"), "heart"]) == 2
    assert "film.png: expected" in capsys.readouterr().err
