"""A report suggester whose numbers are set by hand, around a tiny encoder."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from cxr.checkpoints.io import save_checkpoint
from cxr.findings import NIH_FINDINGS
from cxr.reporting.calibration import Bands, Calibration
from cxr.reporting.ood_gate import KINDS, OODGate, ThumbnailAutoencoder
from cxr.reporting.overall import Abnormality, OverallPoint
from train.reporting.train import as_tensors

DIMENSION = 512
FEATURES = 5120  # of the tiny encoder: the mean and nine places of 512 channels


def tiny_calibration(seed: int = 0, spread: float = 6.0) -> Calibration:
    """Random directions; the first finding is common, the others are rarer."""
    random = np.random.default_rng(seed)
    count = len(NIH_FINDINGS)
    platt = np.stack([np.full(count, 1.0), np.linspace(0.5, -3, count)]).astype(np.float32)
    refits = platt + random.normal(0, 0.2, (20, 2, count)).astype(np.float32)
    directions = random.normal(0, spread, (FEATURES, count)).astype(np.float32)
    return Calibration(
        NIH_FINDINGS,
        directions,
        np.zeros(count, np.float32),
        platt,
        refits,
        Bands(0.5, 0.2, 0.1),
        "random directions",
    )


def tiny_gate(limit: float = 1e9) -> OODGate:
    """A gate that lets everything but blank pictures through, or nothing for a limit of 0."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ThumbnailAutoencoder(2, 2).eval().requires_grad_(False)
    head = np.zeros((DIMENSION + 1, len(KINDS)), np.float32)
    limits = dict.fromkeys(("kind", "distance", "reconstruction", "child"), limit)
    return OODGate(
        head,
        np.zeros(DIMENSION, np.float32),
        np.eye(2, DIMENSION, dtype=np.float32),
        1.0,
        limits,
        network,
    )


def save_reporting(folder: Path, encoder: str, limit: float = 1e9, judged: bool = False) -> Path:
    """The tiny calibration and gate as a checkpoint for an encoder.

    judged: with a judge to whom every image looks abnormal as a whole, by three in log odds.
    """
    calibration, gate = tiny_calibration(), tiny_gate(limit)
    point = OverallPoint(0.75, 0.25, 0.8, 0.9, 0.03, 0.4, 0.75, 500)
    if judged:
        weights = np.zeros((21, len(NIH_FINDINGS) + 1), np.float32)
        weights[:, -1] = 3
        calibration = replace(calibration, abnormality=Abnormality(weights, point))
    config = {
        "encoder": encoder,
        "calibration": {
            "findings": list(calibration.findings),
            "source": "random",
            "bands": vars(calibration.bands),
            "abnormality": asdict(point) if judged else None,
        },
        "gate": {
            "limits": gate.limits,
            "kinds": list(gate.kinds),
            "autoencoder": {"code": 2, "width": 2},
        },
    }
    return save_checkpoint(folder, as_tensors(calibration, gate), config)
