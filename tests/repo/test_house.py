"""How the code is laid out: packages are used through their faces, files stay readable."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = {folder.parent.name for folder in REPOSITORY.glob("cxr/*/__init__.py")}
FOLDERS = ("cxr", "train", "benchmarks", "tests", "docs")
MOST_LINES, MOST_MODULES = 400, 9
BY_MODULE = {
    "cxr/__main__.py",  # the command line's entry point
    "benchmarks/search.py",  # puts a gallery without images together from its parts
}


def python_files(*folders: str) -> list[Path]:
    return sorted(file for one in folders for file in (REPOSITORY / one).rglob("*.py"))


def name_of(file: Path) -> str:
    return file.relative_to(REPOSITORY).as_posix()


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Absolute names of what a file imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            if node.module == "cxr":
                yield from (f"cxr.{alias.name}" for alias in node.names)


def past_the_face(name: str, text: str) -> list[str]:
    """The modules of other cxr packages that a file imports, instead of from the package."""
    parts = Path(name).parts
    own = parts[1] if parts[0] == "cxr" and len(parts) > 2 else None
    found = []
    for module in imported_modules(ast.parse(text)):
        steps = module.split(".")
        if steps[0] == "cxr" and len(steps) > 2 and steps[1] in PACKAGES - {own}:
            found.append(module)
    return found


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("train/a.py", "from cxr.images.load import x", ["cxr.images.load"]),
        ("cxr/gallery/a.py", "def f():\n    import cxr.images.load", ["cxr.images.load"]),
        ("cxr/images/a.py", "from cxr.images.load import x", []),
        ("app.py", "from cxr.images import load_image", []),
        ("train/a.py", "from train.gan.data import x\nfrom cxr import images", []),
    ],
)
def test_reaching_past_a_face_is_noticed(name, text, found):
    assert past_the_face(name, text) == found


def test_packages_are_used_through_their_faces():
    files = [*python_files("cxr", "train", "benchmarks"), REPOSITORY / "app.py"]
    bad = {
        name_of(file): modules
        for file in files
        if name_of(file) not in BY_MODULE
        if (modules := past_the_face(name_of(file), file.read_text("utf-8")))
    }
    assert bad == {}


def test_no_file_is_too_long():
    files = [*python_files(*FOLDERS), REPOSITORY / "app.py"]
    lines = {name_of(file): len(file.read_text("utf-8").splitlines()) for file in files}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_few_modules_stand_beside_the_packages():
    modules = [file.name for file in (REPOSITORY / "cxr").glob("*.py")]
    assert 0 < len(modules) <= MOST_MODULES


def test_the_picture_of_the_architecture_is_that_of_the_code():
    command = [sys.executable, "docs/draw_imports.py", "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, f"run python docs/draw_imports.py {done.stderr[-1000:]}"
