"""Features of pictures: each picture is opened once, whatever is asked of it."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch
from gallery_helpers import telling_dual_encoder

from cxr.checkpoints import save_finding_network
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.images import Preprocess
from cxr.models import FindingNetwork, FindingNetworkConfig
from cxr.reporting import film_features
from cxr.retrieval import Retriever
from train.reporting.features import features_of, head_features
from train.reporting.pictures import Picture


def save_network(folder, seed: int) -> None:
    torch.manual_seed(seed)
    view = Preprocess(32, 0.5, 0.25, 1)
    save_finding_network(FindingNetwork(FindingNetworkConfig("resnet10t", 3, view)), folder, {})


def load(folder) -> Retriever:
    return Retriever.load(folder, gallery=None)


@pytest.fixture
def weights(film, tmp_path):
    torch.set_num_threads(1)
    save_dual_encoder(telling_dual_encoder(film), tmp_path / "weights")
    save_network(tmp_path / "weights", 0)
    return tmp_path / "weights"


@pytest.fixture
def opened() -> Counter:
    """How often each picture was opened."""
    return Counter()


@pytest.fixture
def pictures(film, opened):
    def open_it(row: int):
        opened[row] += 1
        return film(row)

    return [Picture(f"film {row}", partial(open_it, row)) for row in range(5)]


def test_each_picture_is_decoded_once_for_heads_network_and_gate(
    weights, pictures, opened, film, tmp_path
):
    retriever = load(weights)
    width = retriever.model.image_encoder.feature_width
    read = head_features(retriever, pictures, tmp_path / "cache")
    assert read.dtype == np.float16 and read.shape[0] == 5 and read.shape[1] > width
    found = features_of(retriever, pictures, tmp_path / "cache")
    assert set(opened.values()) == {1} and len(opened) == 5
    expected = film_features(retriever, [film(row) for row in range(5)])
    np.testing.assert_array_equal(found.features, read)
    np.testing.assert_allclose(read, expected.features, rtol=2e-3, atol=1e-3)
    np.testing.assert_allclose(found.embeddings, expected.embeddings, atol=1e-5)
    np.testing.assert_array_equal(found.thumbnails, expected.thumbnails)


def test_another_network_is_read_without_the_encoder(
    weights, pictures, opened, film, tmp_path, monkeypatch
):
    before = head_features(load(weights), pictures, tmp_path / "cache")
    save_network(weights, 1)
    retriever = load(weights)
    encoder = retriever.model.image_encoder
    expected = film_features(retriever, [film(row) for row in range(5)]).features
    monkeypatch.setattr(encoder, "forward_with_features", None)  # whoever calls it fails
    after = head_features(retriever, pictures, tmp_path / "cache")
    seen, judged = slice(encoder.feature_width), slice(encoder.feature_width, None)
    np.testing.assert_array_equal(after[:, seen], before[:, seen])
    np.testing.assert_allclose(after[:, judged], expected[:, judged], rtol=2e-2, atol=2e-2)
    assert not np.allclose(after[:, judged], before[:, judged], rtol=2e-2, atol=2e-2)
    assert set(opened.values()) == {2}
