"""python -m cxr sample: marked PNG files, JSON, one line for bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from tiny import tiny_dual_encoder
from tiny_generator import save_condition_generator, save_generator

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.cli.main import main


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("cli_sample")
    save_dual_encoder(tiny_dual_encoder(dimension=16), root / "retrieval")
    return save_generator(root / "generator", root / "retrieval")


def test_films_are_written_and_marked(weights, tmp_path, capsys):
    words = [
        "sample",
        "edema",
        "--weights",
        str(weights),
        "--out",
        str(tmp_path / "new" / "a"),
        "-n",
        "2",
        "--seed",
        "7",
        "--json",
    ]
    assert main(words) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["drawn"] is printed["not_drawn"] is None  # the model takes any text
    assert printed["synthetic"] is True and printed["seed"] == 7 and len(printed["files"]) == 2
    for file in printed["files"]:
        with Image.open(file) as film:
            assert film.mode == "L" and film.size == (128, 128)
            assert np.median(np.asarray(film)[-8:, :50]) == 0


def test_a_path_from_one_text_to_another(weights, tmp_path, capsys):
    words = [
        "sample",
        "no finding",
        "--to",
        "edema",
        "--weights",
        str(weights),
        "--out",
        str(tmp_path),
        "-n",
        "3",
    ]
    assert main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3 == len([*tmp_path.glob("*.png")])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-n", "0"], "a whole number from 1 to 64"),
        (["--truncation", "3"], "from 0 to 1"),
        (["--weights", "nowhere"], "folder"),
    ],
)
def test_bad_input_is_one_line(weights, tmp_path, capsys, words, message):
    base = ["sample", "edema", "--weights", str(weights), "--out", str(tmp_path / "out")]
    assert main([*base, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_files_that_are_there_are_replaced_only_when_asked(weights, tmp_path, capsys):
    words = ["sample", "edema", "--weights", str(weights), "--out", str(tmp_path), "-n", "2"]
    mine = tmp_path / "synthetic_0_01.png"
    mine.write_bytes(b"mine")
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert mine.read_bytes() == b"mine" and [*tmp_path.iterdir()] == [mine]
    assert main([*words, "--seed", "1"]) == 0
    assert main([*words, "--overwrite"]) == 0
    assert mine.read_bytes() != b"mine" and len([*tmp_path.iterdir()]) == 4


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """A generator that numbers condition, so that texts are read."""
    return save_condition_generator(tmp_path_factory.mktemp("cli_condition") / "generator")


def test_what_is_drawn_and_what_is_not_is_said(reading, tmp_path, capsys):
    words = ["sample", "left effusion", "--weights", str(reading), "--out", str(tmp_path)]
    words += ["-n", "2", "--to", "severe edema in a woman"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "Drawn: pleural effusion. Not drawn: left side.",
        "Drawn: severe edema, woman.",
    ]
    assert len(said.out.splitlines()) == 2
    assert main([*words, "--overwrite", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["drawn"] == ["pleural effusion"] and printed["not_drawn"] == ["left side"]
    assert printed["to_drawn"] == ["severe edema", "woman"] and printed["to_not_drawn"] == []


@pytest.mark.parametrize("words", [["a cat"], ["edema", "--to", "lateral view"]])
def test_what_cannot_be_drawn_is_refused_in_one_line(reading, tmp_path, capsys, words):
    out = tmp_path / "out"
    assert main(["sample", *words, "--weights", str(reading), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "ask for findings (atelectasis" in error and error.count("\n") == 1
    assert not out.exists()
