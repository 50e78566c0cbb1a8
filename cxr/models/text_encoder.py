"""A frozen text encoder for models that are conditioned on text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn

_BATCH = 64
_PROBE = "Right lung: ground-glass opacity, LEFT lower zone; no pneumothorax (64-year-old)."


class FrozenTextEncoder:
    """Texts to unit vectors; in eval mode, without gradients, safe to call from several threads.

    A model that was trained with one text encoder works with that one alone: `fingerprint` names
    it.

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
        """Wrap a text model, which is frozen where it is and not copied.

        Args:
            model: the parts whose tensors the fingerprint covers.
            tokenizer: the vocabulary of `encode`.
            encode: at most 64 texts to float [N, dimension], of any length and on any device.
            dimension: length of the vectors.
        """
        self._model = model.eval().requires_grad_(False)
        self._tokenizer, self._encode = tokenizer, encode
        self.dimension = dimension

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Encode texts; those longer than the encoder's limit are cut.

        Args:
            texts: N texts in any language.

        Returns:
            float32 [N, dimension], unit rows, on the CPU, without gradient.

        Raises:
            ValueError: something other than a list of texts, or an empty text.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"expected a list of texts, got {type(texts).__name__}; wrap it")
        if not all(text.strip() for text in texts):
            raise ValueError("expected texts, got an empty one; leave it out")
        # A lone surrogate, as a cut emoji leaves it, is no text that a tokenizer takes.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        rows = [
            self._encode(clean[first : first + _BATCH]).float().cpu()
            for first in range(0, len(clean), _BATCH)
        ]
        return F.normalize(torch.cat(rows), dim=1) if rows else torch.empty(0, self.dimension)

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 (64 hex digits) over the tensors, the vocabulary and the tokenization."""
        digest = digest_of(self._model.state_dict())
        digest.update(json.dumps(sorted(self._tokenizer.get_vocab().items())).encode())
        digest.update(json.dumps(self._tokenizer.encode(_PROBE).ids).encode())
        return digest.hexdigest()


def digest_of(state: Mapping[str, torch.Tensor]) -> hashlib._Hash:
    """The sha256 over names, types, shapes and values of tensors, to be read or updated further."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        values = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(values.numpy().data)
    return digest
