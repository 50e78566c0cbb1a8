"""What a patch decoder learns from, in memory, and how batches are drawn of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from tqdm import tqdm

from cxr.anatomy import LUNGS
from cxr.images import Preprocess
from train.localizer.patch_decoder.features import Change
from train.localizer.patch_decoder.films import Film


@dataclass(frozen=True)
class Batch:
    """B copies of images.

    Attributes:
        pixels: float [B, 1, S, S] in [0, 1].
        features: float [B, channels, g, g].
        masks: float [B, T + 1, 4g, 4g] in [0, 1]; the last is of both lungs.
        known: bool [B, T + 1].
    """

    pixels: torch.Tensor
    features: torch.Tensor
    masks: torch.Tensor
    known: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(getattr(self, one.name).to(device) for one in fields(self)))


class DecoderData:
    """N films, their features and masks.

    Attributes:
        films: N of them.
        outputs: T targets.
        known: bool [N, T + 1], whether somebody looked for the target; the last is both lungs.
        present: bool [N, T + 1].
    """

    def __init__(
        self,
        films: Sequence[Film],
        images: np.ndarray,
        features: Sequence[tuple[Sequence[int], np.ndarray]],
        outputs: Sequence[str],
        view: Preprocess,
        cache: Path,
    ) -> None:
        """Draw the masks, or read them from an earlier call.

        Args:
            films: N of them.
            images: uint8 [N, S, S].
            features: for each copy, the rows of the films that it has and float16
                [R, channels, g, g].
            outputs: the targets.
            view: how the images were squared.
            cache: folder for the masks.
        """
        self.films, self.outputs, self.images = list(films), tuple(outputs), images
        self._features = [
            (values, {row: place for place, row in enumerate(rows)}) for rows, values in features
        ]
        self.masks, self.known = _masks(
            self.films, (*outputs, LUNGS), view, 4 * features[0][1].shape[-1], cache
        )
        self.present = self.masks.reshape(*self.masks.shape[:2], -1).max(-1) >= 64

    def weights(self, rows: Sequence[int], asked: np.ndarray) -> np.ndarray:
        """How often each of these films is drawn, float [R]: what few show counts more.

        asked: bool [T + 1], the targets that count.
        """
        shown, known = self.present[rows][:, asked], self.known[rows][:, asked]
        rarity = 1 / np.sqrt(np.maximum(shown.sum(0), 10))
        weights = np.where(shown, rarity, 0).max(1)
        quiet = known.any(1) & ~shown.any(1)
        weights[quiet] = 1 / np.sqrt(max(quiet.sum(), 10))
        return weights / weights.sum()

    def draw(
        self, rows: np.ndarray, chances: np.ndarray, count: int, generator: np.random.Generator
    ) -> Batch:
        """A batch of copies of films out of `rows`, with these chances."""
        chosen = generator.choice(rows, count, p=chances)
        return self.batch(chosen, generator.integers(0, len(self._features), count))

    def batch(self, rows: Sequence[int], copies: Sequence[int]) -> Batch:
        """These films, each as its copy; as it is where that copy was not extracted."""
        pixels, features, masks = [], [], []
        for row, copy in zip(rows, copies):
            values, places = self._features[copy]
            if row not in places:
                copy, (values, places) = 0, self._features[0]
            change = Change.of(self.films[row].name, int(copy))
            pixels.append(torch.from_numpy(change.seen(np.array(self.images[row]))))
            features.append(torch.from_numpy(np.array(values[places[row]])))
            drawn = torch.from_numpy(self.masks[row]).float() / 255
            masks.append(change.moved(drawn[None])[0])
        return Batch(
            torch.stack(pixels)[:, None].float() / 255,
            torch.stack(features).float(),
            torch.stack(masks),
            torch.from_numpy(self.known[rows]),
        )


def _masks(
    films: Sequence[Film], targets: Sequence[str], view: Preprocess, side: int, cache: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Masks uint8 [N, T, side, side], 0 where unknown, and bool [N, T], whether each is known."""
    about = "\n".join([*map(str, (film.image for film in films)), *targets, f"{view} {side}"])
    file = cache / f"masks-{hashlib.sha256(about.encode()).hexdigest()[:20]}.npz"
    if not file.exists():
        masks = np.zeros((len(films), len(targets), side, side), np.uint8)
        known = np.zeros((len(films), len(targets)), bool)
        for row, film in enumerate(tqdm(films, desc="masks", unit="film", mininterval=10)):
            with Image.open(film.image) as image:
                size = image.size
            for place, target in enumerate(targets):
                mask = film.mask(target, view, size)
                known[row, place] = mask is not None
                if mask is not None and mask.any():
                    whole = torch.from_numpy(mask)[None, None].float()
                    small = F.interpolate(whole, size=side, mode="area")[0, 0]
                    masks[row, place] = small.round().to(torch.uint8).numpy()
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npz")
        np.savez_compressed(partial, masks=masks, known=known)
        partial.replace(file)
    with np.load(file) as stored:
        return stored["masks"], stored["known"]
