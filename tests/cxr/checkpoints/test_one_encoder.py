"""Three services hold one copy of the shipped encoders between them; the sampler needs none."""

from __future__ import annotations

import gc

import pytest

import cxr
from cxr.checkpoints import encoders
from cxr.models.dual_encoder import DualEncoder

WIDTH = 384  # of the shipped vision transformer and of the shipped text transformer


@pytest.mark.slow
def test_every_service_computes_with_the_same_copy(monkeypatch):
    loads, load = [], encoders.load_dual_encoder
    monkeypatch.setattr(encoders, "load_dual_encoder", lambda f: loads.append(f) or load(f))
    localizer, sampler = cxr.Localizer.load(), cxr.Sampler.load()
    suggester = cxr.ReportSuggester.load(gallery=None)
    retriever = cxr.Retriever.load(gallery=None)
    assert len(loads) <= 1  # none where another test of this process holds it still
    assert suggester.retriever.model is retriever.model
    assert sampler.text_encoder is None
    gc.collect()
    alive = [found for found in gc.get_objects() if type(found) is DualEncoder]
    assert [found.config for found in alive].count(retriever.model.config) == 1
    # Of the parameters of that shape there is one storage each, whoever refers to it.
    held = [
        retriever.model,
        localizer.patch_encoder._model,
    ]
    for name, count in (("blocks", 12), ("layer", 6)):
        found = {
            parameter.data_ptr()
            for model in held
            for key, parameter in model.named_parameters()
            if f"{name}." in key and tuple(parameter.shape) == (4 * WIDTH, WIDTH)
        }
        assert len(found) == count
