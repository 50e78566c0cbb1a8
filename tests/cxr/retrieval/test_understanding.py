"""How a typed query is read, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.retrieval.understanding import MAX_QUERY, QueryReader


def alike(texts) -> np.ndarray:
    """An encoder to which all texts are the same, so that any would be guessed: [N, 2]."""
    return np.tile(np.array([1.0, 0.0], np.float32), (len(texts), 1))


@pytest.mark.parametrize(
    "text", ["💔", "🫁🫀 ❤️", "???", "1234", "-- / --", "", " \n", "x" * (MAX_QUERY + 1)]
)
def test_signs_alone_and_empty_or_overlong_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"expected .*, got "):
        QueryReader(alike)(text)


def test_words_in_another_script_are_compared_by_look():
    assert QueryReader(alike)("胸水").by_look


def test_a_word_that_no_rule_knows_is_guessed_by_meaning():
    read = QueryReader(alike)("zyxology")
    assert read.guessed and read.query.present == (read.guessed,) and read.confidence == 1
