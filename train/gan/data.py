"""What a generator is trained on: images, how often each is drawn, and what each is said to show.

A generator is told in numbers what to draw (cxr.generation.ConditionFormat). Of a training image
they come from the guide, which grades every finding and reads the heart ratio, from its labels,
and from age, sex and view. The reference profile is told by the embedding of a caption instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from cxr.data import load_studies
from cxr.findings import NIH_FINDINGS, SEXES, Study
from cxr.generation import Condition, ConditionFormat, usual_heart_ratio
from train.common.studies import frontal, labels_of, training_studies

SHARES = {"labelled": 0.8, "unlabelled": 0.12, "normal": 0.08}
LABEL_SHARE = 0.4  # of a severity where the finding is labelled; the rest is the guide's
MOST, LEAST = 2.0, -0.5  # severities beyond are cut
FEW = 10  # the fewest images for a typical one
VIEWS = ("PA", "AP")
NORMAL_SHARE, SECOND_SHARE = 0.15, 0.3  # of imagined images


def generator_studies(
    data: Path, extra: Sequence[Path], normal: Sequence[Path]
) -> tuple[list[Study], list[str], list[Study]]:
    """Read what a generator is trained on.

    Args:
        data: A labelled data set with train and val splits.
        extra: Further data sets.
        normal: Data sets whose every image was read as normal.

    Returns:
        Frontal studies of the train splits, the group of SHARES of each, and those of val.
    """
    train, val, further = training_studies(data, extra)
    read = [
        replace(study, findings={"no finding": 1}, view=study.view or "frontal")
        for root in normal
        for study in frontal(load_studies(root))
    ]
    studies = train + further
    groups = ["labelled" if study.labelled else "unlabelled" for study in studies]
    return studies + read, groups + ["normal"] * len(read), val


def draw_weights(studies: Sequence[Study], groups: Sequence[str]) -> np.ndarray:
    """How likely each image is drawn.

    The groups share as SHARES says, those that are empty left out. Among labelled images a finding
    is drawn in proportion to the square root of the number of its images, then one of these, so
    that rare findings come more often than they occur, and yet not a few images all the time.

    Args:
        studies: N studies.
        groups: The group of each.

    Returns:
        float64 [N], sum 1.
    """
    weights = np.zeros(len(studies))
    names = np.array(groups)
    for name, share in SHARES.items():
        rows = np.flatnonzero(names == name)
        if not len(rows):
            continue
        if name == "labelled":
            classes: dict[str, list[int]] = {}
            for row in rows:
                for finding in studies[row].positive or ("no finding",):
                    classes.setdefault(finding, []).append(row)
            total = sum(len(members) ** 0.5 for members in classes.values())
            for members in classes.values():
                weights[members] += share / (len(members) ** 0.5 * total)
        else:
            weights[rows] = share / len(rows)
    return weights / weights.sum()


def nih_labels(studies: Sequence[Study]) -> torch.Tensor:
    """Labels for NIH_FINDINGS, float32 [N, F]; all absent where the image was read as normal."""
    labels = labels_of(studies, NIH_FINDINGS)
    normal = torch.tensor([study.findings.get("no finding") == 1 for study in studies])
    return torch.where(normal[:, None] & labels.isnan(), 0.0, labels)


def condition_format(
    studies: Sequence[Study], ratios: np.ndarray, typical: dict[str, tuple[float, ...]]
) -> ConditionFormat:
    """The format of conditions, with means and deviations of N images; ratios: float [N]."""
    ages = np.array([study.age for study in studies if study.age is not None] or [50.0, 50.0])
    return ConditionFormat(
        tuple(NIH_FINDINGS),
        (round(float(ratios.mean()), 4), round(max(float(ratios.std()), 0.01), 4)),
        (round(float(ages.mean()), 1), round(max(float(ages.std()), 1.0), 1)),
        typical,
    )


def typical_severities(
    severities: torch.Tensor, labels: torch.Tensor
) -> dict[str, tuple[float, ...]]:
    """By finding, the mean severities of the images that show it; where FEW or more do.

    Args:
        severities: Float [N, F], as `mixed_severities` gives them.
        labels: Float [N, F], 1 present.
    """
    found = {}
    for column, name in enumerate(NIH_FINDINGS):
        shown = labels[:, column] == 1
        if shown.sum() >= FEW:
            mean = severities[shown].mean(0).clamp_min(0)
            found[name] = tuple(round(value, 3) for value in mean.tolist())
    return found


def mixed_severities(severities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """What guide and labels say together, cut at LEAST and MOST: float [N, F]."""
    both = (1 - LABEL_SHARE) * severities + LABEL_SHARE * labels
    return torch.where(labels.isnan(), severities, both).clamp(LEAST, MOST)


def image_conditions(
    form: ConditionFormat,
    studies: Sequence[Study],
    severities: torch.Tensor,
    ratios: np.ndarray,
) -> torch.Tensor:
    """What the training images show, as conditions.

    Args:
        form: Of the conditions.
        studies: N studies.
        severities: Float [N, F], as `mixed_severities` gives them.
        ratios: Float [N], heart ratios.

    Returns:
        float32 [N, C].
    """
    rows = [
        form.vector(
            Condition(dict(zip(form.findings, row)), float(ratio), study.age, study.sex, study.view)
        )
        for study, row, ratio in zip(studies, severities.tolist(), ratios)
    ]
    return torch.from_numpy(np.stack(rows))


def imagined_condition(form: ConditionFormat, rng: np.random.Generator) -> np.ndarray:
    """What no training image stands behind: a normal image, or one or two findings as they come.

    float32 [C].
    """
    count = int(rng.random() > NORMAL_SHARE) + int(rng.random() < SECOND_SHARE)
    chosen = rng.choice(len(form.findings), count, replace=False) if count else []
    named = {form.findings[place]: float(rng.uniform(0.4, 1.8)) for place in chosen}
    return form.vector(
        Condition(
            named,
            usual_heart_ratio(named, float(rng.standard_normal())),
            float(rng.uniform(18, 90)),
            SEXES[rng.integers(2)],
            VIEWS[rng.integers(2)],
        )
    )


@dataclass(frozen=True, eq=False)
class Step:
    """What one step of one process draws."""

    rows: np.ndarray  # int64 [B]: images
    shown: torch.Tensor  # float32 [B, C]: conditions of the real images
    asked: torch.Tensor  # float32 [B] 1; 0 where no real image stands behind the generated one
    wanted: torch.Tensor  # float32 [B, C]: what is generated; row i + B / 2 is the same as row i

    def to(self, device: torch.device) -> Step:
        """The same with its tensors on a device."""
        names = ("shown", "asked", "wanted")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def draw_step(
    conditions: torch.Tensor,
    weights: np.ndarray,
    size: int,
    imagined: float,
    imagine: Callable[[np.random.Generator], np.ndarray] | None,
    key: Sequence[int],
) -> Step:
    """Draw a batch; the same key draws the same.

    Args:
        conditions: Float32 [N, C], of the images.
        weights: float64 [N], how likely each image is drawn.
        size: B.
        imagined: Share of generated images that no image stands behind.
        imagine: Makes the condition of such a one; None: there are none.
        key: Seed, step and rank.
    """
    rng = np.random.default_rng(list(key))
    rows = rng.choice(len(weights), size, p=weights)
    shown = conditions[rows].float()
    wanted, asked = shown.clone(), torch.ones(size)
    for place in range(round(size * imagined / 2) if imagine else 0):
        wanted[place], asked[place] = torch.from_numpy(imagine(rng)), 0
    half = size // 2  # images of one condition in pairs, for the diversity loss
    for values in (wanted, asked):
        values[half : 2 * half] = values[:half].clone()
    return Step(rows, shown, asked, wanted)
