"""Tiny generators with random weights, and their checkpoints."""

from __future__ import annotations

from dataclasses import replace

import torch

from cxr.checkpoints.encoders import load_text_encoder
from cxr.checkpoints.io import save_checkpoint
from cxr.findings import NIH_FINDINGS
from cxr.generation import ConditionFormat
from cxr.models.generator import Generator, GeneratorConfig

TINY = {
    "transposed": GeneratorConfig("transposed", 8, 16, (16, 8, 8, 8), 8),
    "residual": GeneratorConfig("residual", 8, 16, (16, 16, 8, 8, 8), 8),
}
CONDITION = ConditionFormat(NIH_FINDINGS)


def tiny_generator(body: str, length: int = 16) -> Generator:
    """A random generator in eval mode whose batch norms have seen some batches."""
    torch.manual_seed(0)
    model = Generator(replace(TINY[body], text=length)).train()
    with torch.no_grad():
        for _ in range(20):
            text = torch.randn(8, model.config.text)
            model(torch.randn(8, model.config.noise), text / text.norm(dim=1, keepdim=True))
    return model.eval()


def save_generator(folder, retrieval, length=16, **about):
    generator = tiny_generator("residual", length)
    named = {"weights": "retrieval", "sha256": load_text_encoder(retrieval).fingerprint}
    config = {"architecture": generator.config.to_dict(), "text_encoder": named, **about}
    return save_checkpoint(folder, generator.state_dict(), config)


def save_condition_generator(folder, body="residual"):
    """A random generator that numbers condition: NIH's findings, heart ratio, age, sex, view."""
    generator = tiny_generator(body, CONDITION.length)
    config = {"architecture": generator.config.to_dict(), "condition": CONDITION.to_dict()}
    return save_checkpoint(folder, generator.state_dict(), config)
