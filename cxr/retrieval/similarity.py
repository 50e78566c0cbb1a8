"""How similar an image is to what was asked for, in words that a trainee understands.

A cosine says little by itself: the best of many images are always near, and a query that names
nothing on an image is somewhat near to all of them. A text's cosine is therefore counted from that
of the gallery's average image, and held against images that are labeled with what a text names; an
image's is held against how near the gallery's images are to each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cxr.findings import FINDINGS
from cxr.gallery import Gallery

WORDS = ("very similar", "similar", "somewhat similar", "weak match")
DEFAULT_BANDS = (0.6, 0.45, 0.3)  # cosines from which WORDS[0], [1] and [2] hold
DEFAULT_IMAGE_BANDS = (0.9, 0.8, 0.65)  # the same where the query is an image
ENOUGH = 100  # labels, or images, from which a gallery can derive its own bands
_CARRIERS = 10  # images from which a finding counts
_ROWS = 20_000  # images of a large gallery that its bands rest on, evenly spaced
_QUERIES = 200  # images whose neighbors are looked at
_NEAR = 12  # neighbors
_SHARES = (0.95, 0.7, 0.3)  # of the images that carry what a text names, below each band


@dataclass(frozen=True, eq=False)
class Scale:
    """How similar is similar in one gallery.

    Attributes:
        bands: three falling limits that divide WORDS, of a text's cosine less that of `center`.
        image_bands: the same of an image's cosine.
        center: float32 [512], the gallery's average image.
    """

    bands: tuple[float, ...]
    image_bands: tuple[float, ...]
    center: np.ndarray

    def text_word(self, score: float, vector: np.ndarray) -> str:
        """Put a text's cosine with an image into words.

        Args:
            score: the cosine.
            vector: float32 [512], the text's.
        """
        return similarity_word(score - float(self.center @ vector), self.bands)

    def image_word(self, score: float) -> str:
        """Put the cosine of two images into words."""
        return similarity_word(score, self.image_bands)


def scale_of(
    gallery: Gallery,
    encode_query: Callable[[list[str]], np.ndarray],
    bands: tuple[float, ...] = DEFAULT_BANDS,
    image_bands: tuple[float, ...] = DEFAULT_IMAGE_BANDS,
) -> Scale:
    """Derive the scale of a gallery.

    Args:
        gallery: the images, with their labels.
        encode_query: N texts -> float32 [N, 512], unit rows.
        bands: of plain cosines, for a gallery with too few labels.
        image_bands: for a gallery with too few images.
    """
    rows = np.unique(np.linspace(0, len(gallery.studies) - 1, _ROWS).astype(int))
    images = np.asarray(gallery.embeddings[rows], np.float32)
    center = images.mean(0)
    above = _carried([gallery.studies[row] for row in rows], images - center, encode_query)
    if len(above) < ENOUGH:
        center = np.zeros_like(center)
    else:
        bands = tuple(float(band) for band in np.quantile(above, _SHARES))
    if len(gallery.studies) >= ENOUGH:
        image_bands = _neighbors(gallery)
    return Scale(bands, image_bands, center)


def _carried(studies: Sequence, images: np.ndarray, encode_query: Callable) -> np.ndarray:
    """Between the names of findings and the images that carry them: float32 [labels]."""
    shown = np.array(
        [[study.findings.get(name) == 1 for name in FINDINGS[1:]] for study in studies]
    )
    names = np.flatnonzero(shown.sum(0) >= _CARRIERS)
    if not len(names):
        return np.empty(0, np.float32)
    scores = images @ encode_query([FINDINGS[1 + name] for name in names]).T
    return scores[shown[:, names]]


def _neighbors(gallery: Gallery) -> tuple[float, ...]:
    """Bands by which an image's nearest neighbors are similar.

    They are the median cosine of images' first neighbors, that of their twelfth, and what all but a
    twentieth of the twelfth reach.
    """
    rows = np.unique(np.linspace(0, len(gallery.studies) - 1, _QUERIES).astype(int))
    first, last = [], []
    for row in rows:
        found = gallery.search(gallery.embeddings[row], _NEAR + 1)
        scores = [score for other, score in found if other != row][:_NEAR]
        first.append(scores[0])
        last.append(scores[-1])
    falling = (np.median(first), np.median(last), np.quantile(last, 0.05))
    return tuple(float(band) for band in falling)


def similarity_word(score: float, bands: Sequence[float] = DEFAULT_BANDS) -> str:
    """A number that grows with similarity in words: the first of WORDS whose band it reaches.

    Raises:
        ValueError: NaN.
    """
    if math.isnan(score):
        raise ValueError("expected a similarity, got NaN; check the checkpoint")
    reached = (word for word, band in zip(WORDS, bands) if score >= band)
    return next(reached, WORDS[-1])


def checked_bands(bands: Sequence[float]) -> tuple[float, ...]:
    """Three falling cosines. Raises ValueError for anything else."""
    real = isinstance(bands, (list, tuple)) and all(
        isinstance(band, (int, float)) and not isinstance(band, bool) and math.isfinite(band)
        for band in bands
    )
    if not real or len(bands) != len(WORDS) - 1 or list(bands) != sorted(bands, reverse=True):
        raise ValueError(f"expected three falling cosines as similarity_bands, got {bands!r}")
    return tuple(bands)
