"""Galleries to the Hugging Face Hub and back: one data set repository a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr.data import FOLDER, IMAGES, STUDIES, image_name, write_studies
from cxr.files import copy_folder
from cxr.findings import Study
from cxr.gallery.card import CARD, gallery_card
from cxr.gallery.check import check_gallery
from cxr.gallery.format import (
    EMBEDDINGS,
    GALLERY_FILES,
    HEADER,
    INDEX,
    OPTIONAL_FILES,
    read_header,
)
from cxr.gallery.gallery import Gallery
from cxr.hub import Repository, explained, fetch, is_hub_address, send, staged

OWN = (*GALLERY_FILES, CARD)


def push_gallery(folder: str | Path, repo_id: str, private: bool = True) -> str:
    """Upload a gallery with its data set card.

    Its images and reports go with it: whether they may is for the reader of their licence to say.
    Names of a plain folder's studies and patients stay here, see `numbered`.

    Args:
        folder: of the gallery.
        repo_id: owner/name; made when there is none.
        private: keep it from the public.

    Returns:
        Its address, hf://datasets/owner/name@commit.

    Raises:
        ValueError: a damaged gallery, a repository that is public though `private`, or what
            cxr.hub.repository.send refuses.
    """
    gallery = Gallery.open(folder)
    if problems := check_gallery(gallery.folder):
        raise ValueError(
            f"expected a whole gallery at {gallery.folder}, {problems[0]}; build it again"
        )
    repository = Repository.at(f"hf://datasets/{repo_id}")
    plain = (HEADER, STUDIES, EMBEDDINGS, INDEX)
    files: dict[str, Path | str] = {name: gallery.folder / name for name in plain}
    for name in OPTIONAL_FILES:
        if (gallery.folder / name).is_file():
            files[name] = gallery.folder / name
    names = [image_name(study) for study in gallery.studies]
    files |= {f"{IMAGES}/{name}": gallery.folder / IMAGES / name for name in names}
    files[CARD] = gallery_card(gallery.info(), gallery.studies, repository.name)
    with TemporaryDirectory() as temporary:
        if (studies := numbered(gallery.studies)) != gallery.studies:
            write_studies(Path(temporary), studies, names)
            files[STUDIES] = Path(temporary) / STUDIES
        with staged(files) as ready:
            return str(send(ready, repository, private, OWN, f"Push {gallery.folder.name}"))


def numbered(studies: Sequence[Study]) -> list[Study]:
    """The studies, those of a plain folder with numbers as ids and patients.

    There both are file names, which may hold a person's name, and a hash of a name or a date is
    soon guessed. The same studies in the same order get the same numbers.
    """
    patients: dict[tuple[str, str], int] = {}
    result = []
    for row, study in enumerate(studies, 1):
        if study.source.startswith(FOLDER):
            patient = patients.setdefault((study.source, study.patient), len(patients) + 1)
            study = replace(study, id=f"film {row}", patient=f"patient {patient}")
        result.append(study)
    return result


def pull_gallery(address: str, folder: str | Path, overwrite: bool = False) -> Path:
    """Copy a gallery from the Hub to a folder, which appears whole or not at all.

    Raises:
        ValueError: as cxr.hub.repository.fetch, no gallery or one of a newer format, a folder that
            holds something else, or another gallery without `overwrite`.
    """
    if not is_hub_address(address) or Repository.at(address).kind != "dataset":
        raise ValueError(f"expected hf://datasets/owner/name[@revision], got {address!r}")
    source = fetch(address, OWN)
    read_header(source)
    if problems := check_gallery(source):
        raise ValueError(
            f"expected a whole gallery at {address}, {problems[0]}; ask whoever pushed it"
        )
    with explained(f"to copy {address} to {folder}", elsewhere="give another folder"):
        return copy_folder(source, Path(folder), HEADER, OWN, overwrite)
