"""The batch of a training step: images, prompts about each, and the masks that answer them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch

from cxr.anatomy import CONSOLIDATION, DEVICES, LUNGS, OPACITIES, TARGETS
from cxr.localization import Target
from train.localizer.mask_data import Answers
from train.localizer.prompts import weighted_queries, wordings


class Batch(NamedTuple):
    """B images with P prompts each."""

    images: torch.Tensor  # uint8 [B, S, S]
    masks: torch.Tensor  # uint8 [B, P, S, S]
    weights: torch.Tensor  # float [B, P], 0 where the mask is not known
    prompts: list[str]  # B * P, image by image
    sources: list[tuple[int, int]]  # B, of each image: which set, and which row in it


class BatchSampler:
    """Draws batches from several sets of images; the same seed draws the same batch."""

    def __init__(
        self,
        sets: Sequence[Answers],
        shares: Sequence[float],
        prompts: int,
        plain: bool,
        mirrored: float = 0.0,
        queries: Mapping[Target, float] | None = None,
    ) -> None:
        """Weigh the images.

        Args:
            sets: What is drawn from.
            shares: How much of a batch comes from each set.
            prompts: Prompts about each image.
            plain: Whether every image is asked for all TARGETS in order, for a U-Net that reads no
                text.
            mirrored: Share of the images that are mirrored, and asked only for what has no side.
            queries: What is asked, and how often relative to the others; None for
                weighted_queries().

        Raises:
            SystemExit: When a set with a share answers none of the queries.
        """
        self.sets = list(sets)
        self.shares = [share if len(data) else 0.0 for data, share in zip(sets, shares)]
        self.prompts, self.plain, self.mirrored = prompts, plain, mirrored
        self.queries = queries or weighted_queries()
        self._weights = [
            [_worth(data, row) if self._open(data, row) else 0.0 for row in range(len(data))]
            for data in self.sets
        ]
        for data, share, weights in zip(self.sets, self.shares, self._weights):
            if share > 0 and not any(weights):
                raise SystemExit(
                    f"expected images of which it is known whether they show "
                    f"{', '.join(sorted({q.target for q in self.queries}))}; of "
                    f"{len(data)} images none is; leave the set out"
                )

    def draw(self, count: int, rng: random.Random) -> Batch:
        """Draw a batch of `count` images."""
        images, masks, weights, texts, sources = [], [], [], [], []
        for _ in range(count):
            which = rng.choices(range(len(self.sets)), self.shares)[0]
            data = self.sets[which]
            row = rng.choices(range(len(data)), self._weights[which])[0]
            sources.append((which, row))
            mirrored = (
                self.mirrored > 0
                and rng.random() < self.mirrored
                and bool(self._open(data, row, True))
            )
            queries, order = self._queries(data, row, rng, mirrored), -1 if mirrored else 1
            found = [data.mask(row, query) for query in queries]
            nothing = np.zeros_like(data.images[row])
            images.append(data.images[row][:, ::order])
            masks.append([(nothing if mask is None else mask)[:, ::order] for mask in found])
            # What is asked twice for want of other questions counts once.
            weights.append(
                [(mask is not None) / queries.count(query) for mask, query in zip(found, queries)]
            )
            texts += [rng.choice(wordings(query)) for query in queries]
        return Batch(
            torch.from_numpy(np.stack(images)),
            torch.from_numpy(np.array(masks)),
            torch.tensor(weights),
            texts,
            sources,
        )

    def _queries(self, data: Answers, row: int, rng: random.Random, mirrored: bool) -> list[Target]:
        """P queries that the image can answer, without repetition as far as there are enough."""
        if self.plain:
            return [Target(target) for target in TARGETS]
        open_ones = self._open(data, row, mirrored)
        chosen: list[Target] = []
        for _ in range(self.prompts):
            left = {q: w for q, w in open_ones.items() if q not in chosen} or open_ones
            chosen += rng.choices(list(left), list(left.values()))
        return chosen

    def _open(self, data: Answers, row: int, mirrored: bool = False) -> dict[Target, float]:
        """What may be asked about an image, with its weight; a plain net mirrors no image."""
        if self.plain:
            return {} if mirrored else self.queries
        return {
            query: weight
            for query, weight in self.queries.items()
            if data.known(row, query) and not (mirrored and _has_side(query))
        }


def _has_side(query: Target) -> bool:
    """Whether a mirrored image would answer it wrongly, or show it where nobody has it."""
    return bool(query.side) or query.target not in (LUNGS, *OPACITIES, DEVICES)


def _worth(data: Answers, row: int) -> float:
    """Images with what few images show are drawn more often."""
    return 1.0 + data.present(row, Target(CONSOLIDATION)) + 0.5 * data.present(row, Target(DEVICES))
