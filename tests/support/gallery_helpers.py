"""Drawn studies and small encoders for the tests of galleries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tiny import tiny_dual_encoder

from cxr.findings import FINDINGS, Study
from cxr.models.dual_encoder import DualEncoder

ENCODER = "ab" * 32


def encode(images: list[Image.Image]) -> np.ndarray:
    """A film's own 16 x 32 thumbnail about its mean as embedding: float32 [N, 512]."""
    thumbnails = [np.asarray(image.resize((16, 32)), dtype=np.float32) for image in images]
    rows = np.stack([thumbnail.ravel() - thumbnail.mean() for thumbnail in thumbnails])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_studies(folder: Path, count: int, film) -> list[Study]:
    """`count` studies with drawn films, every attribute varied, some of them unknown."""
    folder.mkdir(parents=True, exist_ok=True)
    studies = []
    for i in range(count):
        path = folder / f"film {i}.png"
        film(i, (40, 48)).save(path)
        studies.append(
            Study(
                id=f"s{i}",
                source="drawn",
                patient=f"p{i // 2}",
                image=path,
                view=("PA", "AP", "lateral", None)[i % 4],
                sex=("F", "M", None)[i % 3],
                age=None if i % 5 == 4 else 20 + i,
                findings={} if i % 7 == 6 else {FINDINGS[1 + i % 5]: 1, "mass": (0, -1, 1)[i % 3]},
                report=None if i % 2 else f"Report {i} – größer",
                licence="CC0",
            )
        )
    return studies


def telling_dual_encoder(film, seed: int = 0) -> DualEncoder:
    """The tiny model with batch statistics of drawn films: without, all films look alike to it."""
    model = tiny_dual_encoder(seed)
    films = torch.stack([model.preprocess(film(i)) for i in range(100, 116)])
    with torch.no_grad():
        for _ in range(30):
            model.image_encoder.train()(films)
    return model.eval()
