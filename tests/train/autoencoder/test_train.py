"""Phase 1: an encoder that phase 2 can load, exact resume after a kill, two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from training_data import make_nih

from cxr.models.unet import AutoencoderUNet, LocalizerConfig
from train.autoencoder import train as script

REPOSITORY = Path(__file__).resolve().parents[3]
ENCODER = "timm-mobilenetv3_small_minimal_100"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    torch.set_num_threads(1)
    return make_nih(tmp_path_factory.mktemp("films") / "nih")


def options(data: Path, name: str, **more) -> list[str]:
    root = data.parent
    chosen = {
        "data": data,
        "out": root / name / "encoder",
        "workdir": root / name / "run",
        "cache": root / "cache",
        "encoder": ENCODER,
        "size": 64,
        "patch": 16,
        "mask-ratio": 0.5,
        "noise": 0.05,
        "steps": 6,
        "batch-size": 4,
        "look-every": 3,
        **more,
    }
    return [word for key, value in chosen.items() for word in (f"--{key}", str(value))]


def weights(data: Path, name: str) -> dict[str, torch.Tensor]:
    return load_file(str(data.parent / name / "encoder" / "model.safetensors"))


@pytest.fixture(scope="module")
def finished(data):
    script.main(options(data, "whole"))
    return data.parent / "whole"


def test_the_encoder_fits_a_localizer_and_says_how_it_was_made(data, finished):
    model = AutoencoderUNet(LocalizerConfig(ENCODER))
    model.encoder.load_state_dict(weights(data, "whole"), strict=True)
    training = json.loads((finished / "encoder" / "config.json").read_text())["training"]
    assert training["films"] == 23  # 24 of the train split, one of them held out
    assert "--mask-ratio 0.5" in training["command"] and str(data) not in training["command"]


def test_log_curves_and_samples_are_written(finished):
    log = [json.loads(line) for line in (finished / "run" / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log if "held_out_loss" in entry] == [3, 6]
    assert (finished / "run" / "curves.png").stat().st_size > 3_000
    assert Image.open(finished / "run" / "samples.png").size == (3 * 68, 68)


def test_redrawing_is_learnt(data):
    script.main(options(data, "longer", steps=30, rate=5e-3, noise=0, **{"mask-ratio": 0}))
    log = (data.parent / "longer" / "run" / "log.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in log if "loss" in json.loads(line)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(data, finished, monkeypatch):
    calls, mask_patches = [], script.mask_patches

    def spoil_until_killed(*arguments):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return mask_patches(*arguments)

    monkeypatch.setattr(script, "mask_patches", spoil_until_killed)
    chosen = options(data, "killed", **{"save-minutes": 0})
    with pytest.raises(KeyboardInterrupt):
        script.main(chosen)
    monkeypatch.setattr(script, "mask_patches", mask_patches)
    script.main(chosen)
    one, other = weights(data, "whole"), weights(data, "killed")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_hidden_squares_and_grain():
    films = torch.rand(8, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.4
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(script.mask_patches(films, 0.0, 16, 0.0, generator), films)
    shown = script.mask_patches(films, 0.5, 16, 0.0, generator)
    hidden = (shown == 0.5).reshape(8, 4, 16, 4, 16).float().mean((2, 4))
    assert set(hidden.unique().tolist()) == {0.0, 1.0}  # whole squares
    assert 0.4 < hidden.mean() < 0.6
    assert (shown[shown != 0.5] == films[shown != 0.5]).all()
    grain = script.mask_patches(films, 0.0, 16, 0.1, generator) - films
    assert abs(grain.std() - 0.1) < 0.005


def test_bad_command_lines(data, tmp_path):
    with pytest.raises(SystemExit, match="steps or --minutes"):
        script.main(["--data", str(data)])
    (tmp_path / "films").mkdir()
    Image.new("L", (64, 64)).save(tmp_path / "films" / "one.png")
    with pytest.raises(SystemExit, match="at least 4 images"):
        script.main(options(tmp_path / "films", "few"))


def test_two_processes_train_one_model(data):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node",
        "2",
        "--standalone",
        "-m",
        "train.autoencoder",
        *options(data, "two", steps=2, minutes=10, **{"batch-size": 2}),
    ]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (
        weights(data, "two").keys()
        == AutoencoderUNet(LocalizerConfig(ENCODER)).encoder.state_dict().keys()
    )
