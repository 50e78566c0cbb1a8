"""What an earlier localizer draws on films where nobody drew it (self-training, Xie et al. 2020).

Of some targets there are masks for a few dozen films alone. An earlier model that draws them well
teaches a smaller one on more films of their kind; what somebody drew goes before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from cxr.anatomy import AIRWAYS, GROUND_GLASS, HEART, OPACITY
from cxr.checkpoints import fingerprint
from cxr.images import load_image
from cxr.localization import Localizer
from train.localizer.patch_decoder.films import Film

TARGETS = (HEART, AIRWAYS, OPACITY, GROUND_GLASS)
WEIGHT = 0.5  # of a mask, against one that somebody drew


@dataclass(frozen=True, eq=False)
class Taught:
    """Soft masks of a teacher.

    Attributes:
        places: the numbers of R films.
        masks: uint8 [R, K, s, s], of K TARGETS.
        weight: what each counts.
    """

    places: Sequence[int]
    masks: np.ndarray
    weight: float = WEIGHT

    def rows(self) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """Each film's number, and its masks by target."""
        for place, masks in zip(self.places, self.masks):
            yield place, dict(zip(TARGETS, masks))


def teach(
    films: Sequence[Film],
    places: Sequence[int],
    teacher: Path,
    side: int,
    text: Path,
    cache: Path,
) -> Taught:
    """Let a teacher draw TARGETS on films, or read what it drew before.

    Args:
        films: N of them.
        places: the numbers of R of them, on which it draws.
        teacher: folder of a localizer.
        side: of the masks.
        text: the retrieval checkpoint that it builds on.
        cache: folder for the masks.
    """
    names = "\n".join([fingerprint(teacher), str(side), *(films[place].name for place in places)])
    file = cache / f"taught-{hashlib.sha256(names.encode()).hexdigest()[:20]}.npy"
    if not file.exists():
        localizer = Localizer.load(teacher, text)
        drawn = [
            _drawn(localizer, films[place], side)
            for place in tqdm(places, desc="taught", unit="film", mininterval=10)
        ]
        partial = file.with_suffix(".partial.npy")
        np.save(partial, np.stack(drawn))
        partial.replace(file)
    return Taught(places, np.load(file, mmap_mode="r"))


def _drawn(localizer: Localizer, film: Film, side: int) -> np.ndarray:
    """Maps uint8 [K, side, side] over the square that a decoder sees."""
    image = load_image(film.image)
    maps = localizer.find_all(image, TARGETS)
    view = localizer.preprocess
    squares = np.stack([place.maps[0] for place in maps]).astype(np.float32)
    assert squares.shape[-1] == view.size, "maps lie over the square that the teacher sees"
    small = F.interpolate(
        torch.from_numpy(squares)[None], size=side, mode="bilinear", antialias=True
    )
    return (small[0] * 255 + 0.5).to(torch.uint8).numpy()
