"""What a typed query asks for: its embedding, held against that of the opposite."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cxr.findings import FINDINGS
from cxr.prompts import affirmative

NORMAL = ("Demonstrates no acute cardiopulmonary abnormality.", "normal chest x-ray", "no finding")
ABNORMAL = tuple(text for name in FINDINGS if name != "no finding" for text in affirmative(name))


class QueryEncoder:
    """Texts -> query vectors.

    A query vector is a text's embedding less `weight` times that of a normal film in words, so
    that films are ranked by what the query says beyond "a chest X-ray"; a query that is itself
    nearer to the normal than to the mean finding is held against the findings instead.
    """

    def __init__(self, encode: Callable[[Sequence[str]], np.ndarray], weight: float) -> None:
        """encode: N texts -> float32 [N, D], unit rows. weight: 0 leaves the embedding as it is.

        Raises ValueError for a weight outside [0, 1].
        """
        if not 0 <= weight <= 1:
            raise ValueError(f"expected a query contrast in [0, 1]; got {weight}.")
        self.encode, self.weight = encode, weight
        self._opposites: np.ndarray | None = None  # [2, D]: normal, abnormal

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> float32 [N, D], unit rows."""
        rows = self.encode(texts)
        if not self.weight:
            return rows
        if self._opposites is None:
            self._opposites = np.stack([self.encode(said).mean(0) for said in (NORMAL, ABNORMAL)])
        normal, abnormal = (rows @ self._opposites.T).T
        rows = rows - self.weight * self._opposites[(normal > abnormal).astype(int)]
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
