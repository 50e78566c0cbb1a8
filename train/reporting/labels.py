"""Whose word counts on each image: radiologists' votes, outlines, and labels mined from reports.

Three readers mean different things by one word, so each has a column of goals and a head of its
own (train.reporting.heads). "votes" is what five radiologists would say: their votes where they
read the image, else, with little weight, what an outline or a mined label makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.data import load_expert_labels, load_split, load_studies, stem
from cxr.findings import Study
from train.common.studies import frontal, labels_of

READERS = ("votes", "outlines", "mined")
# How often what is outlined, or not, is what five radiologists see.
OUTLINE_PRESENT, OUTLINE_ABSENT = 0.9, 0.03
PRIOR = 10.0  # images' worth of belief that a mined label is as right as mined labels on average
QUIET_SHARE = 0.3  # of images of a large collection that nobody read and that show nothing


@dataclass(frozen=True)
class Readings:
    """What is said of F findings on N images: float32 [N, F] in [0, 1], NaN where nothing is.

    Attributes:
        chance: the radiologists' votes and majority, averaged.
        majority: 1 where most of the panel saw the finding, else 0.
        outlined: 1 where it was outlined; 0 where it was looked for and was not.
        mined: 1 or 0 from the report.
        patients: N names, for folds.
    """

    chance: np.ndarray
    majority: np.ndarray
    outlined: np.ndarray
    mined: np.ndarray
    patients: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.patients)

    @classmethod
    def joined(cls, parts: Sequence[Readings]) -> Readings:
        """Those of several lists of images, one after the other."""
        arrays = ("chance", "majority", "outlined", "mined")
        joined = (np.concatenate([getattr(part, name) for part in parts]) for name in arrays)
        return cls(*joined, tuple(name for part in parts for name in part.patients))


def read_labels(root: Path, studies: Sequence[Study], names: Sequence[str]) -> Readings:
    """Read everyone's labels of studies of the data set at `root`, loaded with labels="mined"."""
    panel = load_expert_labels(root)
    best = {study.id: study for study in load_studies(root)}
    keys = [stem(study.image.name if study.image else study.id) for study in studies]
    nothing = np.full(len(names), np.nan)
    chance, majority, outlined = ([], [], [])
    for key, study in zip(keys, studies):
        votes, most, drawn = nothing, nothing, nothing
        if key in panel:
            one = panel[key]
            most = np.array([one.majority.get(name, np.nan) for name in names], float)
            votes = np.array([one.votes.get(name, np.nan) for name in names]) / one.readers
        elif best[study.id].label_source == "outlined":
            labels = labels_of([best[study.id]], names)[0].numpy()
            own = labels_of([study], names)[0].numpy()
            # A finding that no outline can speak of keeps its mined label there.
            drawn = np.where(np.isin(names, _DRAWN), labels, np.nan * own)
        chance.append((votes + most) / 2)
        majority.append(most)
        outlined.append(drawn)
    shape = len(studies), len(names)
    return Readings(
        *(np.array(rows, np.float32).reshape(shape) for rows in (chance, majority, outlined)),
        labels_of(studies, names).numpy(),
        tuple(f"{study.source}:{study.patient}" for study in studies),
    )


_DRAWN = (
    "atelectasis",
    "cardiomegaly",
    "consolidation",
    "pleural effusion",
    "emphysema",
    "fibrosis",
    "mass",
    "nodule",
    "pleural thickening",
    "pneumothorax",
)


def studies_of(root: Path, split: str, seed: int = 0, quiet: float = QUIET_SHARE) -> list[Study]:
    """Frontal studies of a split, with mined labels; a set without split.csv is for training.

    Of a set without split.csv, the share `quiet` of the images without finding that no radiologist
    read is drawn by the seed; images without any label are left out.
    """
    studies = load_studies(root, labels="mined")
    if (root / "split.csv").is_file():
        return frontal(load_split(root, studies)[split])
    if split != "train":
        return []
    read = {one.id for one in load_studies(root) if one.label_source in ("expert", "outlined")}
    rest = [one.id for one in studies if one.id not in read and not one.positive and one.labelled]
    order = np.random.default_rng(seed).permutation(len(rest))
    taken = {rest[place] for place in order[: int(quiet * len(rest))]}
    return frontal([one for one in studies if one.id in read or one.positive or one.id in taken])


def goals(readings: Readings, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the heads of READERS are asked to say, and how much each answer weighs.

    Args:
        readings: of N images and F findings.
        counted: bool [N], training images, on which mined labels are held against radiologists.

    Returns:
        (goals in [0, 1], weights), float32 [N, 3F], READERS side by side; weight 0 where nobody
        spoke.
    """
    outline = np.where(readings.outlined == 1, OUTLINE_PRESENT, OUTLINE_ABSENT)
    outline = np.where(np.isnan(readings.outlined), np.nan, outline)
    votes, weight = _inferred(readings, counted), np.full(outline.shape, 0.05)
    for better, weighs in ((outline, 0.5), (readings.chance, 8.0)):
        votes = np.where(np.isnan(better), votes, better)
        weight = np.where(np.isnan(better), weight, weighs)
    asked = np.concatenate([votes, outline, readings.mined], 1)
    ones = np.ones_like(weight)
    weights = np.concatenate([weight, ones, ones], 1)
    known = ~np.isnan(asked)
    return (
        np.where(known, asked, 0).astype(np.float32),
        np.where(known, weights, 0).astype(np.float32),
    )


def _inferred(readings: Readings, counted: np.ndarray) -> np.ndarray:
    """How often radiologists see what a mined label says: float [N, F], NaN without mined label.

    A label is "present", "absent beside another finding" or "absent on an image without any".
    Rare cells are drawn towards the mean over findings.
    """
    mined = readings.mined
    beside = (mined == 1).any(1, keepdims=True)
    level = np.where(np.isnan(mined), -1, np.where(mined == 1, 2, beside)).astype(int)
    seen = np.where(np.isnan(readings.chance), readings.outlined, readings.chance)
    found = np.full(mined.shape, np.nan)
    for value in range(3):
        cases = counted[:, None] & (level == value) & ~np.isnan(seen)
        count, sums = cases.sum(0), np.where(cases, seen, 0).sum(0)
        overall = sums.sum() / max(1, count.sum())
        rate = (sums + PRIOR * overall) / (count + PRIOR)
        found = np.where(level == value, rate, found)
    return found
