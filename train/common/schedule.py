"""How far a run is, in steps or in minutes, and the learning rate that goes with it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list


@dataclass(frozen=True)
class Budget:
    """A run ends after `steps` steps or `minutes` minutes of wall clock, whichever is first.

    The rate rises over the first `warm` of it and falls to nothing by a cosine. With
    steps alone, the same seed gives the same weights.
    """

    steps: int | None
    minutes: float | None
    warm: float = 0.04

    def __post_init__(self) -> None:
        if not (self.steps or self.minutes):
            raise SystemExit("expected --steps or --minutes; got neither")

    def used(self, step: int, seconds: float) -> float:
        """The share of the budget that is used, 1 or more at the end."""
        return max(
            step / self.steps if self.steps else 0.0,
            seconds / 60 / self.minutes if self.minutes else 0.0,
        )

    def rate(self, used: float) -> float:
        """The factor of the learning rate in [0, 1] at a share of the budget."""
        used = min(1.0, used)
        return min((used + 1e-3) / self.warm, 1.0, 0.5 + 0.5 * math.cos(math.pi * used))


def warm_average(decay: float) -> Callable:
    """A moving average for torch's AveragedModel (multi_avg_fn) that forgets the random weights of
    the start: after n steps the decay is at most (1 + n) / (10 + n).
    """

    @torch.no_grad()
    def update(averaged: list[torch.Tensor], current: list[torch.Tensor], count) -> None:
        n = float(count)
        share = 1 - min(decay, (1 + n) / (10 + n))
        for old, new in zip(averaged, current):
            if old.is_floating_point():
                old.lerp_(new.to(old.dtype), share)
            else:
                old.copy_(new)

    return update


class Clock:
    """Seconds of training, those before an interruption included."""

    def __init__(self, before: float = 0.0) -> None:
        self.before, self.began = before, time.time()

    def seconds(self, accelerator: Accelerator) -> float:
        """The main process' time, on every process."""
        seconds = self.before + time.time() - self.began
        if accelerator.num_processes == 1:
            return seconds
        return broadcast_object_list([seconds])[0]
