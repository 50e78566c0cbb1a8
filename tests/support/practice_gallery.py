"""A drawn gallery to practise on: radiologists' labels, several films of each finding."""

from __future__ import annotations

from pathlib import Path

from app_gallery import Shelf, built_shelf
from practice_pool import SHOWN, study

EACH, NORMALS = 5, 20


def make_practice_shelf(folder: Path, film, generated: int = 0) -> Shelf:
    """EACH drawn films of every finding in SHOWN and NORMALS normal ones, with the weights.

    generated: so many more come from a "generator", and are as small as those of the real one.
    """
    names = [name for name in SHOWN for _ in range(EACH)] + ["no finding"] * NORMALS
    real = len(names)
    studies = []
    for number, name in enumerate([*names, *(SHOWN * generated)[:generated]]):
        made = number >= real
        one = study(number, name, "synthetic, drawn" if made else "drawn", "expert")
        film(number, (128, 128) if made else (180, 200)).save(folder / one.image)
        studies.append(type(one).from_dict(one.to_dict() | {"image": str(folder / one.image)}))
    return built_shelf(folder, studies)
