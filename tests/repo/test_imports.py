"""Importing costs nothing, and only the page imports gradio."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def modules(repository: Path) -> dict[str, Path]:
    """Dotted module name -> file, over cxr/, train/ and app.py."""
    files = [*repository.glob("cxr/**/*.py"), *repository.glob("train/**/*.py")]
    files += repository.glob("app.py")
    names = (".".join(file.relative_to(repository).with_suffix("").parts) for file in files)
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files)}


def imports(name: str, file: Path, known: dict[str, Path]) -> set[str]:
    """The modules that a file names in its imports, wherever they stand, "from" names resolved."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (above, node.module)))
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= {one if one in known else base for one in inner}
    return found - {name}


def test_only_tabs_imports_gradio():
    known = modules(REPOSITORY)
    users = {
        name
        for name, file in known.items()
        if any(one.partition(".")[0] == "gradio" for one in imports(name, file, known))
    }
    assert {name for name in users if not name.startswith("cxr.tabs")} == set()


def run(code: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-W", "error::DeprecationWarning:cxr", "-c", code]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)


def test_importing_cxr_is_light_and_silent():
    done = run(
        "import sys, cxr, cxr.data.load; cxr.Study, cxr.caption, cxr.load_studies\n"
        "heavy = {'gradio', 'torch', 'transformers', 'pandas', 'pyarrow', 'faiss', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_no_service_imports_gradio_or_speaks():
    services = [
        name
        for name in modules(REPOSITORY)
        if name.startswith(("cxr.retrieval", "cxr.reporting", "cxr.localization", "cxr.generation"))
    ]
    done = run(
        f"import importlib, sys\nfor name in {services}: importlib.import_module(name)\n"
        "assert 'gradio' not in sys.modules"
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_public_names():
    import cxr

    assert cxr.__version__ == "0.1.0"
    assert set(cxr.__all__) <= set(dir(cxr))
    for name in cxr.__all__:
        assert getattr(cxr, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'diagnose'; it has Study"):
        _ = cxr.diagnose
