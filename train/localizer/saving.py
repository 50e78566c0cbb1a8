"""What goes into a localizer's training and what comes out: data sets, phase 1, the checkpoint."""

from __future__ import annotations

import argparse
import random
from collections.abc import Collection, Sequence
from pathlib import Path

import torch

from cxr import __version__
from cxr.anatomy import TARGETS
from cxr.checkpoints import load_checkpoint, read_config, resolve, save_checkpoint
from cxr.data import load_masked_films, stem
from cxr.findings import Study
from cxr.images import Preprocess
from cxr.models import FrozenTextEncoder, TextGuidedUNet
from train.common.energy import hardware
from train.common.studies import unlabelled_studies
from train.localizer.box_data import BoxData, boxed_studies
from train.localizer.mask_data import Answers, MaskData, folded, normal_films
from train.localizer.prompts import TextBank
from train.localizer.pseudo_labels import PseudoLabelData


def load_sets(
    options: argparse.Namespace, view: Preprocess, normals: int | None = None
) -> tuple[list[Answers], MaskData]:
    """([train of --data, train of --extra, normal films, films with boxes], val of --data).
    normals: as many of the normal films at random, with --seed; None: all.
    """
    films = folded(load_masked_films(options.data), options.fold)
    extra = [film for root in options.extra for film in load_masked_films(root)]
    normal = [film for root in options.normal for film in normal_films(unlabelled_studies([root]))]
    parts = [[film for film in part if film.split == "train"] for part in (films, extra, normal)]
    if normals is not None:
        random.Random(options.seed).shuffle(parts[2])
        parts[2] = parts[2][:normals]
    val = [film for film in films if film.split == "val"]
    boxed = BoxData(*boxed_studies(options.boxes), view, options.cache)
    return (
        [*(MaskData(part, view, options.cache) for part in parts), boxed],
        MaskData(val, view, options.cache),
    )


def load_taught(
    options: argparse.Namespace, view: Preprocess, bank: TextBank, device: torch.device
) -> PseudoLabelData:
    """--taught-films of --taught, with the masks that --teacher draws."""
    masked = {film.id for film in load_masked_films(options.data)}
    studies = [
        study for root in options.taught for study in apart_from(masked, unlabelled_studies([root]))
    ]
    random.Random(options.seed).shuffle(studies)
    return PseudoLabelData(
        studies[: options.taught_films],
        view,
        options.cache,
        options.teacher,
        options.text,
        bank,
        device,
        options.taught_anatomy,
    )


def apart_from(masked: Collection[str], studies: Sequence[Study]) -> list[Study]:
    """The studies of one data set without those of a patient who has a film in `masked`, stems of
    file names: these films have masks of their own, and may be there to validate or test with.
    """
    known = {study.patient for study in studies if stem(study.image.name) in masked}
    return [study for study in studies if study.patient not in known]


def load_encoder(model: TextGuidedUNet, address: str) -> None:
    """Fill the encoder with phase 1's. Raises ValueError when it is another one."""
    config, state = load_checkpoint(address)
    try:
        model.encoder.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(
            f"expected the encoder {model.config.encoder} in {address}, got "
            f"{config.get('encoder', 'another model')!r}; train it with train.autoencoder"
        ) from error


def about_run(
    command: str,
    options: argparse.Namespace,
    step: int,
    seconds: float,
    sets: Sequence[Answers],
    score: float,
) -> dict:
    """What config.json says of a training: how it was run, on what, and what came before it."""
    roots = (options.data, *options.extra, *options.normal, *options.boxes, *options.taught)
    return {
        "command": command,
        "step": step,
        "minutes": round(seconds / 60, 1),
        "hardware": hardware(),
        "films": [len(part) for part in sets],
        "data": list(dict.fromkeys(root.name for root in roots)),
        "fold": options.fold,
        "shuffled_text": options.shuffle_text,
        "phase_1": options.encoder != "none",
        "score": round(score, 4),
        "earlier": _earlier(options),
    }


def _earlier(options: argparse.Namespace) -> list[dict]:
    """The training sections of the checkpoints that a run starts from, phase 1's and the teacher's,
    in the order in which they were trained, each with its command.
    """
    found: list[dict] = []
    for address in (options.encoder, options.teacher):
        if address not in ("none", None):
            training = dict(read_config(resolve(address)).get("training", {}))
            found += [*training.pop("earlier", []), training]
    # Of one run that several came from, the fullest record.
    runs = dict.fromkeys(run.get("command") for run in found if run)
    return [
        max((run for run in found if run.get("command") == command), key=len) for command in runs
    ]


def save_localizer(
    model: TextGuidedUNet, folder: Path, text: str, tower: FrozenTextEncoder | None, training: dict
) -> None:
    """Write the checkpoint; `text` is the tower's address, whose last part names it."""
    about = {
        "architecture": model.config.to_dict(),
        "targets": list(TARGETS),
        "training": training,
        "code_version": __version__,
    }
    if tower is not None:
        name = text.rstrip("/").rpartition("/")[2]
        about["text_encoder"] = {"weights": name, "sha256": tower.fingerprint}
    save_checkpoint(folder, model.state_dict(), about)
