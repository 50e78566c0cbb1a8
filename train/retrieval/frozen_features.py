"""Features of the frozen encoders, which the projection heads are fine-tuned on."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from tqdm import tqdm

from cxr.devices import has_bf16
from cxr.findings import Study
from cxr.models import DualEncoder
from train.common.augment import augment
from train.retrieval.paraphrases import paraphrase


@torch.no_grad()
def image_features(
    model: DualEncoder, images: np.ndarray, strength: float = 0.0, seed: int = 0
) -> torch.Tensor:
    """Features of decoded images.

    Args:
        model: Whose image encoder is used.
        images: uint8 [N, S, S].
        strength: Of the augmentation.
        seed: Of the augmentation.

    Returns:
        float32 [N, width].
    """
    view, device = model.preprocess, model.logit_scale.device
    generator, rows = torch.Generator().manual_seed(seed), []
    if not len(images):
        return torch.empty(0, model.image_encoder.width, device=device)
    for first in tqdm(range(0, len(images), 32), "images"):
        packed = torch.from_numpy(np.array(images[first : first + 32])).to(device)
        pixels = (augment(packed, generator, strength) - view.mean) / view.std
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            rows.append(model.image_encoder(pixels.expand(-1, view.channels, -1, -1)).float())
    return torch.cat(rows)


@torch.no_grad()
def text_features(model: DualEncoder, texts: Sequence[str]) -> torch.Tensor:
    """Features of N texts, float32 [N, width]; texts of like length share a batch."""
    device = model.logit_scale.device
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    out = torch.empty(len(texts), model.text_encoder.width, device=device)
    for first in tqdm(range(0, len(texts), 64), "texts"):
        rows = order[first : first + 64]
        ids, mask = model.text_encoder.tokenize([texts[row] for row in rows])
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            out[rows] = model.text_encoder(ids.to(device), mask.to(device)).float()
    return out


def study_text_features(
    model: DualEncoder, canonical: Sequence[str], studies: Sequence[Study], count: int, seed: int
) -> torch.Tensor:
    """Features of the canonical text and count - 1 paraphrases of each of N studies.

    Returns:
        float32 [count, N, width], the canonical text first.
    """
    rng = random.Random(seed)
    written = [paraphrase(s, rng) for _ in range(count - 1) for s in studies]
    return text_features(model, [*canonical, *written]).reshape(count, len(studies), -1)
