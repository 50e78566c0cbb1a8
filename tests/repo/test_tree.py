"""The frame: versions that belong together, declared requirements, and what git must never hold."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
PICKLED = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".dcm", ".dicom")
PICTURE_HOMES = ("examples/", "docs/", "weights/")  # synthetic films, pages without films, curves
MB = 1_000_000

TOGETHER = """
import accelerate, faiss, gradio, huggingface_hub, numpy, segmentation_models_pytorch, timm
import torch, torchvision, transformers
boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [5.0, 5.0, 6.0, 6.0]])
# A pair that was not compiled for each other lacks torchvision's own operators.
kept = torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5)
index = faiss.IndexFlatIP(2)
index.add(numpy.eye(2, dtype="float32"))
found = index.search(numpy.array([[0.0, 1.0]], dtype="float32"), 1)[1]
print(kept.tolist(), found.tolist())
"""


def requirements(name: str) -> list[Requirement]:
    """The requirements of one file, those of the files that it includes left out."""
    lines = (REPOSITORY / name).read_text("utf-8").splitlines()
    stripped = (line.partition("#")[0].strip() for line in lines)
    return [Requirement(line) for line in stripped if line and not line.startswith("-")]


PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
CORE = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRA = {
    name: [Requirement(line) for line in lines]
    for name, lines in PROJECT["optional-dependencies"].items()
}
RUN = CORE + EXTRA["app"] + EXTRA["train"]
DEV = [one for one in EXTRA["dev"] if one.marker is None or one.marker.evaluate()]
START = requirements("requirements-start.txt")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file that git tracks and that is in the working tree."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this copy of the source has no git history to look at")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    files = [REPOSITORY / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def name_of(file: Path) -> str:
    return file.relative_to(REPOSITORY).as_posix()


def test_the_libraries_work_in_one_process():
    done = subprocess.run([sys.executable, "-c", TOGETHER], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[0, 2] [[1]]"


@pytest.mark.parametrize("requirement", RUN + DEV, ids=lambda requirement: requirement.name)
def test_what_is_installed_is_in_the_declared_range(requirement: Requirement):
    installed = metadata.version(requirement.name)
    assert requirement.specifier.contains(installed, prereleases=True), (
        f"{requirement.name} {installed} is outside {requirement.specifier}"
    )


@pytest.mark.parametrize("requirement", RUN, ids=lambda requirement: requirement.name)
def test_a_range_has_both_ends(requirement: Requirement):
    operators = {part.operator for part in requirement.specifier}
    # A Space runs the very Gradio that README.md declares.
    wanted = {"=="} if requirement.name == "gradio" else {">=", "<"}
    assert operators == wanted, f"{requirement} needs {' and '.join(wanted)}"


def test_the_requirements_of_a_space_are_those_of_the_project():
    listed = sorted(map(str, requirements("requirements.txt")))
    assert listed == sorted(map(str, CORE + EXTRA["app"]))


def test_serving_needs_nothing_that_only_training_does():
    served = undeclared(("cxr",), CORE + EXTRA["app"])
    assert served <= {"spaces", "umap"}


def imported_packages(folders: tuple[str, ...]) -> set[str]:
    """Top-level names that Python files under the folders import, less the standard library's."""
    names: set[str] = set()
    files = [file for folder in folders for file in (REPOSITORY / folder).rglob("*.py")]
    for file in [*files, REPOSITORY / "app.py"]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names)


def brought_by(requirement: Requirement) -> set[str]:
    """Top-level names that an installed distribution makes importable."""
    files = metadata.files(requirement.name) or []
    return {file.parts[0].partition(".")[0] for file in files}


def undeclared(folders: tuple[str, ...], declared: list[Requirement]) -> set[str]:
    """Imported names that no declared requirement brings: a fresh install would lack them."""
    ours = {"app", "cxr", "train", "tests", "benchmarks"}
    ours |= {file.stem for file in (REPOSITORY / "tests").rglob("*.py")}
    return imported_packages(folders) - ours.union(*map(brought_by, declared))


def test_a_fresh_install_has_all_that_the_app_and_the_training_import():
    optional = {requirement.name for requirement in START}  # train.retrieval.starting_points alone
    optional.add("spaces")  # cxr.tabs.shared.zerogpu alone: Spaces have it
    optional.add("umap")  # cxr.gallery.map alone: an extra
    assert undeclared(("cxr", "train"), RUN) <= optional


def test_a_fresh_install_has_all_that_the_tests_import():
    assert undeclared(("tests", "benchmarks"), RUN + DEV) <= {"tomli"}  # of Python 3.10 alone


def test_no_pickled_weights_are_tracked(tracked: list[Path]):
    def pickled(file: Path) -> bool:
        with file.open("rb") as stream:
            start = stream.read(4)
        # A pickle of protocol 2 to 5, or the zip archive in which torch.save puts one.
        return re.match(rb"\x80[\x02-\x05]|PK\x03\x04", start, re.DOTALL) is not None

    bad = [name_of(file) for file in tracked if file.suffix in PICKLED or pickled(file)]
    assert bad == []


def test_tracked_pictures_are_only_where_synthetic_ones_live(tracked: list[Path]):
    pictures = [name_of(file) for file in tracked if file.suffix.lower() in PICTURES]
    assert [name for name in pictures if not name.startswith(PICTURE_HOMES)] == []
    assert [name for name in pictures if name.endswith((".dcm", ".dicom"))] == []


def test_no_patient_image_is_tracked(tracked: list[Path], real_data: Path):
    sizes = {file.stat().st_size for file in tracked}
    digests = {hashlib.sha256(file.read_bytes()).hexdigest() for file in tracked}
    names = {file.stem for file in tracked if file.suffix.lower() in PICTURES}
    for film in real_data.rglob("*"):
        if film.suffix.lower() not in PICTURES:
            continue
        assert film.stem not in names, f"a tracked picture has a patient's name: {film.stem}"
        if film.stat().st_size in sizes:
            assert hashlib.sha256(film.read_bytes()).hexdigest() not in digests, film.name


def test_files_and_weights_stay_small(tracked: list[Path]):
    assert [name_of(file) for file in tracked if file.stat().st_size > 16 * MB] == []
    weights = [file for file in tracked if name_of(file).startswith("weights/")]
    assert sum(file.stat().st_size for file in weights) <= 160 * MB


def test_the_licence_is_the_whole_apache_text():
    text = (REPOSITORY / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in text
    assert all(f"\n   {number}. " in text for number in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text
    assert re.search(r"Copyright 20\d\d The CXR Reading Room authors", text)
