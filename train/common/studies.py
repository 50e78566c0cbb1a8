"""Training data: studies of several data sets, and their labels as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from cxr.data import load_split, load_studies
from cxr.findings import FINDINGS, Study

TARGETS = FINDINGS[1:]  # "no finding" is the absence of the others


def labels_of(studies: Sequence[Study], targets: Sequence[str] = TARGETS) -> torch.Tensor:
    """float32 [N, F]: 1 present, 0 absent, NaN uncertain or not read."""
    values = {1: 1.0, 0: 0.0}
    rows = [
        [values.get(study.findings.get(name), float("nan")) for name in targets]
        for study in studies
    ]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(studies), len(targets))


@dataclass(frozen=True)
class Attributes:
    """What is known of each of N films; NaN where it is not. age in decades, from 5."""

    findings: torch.Tensor  # [N, F]
    age: torch.Tensor  # [N]
    female: torch.Tensor  # [N]
    ap: torch.Tensor  # [N]

    @classmethod
    def of(cls, studies: Sequence[Study]) -> Attributes:
        """Read them from the studies."""
        nan = float("nan")
        age = [nan if study.age is None else study.age / 10 - 5 for study in studies]
        female = [nan if study.sex is None else float(study.sex == "F") for study in studies]
        ap = [float(study.view == "AP") if study.view in ("AP", "PA") else nan for study in studies]
        return cls(labels_of(studies), torch.tensor(age), torch.tensor(female), torch.tensor(ap))

    def rows(self, index: torch.Tensor) -> Attributes:
        """The same for some films. index: int64 [B]."""
        return Attributes(self.findings[index], self.age[index], self.female[index], self.ap[index])


def frontal(studies: Sequence[Study]) -> list[Study]:
    """The films among them, side views left out."""
    return [study for study in studies if study.image is not None and study.view != "lateral"]


def training_studies(
    data: Path, extra: Sequence[Path]
) -> tuple[list[Study], list[Study], list[Study]]:
    """(train and val of the data set, train of the further ones), frontal films, by patient.

    A further data set gives its train split where it has a `split.csv`, else all its studies.
    """
    split = load_split(data, load_studies(data))
    further = []
    for root in extra:
        studies = load_studies(root)
        named = (root / "split.csv").exists()
        further += load_split(root, studies)["train"] if named else studies
    return frontal(split["train"]), frontal(split["val"]), frontal(further)


def unlabelled_studies(roots: Sequence[Path]) -> list[Study]:
    """The frontal films of the train splits, for training without labels. A data set without
    `split.csv` gives all its films. Raises SystemExit when there are none.
    """
    found = []
    for root in roots:
        studies = load_studies(root)
        named = (root / "split.csv").exists()
        found += load_split(root, studies)["train"] if named else studies
    if not frontal(found):
        raise SystemExit(f"expected films in {[str(root) for root in roots]}; found none")
    return frontal(found)
