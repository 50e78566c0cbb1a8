"""A gallery as a map: a place in a square for every image, near to those that look like it.

UMAP (McInnes, Healy, Melville 2018, arXiv:1802.03426) makes it where umap-learn is installed. It
brings a compiler of 200 MB with it, so that it is an extra of this package (pip install
"cxr-reading-room[map]"); without it the first two principal components serve.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from cxr.gallery.format import MAP

METHODS = ("umap", "pca")
_BLOCK = 16_384  # rows converted to float32 at a time
_NEIGHBORS = 15
_OUTER = (
    0.1  # percent of the images beyond each edge are moved onto it, so that none shrinks the map
)


def map_method(wanted: str | None = None) -> str:
    """The method to use: the one wanted, else the best that is installed.

    Raises:
        ValueError: an unknown method, or UMAP where it is not installed.
    """
    installed = importlib.util.find_spec("umap") is not None
    if wanted is None:
        return METHODS[0] if installed else METHODS[1]
    if wanted not in METHODS:
        raise ValueError(f"expected a map by {' or '.join(METHODS)}, got {wanted!r}; choose one")
    if wanted == METHODS[0] and not installed:
        raise ValueError(
            "expected umap-learn for a map by umap, it is not installed; install the extra "
            '"map" of this package, or choose pca'
        )
    return wanted


def map_positions(embeddings: np.ndarray, method: str | None = None) -> np.ndarray:
    """Place images on a map; the same embeddings give the same map.

    Args:
        embeddings: real [N, D], unit rows.
        method: one of METHODS; None for the best that is installed.

    Returns:
        float32 [N, 2] in [0, 1], left to right and top to bottom.

    Raises:
        ValueError: as map_method.
    """
    chosen = map_method(method)
    if chosen == METHODS[0] and len(embeddings) > _NEIGHBORS:
        return _into_square(_umap(embeddings))
    return _into_square(_principal_components(embeddings))


def _umap(embeddings: np.ndarray) -> np.ndarray:
    from umap import UMAP

    # A seed makes UMAP work on one core alone, and the map the same each time.
    reducer = UMAP(n_neighbors=_NEIGHBORS, min_dist=0.1, metric="cosine", random_state=0)
    return reducer.fit_transform(np.asarray(embeddings, np.float32))


def _principal_components(embeddings: np.ndarray) -> np.ndarray:
    """The two directions of the largest variance, float32 [N, 2]; rows are read in blocks."""
    count, dimensions = embeddings.shape
    total, squares = np.zeros(dimensions), np.zeros((dimensions, dimensions))
    for start in range(0, count, _BLOCK):
        rows = np.asarray(embeddings[start : start + _BLOCK], np.float32).astype(np.float64)
        total += rows.sum(0)
        squares += rows.T @ rows
    mean = total / count
    axes = np.linalg.eigh(squares / count - np.outer(mean, mean))[1][:, [-1, -2]]
    axes *= np.where(
        axes[np.abs(axes).argmax(0), [0, 1]] < 0, -1, 1
    )  # a sign that is always the same
    places = np.empty((count, 2), np.float32)
    for start in range(0, count, _BLOCK):
        rows = np.asarray(embeddings[start : start + _BLOCK], np.float32)
        places[start : start + _BLOCK] = (rows - mean) @ axes
    return places


def _into_square(places: np.ndarray) -> np.ndarray:
    low, high = np.percentile(places, [_OUTER, 100 - _OUTER], axis=0)
    span = np.where(high - low > 0, high - low, 1)
    return ((places - low) / span).clip(0, 1).astype(np.float32)


def write_map(folder: Path, positions: np.ndarray) -> None:
    """Write the map of a gallery, float32 [N, 2]."""
    np.save(folder / MAP, positions.astype(np.float32))


def read_map(folder: Path, count: int) -> np.ndarray | None:
    """Read the map of a gallery: float32 [count, 2] in [0, 1]; None where it has none.

    Raises:
        ValueError: a damaged map, or one of other images.
    """
    path = folder / MAP
    if not path.is_file():
        return None
    try:
        positions = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(
            f"expected a map in {path}, could not read it ({error}); make it again with "
            f"python -m cxr gallery map {folder}"
        ) from error
    within = positions.dtype == np.float32 and ((positions >= 0) & (positions <= 1)).all()
    if positions.shape != (count, 2) or not within:
        raise ValueError(
            f"expected float32 [{count}, 2] in [0, 1] in {path}, got {positions.dtype} "
            f"{list(positions.shape)}; make it again with python -m cxr gallery map {folder}"
        )
    return positions
