"""Which findings an image shows, by the heads that the reports read: one answer for both pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image

from cxr.checkpoints import FindingClassifier, Join
from cxr.devices import best_device, has_bf16
from cxr.models import DualEncoder


@dataclass(frozen=True)
class Classified:
    """What the heads say of an image.

    Attributes:
        chances: finding -> probability in [0, 1], by the image's features.
        joins: of the findings of which a localizer's own probability says more.
        abnormal: the probability that the image is abnormal as a whole; None where it is not known.
        abnormal_from: from where on it is.
    """

    chances: Mapping[str, float]
    joins: Mapping[str, Join] = field(default_factory=dict)
    abnormal: float | None = None
    abnormal_from: float = 1.0

    @property
    def whole(self) -> tuple[float, float] | None:
        """`abnormal` and `abnormal_from`; None where it is not known."""
        return None if self.abnormal is None else (self.abnormal, self.abnormal_from)

    def unlikely(self, own: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """Findings that a report calls unlikely, from the features and a localizer together.

        Args:
            own: the localizer's probabilities by finding, in [0, 1].

        Returns:
            By finding the joint probability, and below which it is unlikely.
        """
        said = {
            name: (join.joined(self.chances[name], own[name]), join.unlikely_below)
            for name, join in self.joins.items()
            if name in self.chances and name in own
        }
        return {name: one for name, one in said.items() if one[0] < one[1]}


class FindingPresence:
    """A FindingClassifier with the encoder whose features it reads; safe in several threads."""

    def __init__(self, encoder: DualEncoder, classifier: FindingClassifier) -> None:
        self._encoder, self._classifier = encoder, classifier
        self._device = best_device()
        self.findings = classifier.findings

    @property
    def fingerprint(self) -> str:
        """What tells these heads from others: their sha256, and what joins them."""
        heads = self._classifier
        whole = [] if heads.whole is None else heads.whole.tolist()
        return f"{heads.sha256} {sorted(heads.joins.items())} {whole} {heads.abnormal_from}"

    def __call__(self, image: Image.Image) -> Classified:
        """Read an image of mode "L" and any size."""
        features, heads = self.features([image]), self._classifier
        abnormal = heads.abnormal(features)
        return Classified(
            dict(zip(self.findings, map(float, heads.probabilities(features)[0]))),
            heads.joins,
            None if abnormal is None else float(abnormal[0]),
            heads.abnormal_from,
        )

    def features(self, images: list[Image.Image]) -> np.ndarray:
        """Images of mode "L" -> float32 [N, W], what the classifier reads."""
        preprocess = self._encoder.preprocess
        squares = np.stack([preprocess.square(image) for image in images])
        pixels = preprocess.normalize(torch.from_numpy(squares).to(self._device))
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=has_bf16(self._device)),
        ):
            return self._encoder.encode_image_with_features(pixels)[1].float().cpu().numpy()
