"""The films that the gate of the report suggester learns from, and what is made of them.

Films of several hospitals are taken as they are and made into every other kind, so that a
hospital's look tells nothing of the kind. Children's films are a kind of their own: those of a data
set of children, and those of any data set whose ages say so.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from cxr.data import load_masked_images, load_split, load_studies
from cxr.findings import Study
from cxr.reporting import CHILD, FRONTAL, FilmFeatures, OODGate
from cxr.retrieval import Retriever
from train.common.studies import frontal
from train.reporting.features import features_of
from train.reporting.labels import studies_of
from train.reporting.ood_gate import by_patient, fit_gate
from train.reporting.pictures import TURNS, film_pictures, other_pictures

MADE = (*TURNS, "inverted", "part")  # kinds made from every fifth film
CHILD_UNTIL, ADULT_FROM = 12, 18  # years; films of those between are of neither kind
_MASKS = "masks.csv"

Extract = Callable[[list, str], FilmFeatures]


def hospital_parts(root: Path) -> dict[str, list[Study]]:
    """Frontal studies of a data set under "train", "val" and "test".

    The split is that of split.csv or masks.csv where either names one, else one by patient.

    Raises:
        ValueError: a data set that cannot be read.
    """
    studies = frontal(load_studies(root))
    if (root / "split.csv").is_file():
        return {name: frontal(part) for name, part in load_split(root, studies).items()}
    if not _names_splits(root / _MASKS):
        return by_patient(studies)
    places = {image.image.name: image.split for image in load_masked_images(root)}
    return {
        name: [one for one in studies if one.image and places.get(one.image.name) == name]
        for name in ("train", "val", "test")
    }


def _names_splits(table: Path) -> bool:
    if not table.is_file():
        return False
    with table.open(encoding="utf-8-sig") as lines:
        return "split" in next(lines, "").strip().split(",")


def is_adult(study: Study) -> bool:
    """Whether a study is of an adult; one without an age is taken for such."""
    return study.age is None or study.age >= ADULT_FROM


def is_child(study: Study) -> bool:
    """Whether a study's age says that it is of a child of up to CHILD_UNTIL years."""
    return study.age is not None and study.age <= CHILD_UNTIL


def children_of(studies: Sequence[Study]) -> list[Study]:
    """Those of children; all of a data set that knows nobody's age."""
    if all(study.age is None for study in studies):
        return list(studies)
    return [study for study in studies if is_child(study)]


def fit_the_gate(
    retriever: Retriever,
    train: Sequence[Sequence[Study]],
    val: Sequence[Sequence[Study]],
    children: Sequence[Sequence[Study]],
    options: argparse.Namespace,
) -> tuple[OODGate, dict[str, int]]:
    """Fit the gate, and count the pictures of each kind.

    Args:
        retriever: whose embeddings it reads.
        train: frontal studies of each hospital; their children count as such where `children` is
            not empty, and not at all elsewhere.
        val: those from which the limits come; adults alone are taken.
        children: studies of children, of each data set.
        options: with others, epochs, seed and cache.
    """

    def extract(pictures: list, title: str) -> FilmFeatures:
        return features_of(retriever, pictures, options.cache, title)

    groups = [*train, *children]
    young = [False] * len(train) + [True] * len(children)
    adults, minors = [], []
    for kind, step in ((FRONTAL, 1), ("jittered", 5)):
        for studies, child in zip((group[::step] for group in groups), young):
            if studies:
                found = extract(film_pictures(studies, kind), kind)
                adults.append(found.rows(_mask(studies, lambda s, c=child: not c and is_adult(s))))
                minors.append(found.rows(_mask(studies, lambda s, c=child: c or is_child(s))))
    pictures = {
        FRONTAL: FilmFeatures.joined(adults),
        "other": extract(other_pictures(False, options.others), "other"),
    }
    if children:
        pictures[CHILD] = FilmFeatures.joined(minors)
    for place, kind in enumerate(MADE, 1):
        made = [film_pictures(studies[place % 5 :: 5], kind) for studies in groups]
        pictures[kind] = FilmFeatures.joined([extract(one, kind) for one in made if one])
    films = [
        extract(film_pictures(studies, FRONTAL), FRONTAL).rows(_mask(studies, is_adult))
        for studies in val
        if any(map(is_adult, studies))
    ]
    films = [one for one in films if len(one)]  # a data set may validate on children alone
    counts = {kind: len(features) for kind, features in pictures.items()}
    return fit_gate(pictures, films, options.epochs, options.seed), counts


def _mask(studies: Sequence[Study], holds: Callable[[Study], bool]) -> np.ndarray:
    return np.array([holds(study) for study in studies], bool)


def gate_of_hospitals(
    retriever: Retriever, options: argparse.Namespace
) -> tuple[OODGate, dict[str, int]]:
    """Fit the gate to the data sets of --data, --frontal and --children.

    Raises:
        ValueError: one cannot be read.
    """
    others = [hospital_parts(root) for root in options.frontal]
    return fit_the_gate(
        retriever,
        [studies_of(options.data, "train"), *(parts["train"] for parts in others)],
        [studies_of(options.data, "val"), *(parts["val"] for parts in others)],
        [children_of(hospital_parts(root)["train"]) for root in options.children],
        options,
    )
