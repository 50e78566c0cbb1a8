"""Public data sets as they are published -> list[Study].

The layout is recognised by the files in the folder: "gallery" (gallery.json), "chexpert" (train.csv
or valid.csv), "nih" (Data_Entry*.csv), "openi" (indiana_reports.csv or ecgen-radiology/*.xml), else
"folder" (images, and perhaps a CSV). What each reader expects stands at the top of its file.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from cxr.data.chexpert import ABOUT, find_tables, read_chexpert
from cxr.data.csv_table import read_header
from cxr.data.expert_labels import with_best_labels
from cxr.data.folder import read_folder
from cxr.data.loaded import Loaded
from cxr.data.nih import PATTERN, read_nih
from cxr.data.openi import holds_openi, load_reports, read_openi
from cxr.data.splits import load_split, split_studies
from cxr.data.study_table import holds_gallery, read_gallery
from cxr.findings import Study

__all__ = [
    "LAYOUTS",
    "Loaded",
    "load_reports",
    "load_split",
    "load_studies",
    "read_layout",
    "recognise_layout",
    "split_studies",
]
_READERS = {
    "chexpert": read_chexpert,
    "nih": read_nih,
    "openi": read_openi,
    "folder": read_folder,
    "gallery": read_gallery,
}
LAYOUTS = tuple(_READERS)
log = logging.getLogger(__name__)


def load_studies(root: str | Path, layout: str | None = None, labels: str = "best") -> list[Study]:
    """Read the studies of a data set; read_layout also says how many rows have no image.

    Args:
        root: the data set's folder.
        layout: one of LAYOUTS, or None to have it recognised by the files in the folder.
        labels: "best" puts what radiologists said (expert_labels.csv, chestxdet.json) before what
            software mined, "mined" leaves it out; a study's label_source says which it has.

    Returns:
        The studies whose image is there, each with its absolute path.

    Raises:
        ValueError: root is no folder, layout or labels is unknown, or a table lacks its columns.
    """
    return read_layout(root, layout, labels).studies


def read_layout(root: str | Path, layout: str | None = None, labels: str = "best") -> Loaded:
    """Read a data set, with what was odd about it.

    Arguments and errors as for load_studies. Rows without an image are left out, counted in
    .missing and, like labels that are not in the vocabulary, named in .notes; each note is logged
    as a warning.
    """
    if layout is not None and layout not in _READERS:
        raise ValueError(
            f"expected a layout among {', '.join(LAYOUTS)}; got {layout!r}; "
            "leave it out to have it recognised"
        )
    if labels not in ("best", "mined"):
        raise ValueError(f"expected labels best or mined, got {labels!r}; give one of them")
    root = Path(root).expanduser().resolve()
    if not root.is_dir():
        got = "a file" if root.exists() else "nothing there"
        raise ValueError(f"{root}: expected a data set's folder; got {got}; give the folder")
    loaded = _READERS[layout or recognise_layout(root)](root)
    if labels == "best" and loaded.layout in ("nih", "folder"):
        loaded = replace(loaded, studies=with_best_labels(root, loaded.studies))
    for note in loaded.notes:
        log.warning("%s (%s): %s", root, loaded.layout, note)
    return loaded


def recognise_layout(root: Path) -> str:
    """The layout that the files in root speak for; "folder" when they speak for no other."""
    if holds_gallery(root):
        return "gallery"
    if any(root.glob(PATTERN)):
        return "nih"
    if holds_openi(root):
        return "openi"
    tables = find_tables(root)
    if tables and set(ABOUT).intersection(read_header(tables[0])) - {"Sex", "Age"}:
        return "chexpert"
    return "folder"
