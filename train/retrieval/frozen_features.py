"""Features of the frozen encoders, extracted once: what the second stage is trained on."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from tqdm import tqdm

from cxr.devices import has_bf16
from cxr.findings import Study
from cxr.models import DualEncoder
from train.common.augment import augment
from train.retrieval.paraphrases import paraphrase


@torch.no_grad()
def image_features(
    model: DualEncoder, films: np.ndarray, strength: float = 0.0, seed: int = 0
) -> torch.Tensor:
    """Packed films uint8 [N, S, S], augmented with `strength` -> float32 [N, width]."""
    view, device = model.preprocess, model.logit_scale.device
    generator, rows = torch.Generator().manual_seed(seed), []
    if not len(films):
        return torch.empty(0, model.image_encoder.width, device=device)
    for first in tqdm(range(0, len(films), 32), "films"):
        packed = torch.from_numpy(np.array(films[first : first + 32])).to(device)
        pixels = (augment(packed, generator, strength) - view.mean) / view.std
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            rows.append(model.image_encoder(pixels.expand(-1, view.channels, -1, -1)).float())
    return torch.cat(rows)


@torch.no_grad()
def text_features(model: DualEncoder, texts: Sequence[str]) -> torch.Tensor:
    """N texts -> float32 [N, width]; texts of like length share a batch."""
    device = model.logit_scale.device
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    out = torch.empty(len(texts), model.text_encoder.width, device=device)
    for first in tqdm(range(0, len(texts), 64), "texts"):
        rows = order[first : first + 64]
        ids, mask = model.text_encoder.tokenize([texts[row] for row in rows])
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            out[rows] = model.text_encoder(ids.to(device), mask.to(device)).float()
    return out


class Cached:
    """Features of one encoder on disk, named by its weights and by what was encoded."""

    def __init__(self, folder: Path, encoder: nn.Module) -> None:
        self.folder, self.digest = folder, hashlib.sha256()
        for name, value in encoder.state_dict().items():
            self.digest.update(name.encode() + value.cpu().numpy().tobytes())

    def __call__(self, named: list, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """What `make` returned for the same `named` before, or now."""
        digest = self.digest.copy()
        digest.update(json.dumps(named).encode())
        path = self.folder / f"{digest.hexdigest()[:20]}.safetensors"
        if path.exists():
            return load_file(path)["features"]
        features = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        save_file({"features": features.contiguous().cpu()}, partial)
        partial.replace(path)
        return features


def read_texts(
    model: DualEncoder, canonical: Sequence[str], studies: Sequence[Study], count: int, seed: int
) -> torch.Tensor:
    """Canonical texts and count - 1 paraphrases of each study -> float32 [count, N, width]."""
    rng = random.Random(seed)
    written = [paraphrase(s, rng) for _ in range(count - 1) for s in studies]
    return text_features(model, [*canonical, *written]).reshape(count, len(studies), -1)
