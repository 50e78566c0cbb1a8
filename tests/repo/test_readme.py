"""What the pages tell a reader to type exists: make targets, commands, options, Python names."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from PIL import Image

import cxr

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md")


def blocks(page: str, language: str) -> list[str]:
    """The fenced code blocks of a page in one language."""
    text = (REPOSITORY / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """The words of each shell command on the pages, without VARIABLE=value in front of it."""
    text = "".join(block for page in PAGES for block in blocks(page, "bash"))
    found = []
    for part in re.split(r"\n|&&", text):
        words = shlex.split(part, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        if words:
            found.append(words)
    return found


def modules() -> dict[tuple[str, ...], set[str]]:
    """Each Python module and sub-command that the pages run -> the options that they give it."""
    options: dict[tuple[str, ...], set[str]] = {}
    for words in commands():
        if "-m" not in words:
            continue
        module, *rest = words[words.index("-m") + 1 :]
        grouped = rest[:1] in (["gallery"], ["reports"], ["data"], ["space"], ["collection"])
        depth = {"cxr": 1, "train.evaluate": 1}.get(module, 0) + grouped
        command = (module, *rest[:depth])
        given = {word for word in rest if re.match(r"-{1,2}[a-z]", word)}
        options.setdefault(command, set()).update(given)
    return options


def test_the_two_commands_come_first_and_the_plain_ones_beside_them():
    first, second = blocks("README.md", "bash")[:2]
    assert [line.split()[:2] for line in first.splitlines()] == [["make", "app"], ["make", "test"]]
    assert second.strip() == "pip install -r requirements.txt && python app.py"
    assert (REPOSITORY / "app.py").is_file()


def test_the_readme_names_every_setting_of_the_app():
    """What app.py and the page's services read from the environment."""
    sources = ("cxr/tabs/serve.py", "cxr/tabs/services.py", "app.py")
    code = "".join((REPOSITORY / source).read_text("utf-8") for source in sources)
    settings = set(re.findall(r"\b(?:CXR|GRADIO_SERVER)_[A-Z]+\b", code))
    assert {"GRADIO_SERVER_PORT", "GRADIO_SERVER_NAME", "CXR_WEIGHTS"} <= settings
    text = (REPOSITORY / "README.md").read_text("utf-8")
    assert sorted(name for name in settings if name not in text) == []


def test_every_make_target_on_the_pages_exists():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (REPOSITORY / "Makefile").read_text(), re.M))
    used = {
        word for words in commands() if words[0] == "make" for word in words[1:] if "=" not in word
    }
    assert {"app", "test", "gallery"} <= used
    assert used <= targets


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("command", modules(), ids=" ".join)
def test_every_command_on_the_pages_exists(command: tuple[str, ...], monkeypatch, capsys):
    module, *words = command
    monkeypatch.setattr(sys, "argv", [module, *words, "--help"])
    with pytest.raises(SystemExit) as ended:  # as python -m does, without seconds of imports each
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert ended.value.code in (0, None)
    offered = set(re.findall(r"(?<![\w-])-{1,2}[a-z][a-z-]*", capsys.readouterr().out))
    assert modules()[command] <= offered


def test_the_python_example_names_what_exists():
    (code,) = (block for block in blocks("README.md", "python") if "import cxr" in block)
    objects = {"cxr": cxr, "retriever": cxr.Retriever}
    seen = set()
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            continue
        owner = objects.get(node.value.id)
        if owner is not None:
            assert hasattr(owner, node.attr), f"{node.value.id}.{node.attr} does not exist"
            seen.add(f"{node.value.id}.{node.attr}")
    assert {"cxr.Retriever", "retriever.search"} <= seen


def test_the_readme_has_a_place_for_the_measured_numbers():
    text = (REPOSITORY / "README.md").read_text("utf-8")
    start, end = "<!-- metrics:retrieval -->", "<!-- /metrics:retrieval -->"
    assert (text.count(start), text.count(end)) == (1, 1)
    assert text.index(start) < text.index(end)


def test_the_links_between_the_pages_lead_somewhere():
    for page in PAGES:
        text = (REPOSITORY / page).read_text("utf-8")
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert link.startswith("https://") or (REPOSITORY / link).exists(), f"{page}: {link}"


def test_the_walk_through_the_tabs_moves_and_loads_soon():
    path = REPOSITORY / "docs/walkthrough.webp"
    with Image.open(path) as walk:
        assert walk.n_frames >= 90 and walk.size == (960, 600)
    assert path.stat().st_size < 3_000_000


def test_the_readme_says_what_it_is_not_for():
    assert "for education, not for diagnosis" in (REPOSITORY / "README.md").read_text().lower()
