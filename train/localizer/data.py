"""The images that a localizer is trained on: with masks, normal, with boxes, pseudo-labeled."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from cxr.data import load_masked_images, stem
from cxr.findings import Study
from cxr.images import Preprocess
from train.common.studies import unlabelled_studies
from train.localizer.box_data import BoxData, boxed_studies
from train.localizer.mask_data import Answers, MaskData, folded, normal_images
from train.localizer.options import Options
from train.localizer.prompts import TextBank
from train.localizer.pseudo_labels import PseudoLabelData


@dataclass(frozen=True)
class Sources:
    """Where images come from."""

    data: Path  # masks with train and val splits
    fold: str | None = None  # "K/N" to validate on a fold instead
    extra: Sequence[Path] = ()  # further masks
    normal: Sequence[Path] = ()  # images without opacities
    boxes: Sequence[Path] = ()  # images with boxes around opacities


def load_sets(
    sources: Sources, view: Preprocess, cache: Path, normals: int | None = None, seed: int = 0
) -> tuple[list[Answers], MaskData]:
    """Read and decode the images with known answers.

    Args:
        sources: Where they come from.
        view: How they are squared.
        cache: Where decoded images are kept.
        normals: As many normal images, chosen at random; None takes all.
        seed: Of that choice.

    Returns:
        Train of `data`, train of `extra`, normal images and boxed images; and val of `data`.
    """
    images = folded(load_masked_images(sources.data), sources.fold)
    extra = [image for root in sources.extra for image in load_masked_images(root)]
    normal = [
        image for root in sources.normal for image in normal_images(unlabelled_studies([root]))
    ]
    parts = [[one for one in part if one.split == "train"] for part in (images, extra, normal)]
    if normals is not None:
        random.Random(seed).shuffle(parts[2])
        parts[2] = parts[2][:normals]
    sets: list[Answers] = [MaskData(part, view, cache) for part in parts]
    sets.append(BoxData(*boxed_studies(sources.boxes), view, cache))
    return sets, MaskData([one for one in images if one.split == "val"], view, cache)


def load_pseudo_labeled(
    options: Options, view: Preprocess, bank: TextBank, device: torch.device
) -> PseudoLabelData:
    """Some images of --pseudo-labeled, with the masks that --teacher predicts."""
    masked = {image.id for image in load_masked_images(options.data)}
    studies = [
        study
        for root in options.pseudo_labeled
        for study in of_other_patients(masked, unlabelled_studies([root]))
    ]
    random.Random(options.seed).shuffle(studies)
    return PseudoLabelData(
        studies[: options.pseudo_labeled_images],
        view,
        options.cache,
        options.teacher,
        options.text,
        bank,
        device,
        options.pseudo_labeled_anatomy,
    )


def of_other_patients(masked: Collection[str], studies: Sequence[Study]) -> list[Study]:
    """Leave out the patients who have an image with masks of its own.

    Such an image may be there to validate or test with.

    Args:
        masked: Stems of the files of images with masks.
        studies: The studies of one data set.

    Returns:
        The studies of other patients.
    """
    known = {study.patient for study in studies if stem(study.image.name) in masked}
    return [study for study in studies if study.patient not in known]
