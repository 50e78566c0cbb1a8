"""Nearest vectors of a gallery, with FAISS: exact below 50,000 studies, approximate above.

FAISS: Johnson, Douze, Jegou, "Billion-scale similarity search with GPUs", 2017.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import faiss
import numpy as np

EXACT_BELOW = 50_000  # studies
_PROBED = 0.25  # of the inverted lists; images of one modality lie close together
_BLOCK = 16_384  # rows converted to float32 at a time


def write_index(embeddings: np.ndarray, path: Path, exact_below: int = EXACT_BELOW) -> str:
    """Write the index over `embeddings` (float16 [N, D], unit rows) -> "exact" | "approximate".

    The approximate one (inverted lists of 8-bit codes) takes a quarter of the exact one's memory.
    """
    count, dimensions = embeddings.shape
    exact = count < exact_below
    index: faiss.Index = faiss.IndexFlatIP(dimensions) if exact else _inverted_lists(embeddings)
    for start in range(0, count, _BLOCK):
        index.add(_float(embeddings[start : start + _BLOCK]))
    faiss.write_index(index, str(path))
    return "exact" if exact else "approximate"


def _inverted_lists(embeddings: np.ndarray) -> faiss.Index:
    count, dimensions = embeddings.shape
    lists = max(1, min(4 * math.isqrt(count), count // 40))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimensions),
        dimensions,
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    sample = np.random.default_rng(0).permutation(count)[: 64 * lists]
    index.train(_float(embeddings[np.sort(sample)]))
    return index


class NearestVectors:
    """The vectors of one gallery, to be searched from any number of threads."""

    def __init__(self, index: faiss.Index, embeddings: np.ndarray) -> None:
        self._index = index
        self._embeddings = embeddings
        view: Any = faiss.downcast_index(index)  # does not own: hold on to the index itself
        self._exact = isinstance(view, faiss.IndexFlat)
        self._probes = 0 if self._exact else max(48, round(_PROBED * view.nlist))

    @classmethod
    def open(cls, path: Path, embeddings: np.ndarray) -> NearestVectors:
        """Read the index at `path` over `embeddings`, float16 [N, D].

        Raises:
            ValueError: a missing or corrupt index, or one over other vectors.
        """
        try:
            index = faiss.read_index(str(path))
        except (RuntimeError, MemoryError) as error:
            reason = str(error).strip().rpartition("\n")[2]
            raise ValueError(
                f"expected an index in {path}, could not read it ({reason}); "
                "build the gallery again"
            ) from error
        known = isinstance(faiss.downcast_index(index), (faiss.IndexFlat, faiss.IndexIVF))
        if not known or (index.ntotal, index.d) != embeddings.shape:
            raise ValueError(
                f"expected an index over {list(embeddings.shape)} vectors in {path}, "
                f"got {type(index).__name__} [{index.ntotal}, {index.d}]; build the gallery again"
            )
        return cls(index, embeddings)

    def search(
        self, vector: np.ndarray, k: int, rows: np.ndarray | None = None
    ) -> list[tuple[int, float]]:
        """The k best rows by inner product -> [(row, score)], best first.

        Args:
            vector: float32 [D], unit length.
            k: how many are wanted.
            rows: ascending int64 [M], the only rows to return; None for all. min(k, M) rows come
                back always.
        """
        passing = len(self._embeddings) if rows is None else len(rows)
        k = min(k, passing)
        if k == 0:
            return []
        if self._exact:
            return _ranked(*self._faiss(vector, k, rows))
        if passing < EXACT_BELOW and rows is not None:
            return self._exhaustive(vector, k, rows)
        # 8-bit codes misplace neighbours: take more, and order them by the vectors themselves.
        found, _ = self._faiss(vector, min(4 * k + 64, passing), rows)
        if len(found) < k:
            every = np.arange(len(self._embeddings)) if rows is None else rows
            return self._exhaustive(vector, k, every)
        return self._exhaustive(vector, k, np.sort(found))

    def _faiss(
        self, vector: np.ndarray, k: int, rows: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        selector = None
        if rows is not None:
            mask = np.zeros(len(self._embeddings), dtype=bool)
            mask[rows] = True
            bits = np.packbits(mask, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        settings: dict[str, Any] = {"sel": selector}
        if not self._exact:
            settings["nprobe"] = self._probes
        # faiss adds keywords to these classes when it is imported, which its types do not say.
        kind: Any = faiss.SearchParameters if self._exact else faiss.SearchParametersIVF
        parameters = kind(**settings)
        scores, found = self._index.search(vector[None], k, params=parameters)
        return found[0][found[0] >= 0], scores[0][found[0] >= 0]

    def _exhaustive(self, vector: np.ndarray, k: int, rows: np.ndarray) -> list[tuple[int, float]]:
        scores = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            scores[block] = _float(self._embeddings[rows[block]]) @ vector
        best = np.argpartition(-scores, k - 1)[:k]
        return _ranked(rows[best], scores[best])


def _ranked(rows: np.ndarray, scores: np.ndarray) -> list[tuple[int, float]]:
    order = np.lexsort((rows, -scores))  # equal scores: the earlier row first
    return [(int(rows[i]), float(np.clip(scores[i], -1, 1))) for i in order]


def _float(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows, dtype=np.float32)
