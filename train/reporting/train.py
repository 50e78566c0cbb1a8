"""Fits what the report suggester needs on top of an encoder: probabilities and the gate.

    python -m train.reporting --data ROOT --out weights/reporting [--weights weights/retrieval]
        [--experts ROOT]             images that a panel of radiologists read
        [--more ROOT ROOT]           further data sets to train the heads on
        [--localizer weights/localizer]    measures hearts where radiologists read them
        [--frontal ROOT ROOT]        other hospitals' images, which the gate must let pass
        [--children ROOT ROOT]       children's films, which the gate learns to tell
        [--keep]                     keep the gate in --out
        [--only-gate]                fit the gate and keep all else in --out

Features of images and fitted heads are kept in --cache. Linear heads are fitted on the training
splits; how the kinds of labels are blended is chosen on the validation splits and, where
radiologists read the images, on training images out of fold, as are Platt's slopes, the words'
limits and each finding's operating point. The gate's limits are chosen on the validation split. The
test splits are not read.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

import cxr
from cxr.checkpoints import load_checkpoint, read_config, save_checkpoint, sigmoid
from cxr.defaults import LOCALIZER
from cxr.files import read_json
from cxr.findings import NIH_FINDINGS
from cxr.localization import Localizer
from cxr.metrics import auroc
from cxr.reporting import (
    FRONTAL,
    Abnormality,
    Calibration,
    MeasuredTerm,
    OODGate,
    load_reporting,
)
from cxr.retrieval import Retriever
from train.cards.report import write_report_card
from train.common.energy import hardware
from train.reporting.abnormality import abnormal_of, fit_abnormality
from train.reporting.features import Collection, collect
from train.reporting.gate_films import gate_of_hospitals
from train.reporting.heads import (
    FINDING_NETWORK,
    NETWORK_SHARES,
    SHARES,
    PartHeads,
    blend,
    feature_parts,
    fit_part,
    network_part,
    shares_text,
)
from train.reporting.labels import studies_of
from train.reporting.measured_terms import Measured, fit_term
from train.reporting.measurements import measurements_of, values_of
from train.reporting.ood_gate import NETWORK
from train.reporting.operating_points import LEAST_POSITIVES, Truth, operating_points
from train.reporting.pictures import film_pictures
from train.reporting.platt import choose_bands, fit_platt

REFITS = 200


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The options of train.reporting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="data set with labels")
    parser.add_argument("--experts", type=Path, help="data set with expert_labels.csv")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="to train heads on")
    parser.add_argument("--frontal", type=Path, nargs="*", default=[], help="the gate lets pass")
    parser.add_argument("--children", type=Path, nargs="*", default=[], help="the gate tells")
    gate = parser.add_mutually_exclusive_group()
    gate.add_argument("--keep", action="store_true", help="keep the gate in --out")
    gate.add_argument("--only-gate", action="store_true", help="keep all but the gate in --out")
    parser.add_argument("--weights", default="weights/retrieval")
    parser.add_argument("--localizer", default=LOCALIZER, help="measures hearts; '': none")
    parser.add_argument("--out", type=Path, default=Path("weights/reporting"))
    parser.add_argument("--cache", type=Path, default=Path(".cache/reporting"))
    parser.add_argument("--others", type=int, default=300, help="pictures of other things")
    parser.add_argument("--epochs", type=int, default=20, help="of the gate's autoencoder")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def fit_calibration(
    retriever: Retriever, options: argparse.Namespace
) -> tuple[Calibration, dict[str, dict], dict[str, Any], dict[str, int]]:
    """Fit heads, probabilities and operating points.

    Returns:
        The calibration without its operating points, these as JSON-able values, what was tried
        ("heads", "measured", "overall"), and the number of images of each source.
    """
    names = NIH_FINDINGS
    found = collect(retriever, options.data, options.experts, options.more, names, options.cache)
    encoder, network = retriever.model.image_encoder, retriever.model.finding_network
    parts = [fit_part(*part, found.images, options.cache) for part in feature_parts(encoder)]
    if network is not None:
        panel = np.char.startswith(found.source, f"{_panel_name(options)} train")
        place = encoder.feature_width
        parts.append(network_part(network, place, found.images, panel, options.cache))
    trials, shares, share = choose_shares(parts, found, options)
    directions, offsets, scores = blend(parts, shares, retriever.model.feature_width, share)
    truths = _truths(found, scores, options)
    labels = np.concatenate([truth.labels for truth in truths])
    enough = (truths[0].labels == 1).sum(0) >= LEAST_POSITIVES
    if len(truths) > 1:  # who decides about a finding is also whose prevalence it has
        labels[: len(truths[0].labels), ~enough] = np.nan
        labels[len(truths[0].labels) :, enough] = np.nan
    rows = np.concatenate([truth.chances for truth in truths])
    platt, refits = fit_platt((rows, labels), (rows, labels), REFITS, options.seed)
    chances = [
        Truth(sigmoid(platt[0] * truth.chances + platt[1]), truth.labels, truth.source)
        for truth in truths
    ]
    pooled = np.concatenate([truth.chances for truth in chances])
    calibration = Calibration(
        tuple(names),
        directions,
        offsets,
        platt,
        refits,
        choose_bands(pooled, labels),
        "linear heads on the features of the image encoder's middle blocks"
        + ("" if network is None else " and of a finding network"),
    )
    terms, tried = _terms(calibration, found, scores, options)
    judge, whole = _judge(found, scores, options)
    calibration = replace(calibration, terms=terms, abnormality=judge)
    points = operating_points(names, chances)
    counts = {name: int((found.source == name).sum()) for name in np.unique(found.source)}
    records = {name: asdict(one) for name, one in points.items()}
    return calibration, records, {"heads": trials, "measured": tried, "overall": whole}, counts


def _terms(
    calibration: Calibration, found: Collection, scores: np.ndarray, options: argparse.Namespace
) -> tuple[dict[str, MeasuredTerm], dict[str, dict[str, float]]]:
    """How what the localizer measures joins in, and what was tried, by finding.

    From the images that radiologists read; nothing without these or a localizer.
    """
    if options.experts is None or not options.localizer:
        return {}, {}
    root, localizer = options.experts, Localizer.load(options.localizer)
    name = root.resolve().name
    rows = found.rows(f"{name} train", f"{name} val")
    measured = [
        one
        for split in ("train", "val")
        for one in measurements_of(
            localizer, film_pictures(studies_of(root, split), FRONTAL), options.cache, split
        )
    ]
    terms, tried = {}, {}
    for column, finding in enumerate(calibration.findings):
        labels = found.readings.majority[rows, column]
        cases = Measured.of(scores[rows, column], values_of(measured, finding), labels)
        term, tried[finding] = fit_term(cases, calibration, finding, options.seed)
        if term is not None:
            terms[finding] = term
    return terms, {finding: values for finding, values in tried.items() if values}


def _judge(
    found: Collection, scores: np.ndarray, options: argparse.Namespace
) -> tuple[Abnormality | None, dict[str, float]]:
    """The judge of the image as a whole, and what was tried; nothing without a panel's images."""
    if options.experts is None:
        return None, {}
    root, name = options.experts, options.experts.resolve().name
    kept: list[np.ndarray] = []
    called: list[np.ndarray] = []
    for split in ("train", "val"):
        rows = found.rows(f"{name} {split}")
        kept.append(rows)
        called.append(abnormal_of(root, studies_of(root, split)))
    rows = np.concatenate(kept)
    patients = [found.readings.patients[row] for row in rows]
    return fit_abnormality(scores[rows], np.concatenate(called), patients, REFITS, options.seed)


def choose_shares(
    parts: Sequence[PartHeads], found: Collection, options: argparse.Namespace
) -> tuple[list[dict], Sequence[float], float]:
    """Choose the parts' blend: the best mean of both AUROCs, radiologists' and mined.

    Radiologists' is over the validation images and the training images out of fold, mined over the
    validation images. Returns what was tried, the readers' shares and the finding network's.
    """
    trials: list[dict] = []
    chosen: list[tuple[float, Sequence[float], float]] = []
    width = found.images.features.shape[1]
    groups = [([part], part.name) for part in parts] + [(list(parts), "all parts")]
    for members, name in groups:
        joined = len(members) > 1 and members[-1].name == FINDING_NETWORK
        for shares, network in product(SHARES, NETWORK_SHARES if joined else (1.0,)):
            scores = blend(members, shares, width, network)[2]
            truths = _truths(found, scores, options)
            values = {truth.source: _mean_auroc(truth.chances, truth.labels) for truth in truths}
            rounded = {source: round(value, 4) for source, value in values.items()}
            trial = {"parts": name, "shares": shares_text(shares), "mean_auroc": rounded}
            trials.append(trial | ({"network": network} if joined else {}))
            if name == "all parts":
                chosen.append((float(np.mean(list(values.values()))), shares, network))
    _, best, counts = max(chosen, key=lambda one: one[0])
    return trials, best, counts


def _panel_name(options: argparse.Namespace) -> str:
    return "no panel" if options.experts is None else str(options.experts.resolve().name)


def _truths(found: Collection, scores: np.ndarray, options: argparse.Namespace) -> list[Truth]:
    """The scores and labels of images that were not fitted on, radiologists' first."""
    truths = []
    if options.experts is not None:
        name = options.experts.resolve().name
        rows = found.rows(f"{name} train", f"{name} val")
        truths.append(Truth(scores[rows], found.readings.majority[rows], "expert"))
    rows = found.rows(f"{options.data.resolve().name} val")
    truths.append(Truth(scores[rows], found.readings.mined[rows], "mined"))
    return truths


def _mean_auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The mean over the findings that enough images show. scores, labels: float [N, F]."""
    values = [
        auroc(column[known], label[known] == 1)
        for column, label in zip(scores.T, labels.T)
        if ((known := ~np.isnan(label)) & (label == 1)).sum() >= LEAST_POSITIVES
    ]
    return float(np.nanmean(values)) if values else 0.5


def gate_of(retriever: Retriever, options: argparse.Namespace) -> tuple[OODGate, dict]:
    """The gate, and what config.json says of it: those in --out where they are kept, else new."""
    if options.keep:
        gate = load_reporting(options.out, retriever.encoder, options.weights)[1]
        return gate, read_config(options.out)["gate"]
    begun = time.time()
    gate, counts = gate_of_hospitals(retriever, options)
    training = {
        "data": options.data.resolve().name,
        "frontal": [root.resolve().name for root in options.frontal],
        "children": [root.resolve().name for root in options.children],
        "pictures": counts,
        "minutes": round((time.time() - begun) / 60, 1),
        "hardware": hardware(),
    }
    if options.only_gate:
        training = {"command": only_gate_command(options), **training}
    record = {"limits": gate.limits, "kinds": list(gate.kinds), "autoencoder": NETWORK}
    return gate, {**record, "training": training}


def only_gate_command(options: argparse.Namespace) -> str:
    """The command that fits the gate as it was fitted; data sets by their names alone."""
    words = ["python -m train.reporting", "--data", options.data.resolve().name]
    for name in ("frontal", "children"):
        if roots := getattr(options, name):
            words += [f"--{name}", *(root.resolve().name for root in roots)]
    numbers = [f"--{name} {getattr(options, name)}" for name in ("others", "epochs", "seed")]
    return " ".join([*words, "--out weights/reporting", *numbers, "--only-gate"])


def replace_gate(retriever: Retriever, options: argparse.Namespace) -> dict[str, float]:
    """Fit the gate anew, write it beside all else that --out holds, and return its limits.

    What was measured of the former gate leaves metrics.json.

    Raises:
        ValueError: --out is no checkpoint of this encoder, or a data set cannot be read.
    """
    load_reporting(options.out, retriever.encoder, options.weights)
    gate, record = gate_of(retriever, options)
    config, state = load_checkpoint(options.out)
    state = {name: state[name] for name in state if name not in gate.tensors()}
    metrics = options.out / "metrics.json"
    measured = read_json(metrics, "what train.evaluate report wrote") if metrics.exists() else {}
    measured = {part: measured[part] for part in measured if part not in ("gate", "elsewhere")}
    state |= {name: _tensor(value) for name, value in gate.tensors().items()}
    save_checkpoint(options.out, state, {**config, "gate": record}, measured or None)
    return gate.limits


def main(argv: list[str] | None = None) -> int:
    """Fit what the options ask for, write the checkpoint, and return the exit code."""
    options, begun = arguments(argv), time.time()
    try:
        retriever = Retriever.load(options.weights, gallery=None)
        train, val = (studies_of(options.data, split) for split in ("train", "val"))
        if len(train) < 20 or len(val) < 10:
            raise ValueError(
                f"expected 20 films to train and 10 to validate on in {options.data},"
                f" got {len(train)} and {len(val)}; give a data set with labels"
            )
        if options.only_gate:
            print(json.dumps({"limits": replace_gate(retriever, options)}, indent=1))
            write_report_card(options.out)
            return 0
        gate, gate_record = gate_of(retriever, options)
        calibration, points, trials, counts = fit_calibration(retriever, options)
    except ValueError as error:
        print(f"train.reporting: {error}", file=sys.stderr)
        return 2
    sets = [options.data, *([options.experts] if options.experts else [])]
    sets += options.more
    config = {
        "encoder": retriever.encoder,
        "code_version": cxr.__version__,
        "calibration": {
            "findings": list(calibration.findings),
            "source": calibration.source,
            "bands": vars(calibration.bands),
            "terms": {name: asdict(term.point) for name, term in calibration.terms.items()},
            "abnormality": calibration.abnormality and asdict(calibration.abnormality.point),
        },
        "operating_points": points,
        "gate": gate_record,
        "training": {
            "data": [root.resolve().name for root in sets],
            "images": counts,
            "train": sum(count for name, count in counts.items() if name.endswith(" train")),
            "val": sum(count for name, count in counts.items() if name.endswith(" val")),
            "others": options.others,
            "refits": REFITS,
            "trials": trials["heads"],
            "measured": trials["measured"],
            "overall": trials["overall"],
            "minutes": round((time.time() - begun) / 60, 1),
            "hardware": hardware(),
        },
    }
    save_checkpoint(options.out, as_tensors(calibration, gate), config)
    write_report_card(options.out)
    assessed = [name for name, point in points.items() if point["assessed"]]
    shown = {
        "out": str(options.out),
        "bands": vars(calibration.bands),
        "limits": gate.limits,
        "trials": trials,
        "assessed": assessed,
    }
    print(json.dumps(shown, indent=1))
    return 0


def as_tensors(calibration: Calibration, gate: OODGate) -> dict:
    """Both as the state dict of a checkpoint."""
    tensors = {**calibration.tensors(), **gate.tensors()}
    return {name: _tensor(value) for name, value in tensors.items()}


def _tensor(value: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(value))
