"""Finding the image that a row of a table names, in the folders as they lie on disk."""

from __future__ import annotations

import os
from pathlib import Path

from cxr.data.loaded import Notes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".dcm", ".dicom")
NO_IMAGES = {"mask", "masks", "segmentation", "segmentations", "__macosx"}  # folders to pass by


def stem(name: str) -> str:
    """File name without folder and image suffixes: "a/1_IM-0001.dcm.png" -> "1_IM-0001"."""
    name = name.replace("\\", "/").rpartition("/")[2].strip()
    base, suffix = os.path.splitext(name)
    while suffix.lower() in SUFFIXES:
        name = base
        base, suffix = os.path.splitext(name)
    return name


def list_images(root: Path) -> list[str]:
    """Paths below root ("/" between parts, sorted) of all image files, each folder listed once.

    Hidden files and folders of masks are left out; linked folders are followed, each once.
    """
    found: list[str] = []
    entered: set[str] = set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        if (real := os.path.realpath(folder)) in entered:
            subfolders.clear()
            continue
        entered.add(real)
        subfolders[:] = sorted(s for s in subfolders if s[0] != "." and s.lower() not in NO_IMAGES)
        prefix = os.path.relpath(folder, root).replace(os.sep, "/") + "/"
        prefix = "" if prefix == "./" else prefix
        found += [prefix + f for f in files if f[0] != "." and f.lower().endswith(SUFFIXES)]
    return sorted(found)


class ImageIndex:
    """Looks an image up by its name in a table, which may lack folders or differ in suffix."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = list_images(root)
        self._by_stem: dict[str, list[str]] = {}
        for path in self.paths:
            self._by_stem.setdefault(stem(path), []).append(path)

    def find(self, name: str, notes: Notes) -> str | None:
        """The path below root that name means; None when there is none, or more than one.

        One must end with the other, suffixes aside: "images/a.png" is found as "a.jpg" or
        "nih/images/a.png", never as "other/a.png". Of several, the longest agreement and then the
        same suffix win; when that leaves more than one it goes into notes.
        """
        wanted = name.replace("\\", "/").strip()
        ranked = sorted(
            ((*_agreement(wanted, path), path) for path in self._by_stem.get(stem(name), ())),
            reverse=True,
        )
        if not ranked or ranked[0][0] == 0:
            return None
        if len(ranked) > 1 and ranked[0][:2] == ranked[1][:2]:
            notes.count("images in several places (name the folder in the table)", name)
            return None
        return ranked[0][2]

    def unique(self, path: str) -> bool:
        """Whether no other image has this one's stem."""
        return len(self._by_stem[stem(path)]) == 1


def _agreement(wanted: str, path: str) -> tuple[int, bool]:
    """How many parts agree from the end (0 unless one path ends with the other); same file name?"""
    one, other = ([*p.split("/")[:-1], stem(p)][::-1] for p in (wanted, path))
    shared = min(len(one), len(other))
    equal = one[:shared] == other[:shared]
    return (shared if equal else 0), wanted.rpartition("/")[2] == path.rpartition("/")[2]
