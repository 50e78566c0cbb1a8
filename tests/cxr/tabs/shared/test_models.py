"""The tabs over checkpoints in the very form that ships, tiny and random, as app.py loads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cxr.checkpoints.encoders import load_text_encoder
from cxr.checkpoints.io import save_checkpoint
from cxr.generation.memorization import project_training_images, save_training_index
from cxr.images.load import Preprocess
from cxr.models.generator import Generator, GeneratorConfig
from cxr.models.unet import LocalizerConfig, TextGuidedUNet
from cxr.tabs.generate.handlers import GenerateHandlers
from cxr.tabs.generate.state import STEPS, GenerateState
from cxr.tabs.localize.handlers import LocalizeHandlers, with_image
from cxr.tabs.localize.outlines import THRESHOLDS
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.services import Services


@pytest.fixture(scope="module")
def shipped(services):
    """Services.from_environment over a localizer and a generator beside the retrieval weights."""
    retrieval = Path(services.weights)
    tower = {"weights": retrieval.name, "sha256": load_text_encoder(retrieval).fingerprint}
    torch.manual_seed(0)
    unet = LocalizerConfig(
        "resnet18", Preprocess(64, 0.5, 0.25, 1), "film", hidden=8, decoder=(16, 8, 8, 8, 4)
    )
    gan = GeneratorConfig("residual", 8, 512, (16, 16, 8, 8, 8), 8)
    for name, model, config in (
        ("localizer", TextGuidedUNet(unet), unet),
        ("generator", Generator(gan), gan),
    ):
        about = {"architecture": config.to_dict(), "text_encoder": tower}
        save_checkpoint(retrieval.parent / name, model.state_dict(), about)
    retriever = services.retriever()
    rows = np.asarray(retriever.gallery.embeddings, np.float32)
    originals = project_training_images(
        rows, [f"p{row}" for row in range(len(rows))], retriever.encoder
    )
    save_training_index(originals, retrieval.parent / "generator")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_GALLERY", services.gallery)
        patch.setenv("CXR_WEIGHTS", services.weights)
        patch.setenv("CXR_LOCALIZER", str(retrieval.parent / "localizer"))
        patch.setenv("CXR_GENERATOR", str(retrieval.parent / "generator"))
        yield Services.from_environment()


def test_a_localizer_of_the_shipped_form_serves_the_tab(shipped, film):
    handlers = LocalizeHandlers(shipped)
    assert not shipped.localizer.ready
    asked = handlers.locate(
        with_image(film(1, (200, 160)), "Your film"), "opacity in the left lung"
    )
    state = handlers.receive(asked, handlers.ask(asked))
    assert shipped.localizer.ready and len(state.outline.measures) == len(THRESHOLDS)
    assert state.outline.taken == "opacity in the left lung"
    assert "opacity in the left lung" in handlers.show(state)[1]
    with pytest.raises(ValueError, match="Bring a film"):
        handlers.locate(LocalizeState(), "lungs")


def test_a_generator_of_the_shipped_form_serves_the_tab(shipped):
    handlers = GenerateHandlers(shipped)
    state = handlers.compare(handlers.generate(GenerateState(), "cardiomegaly", "", 4, "3", 0.7))
    assert len(state.images) == 4 and len(state.comparison.path) == STEPS
    assert state.comparison.nearest is not None
    assert state.comparison.copied in (True, False) and "away" in state.comparison.copied_note
    assert "made-grid" in handlers.show(state)[1]
