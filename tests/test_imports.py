"""Imports run one way, as DESIGN.md draws them, and importing costs nothing.

Modules that the design names have a layer and may import only what lies below it. Any other module
is a helper: what it imports counts as imported by whoever uses it, so that none hides behind it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
LAYERS = (
    {"findings", "images", "losses", "metrics", "overlays"},  # know nobody
    {"datasets", "encoders", "generator", "localizer"},
    {"checkpoints", "gallery"},
    {"milvus"},
    {"retrieval"},
    {"reporting", "sampling", "localization"},  # may search for their evidence
    {"tabs", "cli"},
    {"app", "__main__"},
    {"train"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
NARROW = {"datasets": {"findings"}, "app": {"tabs"}, "__main__": {"cli"}}  # these and no others


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


def concept(module: str) -> str | None:
    """The name in LAYERS that a module belongs to: cxr.gallery_x -> gallery; None for a helper."""
    top, _, rest = module.partition(".")
    if top != "cxr":
        return top if top in LEVEL else None
    first = rest.partition(".")[0]
    return next((name for name in (first, first.split("_")[0]) if name in LEVEL), None)


def reached(module: str, graph: dict[str, set[str]]) -> set[str]:
    """The concepts that a module imports, by itself or through helpers."""
    found, entered, waiting = set(), {module}, list(graph[module])
    while waiting:
        other = waiting.pop()
        if name := concept(other):
            found.add(name)
        elif other in graph and other != "cxr" and other not in entered:
            entered.add(other)
            waiting.extend(graph[other])
    return found


def backward_arrows(repository: Path) -> list[str]:
    """One line an import that runs against the design; empty when all is well."""
    known = modules(repository)
    graph = {name: imports(name, file, known) for name, file in known.items()}
    arrows = []
    for module in sorted(graph):
        here = concept(module)
        for there in sorted(reached(module, graph) - {here}) if here else ():
            if LEVEL[there] >= LEVEL[here] or there not in NARROW.get(here, {there}):
                arrows.append(f"{module} -> {there}")
    return arrows


def test_no_arrow_runs_back():
    assert backward_arrows(REPOSITORY) == []


@pytest.mark.parametrize(
    ("files", "arrows"),
    [
        ({"cxr/datasets.py": "from cxr.findings import Study"}, []),
        ({"cxr/gallery_index.py": "import cxr.gallery_format"}, []),
        ({"cxr/findings.py": "from cxr.images import x"}, ["cxr.findings -> images"]),
        ({"cxr/datasets_nih.py": "import cxr.images"}, ["cxr.datasets_nih -> images"]),
        ({"cxr/losses.py": "def f():\n    from .encoders import E"}, ["cxr.losses -> encoders"]),
        ({"cxr/gallery.py": "from cxr import checkpoints"}, ["cxr.gallery -> checkpoints"]),
        ({"cxr/encoders.py": "import train.retrieval"}, ["cxr.encoders -> train"]),
        ({"cxr/tabs/search.py": "from .. import cli"}, ["cxr.tabs.search -> cli"]),
        ({"app.py": "from cxr.retrieval import Retriever"}, ["app -> retrieval"]),
        (
            {"cxr/images.py": "from cxr.pixels import p", "cxr/pixels.py": "import cxr.retrieval"},
            ["cxr.images -> retrieval"],
        ),
    ],
)
def test_the_check_sees_an_arrow_that_runs_back(tmp_path, files, arrows):
    for name in ("cxr/checkpoints.py", "cxr/cli.py", *files):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(files.get(name, ""))
    assert backward_arrows(tmp_path) == arrows


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
        "import sys, cxr, cxr.datasets; cxr.Study, cxr.caption, cxr.load_studies\n"
        "heavy = {'gradio', 'torch', 'transformers', 'pandas', 'pyarrow', 'faiss', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_no_service_imports_gradio_or_speaks():
    names = sorted(LAYERS[4] | LAYERS[5])
    services = [f"cxr.{name}" for name in names if f"cxr.{name}" in modules(REPOSITORY)]
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
