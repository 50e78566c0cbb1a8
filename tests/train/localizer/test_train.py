"""Phase 2: a checkpoint that serves, exact resume after a kill, two processes, the ablations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mask_files import make_lungs, make_masks
from PIL import Image
from safetensors.torch import load_file
from tiny import tiny_dual_encoder
from training_data import make_nih

from cxr.checkpoints.encoders import load_text_encoder, save_dual_encoder
from cxr.checkpoints.io import save_checkpoint
from cxr.data.masks import load_masked_images
from cxr.images.load import Preprocess
from cxr.models.unet import AutoencoderUNet, LocalizerConfig
from train.localizer import train as script
from train.localizer.mask_data import folded

REPOSITORY = Path(__file__).resolve().parents[3]
BACKBONE = "timm-mobilenetv3_small_minimal_100"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("localizer")
    make_masks(root / "anatomy")
    make_lungs(root / "lungs")
    make_nih(root / "nih", 12)
    save_dual_encoder(tiny_dual_encoder(), root / "retrieval")
    return root


def options(root: Path, name: str, **more) -> list[str]:
    chosen = {
        "data": root / "anatomy",
        "extra": root / "lungs",
        "normal": root / "nih",
        "out": root / name / "checkpoint",
        "workdir": root / name / "run",
        "cache": root / "cache",
        "text": root / "retrieval",
        "backbone": BACKBONE,
        "size": 64,
        "steps": 4,
        "batch-size": 4,
        "prompts": 2,
        "look-every": 2,
        "rate": 2e-3,
        "extra-share": 0.2,
        "normal-share": 0.2,
        **more,
    }
    return [
        word
        for key, value in chosen.items()
        for word in ([f"--{key}"] if value is True else [f"--{key}", str(value)])
    ]


def weights(root: Path, name: str) -> dict[str, torch.Tensor]:
    return load_file(str(root / name / "checkpoint" / "model.safetensors"))


def config(root: Path, name: str) -> dict:
    return json.loads((root / name / "checkpoint" / "config.json").read_text())


def log(root: Path, name: str) -> list[dict]:
    lines = (root / name / "run" / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def finished(place):
    script.main(options(place, "whole"))
    return place / "whole"


def test_the_checkpoint_says_what_it_is(place, finished):
    about = config(place, "whole")
    tower = load_text_encoder(place / "retrieval")
    assert about["text_encoder"] == {"weights": "retrieval", "sha256": tower.fingerprint}
    assert about["training"]["films"] == [8, 3, 1, 0]
    assert "python" not in about["training"]["command"]
    assert str(place) not in about["training"]["command"]
    assert LocalizerConfig.from_dict(about["architecture"]).fusion == "kernel"
    assert all(torch.isfinite(value).all() for value in weights(place, "whole").values())


def test_log_curves_and_samples_are_written(place, finished):
    looks = [entry for entry in log(place, "whole") if "score" in entry]
    assert [entry["step"] for entry in looks] == [2, 4]
    assert all(0 <= entry["dice left lung"] <= 1 for entry in looks)
    assert (finished / "run" / "curves.png").stat().st_size > 3_000
    assert Image.open(finished / "run" / "samples.png").width == 9 * 68


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(place, finished, monkeypatch):
    calls, varied = [], script.varied

    def varied_until_killed(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return varied(*arguments)

    monkeypatch.setattr(script, "varied", varied_until_killed)
    chosen = options(place, "killed", **{"save-minutes": 0})
    with pytest.raises(KeyboardInterrupt):
        script.main(chosen)
    monkeypatch.setattr(script, "varied", varied)
    script.main(chosen)
    one, other = weights(place, "whole"), weights(place, "killed")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns_where_lungs_are_and_that_text_matters(place):
    script.main(
        options(
            place,
            "longer",
            steps=140,
            prompts=3,
            rate=5e-3,
            **{"look-every": 20, "encoder-rate": 5e-3, "average": 0.8},
        )
    )
    looks = [entry for entry in log(place, "longer") if "score" in entry]
    assert max(entry["dice right lung"] for entry in looks) > 0.6
    assert max(entry["dice left lung"] for entry in looks) > 0.6


def test_phase_1_is_where_phase_2_starts(place):
    view = Preprocess(64, 0.5, 0.25, 1)
    autoencoder = AutoencoderUNet(LocalizerConfig(BACKBONE, view))
    save_checkpoint(place / "phase1", autoencoder.encoder.state_dict(), {"encoder": BACKBONE})
    model = script.TextGuidedUNet(LocalizerConfig(BACKBONE, view))
    script.load_encoder(model, place / "phase1")
    for name, value in autoencoder.encoder.state_dict().items():
        torch.testing.assert_close(model.encoder.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    other = script.TextGuidedUNet(LocalizerConfig("resnet18", view))
    with pytest.raises(ValueError, match="expected the encoder resnet18"):
        script.load_encoder(other, place / "phase1")


def test_the_ablations_run_and_say_so(place):
    script.main(options(place, "plain", fusion="none", steps=1))
    assert len(config(place, "plain")["architecture"]["outputs"]) == 9
    assert "text_encoder" not in config(place, "plain")
    script.main(options(place, "shuffled", fusion="bottleneck", steps=1, **{"shuffle-text": True}))
    assert config(place, "shuffled")["training"]["shuffled_text"] is True


def test_a_fold_is_left_out_and_what_has_no_side_is_mirrored(place, finished):
    script.main(
        [
            *options(
                place,
                "fold",
                steps=2,
                fold="2/5",
                teacher=finished / "checkpoint",
                **{"mirrored-share": 0.5, "taught-films": 3},
            ),
            "--taught",
            str(place / "nih"),
            "--taught-anatomy",
        ]
    )
    about = config(place, "fold")["training"]
    assert about["fold"] == "2/5" and "--pseudo-labeled-anatomy" in about["command"]
    films = folded(load_masked_images(place / "anatomy"), "2/5")
    assert about["films"][0] == sum(film.split == "train" for film in films) != 0
    assert config(place, "whole")["training"]["fold"] is None
    with pytest.raises(SystemExit, match="no --mirrored-share with --fusion none"):
        script.main(options(place, "plainer", fusion="none", **{"mirrored-share": 0.5}))


def test_films_without_masks_are_taught_by_an_earlier_localizer(place, finished):
    script.main(
        [
            *options(place, "student", teacher=finished / "checkpoint", steps=2),
            "--taught",
            str(place / "nih"),
            "--taught-films",
            "5",
        ]
    )
    about = config(place, "student")["training"]
    assert about["films"] == [8, 3, 1, 0, 5] and about["data"] == ["anatomy", "lungs", "nih"]
    with pytest.raises(SystemExit, match="--teacher"):
        script.main([*options(place, "alone"), "--taught", str(place / "nih")])


def test_films_grow_while_training(place):
    sizes = [script.size_at(used, [64, 96, 128]) for used in (0.0, 0.3, 0.4, 0.7, 0.99, 1.2)]
    assert sizes == [64, 64, 96, 128, 128, 128] and script.size_at(0.5, []) is None
    with pytest.raises(SystemExit, match="32 divides"):
        script.main([*options(place, "odd"), "--train-sizes", "100"])


def test_weights_that_have_seen_small_films_alone_become_no_checkpoint(place):
    script.main([*options(place, "grown", steps=4), "--train-sizes", "64", "96"])
    looks = [entry["step"] for entry in log(place, "grown") if "score" in entry]
    assert looks == [2, 4] and config(place, "grown")["training"]["step"] in (2, 4)
    with pytest.raises(KeyboardInterrupt):
        with pytest.MonkeyPatch.context() as patch:
            calls, varied = [], script.varied

            def varied_until_killed(*arguments):
                calls.append(1)
                if len(calls) == 4:
                    raise KeyboardInterrupt
                return varied(*arguments)

            patch.setattr(script, "varied", varied_until_killed)
            script.main([*options(place, "small", steps=9), "--train-sizes", "64", "96"])
    assert [entry["step"] for entry in log(place, "small") if "score" in entry] == [2]
    assert not (place / "small" / "checkpoint").exists()


def test_a_data_set_without_a_validation_split_is_refused(place):
    with pytest.raises(SystemExit, match="validate"):
        script.main(options(place, "empty", data=place / "lungs"))


def test_two_processes_train_one_model(place):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node",
        "2",
        "--standalone",
        "-m",
        "train.localizer",
        *options(place, "two", steps=2, minutes=10, **{"batch-size": 2}),
    ]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    position = json.loads((place / "two" / "run" / "state" / "position.json").read_text())
    assert position["step"] == 2 and weights(place, "two")
