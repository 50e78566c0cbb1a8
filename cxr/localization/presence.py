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

    def joined(self, finding: str, own: float) -> tuple[float, float] | None:
        """What the features and a localizer say together, as a report joins them.

        Args:
            finding: its name.
            own: the localizer's probability, in [0, 1].

        Returns:
            The probability, and below which a report calls the finding unlikely; None where the two
            are not joined.
        """
        join = self.joins.get(finding)
        if join is None or finding not in self.chances:
            return None
        return join.joined(self.chances[finding], own), join.unlikely_below


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
