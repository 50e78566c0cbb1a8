"""Training the generator: both profiles, exact resume after a kill, two processes."""

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
from tiny import tiny_dual_encoder
from training_data import make_nih

from cxr.checkpoints import load_checkpoint, load_text_encoder, save_finding_network
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.data import load_studies
from cxr.findings import NIH_FINDINGS
from cxr.generation import ConditionFormat
from cxr.images import Preprocess
from cxr.models import FindingNetwork, FindingNetworkConfig
from cxr.models.generator import Generator, GeneratorConfig
from cxr.reporting import HeartRatio, Measurements
from train.common.studies import frontal
from train.gan import train as script

REPOSITORY = Path(__file__).resolve().parents[3]
CHANNELS = {"graded": ("16", "16", "8", "8", "8"), "reference": ("16", "8", "8", "8")}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("gan")
    make_nih(root / "nih")
    save_dual_encoder(tiny_dual_encoder(dimension=32), root / "retrieval")
    torch.manual_seed(0)
    view = Preprocess(32, 0.5, 0.25, 1)
    network = FindingNetwork(FindingNetworkConfig("resnet10t", 3 * len(NIH_FINDINGS), view))
    save_finding_network(network, root / "retrieval", {})
    return root


def options(root: Path, name: str, profile: str = "graded", **more) -> list[str]:
    """The command line of a run that takes seconds; folders below `root` by `name`."""
    words = {
        "data": root / "nih",
        "encoder": root / "retrieval",
        "measured": 0,
        "out": root / name / "checkpoint",
        "workdir": root / name / "run",
        "cache": root / "cache",
        "profile": profile,
        "batch-size": 4,
        "steps": 4,
        "every": 2,
        "looks": 32,
        "view-size": 32,
        **more,
    }
    listed = [word for key, value in words.items() for word in (f"--{key}", str(value))]
    return [*listed, "--channels", *CHANNELS[profile]]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(str(folder / "checkpoint" / "model.safetensors"))


@pytest.fixture(scope="module")
def finished(workplace):
    script.main(options(workplace, "whole"))
    return workplace / "whole"


@pytest.mark.parametrize("profile", ["graded", "reference"])
def test_the_checkpoint_generates_and_says_how_it_was_made(finished, workplace, profile):
    folder = finished
    if profile == "reference":
        script.main(options(workplace, profile, profile, steps=2))
        folder = workplace / profile
    config, state = load_checkpoint(folder / "checkpoint")
    generator = Generator(GeneratorConfig.from_dict(config["architecture"]))
    generator.load_state_dict(state, strict=True)
    films = generator.eval()(
        torch.zeros(1, generator.config.noise), torch.zeros(1, generator.config.text)
    )
    assert films.shape == (1, 1, 128, 128) and torch.isfinite(films).all()
    training = config["training"]
    assert training["films"] == 24 and training["profile"] == profile
    assert training["validation"]["frechet_distance"] > 0
    assert str(workplace) not in training["command"]
    if profile == "graded":
        form = ConditionFormat.from_dict(config["condition"])
        assert form.findings == tuple(NIH_FINDINGS) and form.length == generator.config.text
    else:
        named = config["text_encoder"]
        assert named["weights"] == "retrieval"
        assert named["sha256"] == load_text_encoder(workplace / "retrieval").fingerprint


def test_log_curves_and_samples_are_written(finished):
    run = finished / "run"
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert {"discriminator", "adversarial", "finding", "ratio"} <= set(entries[0])
    assert sum("frechet_distance" in entry for entry in entries) == 2
    assert (run / "curves.png").stat().st_size > 5_000
    with Image.open(run / "samples" / "000004.png") as grid:
        assert grid.size == (8 * 128, 4 * 128)


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(workplace, finished, monkeypatch):
    calls, draw = [], script.draw_step

    def draw_until_killed(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return draw(*arguments)

    words = options(workplace, "killed", **{"save-minutes": 0})
    monkeypatch.setattr(script, "draw_step", draw_until_killed)
    with pytest.raises(KeyboardInterrupt):
        script.main(words)
    monkeypatch.setattr(script, "draw_step", draw)
    script.main(words)
    one, other = weights(finished), weights(workplace / "killed")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_clock_and_missing_improvement_end_a_run(workplace, monkeypatch):
    script.main(options(workplace, "late", minutes=0, steps=50))
    position = workplace / "late" / "run" / "state" / "position.json"
    assert json.loads(position.read_text())["step"] == 1
    same = {"frechet_distance": 1.0, "spread": 1.0}
    monkeypatch.setattr(script, "evaluate", lambda *_: same)
    script.main(options(workplace, "stale", steps=50, every=1, patience=2))
    position = workplace / "stale" / "run" / "state" / "position.json"
    assert json.loads(position.read_text())["step"] == 3


def test_a_loss_that_is_not_finite_stops_the_run(workplace, monkeypatch):
    monkeypatch.setattr(
        script.AdversarialObjective,
        "total",
        lambda self, terms: terms["adversarial"] * float("nan"),
    )
    with pytest.raises(SystemExit, match="finite loss at step 0"):
        script.main(options(workplace, "broken"))


def test_two_processes_train_one_generator(workplace, finished):
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "ACCELERATE_USE_CPU": "true",
    }
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node",
        "2",
        "--standalone",
        "-m",
        "train.gan",
        *options(workplace, "two", steps=2),
    ]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    config, state = load_checkpoint(workplace / "two" / "checkpoint")
    assert config["training"]["films_seen"] == 16
    assert all(torch.isfinite(value).all() for value in state.values())


def test_weights_of_another_generator_are_taken_over_where_they_fit(workplace, finished):
    start = finished / "checkpoint"
    script.main(options(workplace, "on", steps=2, alone=2, start=start))
    one, other = weights(finished), weights(workplace / "on")
    kept = "body.blocks.0.grow.weight"
    assert torch.equal(one[kept], other[kept])  # the discriminator alone learned in both steps
    with pytest.raises(SystemExit, match="same build"):
        script.main(options(workplace, "odd", "reference", steps=1, start=start))


def test_a_retrieval_checkpoint_without_a_finding_network_is_refused(workplace, tmp_path):
    save_dual_encoder(tiny_dual_encoder(dimension=32), tmp_path / "retrieval")
    with pytest.raises(SystemExit, match="finding network"):
        script.main(options(workplace, "none", encoder=tmp_path / "retrieval"))


def test_hearts_of_as_many_images_as_asked_for_are_measured(workplace, monkeypatch):
    studies = frontal(load_studies(workplace / "nih"))
    monkeypatch.setattr(script.Localizer, "load", lambda weights: weights)
    monkeypatch.setattr(
        script,
        "measurements_of",
        lambda localizer, pictures, cache, title: [
            Measurements(HeartRatio(0.6) if place else None) for place in range(len(pictures))
        ],
    )
    asked = script.Options(data=workplace / "nih", measured=6, cache=workplace / "cache")
    ratios = script._measured(asked, studies)
    assert len(ratios) == len(studies) and (ratios == 0.6).sum() == 5
