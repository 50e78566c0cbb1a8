"""Calibration and evaluation of the report suggester from end to end, on drawn films."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import torch
from gallery_helpers import telling_dual_encoder
from training_data import make_nih

from cxr.checkpoints import load_checkpoint
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.cli.main import main as command_line
from cxr.reporting.ood_gate import WARNING
from train.cards.report import PENDING, card_text
from train.evaluate import main as evaluate
from train.reporting import train as calibrate

torch.set_num_threads(1)
OTHERS = 24


@pytest.fixture(scope="module")
def root(film, tmp_path_factory):
    root = tmp_path_factory.mktemp("reporting")
    save_dual_encoder(telling_dual_encoder(film), root / "weights")
    make_nih(root / "nih", 72)
    assert calibrate.main(options(root)) == 0
    return root


def options(root) -> list[str]:
    return [
        "--data",
        str(root / "nih"),
        "--weights",
        str(root / "weights"),
        "--out",
        str(root / "reporting"),
        "--cache",
        str(root / "cache"),
        "--others",
        str(OTHERS),
        "--localizer",
        "",
        "--epochs",
        "2",
    ]


def test_what_was_fitted_belongs_to_its_encoder_and_says_what_it_is(root):
    config = json.loads((root / "reporting" / "config.json").read_text())
    assert config["encoder"] == fingerprint(root / "weights")
    assert {"cardiomegaly", "mass"} <= set(config["calibration"]["findings"])
    assert "linear heads" in config["calibration"]["source"]
    assert config["training"]["trials"][-1]["parts"] == "all parts"
    assert set(config["training"]["trials"][0]["mean_auroc"]) == {"mined"}
    assert config["training"]["minutes"] >= 0 and config["training"]["hardware"]
    size = sum(path.stat().st_size for path in (root / "reporting").glob("*.safetensors"))
    assert size < 1_000_000


def test_a_card_before_the_evaluation_says_so(root):
    (root / "reporting" / "metrics.json").unlink(missing_ok=True)
    text = card_text(root / "reporting")
    assert PENDING in text and "{{" not in text


def test_a_second_run_reads_no_film_again_and_fits_the_same(root, monkeypatch):
    before = (root / "reporting" / "model.safetensors").read_bytes()
    monkeypatch.setattr(
        "train.reporting.features._extract", lambda *_: pytest.fail("extracted again")
    )
    assert calibrate.main(options(root)) == 0
    assert (root / "reporting" / "model.safetensors").read_bytes() == before


def test_the_gate_alone_is_fitted_anew_and_then_kept(root, tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "write_report_card", lambda folder: None)  # of made-up numbers
    out, other = tmp_path / "reporting", make_nih(tmp_path / "elsewhere", 36)
    shutil.copytree(root / "reporting", out)
    (out / "metrics.json").write_text('{"gate": 1, "elsewhere": 2}')
    former, before = load_checkpoint(out)
    words = options(root)
    words[words.index("--out") + 1] = str(out)
    further = ["--frontal", str(other), "--children", str(other)]
    table = other / "Data_Entry_2017.csv"  # half of them are children
    table.write_text(re.sub(r"(,\d+,\d+,)3\d,", r"\g<1>7,", table.read_text()))
    assert calibrate.main([*words, *further, "--only-gate"]) == 0
    config, state = load_checkpoint(out)
    calibrated = [name for name in before if name in ("directions", "offsets", "platt", "refits")]
    assert len(calibrated) == 4 and set(state) == set(before)
    for name in calibrated:
        assert torch.equal(state[name], before[name]), name
    assert state["head"].shape == (513, 8) and before["head"].shape == (513, 7)
    gate = config.pop("gate")
    assert config == {name: former[name] for name in former if name != "gate"}
    assert gate["kinds"][-1] == "child" and "child" in gate["limits"]
    training = gate["training"]
    assert training["frontal"] == training["children"] == ["elsewhere"]
    assert training["pictures"]["child"] > 0
    assert "--only-gate" in training["command"] and str(tmp_path) not in training["command"]
    assert not (out / "metrics.json").exists()  # what was measured of the former gate

    assert calibrate.main([*words, "--keep"]) == 0
    kept, tensors = load_checkpoint(out)
    assert kept["gate"] == gate and torch.equal(tensors["head"], state["head"])


def test_the_evaluation_is_one_json_and_a_card(root, capsys):
    words = [
        "report",
        "--data",
        str(root / "nih"),
        "--weights",
        str(root / "weights"),
        "--reporting",
        str(root / "reporting"),
        "--cache",
        str(root / "cache"),
        "--split",
        "val",
        "--rounds",
        "20",
        "--others",
        str(OTHERS),
        "--localizer",
        "",
        "--write",
    ]
    assert evaluate.main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((root / "reporting" / "metrics.json").read_text())
    assert report["split"] == "val" and report["films"] == 12
    reports = {
        "suggested report",
        "commonest report",
        "random report",
        "nearest neighbour's report",
    }
    assert set(report["labels"]) == reports
    assert set(report["text"]) == reports | {"suggested findings, plain words"}
    for entry in report["labels"].values():
        f1 = entry["micro_f1"]
        assert 0 <= f1["low"] <= f1["value"] <= f1["high"] <= 1
    assert "no reports" in report["reference"]
    assert report["gate"]["frontal_films"] == 12
    assert report["groups"]["left_out"]["female"] == 6
    assert report["gate"]["refused"]["other pictures"]["pictures"] == OTHERS
    card = (root / "reporting" / "README.md").read_text()
    assert PENDING not in card and "{{" not in card
    assert f"{100 * report['gate']['misses']['value']:.1f}" in card
    assert (root / "reporting" / "reliability.png").stat().st_size > 1000

    # A part that is measured again leaves the others, which must be of the same images.
    assert (
        evaluate.main([*words, "--parts", "groups", "experts", "--experts", str(root / "nih")]) == 2
    )
    assert "expert_labels.csv" in capsys.readouterr().err
    assert evaluate.main([*words, "--parts", "groups"]) == 0
    assert json.loads(capsys.readouterr().out) == report
    assert evaluate.main([*words, "--parts", "gate", "--split", "test"]) == 2
    assert "same split" in capsys.readouterr().err
    assert evaluate.main([*words, "--parts", "heads"]) == 2
    assert "parts among" in capsys.readouterr().err


def test_too_few_films_are_refused_in_one_line(root, tmp_path, capsys):
    few = make_nih(tmp_path / "few", 6)
    words = options(root)
    words[1] = str(few)
    assert calibrate.main(words) == 2
    assert "expected 20 films to train" in capsys.readouterr().err


def run(root, *words: str) -> int:
    return command_line(
        [
            "report",
            *words,
            "--weights",
            str(root / "weights"),
            "--reporting",
            str(root / "reporting"),
        ]
    )


def test_the_command_line_reads_a_film(root, capsys):
    path = next((root / "nih" / "images").iterdir())
    assert run(root, str(path), "--json", "--force") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["report"].startswith("Findings: ") and document["findings"]
    assert document["note"] == "for education, not for diagnosis"
    assert run(root, str(path), "--force") == 0
    assert "For education, not for diagnosis." in capsys.readouterr().out


def test_the_command_line_says_what_is_no_film(root, tmp_path, capsys):
    from PIL import Image

    Image.new("L", (200, 200), 30).save(tmp_path / "blank.png")
    assert run(root, str(tmp_path / "blank.png"), "--json") == 2
    captured = capsys.readouterr()
    assert WARNING in captured.err
    document = json.loads(captured.out)
    assert not document["in_domain"] and document["report"] == ""
    (tmp_path / "broken.png").write_bytes(b"")
    assert run(root, str(tmp_path / "broken.png")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_command_line_builds_a_corpus(root, tmp_path, capsys):
    assert (
        command_line(["reports", "build", str(root / "nih"), "--out", str(tmp_path / "reports")])
        == 2
    )
    assert "with one" in capsys.readouterr().err
