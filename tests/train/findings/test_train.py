"""The finding network from drawn films to heads that read it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from expert_files import expert_table
from gallery_helpers import telling_dual_encoder
from training_data import make_nih

from cxr.checkpoints import (
    FindingClassifier,
    load_checkpoint,
    load_finding_network,
    read_finding_network,
)
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.data import load_studies
from cxr.findings import NIH_FINDINGS
from cxr.images import Preprocess
from cxr.retrieval import Retriever
from train.findings import soup, train
from train.findings.data import load_data
from train.reporting import train as calibrate

torch.set_num_threads(1)
COUNT = len(NIH_FINDINGS)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("findings")
    make_nih(root / "nih", 72)
    panel = make_nih(root / "nih_expert", 72)
    studies = load_studies(panel)
    sick = {"Effusion": ("YES", 5)}
    readings = {study.image.stem: sick if row % 2 else {} for row, study in enumerate(studies)}
    (panel / "expert_labels.csv").write_text(expert_table(**readings))
    return root


@pytest.fixture(scope="module")
def weights(root, film):
    """A retrieval checkpoint, and the same with a network beside it."""
    plain = save_dual_encoder(telling_dual_encoder(film), root / "plain")
    save_dual_encoder(telling_dual_encoder(film), root / "weights")
    words = ["--data", str(root / "nih"), "--experts", str(root / "nih_expert"), "--size", "32"]
    words += ["--network", "resnet10t", "--batch-size", "8", "--steps", "2", "--mixup", "0.4"]
    words += ["--cache", str(root / "cache"), "--workdir", str(root / "work")]
    train.main([*words, "--out", str(root / "network"), "--into", str(root / "weights")])
    return plain, root / "weights"


def test_what_is_held_out_is_never_drawn(root):
    data = load_data(
        root / "nih",
        root / "nih_expert",
        [],
        Preprocess(32, 0.5, 0.25, 1),
        root / "cache",
    )
    panel = data.source == "nih_expert train"
    drawn = data.chances > 0
    assert panel.any() and drawn.any() and data.held[panel].all()
    assert not (drawn & data.held).any() and not drawn[np.char.endswith(data.source, " val")].any()
    assert data.chances.sum() == pytest.approx(1) and len(data.images) == len(data.goals)
    assert data.weights.shape == data.goals.shape == (len(data.source), 3 * COUNT)


def test_mixup_leaves_out_what_nobody_said():
    views = torch.arange(4.0).reshape(4, 1, 1, 1)
    goals = torch.tensor([[1.0], [0.0], [1.0], [1.0]])
    weights = torch.tensor([[1.0], [0.0], [1.0], [1.0]])
    blended, asked, counted = train.mixed(views, goals, weights, 0.4, [0])
    assert blended.shape == views.shape and not torch.equal(blended, views)
    # Whatever an image without an answer is blended with, the answer stays the other's.
    assert torch.allclose(asked[counted > 0], torch.ones(1)) and counted.max() <= 1
    same = train.mixed(views, goals, weights, 0.0, [0])
    assert all(torch.equal(a, b) for a, b in zip(same, (views, goals, weights)))


def test_it_ships_beside_the_encoder_and_changes_no_embedding(root, weights, film):
    config, state = load_checkpoint(root / "network")
    assert "nih_expert train" not in config["training"]["images"]
    assert set(config["training"]["mean_auroc"]) == {"expert", "mined"}
    network = load_finding_network(weights[1])
    name = next(name for name in state if name.endswith("fc.bias"))
    assert torch.equal(network.state_dict()[name], state[name])
    plain, retriever = (Retriever.load(folder, gallery=None) for folder in weights)
    before, found = (one.encode_images_with_features([film(0)]) for one in (plain, retriever))
    assert found.features.shape[1] == before.features.shape[1] + network.width
    np.testing.assert_allclose(found.embeddings, before.embeddings, atol=1e-5)
    assert retriever.encoder == plain.encoder
    places = retriever.places_of(found.features)
    np.testing.assert_allclose(places, plain.places_of(before.features), atol=1e-5)


def test_heads_read_the_network_beside_the_encoder(root, weights):
    words = ["--data", str(root / "nih"), "--experts", str(root / "nih_expert"), "--others", "24"]
    words += ["--epochs", "1", "--cache", str(root / "cache"), "--localizer", ""]
    words += ["--weights", str(weights[1]), "--out", str(root / "reporting")]
    assert calibrate.main(words) == 0
    config = json.loads((root / "reporting" / "config.json").read_text())
    trials = [one for one in config["training"]["trials"] if one["parts"] == "all parts"]
    assert {one["network"] for one in trials} == {0.0, 0.5, 1.0, 1.5, 2.0}
    retriever = Retriever.load(weights[1], gallery=None)
    directions = load_checkpoint(root / "reporting")[1]["directions"]
    assert directions.shape == (retriever.model.feature_width, COUNT)
    # Heads on these features are refused beside the encoder alone, for the width of what they read.
    heads = FindingClassifier.load(root / "reporting", retriever.encoder)
    plain = Retriever.load(weights[0], gallery=None)
    with pytest.raises(ValueError, match="expected features of"):
        heads.logits(np.zeros((1, plain.model.feature_width), np.float32))


def test_a_damaged_network_is_refused_in_words(tmp_path):
    assert load_finding_network(tmp_path) is None
    (tmp_path / "finding_network.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="expected a finding network .* copy the checkpoint again"):
        load_finding_network(tmp_path)


def test_the_mean_of_two_networks_is_one_that_normalizes_by_what_it_sees(
    root, weights, film, tmp_path
):
    words = ["--data", str(root / "nih"), "--experts", str(root / "nih_expert")]
    words += ["--cache", str(root / "cache")]
    again = ["--network", "resnet10t", "--size", "32", "--batch-size", "8", "--steps", "2"]
    again += ["--seed", "1", "--workdir", str(tmp_path / "work"), "--out", str(root / "second")]
    train.main([*words, *again])
    both = [str(root / "network"), str(root / "second")]
    target = save_dual_encoder(telling_dual_encoder(film), tmp_path / "encoder")
    soup.main([*words, "--networks", *both, "--out", str(tmp_path / "mean"), "--into", str(target)])
    (_, first), (_, second), (config, mean) = map(load_checkpoint, [*both, tmp_path / "mean"])
    name = next(name for name in mean if name.endswith("fc.weight"))
    assert torch.allclose(mean[name], (first[name] + second[name]) / 2, atol=1e-6)
    moments = next(name for name in mean if name.endswith("running_mean"))
    assert not torch.allclose(mean[moments], (first[moments] + second[moments]) / 2, atol=1e-4)
    members = config["training"]["members"]
    assert [one["command"].count("--seed 1") for one in members] == [0, 1]
    assert read_finding_network(target)["training"] == config["training"]
