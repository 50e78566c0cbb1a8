"""`accelerate launch --cpu --num_processes 2` for real, with a tiny model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from train.common.launch import STARTED, asked_for
from training_data import make_nih, make_text_model, training_options

REPOSITORY = Path(__file__).resolve().parents[3]
ACCELERATE = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]


def test_two_processes_train_one_model(tmp_path):
    workplace = tmp_path, make_nih(tmp_path / "nih"), make_text_model(tmp_path / "text")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in (*STARTED, "RANK", "MASTER_ADDR", "MASTER_PORT")
    }
    environment |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [
        *ACCELERATE,
        "--cpu",
        "--num_processes",
        "2",
        "-m",
        "train.retrieval",
        *training_options(*workplace, "two", epochs=1, **{"batch-size": 4}),
    ]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    state = tmp_path / "two" / "run" / "state"
    assert json.loads((state / "position.json").read_text())["step"] == 3  # 24 films, 2 x 4
    assert {path.name for path in state.glob("random_states_*.pkl")} == {
        "random_states_0.pkl",
        "random_states_1.pkl",
    }
    weights = load_file(str(tmp_path / "two" / "checkpoint" / "model.safetensors"))
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("python accelerate launch --cpu --num_processes 2 -m train.retrieval --seed 3", 2),
        ("/venv/bin/accelerate-launch --cpu --num_processes=4 -m train.retrieval", 4),
        ("accelerate launch --cpu -m train.retrieval --num_processes 9", 1),
        ("bash -c something", 1),
    ],
)
def test_the_number_of_processes_is_the_launchers_own_option(words, count):
    assert asked_for(words.split()) == count


def test_the_number_of_processes_may_lie_in_a_configuration(tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_CPU\n"
        "use_cpu: true\nnum_processes: 3\nnum_machines: 1\nmachine_rank: 0\n"
        "mixed_precision: 'no'\ndebug: false\n"
    )
    command = ["accelerate", "launch", "--config_file", str(file), "-m", "train.retrieval"]
    assert asked_for(command) == 3
