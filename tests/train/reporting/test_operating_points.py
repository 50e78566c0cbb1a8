"""Operating points on known scores, and from a checkpoint and two data sets."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from expert_files import expert_table
from gallery_helpers import telling_dual_encoder
from training_data import make_nih

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.io import load_checkpoint
from cxr.data.load import load_studies
from train.reporting import train as calibrate
from train.reporting.operating_points import Truth, choose_point, majority_of, operating_points

torch.set_num_threads(1)


def test_one_in_ten_without_the_finding_is_called():
    chances = np.concatenate([np.linspace(0.01, 0.2, 20), [0.05, 0.185, 0.195, 0.3, 0.4, 0.5]])
    present = np.arange(26) >= 20
    point = choose_point(chances, present, "expert")
    assert 0.18 < point.threshold < 0.1801
    assert point.specificity == 0.9 and point.positives == 6
    assert point.sensitivity == pytest.approx(5 / 6, abs=1e-4) and point.assessed
    assert point.npv == pytest.approx(18 / 19, abs=1e-4)
    assert point.prevalence == pytest.approx(6 / 26, abs=1e-4)
    assert point.deny_below == pytest.approx(0.05)


def test_a_finding_seen_less_than_half_the_time_is_not_assessed():
    chances = np.concatenate([np.linspace(0, 0.9, 20), [0.1, 0.2, 0.3, 0.95, 0.96]])
    point = choose_point(chances, np.arange(25) >= 20, "mined")
    assert point.sensitivity == 0.4 and not point.assessed


def test_nothing_is_said_of_a_finding_that_no_image_shows():
    point = choose_point(np.linspace(0, 1, 10), np.zeros(10, bool), "mined")
    assert not point.assessed and point.positives == 0 and point.npv == 1
    everyone = choose_point(np.linspace(0, 1, 10), np.ones(10, bool), "mined")
    assert everyone.threshold == 0 and everyone.sensitivity == 1 and everyone.npv == 0


def test_radiologists_decide_where_enough_of_their_images_show_the_finding():
    random = np.random.default_rng(0)
    labels = np.zeros((40, 2))
    labels[:6, 0], labels[:4, 1] = 1, 1
    labels[39] = np.nan
    expert = Truth(random.uniform(size=(40, 2)), labels, "expert")
    mined = Truth(random.uniform(size=(40, 2)), np.roll(labels, 1, axis=1), "mined")
    points = operating_points(("mass", "edema"), [expert, mined])
    assert [point.truth for point in points.values()] == ["expert", "mined"]
    assert points["mass"].positives == points["edema"].positives == 6
    rare = replace(mined, labels=labels)
    point = operating_points(("mass", "edema"), [expert, rare])["edema"]
    assert point.positives == 4 and not point.assessed


@pytest.mark.train
def test_operating_points_are_added_to_what_is_there(film, tmp_path):
    save_dual_encoder(telling_dual_encoder(film), tmp_path / "weights")
    mined, root = (make_nih(tmp_path / name, 72) for name in ("nih", "nih_expert"))
    studies = load_studies(root)
    sick = {"Effusion": ("YES", 5)}
    readings = {study.image.stem: sick if row % 2 else {} for row, study in enumerate(studies)}
    (root / "expert_labels.csv").write_text(expert_table(**readings))
    names = ("pleural effusion", "mass", "fracture")
    found = majority_of(studies[:2], root, names)
    np.testing.assert_array_equal(found, [[0, 0, np.nan], [1, 0, np.nan]])

    words = {"data": mined, "experts": root, "others": 24, "epochs": 2}
    words |= {
        "cache": tmp_path / "cache",
        "weights": tmp_path / "weights",
        "out": tmp_path / "reporting",
    }
    arguments = [part for name, value in words.items() for part in (f"--{name}", str(value))]
    assert calibrate.main(arguments) == 0
    file = tmp_path / "reporting" / "config.json"
    config = json.loads(file.read_text())
    points = config.pop("operating_points")
    assert list(points) == config["calibration"]["findings"]
    assert points["pleural effusion"]["truth"] == "expert" and points["mass"]["truth"] == "mined"

    gate, limits = load_checkpoint(tmp_path / "reporting")[1]["head"], config["gate"]
    assert calibrate.main([*arguments, "--keep"]) == 0
    again = json.loads(file.read_text())
    assert again["operating_points"] == points and again["gate"] == limits
    assert torch.equal(load_checkpoint(tmp_path / "reporting")[1]["head"], gate)
