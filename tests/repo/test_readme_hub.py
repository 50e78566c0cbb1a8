"""The README's section on the Hub is nothing but commands, and every one of them runs."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from app_gallery import make_shelf
from public_archives import publish
from reporting_parts import save_reporting
from tiny_localizer import save_localizer

import cxr
from cxr.checkpoints.encoders import load_text_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.cli.main import main

REPOSITORY = Path(__file__).resolve().parents[2]
TITLE = "## From the Hugging Face Hub"


def section() -> str:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    return text.partition(TITLE)[2].partition("\n## ")[0].strip()


def commands() -> list[tuple[dict[str, str], list[str]]]:
    """Each line of the section: the variables in front of the command, and its words."""
    found = []
    for line in section().splitlines()[1:-1]:
        words = shlex.split(line, comments=True)
        count = sum(1 for _ in iter_assignments(words))
        found.append((dict(word.split("=", 1) for word in words[:count]), words[count:]))
    return found


def iter_assignments(words: list[str]):
    for word in words:
        if not re.match(r"[A-Z_]+=", word):
            return
        yield word


@pytest.fixture
def checkout(tmp_path, film):
    """A folder with the app and cxr of this checkout, and small models and films of its own."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("app.py", "cxr"):
        (root / name).symlink_to(REPOSITORY / name)
    shelf = make_shelf(root, film)
    weights = root / "weights" / "retrieval"
    weights.parent.rename(root / "made")
    (root / "weights").mkdir()
    (root / "made").rename(weights)
    about = {"weights": "retrieval", "sha256": load_text_encoder(weights).fingerprint}
    save_localizer(root / "weights", text_encoder=about)
    save_reporting(root / "weights" / "reporting", fingerprint(weights))
    film(3).save(root / "film.png")
    assert shelf.gallery == root / "gallery"
    return root


def test_the_section_is_nothing_but_commands():
    lines = section().splitlines()
    assert (lines[0], lines[-1]) == ("```bash", "```")
    for _, words in commands():
        assert words[:3] == ["python", "-m", "cxr"] or words == ["python", "app.py"]
    run = {" ".join(words[3:5]) for _, words in commands()}
    assert {"gallery push", "gallery pull", "data fetch", "push weights/retrieval"} <= run


def test_every_command_of_the_section_runs(hub, checkout, tmp_path, monkeypatch, film, capsys):
    publish(hub, film, monkeypatch)
    monkeypatch.chdir(checkout)
    home = tmp_path / "home"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    for variables, words in commands():
        environment = {**os.environ, **hub.environment(home), **variables}
        if words == ["python", "app.py"]:
            hub.log.clear()
            serve(environment, checkout, lambda: hub.asked("api/datasets/owner/films"))
        elif variables:
            done = subprocess.run(
                [sys.executable, *words[1:]],
                env=environment,
                cwd=checkout,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert done.returncode == 0, done.stderr[-2000:]
            assert done.stdout.startswith("heart and mediastinum: ")
        else:
            assert main(words[3:]) == 0, capsys.readouterr().err[-2000:]
            printed = capsys.readouterr().out.splitlines()
            assert len(printed) == {"search": 12, "data": 2}.get(words[3], 1)
    assert fingerprint("runs/retrieval") == fingerprint("weights/retrieval")
    assert main(["gallery", "check", "runs/films", "--weights", "runs/retrieval"]) == 0
    for name in ("openi", "nih", "chexpert/chexpert/CheXpert-v1.0-small"):
        assert cxr.load_studies(Path("data") / name)


def serve(environment: dict[str, str], checkout: Path, fetched) -> None:
    """Start the app and wait until its page is there and it asked the Hub for its gallery."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=checkout,
        stderr=subprocess.PIPE,
        env={**environment, "GRADIO_SERVER_PORT": str(port)},
        text=True,
    )
    try:
        for _ in range(600):
            assert app.poll() is None, app.stderr.read()[-2000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5) as page:
                    assert page.status == 200
                if fetched():
                    return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.1)
        raise AssertionError("the page did not come up within a minute")
    finally:
        app.kill()
        app.communicate()
