"""python -m cxr space push: the app as a Hugging Face Space, with nothing in it that is not needed.

A gallery goes only where every film in it is synthetic: a Space is public, a patient's film is not.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr.defaults import GALLERY
from cxr.hub import Repository, explained

TOP = ("app.py", "README.md", "LICENSE", "requirements.txt")
WEIGHTS = (".json", ".safetensors", ".txt", ".md")  # what a checkpoint is made of
STALE = ["cxr/*", "weights/*", "examples/*"]  # in the Space, and no longer here: taken away
_DATASET = "hf://datasets/"


def add_space(commands) -> None:
    """Add the command to a parser's commands."""
    space = commands.add_parser("space", help="put the app on Hugging Face Spaces")
    parts = space.add_subparsers(required=True, metavar="push")
    push = parts.add_parser("push", help="make a Space of the app in this folder, or renew it")
    push.add_argument("repo_id", metavar="OWNER/NAME")
    push.add_argument(
        "--gallery",
        metavar="hf://datasets/OWNER/NAME",
        help="what the Space searches; its variable CXR_GALLERY",
    )
    push.add_argument("--private", action="store_true", help="for you alone, when it is new")
    push.add_argument("--json", action="store_true", help="print one JSON document")
    push.set_defaults(run=_push)


def space_files(root: Path) -> list[str]:
    """What belongs in a Space, as sorted paths below `root`.

    Raises:
        ValueError: no app in `root`, or a gallery at GALLERY with films that are not synthetic.
    """
    missing = [name for name in (*TOP, "cxr") if not (root / name).exists()]
    if missing:
        raise ValueError(
            f"expected the app in {root.absolute()}, found no {', '.join(missing)}; run this in "
            "the folder that holds app.py"
        )
    code = [file for file in _below(root, "cxr") if file.suffix != ".pyc"]
    weights = [file for file in _below(root, "weights") if file.suffix in WEIGHTS]
    files = [*(root / name for name in TOP), *code, *weights, *_gallery(root)]
    return sorted(file.relative_to(root).as_posix() for file in files)


def refuse_others(root: Path) -> None:
    """Stop where examples/ or weights/ holds a file that does not belong in a Space.

    Raises:
        ValueError: there is one, hidden or not; or as space_files.
    """
    known = set(space_files(root))
    found = (file for home in ("examples", "weights") for file in (root / home).rglob("*"))
    others = sorted(file.relative_to(root).as_posix() for file in found if not file.is_dir())
    if others := [name for name in others if name not in known]:
        raise ValueError(
            f"expected a gallery of synthetic films and checkpoints alone in {root.absolute()}, "
            f"came {len(others)} other files, the first: {others[0]}; move them elsewhere"
        )


def push_space(
    root: Path, repo_id: str, private: bool | None = None, gallery: str | None = None
) -> str:
    """Make the Space, or renew it.

    Args:
        root: the folder that holds app.py.
        repo_id: owner/name.
        private: only of a new Space; None: as the owner's account has it.
        gallery: hf://datasets/owner/name, or None.

    Returns:
        Its address.

    Raises:
        ValueError: bad arguments, films that are not synthetic, a Space that is public though
            `private`, or what the Hub refused.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id):
        raise ValueError(f"expected OWNER/NAME, got {repo_id!r}")
    if gallery and not gallery.startswith(_DATASET):
        raise ValueError(f"expected {_DATASET}OWNER/NAME as the gallery, got {gallery!r}")
    files = space_files(root)
    from huggingface_hub import HfApi  # slow to import, seldom needed

    api = HfApi()
    with TemporaryDirectory() as folder:
        _stage(root, files, Path(folder))
        if gallery:
            _name_data_set(Path(folder) / "README.md", gallery)
        with explained(f"to write the Space {repo_id}", repo_id):
            made = api.create_repo(
                repo_id, repo_type="space", space_sdk="gradio", private=private, exist_ok=True
            )
            if private and not api.repo_info(repo_id, repo_type="space").private:
                raise ValueError(
                    f"expected a private Space at {repo_id}, it is public; push to another name, "
                    "or without --private if everyone may see this"
                )
            if gallery:
                api.add_space_variable(repo_id, "CXR_GALLERY", gallery)
            api.upload_folder(
                repo_id=repo_id,
                repo_type="space",
                folder_path=folder,
                delete_patterns=STALE,
                commit_message="Upload the reading room",
            )
    return str(made)


def is_private(gallery: str) -> bool:
    """Whether a data set, hf://datasets/owner/name, is closed to whoever has no token.

    Raises ValueError for an address that cannot be read, or what the Hub refused.
    """
    from huggingface_hub import HfApi

    at = Repository.at(gallery)
    with explained(f"to find {at}", at.name):
        return bool(HfApi().repo_info(at.name, repo_type=at.kind).private)


def _push(options: argparse.Namespace) -> int:
    closed = bool(options.gallery) and is_private(options.gallery)
    address = push_space(Path(), options.repo_id, options.private or None, options.gallery)
    files = space_files(Path())
    if options.json:
        print(json.dumps({"space": address, "gallery": options.gallery, "files": files}, indent=2))
    else:
        print(address)
    if closed:
        print(
            f"{options.gallery} is private: in the settings of {address}, add a secret HF_TOKEN, a "
            "token that may read it; without one the Space has no films",
            file=sys.stderr,
        )
    return 0


def _below(root: Path, name: str) -> list[Path]:
    """Files in a folder of `root`, hidden ones left out."""
    found = (root / name).rglob("*")
    return [
        file
        for file in found
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(root).parts)
    ]


def _gallery(root: Path) -> list[Path]:
    """The files of the gallery of synthetic films; none where there is no gallery."""
    from cxr.data import STUDIES, SYNTHETIC, read_studies
    from cxr.gallery import EMBEDDINGS, HEADER, INDEX, OPTIONAL_FILES, is_gallery

    folder = root / GALLERY
    if not is_gallery(folder):
        return []
    studies = read_studies(folder)
    others = sorted({one.source for one in studies if not one.source.startswith(SYNTHETIC)})
    if others:
        raise ValueError(
            f"expected synthetic films alone in {folder}, came films of {', '.join(others)[:200]}; "
            "move the gallery elsewhere: a Space never holds a patient's film"
        )
    films = (Path(study.image) for study in studies if study.image)
    extra = [name for name in OPTIONAL_FILES if (folder / name).is_file()]
    return [folder / name for name in (HEADER, STUDIES, EMBEDDINGS, INDEX, *extra)] + [
        folder / film.relative_to(folder.absolute()) for film in films
    ]


def _stage(root: Path, files: list[str], folder: Path) -> None:
    """A folder with these files and no others, each a link to the real one."""
    for name in files:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to((root / name).absolute())


def _name_data_set(readme: Path, gallery: str) -> None:
    """Have the Space's page say which data set it shows."""
    from huggingface_hub import SpaceCard

    card = SpaceCard.load(readme)
    card.data.datasets = [gallery.removeprefix(_DATASET).partition("@")[0]]
    readme.unlink()  # a link to the project's own
    card.save(readme)
