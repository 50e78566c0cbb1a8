"""A judge of findings on generated films that had no part in the generator's training.

Linear heads are fitted to what the image encoder of the retrieval model makes of real training
films, all at the generator's side. The finding network, which guides the generator, is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.findings import NIH_FINDINGS
from cxr.metrics import auroc
from cxr.retrieval import Retriever
from train.evaluate.films import FilmBank
from train.reporting.heads import Images, blend, feature_parts, fit_part, folds_of
from train.reporting.labels import Readings, goals, read_labels, studies_of

SHARES = (1.0, 0.5, 1.0)  # of votes, outlines and mined labels: good by radiologists and by reports
LEAST = 5  # films with a finding, for an AUROC to be taken from them
PANEL, MINED = "radiologists", "mined"


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores of F findings, linear in the encoder's features.

    Attributes:
        findings: F names.
        directions: float32 [W, F].
        offsets: float32 [F].
        auroc: what it tells on real films that it was not fitted to, by finding, then by whose
            labels: {"value", "films"}.
        shown: F arrays float32, the scores of such films with the finding, by the best labels
            there are.
        real: float32 [R, F], the scores of all such films without any finding.
    """

    findings: tuple[str, ...]
    directions: np.ndarray
    offsets: np.ndarray
    auroc: dict[str, dict[str, dict[str, float]]]
    shown: tuple[np.ndarray, ...]
    real: np.ndarray

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Features [N, W] -> float32 [N, F]; over real films the mean is 0, the spread 1."""
        return features.astype(np.float32) @ self.directions + self.offsets


def fit_judge(
    retriever: Retriever, bank: FilmBank, data: Path, more: Sequence[Path], cache: Path
) -> Judge:
    """Fit a judge.

    Args:
        retriever: whose features are read.
        bank: holds the films of all data sets.
        data: a data set with mined labels; its val split measures the judge.
        more: further labelled data sets, those that a panel read among them, which measures the
            judge as well: on their val splits, and on training films by fits that never saw the
            patient.
        cache: where fits are kept.
    """
    names = NIH_FINDINGS
    parts, rows, folds = [], [], []
    for split in ("train", "val"):
        for root in (data, *more):
            if studies := studies_of(root, split):
                parts.append(read_labels(root, studies, names))
                rows.append(bank.rows_of(studies))
                trained = split == "train"
                folds.append(folds_of(parts[-1].patients) if trained else np.full(len(studies), -1))
    readings, row, fold = Readings.joined(parts), np.concatenate(rows), np.concatenate(folds)
    asked, weights = goals(readings, fold >= 0)
    images = Images(bank.films.features[row], asked, weights, fold, np.zeros(len(row), bool))
    encoder = retriever.model.image_encoder
    heads = [fit_part(*part, images, cache) for part in feature_parts(encoder)]
    directions, offsets, scores = blend(heads, SHARES, encoder.feature_width)
    best = readings.mined
    for better in (readings.outlined, readings.majority):
        best = np.where(np.isnan(better), best, better)
    truths = {PANEL: readings.majority, MINED: np.where(fold[:, None] < 0, readings.mined, np.nan)}
    return Judge(
        names,
        directions,
        offsets,
        _aurocs(scores, truths, names),
        tuple(column[label == 1] for column, label in zip(scores.T, best.T)),
        scores[(best == 0).all(1)],
    )


def _aurocs(
    scores: np.ndarray, truths: dict[str, np.ndarray], names: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """AUROC by finding and truth, float [N, F]; left out where fewer than LEAST films show it."""
    out: dict[str, dict[str, dict[str, float]]] = {name: {} for name in names}
    for source, labels in truths.items():
        for column, name in enumerate(names):
            known = ~np.isnan(labels[:, column])
            present = labels[known, column] == 1
            if present.sum() >= LEAST and (~present).any():
                value = round(auroc(scores[known, column], present), 4)
                out[name][source] = {"value": value, "films": int(present.sum())}
    return out
