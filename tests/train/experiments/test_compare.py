"""Starting points are compared on one recipe, each measured once."""

from __future__ import annotations

import json

from tiny import tiny_dual_encoder
from training_data import make_nih, make_text_model

from cxr.checkpoints.encoders import save_dual_encoder
from train.experiments import compare


def test_each_start_becomes_a_row_and_is_not_measured_again(tmp_path, monkeypatch):
    data, text = make_nih(tmp_path / "nih"), make_text_model(tmp_path / "text")
    (data / "images" / "00000006_000.png").write_bytes(b"no picture")  # one to train on
    (data / "images" / "00000000_000.png").write_bytes(b"no picture")  # one to validate with
    weights = tmp_path / "weights"
    save_dual_encoder(tiny_dual_encoder(), weights, {"training": {"minutes": 3}})
    words = [
        "--data",
        data,
        "--out",
        tmp_path / "trials.json",
        "--image",
        "small=resnet10t:",
        "--text",
        f"bert={text}",
        "--trained",
        f"own=whole={weights}",
        "--size",
        "32",
        "--steps",
        "3",
        "--cache",
        tmp_path / "cache",
    ]
    compare.main([str(word) for word in words])
    rows = json.loads((tmp_path / "trials.json").read_text())
    assert [row["name"] for row in rows] == ["own", "small + bert"]
    assert all(0 <= row["score"] <= 1 for row in rows) and rows[0]["minutes"] == 3
    monkeypatch.setattr(compare, "trial", None)  # a second look would call it
    compare.main([str(word) for word in words])
    assert {row["name"] for row in json.loads((tmp_path / "trials.json").read_text())} == {
        "own",
        "small + bert",
    }
