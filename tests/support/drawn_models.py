"""A localizer and a sampler that draw what they are asked for, so that the answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cxr.anatomy import AIRWAYS, CARDIOMEGALY, HEART, HEART_ALONE, LEFT_LUNG, LUNGS, RIGHT_LUNG
from cxr.findings import NIH_FINDINGS
from cxr.generation import ConditionFormat, DrawingRequest, read_request
from cxr.generation.memorization import CopyCheck
from cxr.images.load import Preprocess, load_image
from cxr.localization.localizer import Localization
from cxr.localization.targets import Target, parse
from cxr.tabs.shared.models import Model

SIDE = 256
PLACES = {  # centre and radii as fractions of the square
    RIGHT_LUNG: (0.3, 0.5, 0.15, 0.35),
    LEFT_LUNG: (0.7, 0.5, 0.15, 0.35),
    HEART: (0.55, 0.7, 0.1, 0.1),
    HEART_ALONE: (0.55, 0.7, 0.1, 0.1),
    CARDIOMEGALY: (0.55, 0.7, 0.1, 0.1),
}
SPOT = (0.3, 0.7, 0.08, 0.08)  # every finding is in the right lower zone
CONDITION = ConditionFormat(NIH_FINDINGS)


def drawn(make) -> Model:
    """A model whose weights are there, made by make()."""
    model = Model("drawn", lambda weights: make(), "draw one")
    model.missing = lambda: ""
    return model


def blob(place: tuple[float, float, float, float]) -> np.ndarray:
    """float32 [SIDE, SIDE]: 1 in the middle of an ellipse, 0.5 on it, 0 far away."""
    x, y, wide, high = place
    rows, columns = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    far = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2
    return (1 / (1 + np.exp(8 * (far.clip(max=9) - 1)))).astype(np.float32)


class DrawnLocalizer:
    """Ellipses at PLACES; airways are never surer than 20%."""

    locatable = (LUNGS, AIRWAYS)

    def find_all(self, image: Image.Image, texts: Sequence[str]) -> list[Localization]:
        return [self.find(image, text) for text in texts]

    def find(self, image: Image.Image, text: str) -> Localization:
        query = parse(text)
        if query is None:
            raise ValueError(
                f"expected an organ or a finding, got {text!r}; name one such as lungs"
            )
        film = load_image(image)
        right, left = blob(PLACES[RIGHT_LUNG]), blob(PLACES[LEFT_LUNG])
        heat = self._heat(query, right, left)
        return Localization(query, film.size, np.stack([heat, right, left]), Preprocess(SIDE))

    def _heat(self, query: Target, right: np.ndarray, left: np.ndarray) -> np.ndarray:
        if query.target == LUNGS:
            return np.maximum(right, left)
        heat = blob(PLACES.get(query.target, SPOT))
        return heat / 5 if query.target == AIRWAYS else heat


class DrawnTrainingImages:
    """Training films that every film keeps away from by 0.8; those of two patients by 0.3."""

    limit = 0.3

    def check(self, embeddings: np.ndarray, encoder: str) -> list[CopyCheck]:
        return [CopyCheck(0.8, self.limit) for _ in embeddings]


class DrawnSampler:
    """Films of grey lungs beside a heart as large as its findings are severe, or without a format
    of conditions, as its text is long; the seed moves the lungs and spots the ground, so that no
    two seeds draw the same film.
    """

    def __init__(
        self,
        originals: DrawnTrainingImages | None = None,
        condition: ConditionFormat | None = None,
    ) -> None:
        self.originals, self.condition = originals, condition

    def read(self, text: str) -> DrawingRequest | None:
        return None if self.condition is None else read_request(text, self.condition)

    def size(self, text: str) -> float:
        request = self.read(text)
        return _size(text) if request is None else 10 + 10 * sum(request.severities.values())

    def sample(
        self, text: str, n: int = 8, seed: int = 0, truncation: float = 1.0
    ) -> list[Image.Image]:
        return [_film(self.size(text), seed, film, truncation) for film in range(n)]

    def interpolate(
        self,
        text_a: str,
        text_b: str,
        steps: int = 8,
        seed: int = 0,
        truncation: float = 1.0,
        film: int = 0,
    ) -> list[Image.Image]:
        sizes = np.linspace(self.size(text_a), self.size(text_b), steps)
        return [_film(size, seed, film, truncation) for size in sizes]


def _size(text: str) -> float:
    if not text.strip():
        raise ValueError("expected a text, got an empty one; type a finding")
    return 10 + len(text) % 30


def _film(heart: float, seed: int, film: int, truncation: float) -> Image.Image:
    random = np.random.default_rng([seed, film])
    shift = float(random.normal(0, 4 * truncation))
    spots = Image.fromarray(random.integers(100, 140, (8, 8), dtype=np.uint8))
    image = spots.resize((128, 128), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(image)
    for left in (16 + shift, 70 + shift):
        draw.ellipse([left, 16, left + 42, 108], fill=40)
    draw.ellipse([70 - heart, 90 - heart, 70 + heart, 90 + heart], fill=200)
    return image.filter(ImageFilter.GaussianBlur(1.5))
