"""What a retrieval model is judged by, on embeddings of films and captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cxr.devices import has_bf16
from cxr.encoders import DualEncoder
from cxr.findings import Study, caption
from cxr.metrics import auroc, recall_at_k
from cxr.prompts import affirmative, negative
from train.studies import TARGETS, labels_of


@torch.inference_mode()
def embed_films(
    model: DualEncoder, films: np.ndarray, device: torch.device, batch_size: int = 32
) -> np.ndarray:
    """Packed films uint8 [N, S, S] -> float32 [N, D], unit rows. The model's mode is left alone."""
    rows = []
    for first in range(0, len(films), batch_size):
        packed = torch.from_numpy(np.array(films[first : first + batch_size])).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            rows.append(model.encode_image(model.preprocess.normalise(packed)).float().cpu())
    return torch.cat(rows).numpy()


@torch.inference_mode()
def embed_texts(model: DualEncoder, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
    """N texts -> float32 [N, D], unit rows."""
    parts = [model.encode_text(texts[first : first + batch_size]).float().cpu()
             for first in range(0, len(texts), batch_size)]
    return torch.cat(parts).numpy()


def prompt_scores(model: DualEncoder, images: np.ndarray, findings: Sequence[str]) -> np.ndarray:
    """images [N, D] -> zero-shot scores float32 [N, F]: similarity to "X" less that to "no X"."""
    columns = []
    for name in findings:
        yes = embed_texts(model, affirmative(name)).mean(0)
        no = embed_texts(model, negative(name)).mean(0)
        columns.append(images @ (yes - no))
    return np.stack(columns, 1)


def mean_auroc(scores: np.ndarray, labels: np.ndarray, least: int = 8) -> dict[str, float]:
    """AUROC of every target with at least `least` positives. scores, labels [N, F]; NaN unknown."""
    out = {}
    for column, name in enumerate(TARGETS):
        known = ~np.isnan(labels[:, column])
        present = labels[known, column] == 1
        if present.sum() >= least and (~present).any():
            out[name] = auroc(scores[known, column], present)
    return out


def judge(model: DualEncoder, images: np.ndarray, studies: Sequence[Study]) -> dict[str, float]:
    """Recall at 1, 5 and 10 of exact pairs both ways, mean AUROC by prompts, and the `score` that
    chooses a checkpoint: the mean of the AUROC and of both recalls at 10.

    images: float [N, D], the films' embeddings, unit rows."""
    similarity = images @ embed_texts(model, [*map(caption, studies)]).T
    out = {}
    for k in (1, 5, 10):
        out[f"image_to_text_recall_at_{k}"] = recall_at_k(similarity, k)
        out[f"text_to_image_recall_at_{k}"] = recall_at_k(similarity.T, k)
    found = mean_auroc(prompt_scores(model, images, TARGETS), labels_of(studies).numpy(), 6)
    out["mean_auroc"] = float(np.mean([*found.values()])) if found else 0.5
    recall = (out["image_to_text_recall_at_10"] + out["text_to_image_recall_at_10"]) / 2
    out["score"] = (recall + out["mean_auroc"]) / 2
    return out


def validate(
    model: DualEncoder, films: np.ndarray, studies: Sequence[Study], device: torch.device
) -> dict[str, float]:
    """`judge` for packed films uint8 [N, S, S]. Sets eval mode."""
    model.eval()
    return judge(model, embed_films(model, films, device), studies)


def similarity_bands(
    model: DualEncoder, images: np.ndarray, studies: Sequence[Study]
) -> dict[str, list[float]]:
    """The cosines that divide "very similar", "similar", "somewhat similar" and "weak match".

    For texts: the 80th, 50th and 20th percentile between films and the names of the findings they
    carry; for films: the same of every film's 12 nearest others. images float [N, D], unit rows.
    """
    named = [images[row] @ embed_texts(model, affirmative(name)).mean(0)
             for row, study in enumerate(studies) for name in study.positive]
    between = images @ images.T
    np.fill_diagonal(between, -1)
    nearest = np.sort(between, 1)[:, -min(12, len(images) - 1):]
    shares = (0.8, 0.5, 0.2)
    return {"similarity_bands": [round(float(v), 3) for v in np.quantile(named or [0.0], shares)],
            "film_bands": [round(float(v), 3) for v in np.quantile(nearest, shares)]}
