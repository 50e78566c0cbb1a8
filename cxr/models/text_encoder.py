"""A frozen text encoder for models that are steered by text.

Two kinds of folder serve: a checkpoint of ours, of which only the text half is read, and CLIP's
text model as the Hugging Face Hub serves it (Radford et al. 2021). A model that was trained on one
tower works with that one alone: `fingerprint` names it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn

from cxr.checkpoints import (
    digest_of,
    load_checkpoint,
    read_config,
    read_tensors,
    read_tokenizer,
    resolve,
)
from cxr.models.dual_encoder import DualEncoderConfig, TextEncoder, projection

_BATCH = 64
_OURS = ("text_encoder.", "text_projection.")
_CLIP = ("text_model.", "text_projection.")
_PROBE = "Right lung: ground-glass opacity, LEFT lower zone; no pneumothorax (64-year-old)."


class FrozenTextEncoder:
    """Texts -> unit vectors; in eval mode, without gradients, safe to call from several threads.

    Attributes:
        dimension: length of the vectors.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        encode: Callable[[Sequence[str]], torch.Tensor],
        dimension: int,
    ) -> None:
        self._model = model.eval().requires_grad_(False)
        self._tokenizer, self._encode = tokenizer, encode
        self.dimension = dimension

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """N texts -> float32 [N, dimension], unit rows, on the CPU, without gradient.

        Longer texts are cut at the tower's limit. Raises ValueError for something other than a
        list of texts, or an empty one.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"expected a list of texts, got {type(texts).__name__}; wrap it")
        if not all(text.strip() for text in texts):
            raise ValueError("expected texts, got an empty one; leave it out")
        # Half of a surrogate pair, as a cut emoji leaves it, is no text that a tokenizer takes.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        rows = [
            self._encode(clean[first : first + _BATCH]) for first in range(0, len(clean), _BATCH)
        ]
        return (
            F.normalize(torch.cat(rows).float(), dim=1) if rows else torch.empty(0, self.dimension)
        )

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (64 hex digits) over the tensors, the vocabulary, and how a text is cut up."""
        digest = digest_of(self._model.state_dict())
        digest.update(json.dumps(sorted(self._tokenizer.get_vocab().items())).encode())
        digest.update(json.dumps(self._tokenizer.encode(_PROBE).ids).encode())
        return digest.hexdigest()


def load_text_encoder(address: str | Path) -> FrozenTextEncoder:
    """Load a frozen text encoder.

    Args:
        address: a folder or "hf://owner/name[@revision]" with a checkpoint of this package, or
            with CLIP's model or text model and its tokenizer.json in the Hub's format.

    Raises:
        ValueError: missing or damaged files, another kind of model, or weights that do not fit.
    """
    folder = resolve(address)
    config = read_config(folder)
    if isinstance(config.get("architecture"), dict) and "text" in config["architecture"]:
        return _ours(folder)
    if config.get("model_type") in ("clip", "clip_text_model"):
        return _clip(folder)
    raise ValueError(
        f"expected a retrieval checkpoint or CLIP's text model in {folder}, got "
        f"{config.get('model_type', 'another model')!r}; give for instance weights/retrieval"
    )


def _ours(folder: Path) -> FrozenTextEncoder:
    config, state = load_checkpoint(folder)
    architecture = DualEncoderConfig.from_dict(config["architecture"])
    text_encoder = TextEncoder(architecture.text, read_tokenizer(folder))
    head = projection(text_encoder.width, architecture)
    model = nn.ModuleDict({"text_encoder": text_encoder, "text_projection": head})
    _fill(model, state, _OURS, folder)

    def encode(texts: Sequence[str]) -> torch.Tensor:
        return head(text_encoder(*text_encoder.tokenize(texts)))

    return FrozenTextEncoder(model, text_encoder.tokenizer, encode, architecture.dimension)


def _clip(folder: Path) -> FrozenTextEncoder:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    settings = CLIPTextConfig.from_pretrained(folder)
    model = CLIPTextModelWithProjection(settings)
    state = read_tensors(folder)
    state.pop("text_model.embeddings.position_ids", None)  # a constant that old files carry
    _fill(model, state, _CLIP, folder)
    tokenizer = read_tokenizer(folder)
    tokenizer.enable_truncation(settings.max_position_embeddings)
    # CLIP reads the vector of the first end token; what follows it has no influence.
    tokenizer.enable_padding(pad_id=0)

    def encode(texts: Sequence[str]) -> torch.Tensor:
        encoded = tokenizer.encode_batch(list(texts))
        ids = torch.tensor([item.ids for item in encoded])
        return model(input_ids=ids).text_embeds

    return FrozenTextEncoder(model, tokenizer, encode, settings.projection_dim)


def _fill(model: nn.Module, state: dict, prefixes: tuple[str, ...], folder: Path) -> None:
    """Load strictly what carries one of the prefixes; the image half of the file is left out."""
    kept = {name: value for name, value in state.items() if name.startswith(prefixes)}
    try:
        model.load_state_dict(kept, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"expected the text encoder in {folder} to fit its configuration, it does not "
            f"({reason}); copy the checkpoint again"
        ) from error
