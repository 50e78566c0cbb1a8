"""Does the nearest region carry the same finding? Measured by what radiologists outlined.

A film of ChestX-Det is asked about by the box around a finding's outline (Retriever.similar with a
region). A hit: the nearest other film shows the same finding, with an outline that meets the box.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.data import MaskedImage, load_outlined_images
from cxr.findings import Study
from cxr.retrieval import RegionIndex, Retriever

SIDE = 96  # of the squares that outlines are drawn on, in pixels
LEAST = 2  # pixels of an outline inside a box, from which it meets the box
Alike = Callable[[int, str], np.ndarray]  # (row, box) -> similarity to every film, real [N]


def load_films(roots: Sequence[Path]) -> list[MaskedImage]:
    """The outlined films of data sets, each film once."""
    films = {one.id: one for root in roots for one in load_outlined_images(root)}
    return [films[name] for name in sorted(films)]


def studies_of(films: Sequence[MaskedImage]) -> list[Study]:
    """The films as studies without labels."""
    return [Study(one.id, "outlined", one.patient, one.image) for one in films]


def squares(films: Sequence[MaskedImage]) -> list[dict[str, np.ndarray]]:
    """Where each film shows what: target -> bool [SIDE, SIDE], on the film padded to a square."""
    return [
        {name: _squared(one, name) for name in sorted(one.known) if one.shapes.get(name)}
        for one in films
    ]


def _squared(film: MaskedImage, target: str) -> np.ndarray:
    with Image.open(film.image) as image:
        width, height = image.size
    scale = SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    mask = film.mask(target, size)
    assert mask is not None, "a target that was looked for"
    whole = np.zeros((SIDE, SIDE), bool)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    whole[top : top + size[1], left : left + size[0]] = mask
    return whole


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The box around a mask, bool [SIDE, SIDE]: left, top, right, bottom, the ends left out."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def region_hits(
    shown: Sequence[dict[str, np.ndarray]],
    patients: Sequence[str],
    asking: Sequence[int],
    ways: dict[str, Alike],
) -> dict:
    """Measure hits at 1.

    Args:
        shown: of N films, as `squares` gives it.
        patients: of the films; no film is compared with others of its patient.
        asking: the rows that are asked about, by every finding that is outlined on them.
        ways: name -> how films are compared.

    Returns:
        The number of films and queries, the share of hits of each way, by finding too, and
        "random_at_1": the share of other films that would be a hit.
    """
    found: list[dict] = []
    for row in asking:
        others = np.array([patient != patients[row] for patient in patients])
        for target, mask in shown[row].items():
            left, top, right, bottom = box_of(mask)
            right, bottom = max(right, left + 3), max(bottom, top + 3)  # no box is too small
            left, top = min(left, SIDE - 3), min(top, SIDE - 3)
            right, bottom = min(right, SIDE), min(bottom, SIDE)
            same = np.array(
                [
                    target in one and one[target][top:bottom, left:right].sum() >= LEAST
                    for one in shown
                ]
            )
            if not (same & others).any():
                continue
            sides = (left, top, right - left, bottom - top)
            box = ",".join(f"{side / SIDE:.4f}" for side in sides)
            hits = {}
            for name, alike in ways.items():
                scores = np.where(others, alike(row, box), -np.inf)
                hits[name] = bool(same[int(scores.argmax())])
            found.append({"target": target, "random": float(same[others].mean()), **hits})
    targets = sorted({one["target"] for one in found})
    return {
        "films": len(shown),
        "queries": len(found),
        **{name: _share([one[name] for one in found]) for name in ways},
        "random_at_1": _share([one["random"] for one in found]),
        "by_finding": {
            target: {
                "queries": sum(one["target"] == target for one in found),
                **{
                    name: _share([one[name] for one in found if one["target"] == target])
                    for name in (*ways, "random")
                },
            }
            for target in targets
        },
    }


def _share(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0


def ways_of(retriever: Retriever) -> dict[str, Alike]:
    """The ways to compare the films of a retriever's gallery: by region, and whole."""
    gallery = retriever.gallery
    assert gallery is not None and gallery.places is not None, "built with places"
    index, row_of = RegionIndex(gallery), {s.id: row for row, s in enumerate(gallery.studies)}
    places = gallery.places
    embeddings = np.asarray(gallery.embeddings, np.float32)
    whole: dict[int, np.ndarray] = {}

    def findings(row: int, box: str) -> np.ndarray:
        if row not in whole:
            order = retriever.similar(gallery.studies[row], len(gallery.studies))
            scores = np.full(len(gallery.studies), -np.inf)
            for place, match in enumerate(order):
                scores[row_of[match.study.id]] = -place
            whole[row] = scores
        return whole[row]

    return {
        "region": lambda row, box: index.similarity(places[row], box),
        "whole_by_findings": findings,
        "whole_by_cosine": lambda row, box: embeddings @ embeddings[row],
    }
