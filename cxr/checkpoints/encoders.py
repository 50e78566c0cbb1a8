"""The encoders of a retrieval checkpoint, of which a process holds one copy.

What computes with them shares one frozen DualEncoder, for as long as anything holds it; text and
patch encoders are views of it. What trains one asks for a copy of its own (load_dual_encoder).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import torch
from torch import nn

from cxr.checkpoints.finding_networks import FILE as FINDING_NETWORK
from cxr.checkpoints.finding_networks import load_finding_network
from cxr.checkpoints.fingerprints import fingerprint
from cxr.checkpoints.format import CONFIG, TOKENIZER, read_config, read_tokenizer, resolve
from cxr.checkpoints.io import build_model, load_checkpoint, save_checkpoint
from cxr.checkpoints.shards import read_tensors
from cxr.devices import best_device
from cxr.models import (
    DualEncoder,
    DualEncoderConfig,
    FrozenTextEncoder,
    PatchEncoder,
    digest_of,
)

Found = TypeVar("Found")
_shared: WeakValueDictionary[tuple[str, Path, str], Any] = WeakValueDictionary()
_viewed: WeakKeyDictionary[PatchEncoder, DualEncoder] = WeakKeyDictionary()  # keeps them alive
_lock = threading.RLock()


def save_dual_encoder(
    model: DualEncoder,
    folder: str | Path,
    about: dict | None = None,
    metrics: dict | None = None,
    card: str | None = None,
) -> Path:
    """Write a DualEncoder with its architecture, preprocessing and tokenizer.

    Args:
        model: the encoder.
        folder: target, as for save_checkpoint.
        about: further JSON-able entries of config.json (label vocabulary, training data, code
            version, similarity_bands).
        metrics: as for save_checkpoint.
        card: as for save_checkpoint.
    """
    config = {**(about or {}), "architecture": model.config.to_dict()}
    files = {TOKENIZER: model.text_encoder.tokenizer.to_str(pretty=True)}
    own = {
        name: value
        for name, value in model.state_dict().items()
        if not name.startswith("finding_network.")  # it has a file of its own
    }
    return save_checkpoint(folder, own, config, metrics, card, files=files)


def load_dual_encoder(weights: str | Path) -> tuple[DualEncoder, dict]:
    """Read a DualEncoder that belongs to the caller alone, to be trained for instance.

    Args:
        weights: a folder, or "hf://owner/name[@revision]".

    Returns:
        The model in eval mode, float32, on the CPU, and its config.json.

    Raises:
        ValueError: as load_checkpoint, or when weights and architecture do not belong together.
    """
    folder = resolve(weights)
    config = read_config(folder)
    if not isinstance(config.get("architecture"), dict):
        raise ValueError(
            f"expected an architecture in {folder / CONFIG}, found none; save it again"
        )
    architecture = DualEncoderConfig.from_dict(config["architecture"])
    tokenizer = read_tokenizer(folder)
    state = load_checkpoint(folder)[1]
    return build_model(lambda: DualEncoder(architecture, tokenizer), state, folder), config


def shared_dual_encoder(weights: str | Path) -> tuple[DualEncoder, dict]:
    """The one copy of a DualEncoder in this process: everyone is given the same, to compute with.

    It comes with the finding network that lies beside it, if any. It is kept while anyone holds it,
    and read again when the files have changed.

    Args:
        weights: a folder, or "hf://owner/name[@revision]".

    Returns:
        The model in eval mode, frozen, float32, on the best device, and its config.json.

    Raises:
        ValueError: as load_dual_encoder.
    """
    folder = resolve(weights)

    def load() -> DualEncoder:
        model = load_dual_encoder(folder)[0]
        model.finding_network = load_finding_network(folder)
        return model.eval().requires_grad_(False).to(best_device())

    network = folder / FINDING_NETWORK  # which the fingerprint does not count
    version = network.stat().st_mtime_ns if network.is_file() else 0
    return _once(f"dual encoder {version}", folder, load), read_config(folder)


def load_text_encoder(address: str | Path) -> FrozenTextEncoder:
    """Load a frozen text encoder: for a checkpoint of ours, a view of its shared DualEncoder.

    Args:
        address: a folder or "hf://owner/name[@revision]" with a checkpoint of this package, or
            with CLIP's model or text model (Radford et al. 2021) and its tokenizer.json in the
            Hub's format.

    Raises:
        ValueError: missing or damaged files, another kind of model, or weights that do not fit.
    """
    folder = resolve(address)
    config = read_config(folder)
    if isinstance(config.get("architecture"), dict) and "text" in config["architecture"]:
        return _once("text encoder", folder, lambda: _text_half(shared_dual_encoder(folder)[0]))
    if config.get("model_type") in ("clip", "clip_text_model"):
        return _once("text encoder", folder, lambda: _clip(folder))
    raise ValueError(
        f"expected a retrieval checkpoint or CLIP's text model in {folder}, got "
        f"{config.get('model_type', 'another model')!r}; give for instance weights/retrieval"
    )


def load_patch_encoder(address: str | Path, layers: Sequence[int], side: int) -> PatchEncoder:
    """The image half of a retrieval checkpoint, as a view of its shared DualEncoder.

    Args:
        address: a folder or "hf://owner/name[@revision]".
        layers: as for PatchEncoder.
        side: as for PatchEncoder, in pixels.

    Raises:
        ValueError: missing or damaged files, another kind of model, one without such layers, or
            weights that do not fit.
    """
    dual = _with_image_half(address)
    encoder = PatchEncoder(dual.image_encoder.backbone, dual.preprocess, layers, side)
    _viewed[encoder] = dual
    return encoder


def image_fingerprint(address: str | Path) -> str:
    """The `fingerprint` of whatever PatchEncoder is loaded from there. Raises as that does."""
    backbone = _with_image_half(address).image_encoder.backbone
    return digest_of(backbone.model.state_dict()).hexdigest()


def _once(kind: str, folder: Path, load: Callable[[], Found]) -> Found:
    """What load() gives for the files in `folder`, from an earlier call where someone holds it."""
    with _lock:
        key = kind, folder.resolve(), fingerprint(folder)
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = load()
        return found


def _text_half(dual: DualEncoder) -> FrozenTextEncoder:
    encoder, head = dual.text_encoder, dual.text_projection
    model = nn.ModuleDict({"text_encoder": encoder, "text_projection": head})

    def encode(texts: Sequence[str]) -> torch.Tensor:
        ids, mask = (part.to(dual.logit_scale.device) for part in encoder.tokenize(texts))
        return head(encoder(ids, mask))

    return FrozenTextEncoder(model, encoder.tokenizer, encode, dual.config.dimension)


def _clip(folder: Path) -> FrozenTextEncoder:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    settings = CLIPTextConfig.from_pretrained(folder)
    text = ("text_model.", "text_projection.")  # the files may hold the image half as well
    state = {name: value for name, value in read_tensors(folder).items() if name.startswith(text)}
    state.pop("text_model.embeddings.position_ids", None)  # a constant that old files carry
    model = build_model(lambda: CLIPTextModelWithProjection(settings), state, folder)
    tokenizer = read_tokenizer(folder)
    tokenizer.enable_truncation(settings.max_position_embeddings)
    # CLIP reads the vector of the first end token; what follows it has no influence.
    tokenizer.enable_padding(pad_id=0)

    def encode(texts: Sequence[str]) -> torch.Tensor:
        encoded = tokenizer.encode_batch(list(texts))
        ids = torch.tensor([item.ids for item in encoded])
        return model(input_ids=ids).text_embeds

    return FrozenTextEncoder(model, tokenizer, encode, model.text_projection.out_features)


def _with_image_half(address: str | Path) -> DualEncoder:
    folder = resolve(address)
    config = read_config(folder)
    if "image" not in (config.get("architecture") or {}):
        raise ValueError(
            f"expected a retrieval checkpoint in {folder}, got "
            f"{config.get('model_type', 'another model')!r}; give for instance weights/retrieval"
        )
    return shared_dual_encoder(folder)[0]
