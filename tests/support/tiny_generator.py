"""Tiny generators with random weights, and their checkpoints."""

from __future__ import annotations

import torch

from cxr.checkpoints.encoders import load_text_encoder
from cxr.checkpoints.io import save_checkpoint
from cxr.models.generator import Generator, GeneratorConfig

TINY = {
    "transposed": GeneratorConfig("transposed", 8, 16, (16, 8, 8, 8), 8),
    "residual": GeneratorConfig("residual", 8, 16, (16, 16, 8, 8, 8), 8),
}


def tiny_generator(body: str) -> Generator:
    """A random generator in eval mode whose batch norms have seen some batches."""
    torch.manual_seed(0)
    model = Generator(TINY[body]).train()
    with torch.no_grad():
        for _ in range(20):
            text = torch.randn(8, model.config.text)
            model(torch.randn(8, model.config.noise), text / text.norm(dim=1, keepdim=True))
    return model.eval()


def save_generator(folder, retrieval, **about):
    generator = tiny_generator("residual")
    named = {"weights": "retrieval", "sha256": load_text_encoder(retrieval).fingerprint}
    config = {"architecture": generator.config.to_dict(), "text_encoder": named, **about}
    return save_checkpoint(folder, generator.state_dict(), config)
