"""A process holds one copy of each encoder, and what trains one has its own."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tiny import tiny_dual_encoder

from cxr.checkpoints import encoders
from cxr.checkpoints.encoders import (
    load_dual_encoder,
    load_patch_encoder,
    load_text_encoder,
    save_dual_encoder,
    shared_dual_encoder,
)

VIT = "vit_tiny_patch16_224"


@pytest.fixture
def folder(tmp_path):
    return save_dual_encoder(tiny_dual_encoder(backbone=VIT), tmp_path / "retrieval")


@pytest.fixture
def loads(monkeypatch):
    """The folders that weights were read from."""
    read = []

    def counted(folder):
        read.append(folder)
        return load_dual_encoder(folder)

    monkeypatch.setattr(encoders, "load_dual_encoder", counted)
    return read


def addresses(module: torch.nn.Module) -> set[int]:
    return {parameter.data_ptr() for parameter in module.parameters()}


def test_everyone_is_given_the_same_copy(folder, loads):
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: shared_dual_encoder(folder)[0], range(8)))
    assert len({id(model) for model in models}) == len(loads) == 1
    assert not models[0].training and not any(p.requires_grad for p in models[0].parameters())


def test_text_and_patch_encoders_are_views_of_it(folder, loads):
    patches, text = load_patch_encoder(folder, (2, 4), 96), load_text_encoder(folder)
    model, config = shared_dual_encoder(folder)
    assert len(loads) == 1 and config["architecture"]["image"]["backbone"] == VIT
    assert addresses(patches._model) == addresses(model.image_encoder.backbone.model)
    assert addresses(text._model) < addresses(model)
    assert load_text_encoder(folder) is text


@pytest.mark.parametrize("load", [load_text_encoder, lambda f: load_patch_encoder(f, (2, 4), 96)])
def test_a_view_keeps_its_encoder(folder, loads, load):
    view = load(folder)
    gc.collect()
    shared_dual_encoder(folder)
    assert len(loads) == 1 and view is not None


def test_it_is_given_up_when_nobody_holds_it(folder, loads):
    shared_dual_encoder(folder)
    gc.collect()
    shared_dual_encoder(folder)
    assert len(loads) == 2


def test_other_weights_in_the_same_folder_are_read(folder, loads):
    before, _ = shared_dual_encoder(folder)
    save_dual_encoder(tiny_dual_encoder(1, backbone=VIT), folder)
    after, _ = shared_dual_encoder(folder)
    assert len(loads) == 2
    assert not torch.equal(before.image_projection[2].weight, after.image_projection[2].weight)


def test_a_model_to_train_is_nobody_elses(folder):
    shared, _ = shared_dual_encoder(folder)
    own, _ = load_dual_encoder(folder)
    assert not addresses(own) & addresses(shared)
    assert own.image_projection[2].weight.requires_grad
    with torch.no_grad():
        own.image_projection[2].weight.zero_()
    assert shared.image_projection[2].weight.abs().sum() > 0
