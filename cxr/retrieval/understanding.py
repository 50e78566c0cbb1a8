"""What a typed query asks for: by the rules of cxr.language, else by the nearest finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cxr.findings import FINDINGS
from cxr.language import Query, affirmative, parse

NEAR_ENOUGH = 0.55  # cosine: lay paraphrases lie above in 95%, words of other fields below
MAX_QUERY = 2_000  # characters


@dataclass(frozen=True)
class Understanding:
    """How a query was read.

    Attributes:
        query: what it asks for.
        guessed: a finding that no rule read but that is near in meaning, among query.present.
        confidence: the cosine of that finding's name and the text, in [0, 1]; 0 without one.
        by_look: nothing was understood in a language that is not English, so only the picture
            can be compared.
    """

    query: Query
    guessed: str | None = None
    confidence: float = 0.0
    by_look: bool = False


class QueryReader:
    """Texts -> what they ask for.

    Args:
        encode: N texts -> float32 [N, D], unit rows.
    """

    def __init__(self, encode: Callable[[Sequence[str]], np.ndarray]) -> None:
        self._encode = encode

    def __call__(self, text: str) -> Understanding:
        """Read a query.

        Raises:
            ValueError: an empty or overlong text, or one in which nothing was understood.
        """
        query = parse(checked_query(text))
        if asks_anything(query):
            return Understanding(query)
        if query.language != "en":
            return Understanding(query, by_look=True)
        if not any(map(str.isalpha, text)):
            raise ValueError(
                f"expected words, got only signs: '{text.strip()[:80]}'; name a finding such as "
                f"{FINDINGS[2]} or {FINDINGS[10]}"
            )
        scores = self._names @ self._encode([text])[0]
        best = int(scores.argmax())
        if scores[best] < NEAR_ENOUGH:
            said = ", ".join(query.unknown) or text.strip()
            raise ValueError(
                f"expected findings, a view, a sex or an age; did not understand "
                f"'{said[:80]}'; name a finding such as {FINDINGS[2]} or {FINDINGS[10]}"
            )
        name = FINDINGS[1 + best]
        return Understanding(replace(query, present=(name,)), name, float(scores[best]))

    @cached_property
    def _names(self) -> np.ndarray:
        """Mean embeddings of what says that a finding is there: float32 [F, D], unit rows."""
        rows = [self._encode(affirmative(name)).mean(0) for name in FINDINGS[1:]]
        return np.stack([row / np.linalg.norm(row) for row in rows])


def asks_anything(query: Query) -> bool:
    """Whether rules read anything in a query that a study can be compared with."""
    found = (
        query.present,
        query.absent,
        query.uncertain,
        query.normal,
        query.view,
        query.sex,
        query.age_min is not None,
        query.age_max is not None,
        query.devices,
        query.anatomy,
        query.other,
        query.zone,
    )
    return any(map(bool, found))


def checked_query(query: object) -> str:
    """Return the text of a query.

    Raises:
        ValueError: something other than a text, or an empty or overlong one.
    """
    if not isinstance(query, str):
        raise ValueError(f"expected a text or a PIL image as query, got {type(query).__name__}")
    if not query.strip():
        raise ValueError("expected a query, got an empty text; type what you are looking for")
    if len(query) > MAX_QUERY:
        raise ValueError(
            f"expected a query of at most {MAX_QUERY} characters, got {len(query)}; shorten it"
        )
    return query.encode("utf-8", "replace").decode()  # half an emoji cannot be sent back
