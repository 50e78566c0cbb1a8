"""The model to train: a profile, or backbones by name with weights to start from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn

from cxr.checkpoints import resolve
from cxr.encoders import DualEncoder, DualEncoderConfig, ImageConfig, TextConfig
from cxr.images import Preprocess

_TEXT_DEFAULTS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                  "max_position_embeddings", "vocab_size", "type_vocab_size", "hidden_act",
                  "layer_norm_eps", "position_embedding_type", "pad_token_id")


@dataclass(frozen=True)
class Start:
    """Where training starts. image_weights: "" for random, a folder, a .safetensors file or
    hf://owner/name. text_model: a folder or hf:// address in the Hub's layout."""

    image: ImageConfig
    image_weights: str
    text_model: str
    text_pooling: str
    max_tokens: int


REFERENCE = Start(ImageConfig(), "hf://timm/resnet50.tv_in1k",
                  "hf://emilyalsentzer/Bio_ClinicalBERT", "cls", 512)
EMBEDDED = Start(
    ImageConfig("vit_small_patch14_dinov2", Preprocess(224, 0.449, 0.226, 3),
                ("cls", "mean", "max"), (8, 11)),
    "runs/start/dinov2-small", "runs/start/minilm", "mean", 96,
)  # fmt: skip
PROFILES = {"reference": REFERENCE, "embedded": EMBEDDED}


def load_backbone(backbone: nn.Module, address: str) -> None:
    """Fill a timm or torchvision backbone from safetensors in that library's naming, strictly but
    for the classifier, which a backbone lacks. Raises ValueError when names do not match."""
    path = Path(address) if address.endswith(".safetensors") else resolve(address)
    if path.is_dir():
        path = next((path / name for name in ("backbone.safetensors", "model.safetensors")
                     if (path / name).exists()), path / "model.safetensors")
    if not path.exists():
        raise ValueError(f"expected backbone weights at {path}; found none. Make or fetch them.")
    state = load_file(str(path))
    own = backbone.state_dict()
    prefix = "" if next(iter(own)) in state else "model."
    state = {prefix + name: value for name, value in state.items()}
    missing = [name for name in own if name not in state]
    wrong = [name for name in own if name in state and own[name].shape != state[name].shape]
    if missing or wrong:
        raise ValueError(f"expected the weights of this backbone in {path}; "
                         f"missing {missing[:3]}, other shapes {wrong[:3]}.")
    backbone.load_state_dict({name: state[name] for name in own})


def load_text_model(address: str) -> tuple[dict, Tokenizer, nn.Module]:
    """A BERT-family model in the Hub's layout -> (its configuration, tokenizer, weights)."""
    from transformers import AutoModel, AutoTokenizer

    folder = resolve(address)
    model = AutoModel.from_pretrained(folder, use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    values = model.config.to_dict()
    kept = {key: values[key] for key in _TEXT_DEFAULTS if values.get(key) is not None}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}  # slow, and no gain
    return {"model_type": model.config.model_type, **kept, **still}, tokenizer, model


def build(start: Start, **shared) -> DualEncoder:
    """A DualEncoder with the starting weights. shared: further fields of DualEncoderConfig."""
    transformer, tokenizer, weights = load_text_model(start.text_model)
    text = TextConfig(transformer, start.text_pooling, start.max_tokens)
    model = DualEncoder(replace(DualEncoderConfig(start.image, text), **shared), tokenizer)
    model.text_encoder.transformer.load_state_dict(
        {name: value for name, value in weights.state_dict().items()
         if not name.startswith("pooler.")}
    )
    if start.image_weights:
        load_backbone(model.image_encoder.backbone, start.image_weights)
    return model


def freeze_below(model: DualEncoder, image_blocks: int, text_layers: int) -> None:
    """Keep the first blocks of a vision transformer, and the first layers and the word vectors of
    the text transformer, as they are. 0 freezes nothing."""
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
