"""Features of many pictures, extracted once for an encoder and kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cxr.reporting import FilmFeatures, film_features
from cxr.retrieval import Retriever
from train.reporting.pictures import Picture

BATCH = 32


def features_of(
    retriever: Retriever, pictures: Sequence[Picture], cache: Path, title: str = "films"
) -> FilmFeatures:
    """Features of N pictures; from `cache` where this encoder has seen this list before.

    Raises ValueError for a picture that cannot be read.
    """
    text = "\n".join([retriever.encoder, *(picture.name for picture in pictures)])
    file = cache / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.npz"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.npz")
        found = _extract(retriever, pictures, title)
        np.savez(partial, embeddings=found.embeddings, thumbnails=found.thumbnails)
        os.replace(partial, file)
    with np.load(file) as stored:
        return FilmFeatures(stored["embeddings"], stored["thumbnails"])


def _extract(retriever: Retriever, pictures: Sequence[Picture], title: str) -> FilmFeatures:
    parts = []
    with ThreadPoolExecutor(2) as pool, tqdm(total=len(pictures), desc=title, unit="film") as bar:
        for start in range(0, len(pictures), BATCH):
            batch = pictures[start : start + BATCH]
            films = list(pool.map(lambda picture: picture.open(), batch))
            parts.append(film_features(retriever, films))
            bar.update(len(batch))
    return FilmFeatures.joined(parts)
