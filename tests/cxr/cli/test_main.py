"""The command line: documents on stdout, one line on stderr for bad input, never a trace."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
import torch
from gallery_helpers import telling_dual_encoder

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.cli.main import main

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights(film, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    return str(save_dual_encoder(telling_dual_encoder(film), folder))


@pytest.fixture
def gallery(weights, synthetic_folder, tmp_path, capsys) -> str:
    out = str(tmp_path / "gallery")
    assert (
        main(["gallery", "build", str(synthetic_folder), "--out", out, "--weights", weights]) == 0
    )
    capsys.readouterr()
    return out


@pytest.fixture
def run(capsys):
    def run(*words: str, code: int = 0) -> str:
        assert main(list(words)) == code
        captured = capsys.readouterr()
        if code == 2:
            assert captured.out == ""
            assert len(captured.err.splitlines()) == 1 and captured.err.startswith("cxr: ")
            return captured.err
        return captured.out

    return run


def test_build_says_what_it_made(run, weights, synthetic_folder, tmp_path):
    words = ["gallery", "build", str(synthetic_folder), "--out", str(tmp_path / "g")]
    words += ["--weights", weights, "--source", "Drawn", "--licence", "CC0", "--json"]
    built = json.loads(run(*words))
    assert (built["studies"], built["missing"], built["unreadable"]) == (8, 0, 0)
    assert (built["source"], built["licence"]) == ("Drawn", "CC0")
    assert built["encoder"] == fingerprint(weights)


def test_build_shows_progress_on_stderr(weights, synthetic_folder, tmp_path, capsys):
    words = ["gallery", "build", str(synthetic_folder), "--out", str(tmp_path / "g")]
    assert main([*words, "--weights", weights]) == 0
    captured = capsys.readouterr()
    assert "8/8" in captured.err and "studies: 8" in captured.out


def test_build_of_one_split(run, weights, synthetic_folder, tmp_path):
    rows = ["Image Index,split", *(f"film{i}.png,{'test' if i < 3 else 'train'}" for i in range(8))]
    (synthetic_folder / "split.csv").write_text("\n".join(rows))
    words = ["gallery", "build", str(synthetic_folder), "--out", str(tmp_path / "g"), "--json"]
    assert json.loads(run(*words, "--weights", weights, "--split", "test"))["studies"] == 3


def test_info(run, gallery):
    info = json.loads(run("gallery", "info", gallery, "--json"))
    assert info["studies"] == 8 and info["views"]["PA"] == 4 and info["index"] == "exact"
    assert "studies: 8" in run("gallery", "info", gallery)


def test_search_prints_one_document(run, gallery, weights):
    words = ["--gallery", gallery, "--weights", weights, "--json"]
    found = json.loads(run("search", "pleural effusion", "-k", "3", *words))
    assert found["query"] == "pleural effusion" and len(found["matches"]) == 3
    scores = [match["score"] for match in found["matches"]]
    assert scores == sorted(scores, reverse=True)
    assert {"id", "caption", "similarity", "findings", "image"} <= found["matches"][0].keys()


def test_search_with_filters(run, gallery, weights):
    words = ["--gallery", gallery, "--weights", weights, "--json"]
    words += ["--view", "PA,AP", "--sex", "F", "--age-min", "60", "--age-max", "70"]
    matches = json.loads(run("search", "mass", *words))["matches"]
    assert {(match["sex"], match["age"]) for match in matches} == {("F", 64), ("F", 65)}
    present = json.loads(run("search", "x", *words, "--present", "Cardiomegaly,Effusion"))
    assert [match["age"] for match in present["matches"]] == [65]


def test_search_for_what_is_like_a_study_and_what_contrasts(run, gallery, weights):
    words = ["--gallery", gallery, "--weights", weights]
    first = json.loads(run("search", "mass", *words, "-k", "1", "--json"))["matches"][0]
    found = json.loads(run("search", "--like", first["id"], *words, "--contrast", "--json"))
    assert found["like"] == first["id"] and all("contrast" in one for one in found["matches"])
    assert first["id"] not in [one["id"] for one in found["matches"]]
    assert "expected the id" in run("search", "--like", "gone", *words, code=2)
    there = json.loads(run("search", "--like", first["id"], *words, "--region", "heart", "--json"))
    assert there["matches"][0]["evidence"][0]["kind"] == "region"
    assert "expected a region" in run(
        "search", "--like", first["id"], *words, "--region", "x", code=2
    )
    assert "--like ID beside --match" in run("search", "mass", *words, "--match", "sex", code=2)


def test_search_by_film_finds_it_first(run, gallery, weights, synthetic_folder):
    film = synthetic_folder / "images" / "film3.png"
    words = ["--gallery", gallery, "--weights", weights]
    best = json.loads(run("search", "--image", str(film), *words, "--json"))["matches"][0]
    assert (best["age"], best["findings"]) == (47, {"mass": 1}) or best["findings"]["mass"] == 1
    lines = run("search", "--image", str(film), "-k", "2", *words).splitlines()
    assert len(lines) == 2 and "47-year-old female, lateral view. Findings: mass." in lines[0]


def test_check(run, gallery, weights):
    place = ["gallery", "check"]
    assert "is whole" in run(*place, gallery, "--weights", weights)
    assert json.loads(run(*place, gallery, "--json"))["problems"] == []
    film = next(entry for entry in os.scandir(f"{gallery}/images"))
    os.unlink(film.path)
    assert "is missing" in run(*place, gallery, code=1)
    assert len(json.loads(run(*place, gallery, "--json", code=1))["problems"]) == 1


def test_the_command_of_the_error_rebuilds_the_gallery(run, gallery, film, tmp_path):
    other = str(save_dual_encoder(telling_dual_encoder(film, seed=1), tmp_path / "other"))
    message = run("search", "mass", "--gallery", gallery, "--weights", other, code=2)
    command = shlex.split(message.partition("rebuild it: ")[2])
    assert command[:3] == ["python", "-m", "cxr"]
    run(*command[3:])
    found = run("search", "mass", "--gallery", gallery, "--weights", other, "--json")
    assert len(json.loads(found)["matches"]) == 8


BAD = {
    "no command": ([], "required"),
    "unknown command": (["dance"], "invalid choice"),
    "no query": (["search"], "QUERY --image"),
    "both queries": (["search", "mass", "--image", "a.png"], "not allowed with"),
    "empty query": (["search", " "], "empty text"),
    "long query": (["search", "x" * 2001], "at most 2000"),
    "no number": (["search", "mass", "-k", "many"], "invalid int"),
    "k of 0": (["search", "mass", "-k", "0"], "1 or more"),
    "sex": (["search", "mass", "--sex", "X"], "invalid choice"),
    "view": (["search", "mass", "--view", "top"], "view out of"),
    "finding": (["search", "mass", "--present", "gout"], "'gout'"),
    "ages": (["search", "mass", "--age-min", "9", "--age-max", "3"], "age_min <= age_max"),
    "no film": (["search", "--image", "/nowhere.png"], "nowhere.png"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_code_2(run, gallery, weights, name):
    words, says = BAD[name]
    if words[:1] == ["search"]:
        words = [*words, "--gallery", gallery, "--weights", weights]
    assert says in run(*words, code=2)


def test_bad_folders_are_one_line_and_code_2(run, gallery, weights, synthetic_folder, tmp_path):
    nowhere, empty = str(tmp_path / "nowhere"), tmp_path / "empty"
    empty.mkdir()
    root = str(synthetic_folder)
    use = ["--weights", weights]
    assert "no gallery" in run("gallery", "info", nowhere, code=2)
    assert "gallery" in run("gallery", "check", nowhere, code=2)
    assert "gallery build" in run("search", "mass", "--gallery", nowhere, *use, code=2)
    assert "no folder" in run("search", "mass", "--gallery", gallery, "--weights", nowhere, code=2)
    assert "Milvus" in run("search", "mass", "--gallery", "milvus:x", *use, code=2)
    assert nowhere in run("gallery", "build", nowhere, "--out", gallery, *use, code=2)
    assert run("gallery", "build", str(empty), "--out", str(tmp_path / "g"), *use, code=2)
    assert "--out" in run("gallery", "build", root, *use, code=2)
    assert "layout" in run("gallery", "build", root, "--out", "g", *use, "--layout", "x", code=2)
    assert "else" in run("gallery", "build", root, "--out", root, *use, code=2)
    (synthetic_folder / "images" / "film0.png").unlink()
    assert "--overwrite" in run("gallery", "build", root, "--out", gallery, *use, code=2)


def command(*words: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "cxr", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
        **options,
    )


def test_a_closed_pipe_leaves_no_trace(gallery):
    process = command("gallery", "info", gallery, "--json")
    process.stdout.close()
    assert process.wait(300) == 141 and process.stderr.read() == ""


def test_ctrl_c_leaves_no_trace_and_a_build_that_goes_on(weights, synthetic_folder, tmp_path):
    out = tmp_path / "g"
    words = ["gallery", "build", str(synthetic_folder), "--out", str(out), "--weights", weights]
    process = command(*words, "--batch-size", "1")
    deadline = time.monotonic() + 300
    while not (tmp_path / ".g.building").exists() and not out.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=300)[1]
    assert "Traceback" not in errors
    assert process.returncode == 130 or out.exists(), "it was quicker than the signal"
    assert main(words) == 0 and main(["gallery", "check", str(out)]) == 0
