"""Texts and images -> unit rows in the space of a dual encoder, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image

from cxr.devices import best_device, has_bf16
from cxr.images import load_image
from cxr.models import PLACES, DualEncoder
from cxr.retrieval.encoded import EncodedQuery, ImageEncoding
from cxr.retrieval.query_encoder import QueryEncoder
from cxr.retrieval.understanding import checked_query

_BATCH = 32


class Encoder:
    """A dual encoder; safe to call from several threads.

    Attributes:
        model: in eval mode, on `device`.
        encode_query: N texts -> float32 [N, 512], unit rows, the vectors that a search ranks by
            (cxr.retrieval.query_encoder).
    """

    def __init__(
        self, model: DualEncoder, device: torch.device | None = None, query_contrast: float = 0.0
    ) -> None:
        """Put a model on a device, the best by default; query_contrast is that of QueryEncoder."""
        self.device = device or best_device()
        self.model = model.eval().requires_grad_(False).to(self.device)
        self.encode_query = QueryEncoder(self.encode_text, query_contrast)
        self._bf16 = has_bf16(self.device)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts.

        Args:
            texts: N of them, in any language.

        Returns:
            float32 [N, 512], unit rows.

        Raises:
            ValueError: something other than texts, or an empty one.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"expected a list of texts, got {_kinds(texts)}; wrap it in a list")
        if not all(text.strip() for text in texts):
            raise ValueError("expected texts, got an empty one; leave it out")
        # Half of a surrogate pair, as a cut emoji leaves it, is no text that a tokenizer takes.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        dimension = self.model.config.dimension
        return self._batches(clean, lambda batch: [self.model.encode_text(batch)], dimension)[0]

    def encode_images(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Encode images.

        Args:
            images: N of them, of any size and mode.

        Returns:
            float32 [N, 512], unit rows.

        Raises:
            ValueError: something other than PIL images, or an unreadable one.
        """
        return self.encode_images_with_features(images).embeddings

    def encode_images_with_features(self, images: Sequence[Image.Image]) -> ImageEncoding:
        """Encode images as `encode_images` does, with the features of the same pass."""
        if isinstance(images, Image.Image) or not all(
            isinstance(image, Image.Image) for image in images
        ):
            raise ValueError(
                f"expected a list of PIL images, got {_kinds(images)}; "
                "open each with cxr.load_image and put them into a list"
            )
        return self.encode_with_features([self.prepare(load_image(image)) for image in images])

    def prepare(self, image: Image.Image) -> np.ndarray:
        """A mode "L" image -> uint8 [S, S], what encode_prepared takes; cheap, for any thread."""
        return self.model.preprocess.square(image)

    def encode_prepared(self, squares: Sequence[np.ndarray]) -> np.ndarray:
        """N squares uint8 [S, S] from `prepare` -> float32 [N, 512], unit rows."""
        return self.encode_with_features(squares).embeddings

    def encode_with_features(self, squares: Sequence[np.ndarray]) -> ImageEncoding:
        """Encode N squares uint8 [S, S] from `prepare` in one pass, with their features."""
        widths = self.model.config.dimension, self.model.feature_width
        encode = self.model.encode_image_with_features
        parts = self._batches(squares, lambda batch: encode(self._pixels(batch)), *widths)
        return ImageEncoding(*parts)

    def places_of(self, features: np.ndarray) -> np.ndarray:
        """Features float32 [N, W] as in ImageEncoding -> those of the P places, [N, P, D].

        They are the means over parts of the image by rows, of the first block that is among the
        features.
        """
        blocks = len(getattr(self.model.image_encoder.backbone, "middle", ())) or 1
        count = PLACES**2
        parts = self.model.image_encoder.feature_width // blocks
        summaries = 2 if len(getattr(self.model.image_encoder.backbone, "middle", ())) else 1
        width = parts // (summaries + count)
        return features[:, summaries * width : parts].reshape(len(features), count, width)

    def encode(self, query: str | Image.Image) -> EncodedQuery:
        """Encode a query, so that several searches and checks need one pass of the network.

        Args:
            query: text of at most 2,000 characters, or a PIL image.

        Raises:
            ValueError: an empty or overlong text, an unreadable image, or another type.
        """
        if isinstance(query, Image.Image):
            found = self.encode_images_with_features([query])
            return EncodedQuery(found.embeddings[0], features=found.features[0])
        text = checked_query(query)
        return EncodedQuery(self.encode_query([text])[0], text)

    def heat_map(self, image: Image.Image, query: str) -> np.ndarray:
        """Where `image` speaks for `query` -> float32 [H, W] in [0, 1] at the image's own size.

        1 is the place that adds most to the similarity; places that add nothing or speak against
        it are 0, and all are where none speaks for it.

        Raises:
            ValueError: an unreadable image, an empty or overlong text.
        """
        image = load_image(image)
        text = torch.from_numpy(self.encode_query([checked_query(query)])[0]).to(self.device)
        cells = self.model.patch_similarity(self._pixels([self.prepare(image)]), text)
        square = cells[0].float().cpu().numpy()
        heat = self.model.preprocess.unsquare(square, image.size).clip(min=0)
        peak = float(heat.max())
        return heat / peak if peak > 0 else heat

    def _pixels(self, squares: Sequence[np.ndarray]) -> torch.Tensor:
        batch = torch.from_numpy(np.stack(squares)).to(self.device)
        return self.model.preprocess.normalize(batch)

    def _batches(
        self, items: Sequence, encode: Callable[[Sequence], Iterable[torch.Tensor]], *widths: int
    ) -> list[np.ndarray]:
        """What `encode` gives for the items, batch by batch: float32 [N, width] each."""
        rows = [np.empty((len(items), width), np.float32) for width in widths]
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            with self._inference():
                for part, found in zip(rows, encode(batch)):
                    part[start : start + len(batch)] = found.float().cpu().numpy()
        if not all(np.isfinite(part).all() for part in rows):
            raise ValueError("expected finite embeddings, got NaN; check the checkpoint")
        return rows

    @contextmanager
    def _inference(self) -> Iterator[None]:
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16),
        ):
            yield


def _kinds(values: Any) -> str:
    if isinstance(values, (str, Image.Image)):
        return f"one {type(values).__name__}"
    return f"a list with {', '.join(sorted({type(value).__name__ for value in values}))}"
