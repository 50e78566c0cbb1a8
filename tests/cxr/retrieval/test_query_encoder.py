"""Query vectors: a text held against its opposite, in a space that one can work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.retrieval.query_encoder import ABSENT, NORMAL, PRESENT, QueryEncoder

# The axes: "is a chest film", "is normal", "shows something", "shows a mass".
FILM, HEALTHY, SICK, MASS = np.eye(4, dtype=np.float32)


def encode(texts):
    """Every text says "chest film"; normal and abnormal ones say so too."""
    said = {
        **dict.fromkeys(NORMAL + ABSENT, FILM + HEALTHY),
        **dict.fromkeys(PRESENT, FILM + SICK),
        "a mass": FILM + SICK + MASS,
        "all clear": FILM + 2 * HEALTHY,
    }
    rows = np.stack([said[text] for text in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_without_contrast_a_query_is_its_text():
    assert np.array_equal(QueryEncoder(encode, 0.0)(["a mass"]), encode(["a mass"]))


def test_what_every_film_shares_counts_for_less():
    plain, held = encode(["a mass"])[0], QueryEncoder(encode, 1.0)(["a mass"])[0]
    assert abs(held @ FILM) < 0.5 * (plain @ FILM)
    assert held @ MASS > 2 * (held @ FILM) and held @ HEALTHY < 0
    assert np.linalg.norm(held) == pytest.approx(1, abs=1e-6)


def test_a_query_for_a_normal_film_is_held_against_findings():
    held = QueryEncoder(encode, 1.0)(["all clear"])[0]
    assert held @ HEALTHY > 0.7 and held @ SICK < 0


def test_rows_do_not_depend_on_each_other():
    held = QueryEncoder(encode, 0.5)
    both = held(["a mass", "all clear"])
    assert np.allclose(both, np.concatenate([held(["a mass"]), held(["all clear"])]))


@pytest.mark.parametrize("weight", [-0.1, 1.5, float("nan")])
def test_a_weight_out_of_range_is_refused(weight):
    with pytest.raises(ValueError, match="contrast"):
        QueryEncoder(encode, weight)
