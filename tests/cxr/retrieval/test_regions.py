"""Regions: their boxes, what they cover, and which images are alike there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from cxr.retrieval.regions import REGIONS, RegionIndex, covered_places, read_region


def index_of(places: np.ndarray | None) -> RegionIndex:
    gallery: Any = SimpleNamespace(places=places, folder=Path("g"))
    return RegionIndex(cast(Any, gallery))


def test_a_box_covers_places_by_their_share():
    np.testing.assert_allclose(covered_places((0, 0, 1, 1), 3), np.full(9, 1 / 9), atol=1e-6)
    corner = covered_places((0, 0, 0.5, 1 / 3), 3)
    np.testing.assert_allclose(corner[:3], [2 / 3, 1 / 3, 0], atol=1e-6)
    assert corner[3:].sum() == 0
    right, left = (covered_places(REGIONS[name], 3) for name in ("right lung", "left lung"))
    assert set(np.flatnonzero(right)) == {0, 3, 6} and set(np.flatnonzero(left)) == {2, 5, 8}


@pytest.mark.parametrize(
    "wrong",
    ["spleen", "", "0,0,1", "0,0,2,1", "-0.1,0,0.5,0.5", "0,0,0.001,1", "a,b,c,d", "nan,0,1,1"],
)
def test_what_is_no_region_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a region out of right lung"):
        read_region(wrong)


def test_images_are_alike_where_asked_and_only_there():
    random = np.random.default_rng(0)
    places = random.normal(size=(200, 9, 16)).astype(np.float16)
    places[7, [0, 3, 6]] = places[3, [0, 3, 6]]
    index = index_of(places)
    there = index.similarity(places[3], "right lung")
    assert there[3] == pytest.approx(1, abs=1e-3) and there[7] == pytest.approx(1, abs=1e-3)
    assert np.delete(there, [3, 7]).max() < 0.9 and there.shape == (200,)
    assert index.similarity(places[3], "left lung")[7] < 0.9
    assert index.similarity(places[3], "0.7,0,0.3,1")[7] < 0.9


def test_a_gallery_without_places_says_how_to_rebuild_it():
    with pytest.raises(ValueError, match="rebuild it: .*gallery build"):
        index_of(None)
