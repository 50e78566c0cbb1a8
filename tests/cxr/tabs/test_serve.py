"""The steps from nothing to a page that answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from cxr.progress import Steps
from cxr.tabs.serve import reach_ourselves
from cxr.tabs.services import Services


def test_each_step_is_one_line_with_the_seconds_since_the_start(capsys):
    tell = Steps(began=0.0)
    tell("Starting")
    tell("Ready")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" s  Starting") and second.endswith(" s  Ready")
    assert float(first.split()[0]) <= float(second.split()[0])


def test_no_proxy_stands_between_the_app_and_its_own_page(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "hospital.example, localhost")
    monkeypatch.delenv("no_proxy", raising=False)
    reach_ourselves()
    reach_ourselves()
    assert os.environ["NO_PROXY"] == "hospital.example,localhost,127.0.0.1,0.0.0.0"
    assert os.environ["no_proxy"] == "127.0.0.1,localhost,0.0.0.0"


def test_every_model_that_is_there_is_loaded_and_the_others_are_named(services, tmp_path):
    lonely = Services(services.gallery, services.weights, reporting=str(tmp_path / "none"))
    lonely.localizer.weights = lonely.generator.weights = str(tmp_path / "none")
    told = []
    lonely.load(told.append)
    assert lonely.ready and told[:2] == ["Search: loading", "Search: ready"]
    assert [line.partition(":")[0] for line in told[2::2]] == ["Read", "Localize", "Generate"]
    assert all("No model at" in line for line in told[3::2])


def test_a_port_that_is_taken_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {"GRADIO_SERVER_PORT": str(taken.getsockname()[1]), "GRADIO_NUM_PORTS": "1"}
        done = subprocess.run(
            [sys.executable, "app.py"],
            cwd=Path(__file__).resolve().parents[3],
            env=os.environ | settings,
            capture_output=True,
            text=True,
            timeout=180,
        )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("cxr: ") and settings["GRADIO_SERVER_PORT"] in done.stderr
