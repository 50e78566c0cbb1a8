"""The model to train: a profile, or backbones by name with weights to start from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cxr.checkpoints import load_dual_encoder
from cxr.images import Preprocess
from cxr.models import DualEncoder, DualEncoderConfig, ImageConfig, TextConfig
from train.retrieval.pretrained import load_backbone, load_text_model


@dataclass(frozen=True)
class Start:
    """Where training starts. image_weights: "" for random, a folder, a .safetensors file or
    hf://owner/name. text_model: a folder or hf:// address in the Hub's layout.
    """

    image: ImageConfig
    image_weights: str
    text_model: str
    text_pooling: str
    max_tokens: int


REFERENCE = Start(
    ImageConfig(), "hf://timm/resnet50.tv_in1k", "hf://emilyalsentzer/Bio_ClinicalBERT", "cls", 512
)
EMBEDDED = Start(
    ImageConfig(
        "vit_small_patch14_dinov2",
        Preprocess(224, 0.449, 0.226, 3),
        ("cls", "mean", "max"),
        (8, 11),
    ),
    "runs/start/dinov2-small",
    "runs/start/minilm",
    "mean",
    96,
)
PROFILES = {"reference": REFERENCE, "embedded": EMBEDDED}


def build(start: Start, **shared) -> DualEncoder:
    """A DualEncoder with the starting weights. shared: further fields of DualEncoderConfig."""
    transformer, tokenizer, weights = load_text_model(start.text_model)
    text = TextConfig(transformer, start.text_pooling, start.max_tokens)
    model = DualEncoder(replace(DualEncoderConfig(start.image, text), **shared), tokenizer)
    model.text_encoder.transformer.load_state_dict(
        {
            name: value
            for name, value in weights.state_dict().items()
            if not name.startswith("pooler.")
        }
    )
    if start.image_weights:
        load_backbone(model.image_encoder.backbone, start.image_weights)
    return model


def go_on_from(
    weights: str, pooling: Sequence[str] | None = None, **shared
) -> tuple[DualEncoder, dict]:
    """A trained DualEncoder to train further, and how it was trained so far.

    pooling: out of what the checkpoint pools; the projection keeps the columns that remain. None
    keeps all. shared: fields of DualEncoderConfig to replace.
    """
    old, config = load_dual_encoder(weights)
    before = old.config.image.pooling
    pooling = tuple(pooling or before)
    if not set(pooling) <= set(before):
        raise ValueError(f"expected pooling out of {before}, which {weights} has; got {pooling}.")
    image = replace(old.config.image, pooling=pooling)
    model = DualEncoder(replace(old.config, image=image, **shared), old.text_encoder.tokenizer)
    part = old.image_encoder.backbone.channels
    columns = torch.cat([torch.arange(part) + part * before.index(name) for name in pooling])
    state = old.state_dict()
    for name in ("0.weight", "0.bias"):  # the norm, then the first linear layer
        state[f"image_projection.{name}"] = state[f"image_projection.{name}"][columns]
    linear = next(n for n, v in state.items() if n.startswith("image_projection") and v.ndim == 2)
    state[linear] = state[linear][:, columns]
    model.load_state_dict(state)
    return model, config["training"]


def lock_text(model: DualEncoder) -> None:
    """Keep the text encoder and its projection as they are."""
    model.text_encoder.requires_grad_(False)
    model.text_projection.requires_grad_(False)


def copy_text(source: DualEncoder, target: DualEncoder) -> None:
    """Give `target` the text half of `source`, bit for bit: a moving average turns -0 into 0, by
    which a fingerprint would take a locked text half for another.
    """
    target.text_encoder.load_state_dict(source.text_encoder.state_dict())
    target.text_projection.load_state_dict(source.text_projection.state_dict())


def freeze_below(model: DualEncoder, image_blocks: int, text_layers: int) -> None:
    """Keep the first blocks of a vision transformer, and the first layers and the word vectors of
    the text transformer, as they are. 0 freezes nothing.
    """
    body = model.image_encoder.backbone.model
    if image_blocks:
        if not hasattr(body, "blocks"):
            raise ValueError("expected a vision transformer to freeze blocks of; got another.")
        for name, parameter in body.named_parameters():
            if not name.startswith(("blocks.", "norm.")):
                parameter.requires_grad_(False)
        body.blocks[:image_blocks].requires_grad_(False)
    if text_layers:
        transformer = model.text_encoder.transformer
        transformer.embeddings.requires_grad_(False)
        transformer.encoder.layer[:text_layers].requires_grad_(False)


def start_of(options: argparse.Namespace) -> Start:
    """The profile with what the command line replaces."""
    start = PROFILES[options.profile]
    image = start.image
    if options.image_backbone:
        image = replace(image, backbone=options.image_backbone, pooling=("mean",), layers=())
    if options.size:
        image = replace(image, preprocess=replace(image.preprocess, size=options.size))
    weights = start.image_weights if options.image_weights is None else options.image_weights
    return replace(
        start, image=image, image_weights=weights, text_model=options.text_model or start.text_model
    )
