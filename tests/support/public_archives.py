"""Public data sets as they are published, at a size of a few drawn films."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

from PIL import Image

from cxr.data import public as public_sets
from cxr.findings import CHEXPERT_NAMES

REPORT = """<?xml version="1.0" encoding="utf-8"?><eCitation><MedlineCitation><Article><Abstract>
<AbstractText Label="FINDINGS">The heart is enlarged.</AbstractText>
<AbstractText Label="IMPRESSION">Cardiomegaly.</AbstractText></Abstract></Article></MedlineCitation>
<MeSH><major>Cardiomegaly/mild</major></MeSH><parentImage id="CXR1_1_IM-0001-3001"/></eCitation>"""
TABLE = """Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position
00000001_000.png,Cardiomegaly,1,57,M,PA
00000002_000.png,Mass,2,60,F,AP
"""
BOXED = """[
 {"file_name": "00000001_000.png", "syms": ["Effusion"], "boxes": [[256, 512, 512, 768]]},
 {"file_name": "00000002_000.png", "syms": [], "boxes": []}]"""
FILM = "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg"
CHEXPERT = "\n".join(
    (
        ",".join(("Path,Sex,Age,Frontal/Lateral,AP/PA", *CHEXPERT_NAMES)),
        ",".join(
            (
                FILM,
                "Female,68,Frontal,AP",
                *("1.0" if name == "Cardiomegaly" else "" for name in CHEXPERT_NAMES),
            )
        ),
    )
)


def tar(files: dict[str, bytes]) -> bytes:
    """A gzipped tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def encoded(film: Image.Image, kind: str = "PNG") -> bytes:
    """A film as the content of a file."""
    buffer = io.BytesIO()
    film.save(buffer, kind)
    return buffer.getvalue()


def publish(hub, film, monkeypatch) -> None:
    """Put all of them on the server, which becomes the mirror; NIH's MD5 is that of its archive."""
    images = tar({f"images/0000000{n}_000.png": encoded(film(n)) for n in (1, 2)})
    md5 = hashlib.md5(images, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(public_sets, "_NIH", (("part", md5), *public_sets._NIH[1:]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("CheXpert-v1.0-small/train.csv", CHEXPERT)
        archive.writestr(FILM, encoded(film(1), "JPEG"))
    hub.files |= {
        "openi/NLMCXR_reports.tgz": tar({"ecgen-radiology/1.xml": REPORT.encode()}),
        "openi/NLMCXR_png.tgz": tar({"CXR1_1_IM-0001-3001.png": encoded(film(1))}),
        "nih-sample/Data_Entry_2017_v2020.csv": TABLE.encode(),
        "nih-sample/images_001.tar.gz": images,
        "chexpert/chexpert.zip": buffer.getvalue(),
        "chestx-det/chestxdet10_train.json": BOXED.encode(),
        "chestx-det/chestxdet10_test.json": b"[]",
    }
    monkeypatch.setenv(public_sets.MIRROR, f"{hub.address}/files")


def listing(folder: Path) -> set[str]:
    """The files below a folder, by their paths in it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
