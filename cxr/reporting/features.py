"""What the report suggester computes from a film, in one pass of the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cxr.images import Preprocess
from cxr.retrieval import Retriever

THUMBNAIL = Preprocess(64, 0.0, 1.0, 1)  # what the gate's autoencoder sees


@dataclass(frozen=True)
class FilmFeatures:
    """Of N films. embeddings: float32 [N, 512], unit rows. thumbnails: uint8 [N, 64, 64], row 0
    at the top, aspect kept, black around.
    """

    embeddings: np.ndarray
    thumbnails: np.ndarray

    def __len__(self) -> int:
        return len(self.embeddings)

    def rows(self, index: np.ndarray | slice) -> FilmFeatures:
        """The same for some films. index: int64 [B], bool [N] or a slice."""
        return FilmFeatures(self.embeddings[index], self.thumbnails[index])

    @classmethod
    def joined(cls, parts: Sequence[FilmFeatures]) -> FilmFeatures:
        """Those of several lists of films, one after the other."""
        return cls(
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.thumbnails for part in parts]),
        )


def film_features(retriever: Retriever, films: Sequence[Image.Image]) -> FilmFeatures:
    """N films of mode "L" -> their features. Raises ValueError for a film of another mode."""
    embeddings = retriever.encode_prepared([retriever.prepare(film) for film in films])
    return FilmFeatures(embeddings, np.stack([THUMBNAIL.square(film) for film in films]))
