"""Linear heads on an encoder's features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr.checkpoints.finding_classifier import FindingClassifier
from cxr.checkpoints.io import save_checkpoint

ENCODER = "ab" * 32


def heads() -> FindingClassifier:
    """Finding "mass" is the first of three features, "edema" the sum of the others, halved."""
    directions = np.array([[1, 0], [0, 0.5], [0, 0.5]], np.float32)
    return FindingClassifier(
        ("mass", "edema"), directions, np.float32([0, -1]), np.float32([[2, 1], [-1, 0]])
    )


def test_logits_are_the_scaled_scores():
    features = np.float32([[1, 2, 4], [0, 0, 0]])
    np.testing.assert_allclose(heads().scores(features), [[1, 2], [0, -1]])
    np.testing.assert_allclose(heads().logits(features), [[1, 2], [-1, -1]])
    assert heads().probabilities(features)[0, 0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert heads().logits(features).dtype == np.float32


def test_heads_come_back_from_a_checkpoint_of_their_encoder_alone(tmp_path):
    state = {name: torch.from_numpy(value) for name, value in heads().tensors().items()}
    config = {"encoder": ENCODER, "calibration": {"findings": ["mass", "edema"]}}
    save_checkpoint(tmp_path / "heads", state, config)
    again = FindingClassifier.load(tmp_path / "heads", ENCODER)
    features = np.random.default_rng(0).normal(size=(4, 3))
    assert again.findings == ("mass", "edema")
    np.testing.assert_allclose(again.logits(features), heads().logits(features), atol=1e-3)
    with pytest.raises(ValueError, match="heads for encoder cdcdcdcd"):
        FindingClassifier.load(tmp_path / "heads", "cd" * 32)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="features of 3 numbers, got 4"):
        heads().scores(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="heads for 2 findings"):
        FindingClassifier(("mass", "edema"), *list(heads().tensors().values())[:2], np.zeros(2))
    with pytest.raises(ValueError, match="train.reporting"):
        FindingClassifier.read_heads({}, heads().tensors())
