"""Features of many pictures, extracted once for an encoder and kept."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from tqdm import tqdm

from cxr.reporting import FilmFeatures, film_features
from cxr.retrieval import Retriever
from train.common.feature_cache import cached_features
from train.reporting.pictures import Picture

BATCH = 32


def features_of(
    retriever: Retriever, pictures: Sequence[Picture], cache: Path, title: str = "films"
) -> FilmFeatures:
    """Features of N pictures; from `cache` where this encoder has seen this list before.

    Raises ValueError for a picture that cannot be read.
    """
    key = [retriever.encoder, *(picture.name for picture in pictures)]

    def extract() -> dict[str, torch.Tensor]:
        found = _extract(retriever, pictures, title)
        return {name: torch.from_numpy(value) for name, value in vars(found).items()}

    found = cached_features(cache, key, extract)
    return FilmFeatures(found["embeddings"].numpy(), found["thumbnails"].numpy())


def _extract(retriever: Retriever, pictures: Sequence[Picture], title: str) -> FilmFeatures:
    parts = []
    with ThreadPoolExecutor(2) as pool, tqdm(total=len(pictures), desc=title, unit="film") as bar:
        for start in range(0, len(pictures), BATCH):
            batch = pictures[start : start + BATCH]
            films = list(pool.map(lambda picture: picture.open(), batch))
            parts.append(film_features(retriever, films))
            bar.update(len(batch))
    return FilmFeatures.joined(parts)
