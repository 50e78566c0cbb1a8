"""The batch of a training step: films, prompts about each, and the masks that answer them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch

from cxr.anatomy import CONSOLIDATION, DEVICES, LUNGS, OPACITIES, TARGETS
from cxr.localization import Query
from train.localizer.mask_data import Answers
from train.localizer.prompts import weighted_queries, wordings


class Batch(NamedTuple):
    """B films with P prompts each."""

    films: torch.Tensor  # uint8 [B, S, S]
    masks: torch.Tensor  # uint8 [B, P, S, S]
    weights: torch.Tensor  # float [B, P], 0 where the mask is not known
    prompts: list[str]  # B * P, film by film
    places: list[tuple[int, int]]  # B, of each film: which set, and which row in it


class BatchSampler:
    """Draws batches from several sets of films, each with its share; the same seed, the same batch.

    plain: every film is asked for all TARGETS in order, for the U-Net that sees no text.
    mirrored: share of the films that are mirrored, and asked only for what looks alike then.
    queries: what is asked, and how often relative to the others; None: weighted_queries().
    """

    def __init__(
        self,
        sets: Sequence[Answers],
        shares: Sequence[float],
        prompts: int,
        plain: bool,
        mirrored: float = 0.0,
        queries: Mapping[Query, float] | None = None,
    ) -> None:
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
                    f"expected films of which it is known whether they show "
                    f"{', '.join(sorted({q.target for q in self.queries}))}; of "
                    f"{len(data)} films none is"
                )

    def draw(self, films: int, rng: random.Random) -> Batch:
        """`films` films with their prompts."""
        pictures, masks, weights, texts, places = [], [], [], [], []
        for _ in range(films):
            place = rng.choices(range(len(self.sets)), self.shares)[0]
            data = self.sets[place]
            row = rng.choices(range(len(data)), self._weights[place])[0]
            places.append((place, row))
            mirrored = (
                self.mirrored > 0
                and rng.random() < self.mirrored
                and bool(self._open(data, row, True))
            )
            queries, turn = self._queries(data, row, rng, mirrored), -1 if mirrored else 1
            found = [data.mask(row, query) for query in queries]
            nothing = np.zeros_like(data.films[row])
            pictures.append(data.films[row][:, ::turn])
            masks.append([(nothing if mask is None else mask)[:, ::turn] for mask in found])
            # What is asked twice for want of other questions counts once.
            weights.append(
                [(mask is not None) / queries.count(query) for mask, query in zip(found, queries)]
            )
            texts += [rng.choice(wordings(query)) for query in queries]
        return Batch(
            torch.from_numpy(np.stack(pictures)),
            torch.from_numpy(np.array(masks)),
            torch.tensor(weights),
            texts,
            places,
        )

    def _queries(self, data: Answers, row: int, rng: random.Random, mirrored: bool) -> list[Query]:
        """P queries that the film can answer, without repetition as far as there are enough."""
        if self.plain:
            return [Query(target) for target in TARGETS]
        open_ones = self._open(data, row, mirrored)
        chosen: list[Query] = []
        for _ in range(self.prompts):
            left = {q: w for q, w in open_ones.items() if q not in chosen} or open_ones
            chosen += rng.choices(list(left), list(left.values()))
        return chosen

    def _open(self, data: Answers, row: int, mirrored: bool = False) -> dict[Query, float]:
        """What may be asked about a film, with its weight; a plain net's films are not mirrored."""
        if self.plain:
            return {} if mirrored else self.queries
        return {
            query: weight
            for query, weight in self.queries.items()
            if data.known(row, query) and not (mirrored and _has_side(query))
        }


def _has_side(query: Query) -> bool:
    """Whether a mirrored film would answer it wrongly, or show it where nobody has it."""
    return bool(query.side) or query.target not in (LUNGS, *OPACITIES, DEVICES)


def _worth(data: Answers, row: int) -> float:
    """Films with what few films show are drawn more often."""
    return 1.0 + data.present(row, Query(CONSOLIDATION)) + 0.5 * data.present(row, Query(DEVICES))
