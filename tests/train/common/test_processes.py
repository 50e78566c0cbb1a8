"""Several processes on a processor: torchrun starts them, accelerate launch starts one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_data import make_nih, make_text_model, training_options

REPOSITORY = Path(__file__).resolve().parents[3]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
ACCELERATE = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
OF_A_LAUNCHER = ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT", "ACCELERATE_USE_CPU")


def started(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    """What a command did, without the variables that a launcher of this process may have set."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_A_LAUNCHER}
    kept |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **environment}
    return subprocess.run(
        command, cwd=REPOSITORY, env=kept, capture_output=True, text=True, timeout=300
    )


@pytest.mark.train
def test_two_processes_train_one_model(tmp_path):
    workplace = tmp_path, make_nih(tmp_path / "nih"), make_text_model(tmp_path / "text")
    words = training_options(*workplace, "two", epochs=1, **{"batch-size": 4})
    done = started([*TORCHRUN, "-m", "train.retrieval", *words], ACCELERATE_USE_CPU="true")
    assert done.returncode == 0, done.stderr[-2000:]
    state = tmp_path / "two" / "run" / "state"
    assert json.loads((state / "position.json").read_text())["step"] == 3  # 24 images, 2 x 4
    assert {path.name for path in state.glob("random_states_*.pkl")} == {
        "random_states_0.pkl",
        "random_states_1.pkl",
    }
    weights = load_file(str(tmp_path / "two" / "checkpoint" / "model.safetensors"))
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.mark.train
def test_accelerate_is_refused_where_it_would_start_one_process_of_several(tmp_path):
    several = [*ACCELERATE, "--cpu", "--num_processes", "2", "-m", "train.autoencoder"]
    done = started([*several, "--data", str(tmp_path), "--steps", "1"])
    assert done.returncode != 0
    assert "torchrun --standalone --nproc_per_node" in done.stderr
