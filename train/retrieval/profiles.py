"""The model to train: a profile, or backbones by name with weights to start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cxr.checkpoints import load_dual_encoder
from cxr.images import Preprocess
from cxr.models import DualEncoder, DualEncoderConfig, ImageConfig, TextConfig
from train.retrieval.pretrained import load_backbone, load_text_model


@dataclass(frozen=True)
class Start:
    """Where training starts."""

    image: ImageConfig
    image_weights: str  # "" for random, a folder, a .safetensors file or hf://owner/name
    text_model: str  # a folder or hf:// address in the Hub's layout
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
    """Build a DualEncoder with the starting weights; `shared` are fields of its configuration."""
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
    """Load a trained DualEncoder to train further.

    Args:
        weights: Folder or address of a checkpoint.
        pooling: Out of what the checkpoint pools; the projection keeps the columns that remain.
            None keeps all.
        shared: Fields of DualEncoderConfig to replace.

    Returns:
        The model, and how it was trained so far.

    Raises:
        ValueError: For a pooling that the checkpoint lacks.
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
    """Copy the text half of `source` into `target`, bit for bit.

    A moving average turns -0 into 0, which gives a locked text half another fingerprint.
    """
    target.text_encoder.load_state_dict(source.text_encoder.state_dict())
    target.text_projection.load_state_dict(source.text_projection.state_dict())


def freeze_below(model: DualEncoder, image_blocks: int, text_layers: int) -> None:
    """Freeze the lower part of both transformers.

    Args:
        model: What is frozen in place.
        image_blocks: Blocks of the vision transformer; 0 freezes nothing.
        text_layers: Layers of the text transformer, with its word vectors; 0 freezes nothing.

    Raises:
        ValueError: For blocks of an image encoder that has none.
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


def start_of(
    profile: str,
    image_backbone: str | None = None,
    size: int | None = None,
    image_weights: str | None = None,
    text_model: str | None = None,
) -> Start:
    """A profile, with whatever else is given in place of its own.

    Args:
        profile: A name of PROFILES.
        image_backbone: A name of timm, pooled by its mean.
        size: Side of the square in pixels.
        image_weights: As in Start.
        text_model: As in Start.
    """
    start = PROFILES[profile]
    image = start.image
    if image_backbone:
        image = replace(image, backbone=image_backbone, pooling=("mean",), layers=())
    if size:
        image = replace(image, preprocess=replace(image.preprocess, size=size))
    weights = start.image_weights if image_weights is None else image_weights
    text_model = text_model or start.text_model
    return replace(start, image=image, image_weights=weights, text_model=text_model)
