"""The map of a gallery: made, stored, read, and made up for where it is missing."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from cxr.gallery import map as gallery_map
from cxr.gallery.map import map_method, map_positions, read_map, write_map

HAS_UMAP = importlib.util.find_spec("umap") is not None


def clusters(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows around three directions, float16 [3 * count, 512], and which of them."""
    rng = np.random.default_rng(0)
    which = np.repeat(np.arange(3), count)
    rows = np.eye(512)[which] + rng.normal(0, 0.01, (len(which), 512))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16), which


@pytest.mark.parametrize(
    "method",
    ["pca", pytest.param("umap", marks=pytest.mark.skipif(not HAS_UMAP, reason="the extra map"))],
)
def test_alike_images_lie_together(method):
    rows, which = clusters()
    places = map_positions(rows, method)
    assert places.shape == (180, 2) and places.dtype == np.float32
    assert places.min() >= 0 and places.max() <= 1
    assert np.array_equal(places, map_positions(rows, method))
    centers = np.array([places[which == one].mean(0) for one in range(3)])
    nearest = np.linalg.norm(places[:, None] - centers, axis=2).argmin(1)
    assert (nearest == which).mean() > 0.95


def test_blocks_change_nothing(monkeypatch):
    rows, _ = clusters()
    whole = map_positions(rows, "pca")
    monkeypatch.setattr(gallery_map, "_BLOCK", 50)
    assert np.allclose(map_positions(rows, "pca"), whole, atol=1e-4)


def test_few_and_equal_images_have_a_place():
    same = np.tile(clusters(1)[0][:1], (4, 1))
    assert np.isfinite(map_positions(same)).all() and map_positions(same[:1]).shape == (1, 2)


def test_principal_components_serve_without_umap(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert map_method() == "pca"
    with pytest.raises(ValueError, match="extra"):
        map_method("umap")
    with pytest.raises(ValueError, match="'tsne'"):
        map_method("tsne")


def test_a_map_is_read_as_it_was_written(tmp_path):
    places = map_positions(clusters()[0], "pca")
    assert read_map(tmp_path, 180) is None
    write_map(tmp_path, places)
    assert np.array_equal(read_map(tmp_path, 180), places)


@pytest.mark.parametrize("spoil", ["cut", "count", "outside"])
def test_a_bad_map_is_named(tmp_path, spoil):
    places = map_positions(clusters()[0], "pca")
    write_map(tmp_path, places + (spoil == "outside"))
    if spoil == "cut":
        (tmp_path / "map.npy").write_bytes((tmp_path / "map.npy").read_bytes()[:200])
    with pytest.raises(ValueError, match="gallery map"):
        read_map(tmp_path, 180 + (spoil == "count"))
