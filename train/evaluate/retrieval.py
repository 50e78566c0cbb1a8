"""Retrieval measured: recall both ways, ranking by finding, zero-shot AUROC, with intervals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.checkpoints import fingerprint
from cxr.data import load_split, load_studies
from cxr.findings import Study, caption
from cxr.images import load_image
from cxr.metrics import (
    auroc,
    average_precision,
    hit_probability,
    precision_at_k,
    random_recall_at_k,
    value_with_interval,
)
from cxr.retrieval import Retriever
from train.common.options import option
from train.common.studies import ABNORMAL_FINDINGS, frontal, labels_of
from train.evaluate.groups import by_group, mean_auroc_of, mean_of
from train.retrieval.objective import findings_key
from train.retrieval.validation import prompt_scores

KS = (1, 5, 10)
LEAST_POSITIVES = 8  # fewer say nothing about a finding's AUROC


@dataclass(frozen=True, kw_only=True)
class RetrievalOptions:
    """The options of train.evaluate retrieval."""

    weights: str = option("retrieval checkpoint", "weights/retrieval")
    data: Path = option("labelled data set with splits")
    split: str = option("of the data set", "test", choices=("train", "val", "test"))
    rounds: int = option("bootstrap rounds", 1000)
    seed: int = option("of the bootstrap", 0)
    write: bool = option("write metrics.json and the model card", False)


def recalls(similarity: np.ndarray, relevant: np.ndarray, rounds: int, seed: int) -> dict:
    """Recall at 1, 5 and 10 with intervals over the queries, and that of a random order."""
    out = {}
    for k in KS:
        hits = hit_probability(similarity, relevant, k)
        out[f"recall_at_{k}"] = {
            **value_with_interval(
                lambda rows, h=hits: float(h[rows].mean()), len(hits), rounds, seed
            ),
            "random": round(random_recall_at_k(relevant, k), 4),
        }
    return out


def both_ways(similarity: np.ndarray, relevant: np.ndarray, rounds: int, seed: int) -> dict:
    """Recalls in both directions; similarity and relevant are [images, captions]."""
    return {
        "image_to_text": recalls(similarity, relevant, rounds, seed),
        "text_to_image": recalls(similarity.T, relevant.T, rounds, seed),
    }


def by_finding(
    search: np.ndarray, zero_shot: np.ndarray, labels: np.ndarray, rounds: int, seed: int
) -> dict[str, dict]:
    """Measure each finding that occurs: precision of a search for its name, and zero-shot AUROC.

    Args:
        search: similarities of N images to the findings' names, float [N, F].
        zero_shot: scores of "X" against "no X", float [N, F].
        labels: float [N, F], 1 present, 0 absent; NaN is left out.
        rounds: bootstrap rounds.
        seed: of the bootstrap.

    Returns:
        The numbers by finding, JSON-able.
    """
    out = {}
    for column, name in enumerate(ABNORMAL_FINDINGS):
        known = ~np.isnan(labels[:, column])
        present = labels[known, column] == 1
        if not present.any() or present.all():
            continue
        found, scores = search[known, column], zero_shot[known, column]
        out[name] = {
            "positives": int(present.sum()),
            "prevalence": round(float(present.mean()), 4),
            "precision_at_5": round(precision_at_k(found, present, min(5, len(found))), 4),
            "precision_at_10": round(precision_at_k(found, present, min(10, len(found))), 4),
            "average_precision": round(average_precision(found, present), 4),
            "auroc": value_with_interval(
                lambda rows, s=scores, p=present: auroc(s[rows], p[rows]), len(scores), rounds, seed
            ),
        }
    return out


def mean_auroc(zero_shot: np.ndarray, labels: np.ndarray, rounds: int, seed: int) -> dict:
    """Mean AUROC over findings with at least LEAST_POSITIVES positives, interval over images."""
    names = [
        column
        for column in range(labels.shape[1])
        if (labels[:, column] == 1).sum() >= LEAST_POSITIVES
    ]

    def mean(rows: np.ndarray) -> float:
        known = [~np.isnan(labels[rows, c]) for c in names]
        return float(
            np.nanmean(
                [
                    auroc(zero_shot[rows, c][k], labels[rows, c][k] == 1)
                    for c, k in zip(names, known)
                ]
            )
        )

    return {**value_with_interval(mean, len(labels), rounds, seed), "findings": len(names)}


def groups(
    studies: Sequence[Study],
    similarity: np.ndarray,
    zero_shot: np.ndarray,
    labels: np.ndarray,
    rounds: int,
    seed: int,
) -> dict:
    """Recall at 10 among all images, the mean of both directions, and mean AUROC by group."""
    pairs = np.eye(len(studies), dtype=bool)
    hits = (hit_probability(similarity, pairs, 10) + hit_probability(similarity.T, pairs, 10)) / 2
    measures = {"recall_at_10": mean_of(hits), "mean_auroc": mean_auroc_of(zero_shot, labels)}
    return by_group(studies, measures, rounds, seed)


def measure_retrieval(options: RetrievalOptions) -> dict:
    """Measure retrieval on one split of a data set.

    Images are read and encoded as the app does it; captions are the canonical ones.

    Returns:
        The numbers, JSON-able.

    Raises:
        ValueError: a data set or checkpoint that cannot be read, or fewer than 10 images.
    """
    data, rounds, seed = options.data, options.rounds, options.seed
    studies = frontal(load_split(data, load_studies(data, labels="mined"))[options.split])
    if len(studies) < 10:
        raise ValueError(
            f"expected at least 10 images in {data} ({options.split}), got {len(studies)}; "
            "use another split"
        )
    retriever = Retriever.load(options.weights, gallery=None)
    start = time.perf_counter()
    images = retriever.encode_images([load_image(study.image) for study in studies])
    seconds = time.perf_counter() - start
    captions = [caption(study) for study in studies]
    similarity = images @ retriever.encode_text(captions).T
    keys = np.array([findings_key(study) or study.id for study in studies])
    labels = labels_of(studies).numpy()
    zero_shot = prompt_scores(retriever.model, images, ABNORMAL_FINDINGS)
    queries = retriever.encode_query(ABNORMAL_FINDINGS).T
    return {
        "data": data.resolve().name,
        "split": options.split,
        "pairs": len(studies),
        "weights_sha256": fingerprint(options.weights),
        "images_per_second": round(len(studies) / seconds, 1),
        "exact_pairs": both_ways(similarity, np.eye(len(studies), dtype=bool), rounds, seed),
        "same_findings": both_ways(similarity, keys[:, None] == keys[None], rounds, seed),
        "mean_auroc": mean_auroc(zero_shot, labels, rounds, seed),
        "findings": by_finding(images @ queries, zero_shot, labels, rounds, seed),
        "groups": groups(studies, similarity, zero_shot, labels, rounds, seed),
    }
