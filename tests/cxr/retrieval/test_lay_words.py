"""What the shipped text encoder makes of lay words, negations and nonsense (tests/lay_queries.py).

A text's finding is the one in FINDINGS whose prototype, the mean embedding of its affirmative
texts, has the highest cosine with it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from lay_queries import CLUMSY, NEGATED, QUERIES

import cxr
from cxr.findings import FINDINGS
from cxr.language.prompts import affirmative

WEIGHTS = Path(__file__).resolve().parents[3] / "weights" / "retrieval"
NORMAL = "Demonstrates no acute cardiopulmonary abnormality."
NEEDED = 0.85  # of the queries
MEANS = {**dict(QUERIES), **{name: name for name in FINDINGS}}


def canonical(finding: str) -> str:
    """The caption's words for one finding."""
    return NORMAL if finding == "no finding" else f"Findings: {finding}."


@pytest.fixture(scope="module")
def retriever() -> cxr.Retriever:
    return cxr.Retriever.load(weights=WEIGHTS, gallery=None)


@pytest.fixture(scope="module")
def prototypes(retriever) -> np.ndarray:
    """float32 [F, 512], unit rows, in FINDINGS order."""
    texts = [(NORMAL,) if name == "no finding" else affirmative(name) for name in FINDINGS]
    means = np.stack([retriever.encode_text(group).mean(axis=0) for group in texts])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def found(retriever: cxr.Retriever, prototypes: np.ndarray, texts: list[str]) -> list[str]:
    """The finding of each text."""
    cosines = retriever.encode_text(texts) @ prototypes.T  # [N, F]
    return [FINDINGS[best] for best in cosines.argmax(axis=1)]


def test_the_lists_keep_to_the_vocabulary():
    assert len(QUERIES) >= 90 and len(NEGATED) >= 14 and len(CLUMSY) >= 10
    assert {finding for _, finding in QUERIES} == set(FINDINGS)
    assert max(Counter(query.lower() for query, _ in QUERIES).values()) == 1
    assert not {query.lower() for query, _ in QUERIES} & set(FINDINGS)
    assert {yes for yes, _ in NEGATED} <= set(MEANS)


def test_each_canonical_text_finds_its_own_finding(retriever, prototypes):
    # Without this, an encoder that takes all texts for one would pass the test of the queries.
    assert found(retriever, prototypes, [canonical(name) for name in FINDINGS]) == list(FINDINGS)


def test_lay_queries_find_what_the_canonical_text_finds(retriever, prototypes):
    answers = found(retriever, prototypes, [query for query, _ in QUERIES])
    own = found(retriever, prototypes, [canonical(name) for name in FINDINGS])
    expected = dict(zip(FINDINGS, own))
    misses = [
        f"{query!r}: expected {expected[finding]}, got {answer}"
        for (query, finding), answer in zip(QUERIES, answers)
        if answer != expected[finding]
    ]
    share = 1 - len(misses) / len(QUERIES)
    assert share >= NEEDED, f"{share:.1%} of {len(QUERIES)} queries found:\n" + "\n".join(misses)


@pytest.mark.parametrize(("yes", "no"), NEGATED)
def test_a_negated_query_ranks_below_its_affirmative(retriever, yes, no):
    rows = retriever.encode_text([canonical(MEANS[yes]), yes, no])
    of_yes, of_no = rows[1:] @ rows[0]
    assert of_no < of_yes, f"{no!r} {of_no:.3f}, {yes!r} {of_yes:.3f}"


@pytest.mark.parametrize("query", CLUMSY, ids=lambda query: ascii(query)[:30])
def test_a_clumsy_query_has_a_finite_unit_embedding(retriever, query):
    rows = retriever.encode_text([query])
    assert rows.shape == (1, 512) and rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows) == pytest.approx(1, abs=1e-3)
