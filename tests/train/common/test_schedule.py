"""How far a run is, its learning rate, and the average that forgets its start."""

from __future__ import annotations

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from train.common.schedule import Budget, warm_average


def test_whichever_ends_first():
    both = Budget(100, 10)
    assert both.used(50, 0) == 0.5 and both.used(10, 300) == 0.5 and both.used(100, 1) == 1
    assert Budget(None, 10).used(10_000, 60) == 0.1 and Budget(4, None).used(4, 1e9) == 1
    with pytest.raises(SystemExit, match="neither"):
        Budget(None, None)


def test_the_rate_rises_and_falls_to_nothing():
    budget = Budget(100, None)
    rates = [budget.rate(step / 100) for step in range(101)]
    assert 0 < rates[0] < 0.1 and max(rates) > 0.99 and rates[-1] == pytest.approx(0)
    peak = rates.index(max(rates))
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert budget.rate(1.3) == budget.rate(1)


def test_the_average_follows_and_forgets_the_start():
    model = torch.nn.BatchNorm1d(1)
    model.weight.data.fill_(100.0)
    average = AveragedModel(model, multi_avg_fn=warm_average(0.9), use_buffers=True)
    for step in range(60):
        model.weight.data.fill_(float(step % 2))
        model.num_batches_tracked.fill_(step)
        average.update_parameters(model)
    assert 0.4 < average.module.weight.item() < 0.6
    assert average.module.num_batches_tracked.item() == 59
