"""What a typed query asks for: its embedding, held against that of the opposite."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cxr.findings import FINDINGS
from cxr.language import affirmative, negative

NORMAL = ("Demonstrates no acute cardiopulmonary abnormality.", "normal chest x-ray", "no finding")
PRESENT = tuple(text for name in FINDINGS[1:] for text in affirmative(name))
ABSENT = tuple(text for name in FINDINGS[1:] for text in negative(name))


class QueryEncoder:
    """Texts -> query vectors.

    A query vector is a text's embedding less `weight` times the mean embedding of a normal image in
    words, so that images are ranked by what the query says beyond "a chest X-ray". A query that is
    nearest to a text of a normal image, or of an absent finding, is held against the mean of the
    findings instead.
    """

    def __init__(self, encode: Callable[[Sequence[str]], np.ndarray], weight: float) -> None:
        """encode: N texts -> float32 [N, D], unit rows. weight: 0 leaves the embedding as it is.

        Raises ValueError for a weight outside [0, 1].
        """
        if not 0 <= weight <= 1:
            raise ValueError(f"expected a query contrast in [0, 1]; got {weight}.")
        self.encode, self.weight = encode, weight
        self._known: np.ndarray | None = None  # [texts, D]: PRESENT, NORMAL, ABSENT

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> float32 [N, D], unit rows."""
        rows = self.encode(texts)
        if not self.weight:
            return rows
        if self._known is None:
            self._known = self.encode([*PRESENT, *NORMAL, *ABSENT])
        first, second = len(PRESENT), len(PRESENT) + len(NORMAL)
        opposites = np.stack([self._known[first:second].mean(0), self._known[:first].mean(0)])
        healthy = (rows @ self._known.T).argmax(1) >= first
        rows = rows - self.weight * opposites[healthy.astype(int)]
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
