"""Training data: studies of several data sets, and their labels as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from cxr.data import load_split, load_studies
from cxr.findings import FINDINGS, Study

ABNORMAL_FINDINGS = FINDINGS[1:]  # "no finding" is the absence of the others


def labels_of(studies: Sequence[Study], names: Sequence[str] = ABNORMAL_FINDINGS) -> torch.Tensor:
    """Labels of N studies for F findings.

    Args:
        studies: N studies.
        names: The F findings.

    Returns:
        float32 [N, F]: 1 present, 0 absent, NaN uncertain or not read.
    """
    values = {1: 1.0, 0: 0.0}
    rows = [
        [values.get(study.findings.get(name), float("nan")) for name in names] for study in studies
    ]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(studies), len(names))


@dataclass(frozen=True)
class Attributes:
    """What is known of each of N studies, float32; NaN where it is not."""

    findings: torch.Tensor  # [N, F]
    age: torch.Tensor  # [N], decades from 50 years on
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
        """The same for some studies. index: int64 [B]."""
        return Attributes(self.findings[index], self.age[index], self.female[index], self.ap[index])

    def to(self, device: torch.device) -> Attributes:
        """The same on a device."""
        return Attributes(*(value.to(device) for value in vars(self).values()))


def frontal(studies: Sequence[Study]) -> list[Study]:
    """The studies with an image, lateral views left out."""
    return [study for study in studies if study.image is not None and study.view != "lateral"]


def training_studies(
    data: Path, extra: Sequence[Path]
) -> tuple[list[Study], list[Study], list[Study]]:
    """Read frontal studies, split by patient.

    Args:
        data: A data set with train and val splits.
        extra: Further data sets. Each gives its train split where it has a `split.csv`, else all
            its studies.

    Returns:
        Train of `data`, val of `data`, and train of the further data sets.
    """
    split = load_split(data, load_studies(data))
    further = []
    for root in extra:
        studies = load_studies(root)
        named = (root / "split.csv").exists()
        further += load_split(root, studies)["train"] if named else studies
    return frontal(split["train"]), frontal(split["val"]), frontal(further)


def unlabelled_studies(roots: Sequence[Path]) -> list[Study]:
    """Frontal studies of the train splits, for training without labels.

    Args:
        roots: Data sets; one without `split.csv` gives all its studies.

    Returns:
        The studies, in the order of the data sets.

    Raises:
        SystemExit: When there are none.
    """
    found = []
    for root in roots:
        studies = load_studies(root)
        named = (root / "split.csv").exists()
        found += load_split(root, studies)["train"] if named else studies
    if not frontal(found):
        raise SystemExit(f"expected images in {[str(root) for root in roots]}, found none")
    return frontal(found)
