"""python -m cxr space push: what goes into a Space, what never does, and what the Hub is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from gallery_helpers import ENCODER, encode, make_studies
from huggingface_hub import SpaceCard
from space_hub import TOKEN, space_hub

from cxr.cli.space import GALLERY, TOP, push_space, refuse_others, space_files
from cxr.data.load import load_studies
from cxr.gallery.gallery import build_gallery

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path):
    """A small project: what belongs in a Space, and much that does not."""
    root = tmp_path / "project"
    wanted = (
        "cxr/__init__.py",
        "cxr/tabs/assets/page.js",
        "weights/retrieval/config.json",
        "weights/retrieval/model.safetensors",
    )
    others = (
        "tests/test_x.py",
        "runs/a/model.safetensors",
        "gallery/images/patient.png",
        "cxr/__pycache__/x.pyc",
        "weights/retrieval/optimizer.pt",
        "weights/.cache/x.json",
        ".env",
        "film.png",
        "train/x.py",
    )
    for name in (*TOP, *wanted, *others):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "README.md").write_text(
        "---\ntitle: SearchState\nsdk: gradio\ndatasets: []\n---\n# SearchState\n"
    )
    return root, sorted((*TOP, *wanted))


@pytest.fixture
def shelf(tmp_path, film):
    """shelf(folder, source): a gallery of three drawn films that are said to come from `source`."""

    def build(folder: Path, source: str) -> Path:
        studies = make_studies(tmp_path / "films", 3, film)
        studies = [type(one).from_dict(one.to_dict() | {"source": source}) for one in studies]
        build_gallery(studies, encode, folder, ENCODER, source, "CC0", progress=False)
        return folder

    return build


def test_what_the_app_needs_goes_and_nothing_else(project):
    root, wanted = project
    assert space_files(root) == wanted


def test_a_synthetic_gallery_goes_along(project, shelf):
    root, wanted = project
    folder = shelf(root / GALLERY, "synthetic: drawn")
    (folder / "images" / "left over.png").write_bytes(b"of another gallery")
    added = set(space_files(root)) - set(wanted)
    assert {Path(name).suffix for name in added} == {".json", ".parquet", ".npy", ".faiss", ".png"}
    assert len([name for name in added if "/images/" in name]) == 3
    assert not any("left over" in name for name in added)


def test_a_patients_film_never_does(project, shelf):
    shelf(project[0] / GALLERY, "nih")
    with pytest.raises(ValueError, match="synthetic films alone .* came films of nih"):
        space_files(project[0])


def test_a_folder_called_synthetic_does_not_make_its_films_so(project, tmp_path, film):
    folder = tmp_path / "synthetic_vs_real"
    make_studies(folder, 3, film)
    build_gallery(
        load_studies(folder), encode, project[0] / GALLERY, ENCODER, folder.name, "", progress=False
    )
    with pytest.raises(ValueError, match="came films of folder synthetic_vs_real"):
        space_files(project[0])


@pytest.mark.parametrize(
    "stray",
    [
        "examples/patient.png",
        "examples/gallery/images/patient.png",
        "weights/retrieval/patient.png",
        "examples/.films/patient.png",
    ],
)
def test_a_stray_film_is_refused(tmp_path, shelf, stray):
    for name in (*TOP, "cxr/__init__.py", "weights/retrieval/config.json"):
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).touch()
    shelf(tmp_path / "app" / GALLERY, "synthetic: drawn")
    refuse_others(tmp_path / "app")
    (tmp_path / "app" / stray).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "app" / stray).touch()
    with pytest.raises(ValueError, match=f"came 1 other files, the first: {stray}; move"):
        refuse_others(tmp_path / "app")


def test_films_without_their_gallery_are_refused(project):
    (project[0] / GALLERY / "images").mkdir(parents=True)
    (project[0] / GALLERY / "images" / "patient.png").touch()
    with pytest.raises(ValueError, match="the first: examples/gallery/images/patient.png"):
        refuse_others(project[0])


def test_elsewhere_than_in_the_project_it_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"found no app.py.*run this in the folder"):
        space_files(tmp_path)


def test_this_project_has_all_that_the_app_imports():
    files = space_files(REPOSITORY)
    assert {"app.py", "cxr/tabs/search/tab.py", "cxr/tabs/assets/page.js"} <= set(files)
    assert "weights/retrieval/tokenizer.json" in files
    assert not [name for name in files if name.startswith(("tests/", "train/", "benchmarks/"))]


@pytest.mark.parametrize(
    ("repo_id", "gallery", "message"),
    [
        ("owner", None, "expected OWNER/NAME, got 'owner'"),
        ("a/b/c", None, "expected OWNER/NAME"),
        ("a/b", "gallery", "expected hf://datasets/OWNER/NAME as the gallery, got 'gallery'"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_asked(project, repo_id, gallery, message):
    with pytest.raises(ValueError, match=message):
        push_space(project[0], repo_id, gallery=gallery)


RUN = (
    f"import sys; sys.path[:0] = [{str(REPOSITORY)!r}]\n"
    "import cxr.cli.main as c; sys.exit(c.main())"
)


def push(root: Path, hub: str, *words: str, token: str = TOKEN) -> subprocess.CompletedProcess:
    """The command in a process of its own, with the Hub on loopback."""
    settings = {
        "HF_ENDPOINT": hub,
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(root / ".hf"),
    }
    return subprocess.run(
        [sys.executable, "-c", RUN, "space", "push", *words],
        cwd=root,
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )


def test_a_push_makes_the_space_and_fills_it(project):
    root, wanted = project
    with space_hub() as hub:
        done = push(root, hub.url, "me/room", "--gallery", "hf://datasets/me/films", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "space": f"{hub.url}/spaces/me/room",
            "gallery": "hf://datasets/me/films",
            "files": wanted,
        }
        assert hub.created["type"] == "space" and hub.created["sdk"] == "gradio"
        assert hub.variables == {"CXR_GALLERY": "hf://datasets/me/films"}
        assert sorted(hub.files) == wanted and hub.files["app.py"] == b"app.py"
        about = SpaceCard(hub.files["README.md"].decode())
        assert about.data.datasets == ["me/films"] and about.data.title == "SearchState"
        assert "datasets: []" in (root / "README.md").read_text()  # ours is as it was
        hub.files |= {"cxr/gone.py": b"", "notes.md": b"the owner's own"}
        done = push(root, hub.url, "me/room")
        assert (done.returncode, done.stdout) == (0, f"{hub.url}/spaces/me/room\n"), done.stderr
        assert sorted(hub.files) == sorted((*wanted, "notes.md"))


def test_a_private_gallery_needs_a_secret(project):
    words = ("me/room", "--gallery", "hf://datasets/me/films")
    with space_hub() as hub:
        assert "HF_TOKEN" not in push(project[0], hub.url, *words).stderr
        hub.closed = True
        done = push(project[0], hub.url, *words)
    assert done.returncode == 0 and done.stdout == f"{hub.url}/spaces/me/room\n", done.stderr
    assert "hf://datasets/me/films is private: " in done.stderr
    assert "a secret HF_TOKEN" in done.stderr


def test_a_gallery_that_is_not_there_is_found_before_a_space_is_made(project):
    with space_hub() as hub:
        done = push(project[0], hub.url, "me/room", "--gallery", "hf://datasets/me/none")
        assert done.returncode == 2 and "to find hf://datasets/me/none" in done.stderr
        assert not hub.created and not hub.files


def test_a_public_space_does_not_become_private_by_asking(project):
    with space_hub() as hub:
        assert push(project[0], hub.url, "me/room").returncode == 0
        hub.files.clear()
        done = push(project[0], hub.url, "me/room", "--private")
        assert done.returncode == 2 and "a private Space at me/room, it is public" in done.stderr
        assert not hub.files
        hub.created.clear()
        done = push(project[0], hub.url, "me/room", "--private")
        assert done.returncode == 0 and hub.files, done.stderr


def test_without_leave_to_write_one_line_says_what_to_do(project):
    with space_hub() as hub:
        done = push(project[0], hub.url, "me/room", token="hf_wrong")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert "401" in done.stderr and "hf auth login" in done.stderr and hub.files == {}


def test_without_network_one_line_says_what_to_do(project):
    done = push(project[0], "http://127.0.0.1:9", "me/room")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "check the network" in done.stderr
