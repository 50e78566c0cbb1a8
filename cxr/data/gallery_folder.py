"""The studies of a gallery folder, which holds gallery.json, studies.parquet and images/."""

from __future__ import annotations

import os
from pathlib import Path

from cxr.data.records import Loaded, Notes
from cxr.data.study_table import IMAGES, STUDIES, read_studies


def holds_gallery(root: Path) -> bool:
    """Whether root is a gallery."""
    return (root / "gallery.json").is_file() and (root / STUDIES).is_file()


def read_gallery(root: Path) -> Loaded:
    """The studies of the gallery whose image is there. Raises ValueError on another file format."""
    notes = Notes()
    present = set(os.listdir(root / IMAGES)) if (root / IMAGES).is_dir() else set()
    studies = []
    for study in read_studies(root):
        if study.image.name in present:
            studies.append(study)
        else:
            notes.lack(study.image.name)
    return notes.loaded(studies, "gallery")
