"""One training run: its budget, learning rates, moving average, log, and best score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import get_cosine_schedule_with_warmup

from train.common.options import RunOptions
from train.common.run import Budget, JsonLines, Run, cosine_with_warmup


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    out: Path = Path("unused")


def test_whichever_ends_first():
    both = Budget(100, 10)
    assert both.used(50, 0) == 0.5 and both.used(10, 300) == 0.5 and both.used(100, 1) == 1
    assert Budget(None, 10).used(10_000, 60) == 0.1 and Budget(4, None).used(4, 1e9) == 1
    assert Budget(50, 0).used(1, 0) == 1
    with pytest.raises(SystemExit, match="neither"):
        Budget(None, None)


def test_the_learning_rate_follows_the_schedule_of_transformers():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_cosine_schedule_with_warmup(optimizer, 50, 1000)
    for step in range(1000):
        assert cosine_with_warmup(step / 1000) == pytest.approx(theirs.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        theirs.step()
    assert cosine_with_warmup(1.0) == cosine_with_warmup(1.3) == 0


def test_the_later_entry_of_a_step_stands(tmp_path):
    log = JsonLines(tmp_path)
    for step, values in ((1, {"loss": 3.0}), (2, {"loss": 2.0}), (1, {"loss": 1.0, "score": 0.5})):
        log.log(values, step=step)
    assert log.entries() == [
        {"step": 1, "loss": 1.0, "score": 0.5},
        {"step": 2, "loss": 2.0},
    ]


@pytest.fixture
def run(tmp_path):
    return Run(Options(workdir=tmp_path))


def test_the_average_follows_and_forgets_the_start(run):
    model = torch.nn.BatchNorm1d(1)
    model.weight.data.fill_(100.0)
    average = run.moving_average(model, 0.9)
    for step in range(60):
        model.weight.data.fill_(float(step % 2))
        model.num_batches_tracked.fill_(step)
        average.update(model, step + 1)
    assert 0.4 < average.module.weight.item() < 0.6
    assert average.module.num_batches_tracked.item() == 59


def test_an_average_with_decay_0_is_a_copy(run):
    model = torch.nn.Linear(2, 2)
    average = run.moving_average(model, 0.0)
    for step in range(3):
        model.weight.data.fill_(float(step))
        average.update(model, step + 1)
        assert torch.equal(average.module.weight, model.weight)


def test_rates_are_set_scores_are_kept_and_a_stopped_run_goes_on_where_it_ended(tmp_path):
    def train(stop_at: int) -> tuple[list[float], Run]:
        run = Run(Options(workdir=tmp_path))
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        model, optimizer = run.prepare(model, optimizer)
        run.schedule(optimizer)
        rates = []
        for step in run.steps(Budget(10)):
            rates.append(optimizer.param_groups[0]["lr"])
            run.optimize(model(torch.ones(1, 2)).square().sum(), model, optimizer)
            run.advance(loss=1.0)
            if run.evaluates(2):
                run.report({"score": step}, {"score": ("score",)})
                run.improved(step if step < 5 else 0)
            if step == stop_at:
                run.stop()
        return rates, run

    first, run = train(stop_at=3)
    assert run.step == 4 and run.best == 3 and run.stale == 0
    second, run = train(stop_at=99)
    assert run.step == 10 and run.best == 3 and run.stale == 3
    assert first + second == [0.5 * cosine_with_warmup(step / 10) for step in range(10)]
    third, run = train(stop_at=99)
    assert not third and run.step == 10
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in lines if "score" in entry] == [2, 4, 6, 8, 10]
    assert [entry["step"] for entry in lines if "loss" in entry] == [1]
    assert (tmp_path / "curves.png").stat().st_size > 3_000


def test_a_loss_that_is_not_finite_ends_the_run(run):
    with pytest.raises(SystemExit, match="expected a finite loss at step 0, got nan"):
        run.optimize(torch.tensor(float("nan")), torch.nn.Linear(1, 1), None)
