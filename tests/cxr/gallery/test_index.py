"""Search in a gallery: exact, filtered exactly, approximate above a size, from many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gallery_helpers import ENCODER, encode, make_studies

from cxr.gallery import index as gallery_index
from cxr.gallery.gallery import Gallery, Where, build_gallery
from cxr.gallery.index import NearestVectors, write_index

COUNT = 60


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, film) -> Gallery:
    folder = tmp_path_factory.mktemp("search")
    studies = make_studies(folder / "films", COUNT, film)
    return build_gallery(studies, encode, folder / "gallery", ENCODER, progress=False)


def brute_force(gallery: Gallery, vector: np.ndarray, passes) -> list[int]:
    scores = gallery.embeddings.astype(np.float32) @ vector
    rows = [row for row, study in enumerate(gallery.studies) if passes(study)]
    return sorted(rows, key=lambda row: -scores[row])


def test_search_is_exact(gallery):
    vector = gallery.embeddings[3].astype(np.float32)
    found = gallery.search(vector, 10)
    assert [row for row, _ in found] == brute_force(gallery, vector, lambda study: True)[:10]
    assert found[0] == (3, pytest.approx(1, abs=1e-3))
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True) and all(-1 <= score <= 1 for score in scores)


def test_length_of_the_query_does_not_matter(gallery):
    vector = gallery.embeddings[3].astype(np.float32)
    long = gallery.search(100 * vector, 5)
    assert [row for row, _ in long] == [row for row, _ in gallery.search(vector, 5)]
    assert long[0][1] == pytest.approx(1, abs=1e-3)


def test_more_results_than_studies(gallery):
    found = gallery.search(gallery.embeddings[0], 10_000)
    assert sorted(row for row, _ in found) == list(range(COUNT))


FILTERS = {
    "view": (Where(view=("PA", "AP")), lambda s: s.view in ("PA", "AP")),
    "one view": ({"view": "lateral"}, lambda s: s.view == "lateral"),
    "sex": (Where(sex="F"), lambda s: s.sex == "F"),
    "age": (Where(age_min=30, age_max=40), lambda s: s.age is not None and 30 <= s.age <= 40),
    "age 0": (Where(age_min=0), lambda s: s.age is not None),
    "present": (Where(present=("Mass",)), lambda s: s.findings.get("mass") == 1),
    "absent": ({"absent": ["mass"]}, lambda s: s.findings.get("mass") == 0),
    "both": (
        {"present": ("Cardiomegaly",), "absent": ("mass",), "sex": None},
        lambda s: s.findings.get("cardiomegaly") == 1 and s.findings.get("mass") == 0,
    ),
    "two findings": (
        Where(present=("mass", "Lung_Lesion")),
        lambda s: s.findings.get("mass") == s.findings.get("lung lesion") == 1,
    ),
    "everything": (
        Where(view=("AP",), sex="M", age_min=21, age_max=70),
        lambda s: s.view == "AP" and s.sex == "M" and s.age is not None and 21 <= s.age <= 70,
    ),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("k", [1, 5, COUNT])
def test_filters_are_exact(gallery, name, k):
    where, passes = FILTERS[name]
    vector = gallery.embeddings[7].astype(np.float32)
    expected = brute_force(gallery, vector, passes)
    assert 0 < len(expected) < COUNT
    assert [row for row, _ in gallery.search(vector, k, where)] == expected[:k]


def test_a_filter_that_nothing_passes(gallery):
    assert gallery.search(gallery.embeddings[0], 5, Where(present=("hernia",))) == []


def test_an_empty_filter_passes_everything(gallery):
    for where in (None, {}, Where(), Where(view=(), present=()), {"sex": None}):
        assert len(gallery.search(gallery.embeddings[0], COUNT, where)) == COUNT


@pytest.mark.parametrize(
    "where, says",
    [
        ({"colour": "red"}, "filter out of view, sex.*'colour'"),
        ({"view": "PA "}, "view out of PA"),
        ({"view": (1,)}, "names as view"),
        ({"sex": "x"}, "sex out of F, M"),
        ({"present": ["gout"]}, "finding out of no finding.*'gout'"),
        ({"absent": "gout"}, "finding out of"),
        ({"age_min": -1}, "age_min in years"),
        ({"age_max": "old"}, "age_max in years"),
        ({"age_min": float("nan")}, "age_min in years"),
        ({"age_min": 50, "age_max": 40}, "age_min <= age_max"),
        ("PA", "expected a Where or a dict"),
    ],
)
def test_unknown_filters(gallery, where, says):
    with pytest.raises(ValueError, match=says):
        gallery.search(gallery.embeddings[0], 5, where)


@pytest.mark.parametrize(
    "vector",
    [np.zeros(512), np.ones(511), np.ones((1, 512)), np.full(512, np.nan), np.full(512, np.inf)],
    ids=["zero", "short", "batch", "nan", "inf"],
)
def test_bad_vectors(gallery, vector):
    with pytest.raises(ValueError, match=r"finite vector \[512\]"):
        gallery.search(vector, 5)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, None])
def test_bad_k(gallery, k):
    with pytest.raises(ValueError, match="1 or more"):
        gallery.search(gallery.embeddings[0], k)


def test_threads_do_not_disturb_each_other(gallery):
    wheres = [where for where, _ in FILTERS.values()] + [None]
    tasks = [(gallery.embeddings[i % COUNT], 1 + i % 9, wheres[i % 11]) for i in range(400)]
    alone = [gallery.search(*task) for task in tasks]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda task: gallery.search(*task), tasks)) == alone


@pytest.fixture(scope="module")
def clustered() -> np.ndarray:
    """3,000 unit rows about 60 centres, float16 [3000, 64]."""
    random = np.random.default_rng(0)
    rows = np.repeat(random.normal(size=(60, 64)), 50, axis=0) + random.normal(size=(3000, 64))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def approximate(clustered, tmp_path, monkeypatch) -> NearestVectors:
    monkeypatch.setattr(gallery_index, "EXACT_BELOW", 100)  # what a filter may leave
    assert write_index(clustered, tmp_path / "i", exact_below=100) == "approximate"
    return NearestVectors.open(tmp_path / "i", clustered)


def truth(rows: np.ndarray, query: np.ndarray, allowed: np.ndarray, k: int) -> list[int]:
    scores = rows[allowed].astype(np.float32) @ query
    return allowed[np.argsort(-scores, kind="stable")[:k]].tolist()


def test_approximate_search_finds_nearly_all_and_orders_exactly(approximate, clustered):
    everything = np.arange(len(clustered))
    hits = 0
    for row in range(0, 3000, 60):
        query = clustered[row].astype(np.float32)
        found = approximate.search(query, 10)
        assert found[0] == (row, pytest.approx(1, abs=1e-3))
        scores = [score for _, score in found]
        exact = clustered[[r for r, _ in found]].astype(np.float32) @ query
        np.testing.assert_allclose(scores, exact.clip(-1, 1), atol=1e-5)
        assert scores == sorted(scores, reverse=True)
        hits += len(set(truth(clustered, query, everything, 10)) & {r for r, _ in found})
    assert hits / 500 > 0.95


@pytest.mark.parametrize("step, k", [(1000, 3), (100, 30), (7, 20), (2, 1500)])
def test_approximate_search_keeps_filters_exact(approximate, clustered, step, k):
    allowed = np.arange(0, 3000, step)
    for row in (0, 1234, 2999):
        query = clustered[row].astype(np.float32)
        found = [r for r, _ in approximate.search(query, k, allowed)]
        assert len(found) == len(set(found)) == k and set(found) <= set(allowed.tolist())
        expected = truth(clustered, query, allowed, k)
        assert len(set(expected) & set(found)) >= 0.9 * k
        if len(allowed) < 100:
            assert found == expected


def test_approximate_search_returns_as_many_as_asked_for(approximate, clustered):
    assert len(approximate.search(clustered[0].astype(np.float32), 3000)) == 3000


def test_large_galleries_get_the_approximate_index(clustered, tmp_path):
    assert gallery_index.EXACT_BELOW == 50_000
    assert write_index(clustered, tmp_path / "exact") == "exact"
    assert (tmp_path / "exact").stat().st_size > 3000 * 64 * 4
