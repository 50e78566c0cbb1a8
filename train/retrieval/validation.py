"""Scores of a retrieval model on a validation split, and the settings of a search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cxr.devices import has_bf16
from cxr.findings import Study, caption
from cxr.language import affirmative, negative
from cxr.metrics import auroc, average_precision, recall_at_k
from cxr.models import DualEncoder
from cxr.retrieval import QueryEncoder
from train.common.studies import ABNORMAL_FINDINGS, labels_of


@torch.inference_mode()
def embed_images(
    model: DualEncoder, packed: np.ndarray, device: torch.device, batch_size: int = 32
) -> np.ndarray:
    """Embed decoded images, in the mode that the model is in.

    Args:
        model: On `device`.
        packed: uint8 [N, S, S].
        device: Where to compute.
        batch_size: Images at a time.

    Returns:
        float32 [N, D], unit rows.
    """
    rows = []
    for first in range(0, len(packed), batch_size):
        part = torch.from_numpy(np.array(packed[first : first + batch_size])).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            rows.append(model.encode_image(model.preprocess.normalize(part)).float().cpu())
    return torch.cat(rows).numpy()


@torch.inference_mode()
def embed_texts(model: DualEncoder, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
    """N texts -> float32 [N, D], unit rows."""
    parts = [
        model.encode_text(texts[first : first + batch_size]).float().cpu()
        for first in range(0, len(texts), batch_size)
    ]
    return torch.cat(parts).numpy()


def prompt_scores(model: DualEncoder, images: np.ndarray, findings: Sequence[str]) -> np.ndarray:
    """Zero-shot scores: similarity to "X" less that to "no X".

    Args:
        model: Whose text half is used.
        images: Float [N, D], embeddings.
        findings: F names.

    Returns:
        float32 [N, F].
    """
    columns = []
    for name in findings:
        yes = embed_texts(model, affirmative(name)).mean(0)
        no = embed_texts(model, negative(name)).mean(0)
        columns.append(images @ (yes - no))
    return np.stack(columns, 1)


def mean_auroc(scores: np.ndarray, labels: np.ndarray, least: int = 8) -> dict[str, float]:
    """AUROC of every finding with enough positives.

    Args:
        scores: Float [N, F].
        labels: Float [N, F]: 1 present, 0 absent, NaN unknown.
        least: The fewest positives that count.

    Returns:
        AUROC by name.
    """
    out = {}
    for column, name in enumerate(ABNORMAL_FINDINGS):
        known = ~np.isnan(labels[:, column])
        present = labels[known, column] == 1
        if present.sum() >= least and (~present).any():
            out[name] = auroc(scores[known, column], present)
    return out


def score_embeddings(
    model: DualEncoder, images: np.ndarray, studies: Sequence[Study]
) -> dict[str, float]:
    """Score the embeddings of N studies' images against their captions.

    Args:
        model: Whose text half is used.
        images: Float [N, D], unit rows.
        studies: The N studies.

    Returns:
        Recall at 1, 5 and 10 of exact pairs both ways, mean AUROC by prompts, and the `score` that
        chooses a checkpoint: the mean of the AUROC and of the mean recall at 10.
    """
    similarity = images @ embed_texts(model, [*map(caption, studies)]).T
    out = {}
    for k in (1, 5, 10):
        out[f"image_to_text_recall_at_{k}"] = recall_at_k(similarity, k)
        out[f"text_to_image_recall_at_{k}"] = recall_at_k(similarity.T, k)
    found = mean_auroc(
        prompt_scores(model, images, ABNORMAL_FINDINGS), labels_of(studies).numpy(), 6
    )
    out["mean_auroc"] = float(np.mean([*found.values()])) if found else 0.5
    recall = (out["image_to_text_recall_at_10"] + out["text_to_image_recall_at_10"]) / 2
    out["score"] = (recall + out["mean_auroc"]) / 2
    return out


def validate(
    model: DualEncoder, packed: np.ndarray, studies: Sequence[Study], device: torch.device
) -> dict[str, float]:
    """`score_embeddings` for decoded images uint8 [N, S, S]. Sets eval mode."""
    model.eval()
    return score_embeddings(model, embed_images(model, packed, device), studies)


def finding_precision(images: np.ndarray, queries: np.ndarray, labels: np.ndarray) -> float:
    """Mean average precision of searches, one a finding that at least five images show.

    Args:
        images: Float [N, D], unit rows.
        queries: Float [F, D].
        labels: Float [N, F], NaN unknown.

    Returns:
        The mean, 0 where no finding has five images.
    """
    found = []
    for query, column in zip(queries, labels.T):
        known = ~np.isnan(column)
        if (column[known] == 1).sum() >= 5:
            found.append(average_precision(images[known] @ query, column[known] == 1))
    return float(np.mean(found)) if found else 0.0


def search_settings(
    model: DualEncoder, images: np.ndarray, studies: Sequence[Study]
) -> dict[str, float | list[float]]:
    """Choose what a search needs beside the weights, on images that were not trained on.

    Args:
        model: The retrieval model.
        images: Float [N, D], unit rows.
        studies: The N studies.

    Returns:
        query_contrast: The weight of QueryEncoder with the best mean average precision.
        similarity_bands, film_bands: The cosines that divide "very similar", "similar", "somewhat
            similar" and "weak match": for texts the 80th, 50th and 20th percentile between images
            and the names of their findings, for images the same of each one's 12 nearest others.
    """
    labels = labels_of(studies).numpy()
    said = {
        weight: QueryEncoder(lambda texts: embed_texts(model, texts), weight)(ABNORMAL_FINDINGS)
        for weight in (0.0, 0.25, 0.5, 0.75, 1.0)
    }
    best = max(said, key=lambda weight: finding_precision(images, said[weight], labels))
    named = (images @ said[best].T)[labels == 1]
    between = images @ images.T
    np.fill_diagonal(between, -1)
    nearest = np.sort(between, 1)[:, -min(12, len(images) - 1) :]
    shares = (0.8, 0.5, 0.2)
    return {
        "query_contrast": best,
        "similarity_bands": [
            round(float(v), 3) for v in np.quantile(named if len(named) else [0.0], shares)
        ],
        "film_bands": [round(float(v), 3) for v in np.quantile(nearest, shares)],
    }
