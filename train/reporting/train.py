"""Fits what the report suggester needs on top of an encoder: probabilities and the gate.

    python -m train.reporting --data ROOT --out weights/reporting [--weights weights/retrieval]
        [--experts ROOT]             validation images that a panel of radiologists read
        [--keep]                     leave what is in --out, choose the operating points alone

Features of films are extracted once and kept in --cache. A linear head is learned on the training
split; whether it is used, and how strongly regularised, is chosen on the validation split, as are
Platt's slopes, the words' limits, each finding's operating point and the gate's limits. The test
split is not read.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import cxr
from cxr.checkpoints import save_checkpoint
from cxr.files import read_json, write_json
from cxr.findings import NIH_FINDINGS, Study
from cxr.reporting import FRONTAL, Calibration, FilmFeatures, OODGate, load_reporting
from cxr.retrieval import Retriever
from train.cards.report import write_report_card
from train.common.energy import hardware
from train.common.studies import labels_of, training_studies
from train.reporting.features import features_of
from train.reporting.heads import choose_directions
from train.reporting.ood_gate import NETWORK, fit_gate
from train.reporting.operating_points import measured_points
from train.reporting.pictures import TURNS, film_pictures, other_pictures
from train.reporting.platt import choose_bands, fit_platt

MADE = (*TURNS, "inverted", "part")  # kinds made from every fifth film
REFITS = 200


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The options of train.reporting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="data set with labels")
    parser.add_argument("--experts", type=Path, help="data set with expert_labels.csv")
    parser.add_argument("--keep", action="store_true", help="choose the operating points alone")
    parser.add_argument("--weights", default="weights/retrieval")
    parser.add_argument("--out", type=Path, default=Path("weights/reporting"))
    parser.add_argument("--cache", type=Path, default=Path(".cache/reporting"))
    parser.add_argument("--others", type=int, default=300, help="pictures of other things")
    parser.add_argument("--epochs", type=int, default=20, help="of the gate's autoencoder")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def fit_calibration(
    retriever: Retriever,
    train: tuple[FilmFeatures, Sequence[Study]],
    val: tuple[FilmFeatures, Sequence[Study]],
    seed: int,
) -> tuple[Calibration, list[dict]]:
    """The calibration, and the trials that its scores were chosen among."""
    names = tuple(
        name for name in NIH_FINDINGS if any(study.findings.get(name) == 1 for study in train[1])
    )
    truth = labels_of(train[1], names).numpy(), labels_of(val[1], names).numpy()
    chosen, trials = choose_directions(
        retriever, names, (train[0].embeddings, truth[0]), (val[0].embeddings, truth[1])
    )
    scores = [
        features.embeddings @ chosen.directions + chosen.offsets for features in (train[0], val[0])
    ]
    platt, refits = fit_platt(
        (scores[1], truth[1]), (np.concatenate(scores), np.concatenate(truth)), REFITS, seed
    )
    chances = 1 / (1 + np.exp(-(platt[0] * scores[1] + platt[1])))
    return Calibration(
        names,
        chosen.directions,
        chosen.offsets,
        platt,
        refits,
        choose_bands(chances, truth[1]),
        chosen.source,
    ), trials


def fit_the_gate(
    retriever: Retriever,
    films: tuple[FilmFeatures, FilmFeatures],
    train: Sequence[Study],
    options: argparse.Namespace,
) -> OODGate:
    """The gate, from training films, what is made of them, and pictures of other things."""

    def extract(pictures, title: str) -> FilmFeatures:
        return features_of(retriever, pictures, options.cache, title)

    jittered = extract(film_pictures(train[::5], "jittered"), "jittered")
    pictures = {
        FRONTAL: FilmFeatures.joined([films[0], jittered]),
        "other": extract(other_pictures(False, options.others), "other"),
    }
    for place, kind in enumerate(MADE, 1):
        pictures[kind] = extract(film_pictures(train[place % 5 :: 5], kind), kind)
    return fit_gate(pictures, films[1], options.epochs, options.seed)


def add_operating_points(retriever: Retriever, options: argparse.Namespace) -> dict[str, dict]:
    """Choose the operating points of the checkpoint in --out and write them into its config.json.

    They are those of the probabilities that it gives as it is stored, in half precision.

    Raises ValueError when the checkpoint or a data set cannot be read.
    """
    calibration = load_reporting(options.out, retriever.encoder, options.weights)[0]
    points = measured_points(retriever, calibration, options.data, options.experts, options.cache)
    path = options.out / "config.json"
    config = read_json(path, "a calibration's config.json")
    write_json(path, {**config, "operating_points": points})
    write_report_card(options.out)
    return points


def main(argv: list[str] | None = None) -> int:
    """Fit what the options ask for, write the checkpoint, and return the exit code."""
    options, begun = arguments(argv), time.time()
    try:
        retriever = Retriever.load(options.weights, gallery=None)
        if options.keep:
            print(json.dumps(add_operating_points(retriever, options), indent=1))
            return 0
        train, val = training_studies(options.data, [])[:2]
        if len(train) < 20 or len(val) < 10:
            raise ValueError(
                f"expected 20 films to train and 10 to validate on in {options.data},"
                f" got {len(train)} and {len(val)}; give a data set with labels"
            )
        films = tuple(
            features_of(retriever, film_pictures(studies, FRONTAL), options.cache, title)
            for studies, title in ((train, "train"), (val, "val"))
        )
        calibration, trials = fit_calibration(
            retriever, (films[0], train), (films[1], val), options.seed
        )
        gate = fit_the_gate(retriever, films, train, options)
    except ValueError as error:
        print(f"train.reporting: {error}", file=sys.stderr)
        return 2
    config = {
        "encoder": retriever.encoder,
        "code_version": cxr.__version__,
        "calibration": {
            "findings": list(calibration.findings),
            "source": calibration.source,
            "bands": vars(calibration.bands),
        },
        "gate": {"limits": gate.limits, "autoencoder": NETWORK},
        "training": {
            "data": options.data.resolve().name,
            "train": len(train),
            "val": len(val),
            "others": options.others,
            "refits": REFITS,
            "trials": trials,
            "minutes": round((time.time() - begun) / 60, 1),
            "hardware": hardware(),
        },
    }
    save_checkpoint(options.out, as_tensors(calibration, gate), config)
    try:
        points = add_operating_points(retriever, options)
    except ValueError as error:
        print(f"train.reporting: {error}", file=sys.stderr)
        return 2
    print(
        json.dumps(
            {
                "out": str(options.out),
                "bands": vars(calibration.bands),
                "limits": gate.limits,
                "trials": trials,
                "assessed": [name for name, point in points.items() if point["assessed"]],
            },
            indent=1,
        )
    )
    return 0


def as_tensors(calibration: Calibration, gate: OODGate) -> dict:
    """Both as the state dict of a checkpoint."""
    import torch

    return {
        name: torch.from_numpy(np.ascontiguousarray(value))
        for name, value in {**calibration.tensors(), **gate.tensors()}.items()
    }
