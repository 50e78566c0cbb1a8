"""Films at the generator's side, real and generated, as the measures of a generator see them.

Every film is read by two networks in one pass: the image encoder of the retrieval model, which the
generator is not trained with, and the finding network, which guides its training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from cxr.data import load_studies
from cxr.findings import Study
from cxr.images import Preprocess
from cxr.models import SIDE
from cxr.retrieval import Retriever
from train.common.feature_cache import cached_features
from train.common.image_cache import pack_studies
from train.common.studies import frontal
from train.reporting.features import encoder_key

SQUARE = Preprocess(SIDE, 0.5, 0.5, 1)
CHUNK = 512  # films whose features are kept in one file


@dataclass(frozen=True, eq=False)
class FilmSet:
    """N films.

    Attributes:
        squares: uint8 [N, 128, 128].
        embeddings: float32 [N, D], unit rows, of the retrieval model.
        features: float16 [N, W], of the middle blocks of its image encoder.
        network: float16 [N, P], of the finding network; P may be 0.
    """

    squares: np.ndarray
    embeddings: np.ndarray
    features: np.ndarray
    network: np.ndarray

    def __len__(self) -> int:
        return len(self.squares)

    def rows(self, index: np.ndarray) -> FilmSet:
        """Some of them."""
        return FilmSet(*(np.asarray(values[index]) for values in vars(self).values()))

    @classmethod
    def joined(cls, parts: Sequence[FilmSet]) -> FilmSet:
        """Several sets, one after the other."""
        columns = zip(*(vars(part).values() for part in parts))
        return cls(*(np.concatenate(values) for values in columns))


def to_images(squares: np.ndarray) -> list[Image.Image]:
    """Squares uint8 [N, S, S] -> images of mode "L"."""
    return [Image.fromarray(square) for square in squares]


def read_films(
    retriever: Retriever, squares: np.ndarray, cache: Path | None = None, title: str = "films"
) -> FilmSet:
    """Read squares uint8 [N, 128, 128] with both networks.

    What was read is kept under `cache` by the pixels, CHUNK films a file; None keeps nothing.
    """
    parts = []
    for first in tqdm(range(0, len(squares), CHUNK), title, unit="chunk", disable=None):
        part = np.ascontiguousarray(squares[first : first + CHUNK])
        if cache is None:
            found = _read(retriever, part)
        else:
            digest = hashlib.sha256(part.tobytes()).hexdigest()
            key = [encoder_key(retriever), "films", digest]
            found = cached_features(cache, key, lambda part=part: _read(retriever, part))
        parts.append(FilmSet(part, *(value.numpy() for value in map(found.get, _PARTS))))
    return FilmSet.joined(parts)


_PARTS = ("embeddings", "features", "network")


def _read(retriever: Retriever, squares: np.ndarray) -> dict[str, torch.Tensor]:
    with ThreadPoolExecutor(2) as pool:
        prepared = list(pool.map(retriever.prepare, to_images(squares)))
    found = retriever.encode_with_features(prepared)
    width = retriever.model.image_encoder.feature_width
    features = found.features.astype(np.float16)
    values = (found.embeddings, features[:, :width], features[:, width:])
    return {
        name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in zip(_PARTS, values)
    }


@dataclass(frozen=True, eq=False)
class FilmBank:
    """All frontal films of several data sets that can be read; `place` gives the row by its file.

    Studies may be loaded with any labels and of any split.
    """

    films: FilmSet
    place: dict[Path, int]

    @classmethod
    def of(cls, retriever: Retriever, roots: Sequence[Path], cache: Path) -> FilmBank:
        """Read the films of the data sets, each once; minutes a thousand films, kept in `cache`."""
        parts, place = [], {}
        for root in dict.fromkeys(root.resolve() for root in roots):
            kept, squares, _ = pack_studies(frontal(load_studies(root)), SQUARE, cache)
            parts.append(read_films(retriever, squares, cache, root.name))
            for study in kept:
                place[study.image.resolve()] = len(place)
        return cls(FilmSet.joined(parts), place)

    def rows_of(self, studies: Sequence[Study]) -> np.ndarray:
        """The row of each study, int64 [N].

        Raises:
            ValueError: an image that cannot be read or is of another data set.
        """
        lost = [study.image for study in studies if study.image.resolve() not in self.place]
        if lost:
            raise ValueError(
                f"expected readable images of the data sets given, got {len(lost)} others, the "
                f"first {lost[0]}; take them out of the data set"
            )
        return np.array([self.place[study.image.resolve()] for study in studies], np.int64)

    def of_studies(self, studies: Sequence[Study]) -> FilmSet:
        """The films of the studies, in their order; raises ValueError as rows_of."""
        return self.films.rows(self.rows_of(studies))
