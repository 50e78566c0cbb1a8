"""A drawn gallery to practise on: radiologists' labels, several films of each finding."""

from __future__ import annotations

from pathlib import Path

from app_gallery import Shelf
from practice_pool import SHOWN, study
from tiny import tiny_dual_encoder

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.gallery.gallery import build_gallery
from cxr.retrieval.retriever import Retriever

EACH, NORMALS = 5, 20


def make_practice_shelf(folder: Path, film) -> Shelf:
    """EACH drawn films of every finding in SHOWN and NORMALS normal ones, with the weights."""
    shelf = Shelf(folder / "gallery", folder / "weights")
    save_dual_encoder(tiny_dual_encoder(), shelf.weights)
    names = [name for name in SHOWN for _ in range(EACH)] + ["no finding"] * NORMALS
    studies = []
    for number, name in enumerate(names):
        one = study(number, name, label_source="expert")
        film(number, (180, 200)).save(folder / one.image)
        studies.append(type(one).from_dict(one.to_dict() | {"image": str(folder / one.image)}))
    retriever = Retriever.load(shelf.weights, gallery=None)
    build_gallery(
        studies,
        retriever.encode_images,
        shelf.gallery,
        fingerprint(shelf.weights),
        source="drawn for tests",
        progress=False,
    )
    return shelf
