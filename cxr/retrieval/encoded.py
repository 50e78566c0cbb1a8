"""What encoding gives: vectors to search with, and features that linear heads read.

Features come from the middle of the image encoder, in the same pass as the embedding. Heads on
them (`cxr.checkpoints.FindingClassifier`, a projection into the shared space) cost nothing beside
that pass:

    encoding = retriever.encode_images_with_features(images)   # or retriever.encode(image)
    logits = classifier.logits(encoding.features)              # float32 [N, findings]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ImageEncoding:
    """N images that were encoded in one pass.

    Attributes:
        embeddings: float32 [N, 512], unit rows.
        features: float32 [N, W], as cxr.models.DualEncoder.encode_image_with_features describes
            them; W = 9728 for the shipped encoder with its finding network.
    """

    embeddings: np.ndarray
    features: np.ndarray

    def __len__(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True, eq=False)
class EncodedQuery:
    """A query that was encoded once, to search with as often as wanted.

    Attributes:
        vector: float32 [512], unit; what `Retriever.search` ranks by.
        text: the query where it is a text; None for an image.
        features: of an image, float32 [W] as in ImageEncoding; None for a text.
    """

    vector: np.ndarray
    text: str | None = None
    features: np.ndarray | None = None
