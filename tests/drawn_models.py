"""A localizer and a sampler that draw what they are asked for, so that the answer is known."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cxr.images import Preprocess, load_image
from cxr.localization import Localization, _checked
from cxr.targets import AIRWAYS, HEART, LEFT_LUNG, LUNGS, RIGHT_LUNG, Query, parse

SIDE = 256
PLACES = {  # centre and radii as fractions of the square
    RIGHT_LUNG: (0.3, 0.5, 0.15, 0.35),
    LEFT_LUNG: (0.7, 0.5, 0.15, 0.35),
    HEART: (0.5, 0.7, 0.1, 0.1),
}
SPOT = (0.3, 0.7, 0.08, 0.08)  # every finding is in the right lower zone


def blob(place: tuple[float, float, float, float]) -> np.ndarray:
    """float32 [SIDE, SIDE]: 1 in the middle of an ellipse, 0.5 on it, 0 far away."""
    x, y, wide, high = place
    rows, columns = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    far = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2
    return (1 / (1 + np.exp(8 * (far.clip(max=9) - 1)))).astype(np.float32)


class DrawnLocalizer:
    """Ellipses at PLACES; airways are never surer than 20%."""

    def find(self, image: Image.Image, text: str) -> Localization:
        query = parse(_checked(text))
        film = load_image(image)
        right, left = blob(PLACES[RIGHT_LUNG]), blob(PLACES[LEFT_LUNG])
        heat = np.zeros_like(right) if query is None else self._heat(query, right, left)
        return Localization(query, film.size, np.stack([heat, right, left]), Preprocess(SIDE))

    def _heat(self, query: Query, right: np.ndarray, left: np.ndarray) -> np.ndarray:
        if query.target == LUNGS:
            return np.maximum(right, left)
        heat = blob(PLACES.get(query.target, SPOT))
        return heat / 5 if query.target == AIRWAYS else heat
