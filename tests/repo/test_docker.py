"""The container's recipe: who runs what in it, and that its health check tells up from down."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from app_server import serving

from cxr.cli.space import WEIGHTS, space_files

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recipe() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, (name, arguments), lines that go on joined."""
    text = (REPOSITORY / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def only(recipe, name: str) -> str:
    """The arguments of an instruction that stands there once."""
    (arguments,) = (words for one, words in recipe if one == name)
    return arguments


def context() -> set[str]:
    """The files that .dockerignore lets through, of those that git tracks: the last rule counts."""
    rules = (REPOSITORY / ".dockerignore").read_text().splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    kept = set()
    for name in filter(None, listed):
        ignored = False
        for rule in rules:
            pattern = rule.removeprefix("!")
            if fnmatch(name, pattern) or name.startswith(f"{pattern}/"):
                ignored = not rule.startswith("!")
        if not ignored:
            kept.add(name)
    return kept


def test_it_runs_without_root(recipe):
    names = [name for name, _ in recipe]
    assert only(recipe, "USER") not in ("root", "0")
    assert names.index("USER") < names.index("CMD")
    # What is copied belongs to root: the app cannot change itself.
    assert "USER" not in names[: max(i for i, name in enumerate(names) if name == "COPY")]
    assert not any("--chown" in words for name, words in recipe if name == "COPY")


def test_its_python_is_one_that_is_supported(recipe):
    assert re.fullmatch(r"python:3\.1[012]-slim", only(recipe, "FROM"))


def test_what_is_copied_is_there(recipe):
    sources = [word for name, words in recipe if name == "COPY" for word in words.split()[:-1]]
    assert sources == ["requirements.txt", "."]
    assert all((REPOSITORY / source).exists() for source in sources)


def test_the_context_holds_the_app_and_nothing_else():
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this copy of the source has no git history to look at")
    assert context() == set(space_files(REPOSITORY))
    rules = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert [rule for rule in rules if rule.startswith("!weights")] == [
        f"!weights/**/*{suffix}" for suffix in WEIGHTS
    ]


def test_the_steps_that_run_python_run_it(recipe, tmp_path):
    """All RUN steps that need nothing but Python and the project, on what is copied."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this copy of the source has no git history to look at")
    for name in context():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(REPOSITORY / name)
    steps = [shlex.split(words) for name, words in recipe if name == "RUN" and "python -c" in words]
    assert len(steps) == 1
    check = [sys.executable, *steps[0][1:]]
    subprocess.run(check, cwd=tmp_path, check=True)
    (tmp_path / "weights" / "film.png").touch()
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "the first: weights/film.png" in done.stderr


def test_it_serves_to_the_outside_on_the_port_that_it_names(recipe):
    settings = dict(word.split("=") for word in only(recipe, "ENV").split())
    assert settings["GRADIO_SERVER_NAME"] == "0.0.0.0"
    assert settings["GRADIO_SERVER_PORT"] == only(recipe, "EXPOSE") == "7860"
    assert json.loads(only(recipe, "CMD")) == ["python", "app.py"]


def healthy(recipe, port: int) -> bool:
    """What the health check says of the app on a port."""
    words = only(recipe, "HEALTHCHECK")
    program, *arguments = json.loads(words[words.index("[") :])
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        env=os.environ | {"GRADIO_SERVER_PORT": str(port)},
    )
    return done.returncode == 0


def test_the_health_check_tells_up_from_down(recipe, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert not healthy(recipe, port)
    nothing = tmp_path / "nothing"
    with serving(tmp_path, nothing, nothing) as server:
        assert healthy(recipe, int(server.url.rpartition(":")[2]))
