"""The steps from nothing to a page that answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cxr.progress import Steps
from cxr.tabs.serve import exclude_loopback_from_proxies, server_port
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
    exclude_loopback_from_proxies()
    exclude_loopback_from_proxies()
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


def start(port: str) -> subprocess.CompletedProcess:
    """Run app.py as a user would, where it cannot serve."""
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=Path(__file__).resolve().parents[3],
        env=os.environ | {"GRADIO_SERVER_PORT": port},
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_a_port_that_is_taken_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = start(port)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"cxr: expected port {port} to be free")
    assert "The page is on" not in done.stdout


def test_a_port_that_is_none_is_one_line():
    done = start("abc")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("cxr: expected GRADIO_SERVER_PORT") and "'abc'" in done.stderr


@pytest.mark.parametrize(("text", "port"), [(" 8000 ", 8000), ("65535", 65535)])
def test_the_port_is_read_from_the_environment(monkeypatch, text, port):
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    assert server_port() == 7860
    monkeypatch.setenv("GRADIO_SERVER_PORT", text)
    assert server_port() == port


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "80.5", "²"])
def test_what_is_no_port_is_refused(monkeypatch, text):
    monkeypatch.setenv("GRADIO_SERVER_PORT", text)
    with pytest.raises(ValueError, match="from 1 to 65535"):
        server_port()
