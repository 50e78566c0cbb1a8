"""What people outlined on films of the gallery, where a data set with masks is at hand."""

from __future__ import annotations

import logging
import threading

import numpy as np
from PIL import Image

from cxr.anatomy import AIRWAYS, HEART, LEFT_LUNG, LUNGS, PARTS, RIGHT_LUNG, union_known
from cxr.data import MaskedFilm, load_masked_films
from cxr.findings import Study
from cxr.images import load_image
from cxr.localization import Query, parse, place_of

log = logging.getLogger(__name__)

ORGANS = (LUNGS, RIGHT_LUNG, LEFT_LUNG, HEART, AIRWAYS)


class ReferenceMasks:
    """The masks below `root`, read when the first film is asked about; "" for none.

    A study is one of its films when both have the same name and the same size.
    """

    def __init__(self, root: str = "") -> None:
        self.root = root
        self._lock = threading.Lock()
        self._films: dict[str, MaskedFilm] | None = None

    def of(self, study: Study | None, text: str, size: tuple[int, int]) -> np.ndarray | None:
        """What the text names on the film of a study, as drawn: bool [H, W] at `size`, empty where
        it is absent. None where the film or the target is not among those drawn.
        """
        film = self._read().get(study.id) if study else None
        query = parse(text)
        if film is None or query is None or study.image is None:
            return None
        if load_image(film.image).size != load_image(study.image).size:
            return None
        mask = _drawn(film, query.target, size)
        return mask if mask is None else _placed(film, mask, query)

    def _read(self) -> dict[str, MaskedFilm]:
        with self._lock:
            if self._films is None:
                self._films = {}
                if self.root:
                    try:
                        films = load_masked_films(self.root)
                        self._films = {film.id: film for film in films}
                    except ValueError as error:
                        log.warning("no outlines are shown: %s", error)
        return self._films


def _drawn(film: MaskedFilm, target: str, size: tuple[int, int]) -> np.ndarray | None:
    """A target's mask, or the union of its parts', bool [H, W] at `size` (width, height). None when
    it was not looked for, and for an organ that nobody drew, since every film shows it.
    """
    parts = (target,) if target in film.known else PARTS.get(target, ())
    if target not in film.known and not union_known(target, film.known):
        return None
    if any(part in ORGANS and part not in film.masks for part in parts):
        return None
    whole = np.zeros(size[::-1], bool)
    for path in (path for part in parts for path in film.masks.get(part, ())):
        whole |= np.asarray(load_image(path).resize(size, Image.Resampling.BILINEAR)) >= 128
    return whole


def _placed(film: MaskedFilm, mask: np.ndarray, query: Query) -> np.ndarray | None:
    """The part of a mask on the side and in the zone asked for, by the lungs as drawn."""
    if not (query.side or query.zone):
        return mask
    sides = [_drawn(film, lung, mask.shape[::-1]) for lung in (RIGHT_LUNG, LEFT_LUNG)]
    if any(side is None for side in sides):
        return None
    return mask & place_of(*sides, query.side, query.zone, 0.5)
