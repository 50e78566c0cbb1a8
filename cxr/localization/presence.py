"""Which findings an image shows, by the heads that the reports read: one answer for both pages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image

from cxr.checkpoints import FindingClassifier
from cxr.devices import best_device, has_bf16
from cxr.models import DualEncoder


class FindingPresence:
    """A FindingClassifier with the encoder whose features it reads; safe in several threads."""

    def __init__(self, encoder: DualEncoder, classifier: FindingClassifier) -> None:
        self._encoder, self._classifier = encoder, classifier
        self._device = best_device()
        self.findings = classifier.findings

    @property
    def fingerprint(self) -> str:
        """The sha256 of the classifier."""
        return self._classifier.sha256

    def __call__(self, image: Image.Image) -> Mapping[str, float]:
        """The probability in [0, 1] of each finding.

        Args:
            image: of mode "L", any size.
        """
        return dict(zip(self.findings, self._classifier.probabilities(self.features([image]))[0]))

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
