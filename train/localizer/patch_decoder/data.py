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
from train.localizer.patch_decoder.teacher import Taught

SHOWN = 64  # of a mask in 8 bits, which an image that shows the target reaches


@dataclass(frozen=True)
class Batch:
    """B copies of images.

    Attributes:
        pixels: float [B, 1, S, S] in [0, 1].
        features: float [B, channels, g, g].
        masks: float [B, A, s, s] in [0, 1], of the targets that were asked for.
        weight: float [B, A], what each mask counts: 0 for one that is not known.
    """

    pixels: torch.Tensor
    features: torch.Tensor
    masks: torch.Tensor
    weight: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(getattr(self, one.name).to(device) for one in fields(self)))

    def jittered(self, generator: np.random.Generator, mirror: bool) -> Batch:
        """The same, each copy turned, scaled, shifted and lit a little anew.

        Features are moved as the image is: a transformer's patches nearly are.

        Args:
            generator: what is drawn by.
            mirror: whether half of them are mirrored too; not for targets of one side.
        """
        count = len(self.pixels)
        turn = np.radians(generator.uniform(-6, 6, count))
        scale = np.exp(generator.uniform(-0.12, 0.12, count))
        flip = np.where(generator.random(count) < 0.5, -1.0, 1.0) if mirror else np.ones(count)
        cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
        right, down = generator.uniform(-0.08, 0.08, (2, count))
        rows = [[cos * flip, sin, right], [-sin * flip, cos, down]]
        matrix = torch.from_numpy(np.array(rows).transpose(2, 0, 1)).float()
        gamma, contrast = (
            torch.from_numpy(np.exp(generator.uniform(-0.3, 0.3, (count, 1, 1, 1)))).float()
            for _ in range(2)
        )
        pixels = _resampled(self.pixels, matrix, "border")
        pixels = ((pixels.clamp(0, 1) ** gamma - 0.5) * contrast + 0.5).clamp(0, 1)
        return Batch(
            pixels,
            _resampled(self.features, matrix, "border"),
            _resampled(self.masks, matrix, "zeros"),
            self.weight,
        )


def _resampled(maps: torch.Tensor, matrix: torch.Tensor, outside: str) -> torch.Tensor:
    grid = F.affine_grid(matrix, list(maps.shape), False)
    return F.grid_sample(maps, grid, "bilinear", outside, False)


class DecoderData:
    """N films, their features and masks.

    Attributes:
        films: N of them.
        outputs: T targets.
        known: bool [N, T + 1], whether somebody looked for the target; the last is both lungs.
        present: bool [N, T + 1], whether the image shows it.
        weight: float32 [N, T + 1], what a mask counts: 1 where it is known, less where a teacher
            drew it.
    """

    def __init__(
        self,
        films: Sequence[Film],
        images: np.ndarray,
        features: Sequence[tuple[Sequence[int], np.ndarray]],
        outputs: Sequence[str],
        view: Preprocess,
        cache: Path,
        side: int,
        taught: Taught | None = None,
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
            side: of the masks.
            taught: what a teacher drew on some of the films.
        """
        self.films, self.outputs, self.images = list(films), tuple(outputs), images
        self._features = [
            (values, {row: place for place, row in enumerate(rows)}) for rows, values in features
        ]
        self.masks, self.known, self.present = _masks(
            self.films, (*outputs, LUNGS), view, side, cache
        )
        self.weight = self.known.astype(np.float32)
        self._taught: dict[int, list[tuple[int, np.ndarray]]] = {}
        for row, drawn in taught.rows() if taught else ():
            for target, mask in drawn.items():
                place = self.outputs.index(target)
                if not self.known[row, place]:
                    self._taught.setdefault(row, []).append((place, mask))
                    self.weight[row, place] = taught.weight
                    self.present[row, place] = mask.max() >= 2 * SHOWN

    def weights(self, rows: Sequence[int], asked: np.ndarray) -> np.ndarray:
        """How often each of these films is drawn, float [R]: what few show counts more.

        asked: bool [T + 1], the targets that count.
        """
        shown, known = self.present[rows][:, asked], self.weight[rows][:, asked] > 0
        rarity = 1 / np.sqrt(np.maximum(shown.sum(0), 10))
        weights = np.where(shown, rarity, 0).max(1)
        quiet = known.any(1) & ~shown.any(1)
        weights[quiet] = 1 / np.sqrt(max(quiet.sum(), 10))
        return weights / weights.sum()

    def draw(
        self,
        rows: np.ndarray,
        chances: np.ndarray,
        count: int,
        generator: np.random.Generator,
        asked: np.ndarray,
        coarser: int = 1,
    ) -> Batch:
        """A batch of copies of films out of `rows`, with these chances; the rest as of `batch`."""
        chosen = generator.choice(rows, count, p=chances)
        copies = generator.integers(0, len(self._features), count)
        return self.batch(chosen, copies, asked, coarser)

    def batch(
        self, rows: Sequence[int], copies: Sequence[int], asked: np.ndarray, coarser: int = 1
    ) -> Batch:
        """These films, each as its copy; as it is where that copy was not extracted.

        Args:
            rows: B numbers of films.
            copies: B numbers of copies.
            asked: bool [T + 1], the targets whose masks are wanted.
            coarser: how many times smaller than kept their sides are.
        """
        pixels, features, masks = [], [], []
        for row, copy in zip(rows, copies):
            values, places = self._features[copy]
            if row not in places:
                copy, (values, places) = 0, self._features[0]
            change = Change.of(self.films[row].name, int(copy))
            pixels.append(torch.from_numpy(change.seen(np.array(self.images[row]))))
            features.append(torch.from_numpy(np.array(values[places[row]])))
            drawn = self.masks[row][asked]
            for place, mask in self._taught.get(row, ()):
                if asked[place]:
                    drawn[asked[:place].sum()] = mask
            small = torch.from_numpy(drawn).float() / 255
            if coarser > 1:
                small = F.avg_pool2d(small, coarser)
            masks.append(change.moved(small[None])[0])
        return Batch(
            torch.stack(pixels)[:, None].float() / 255,
            torch.stack(features).float(),
            torch.stack(masks),
            torch.from_numpy(self.weight[rows][:, asked]),
        )


def _masks(
    films: Sequence[Film], targets: Sequence[str], view: Preprocess, side: int, cache: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks uint8 [N, T, side, side], 0 where unknown, mapped into memory.

    With them bool [N, T], whether each is known, and the same, whether it marks anything.
    """
    about = "\n".join([*map(str, (film.image for film in films)), *targets, f"{view} {side}"])
    file = cache / f"masks-{hashlib.sha256(about.encode()).hexdigest()[:20]}.npy"
    said = file.with_suffix(".npz")
    if not said.exists():
        cache.mkdir(parents=True, exist_ok=True)
        masks = np.lib.format.open_memmap(
            file, "w+", np.uint8, (len(films), len(targets), side, side)
        )
        known, present = np.zeros((2, len(films), len(targets)), bool)
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
                    present[row, place] = masks[row, place].max() >= SHOWN
        masks.flush()
        partial = file.with_suffix(".partial.npz")
        np.savez_compressed(partial, known=known, present=present)
        partial.replace(said)
    with np.load(said) as stored:
        return np.load(file, mmap_mode="r"), stored["known"], stored["present"]
