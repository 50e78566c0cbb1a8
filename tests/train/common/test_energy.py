"""Energy and CO2 of a run: a sum that one can do by hand, and words for what is not known."""

from __future__ import annotations

import pytest

from train.common.energy import (
    GRID,
    OVERHEAD,
    WATTS_PER_CORE,
    energy_text,
    estimate,
    hardware,
    watts,
)


@pytest.mark.parametrize(
    ("words", "power"),
    [
        ("1 CPU cores (x86_64)", WATTS_PER_CORE),
        ("2 CPU cores (arm64)", 2 * WATTS_PER_CORE),
        ("1 x NVIDIA H200", 700),
        ("4 x NVIDIA A100-SXM4-80GB", 1600),
        ("1 x a card nobody knows", None),
        ("a processor", None),
        ("", None),
    ],
)
def test_power_of_hardware(words, power):
    assert watts(words) == power


def test_an_hour_on_a_card_of_700_watts():
    found = estimate(60, "1 x NVIDIA H200")
    assert found.kilowatt_hours == pytest.approx(0.7 * OVERHEAD)
    assert found.grams == pytest.approx(0.7 * OVERHEAD * GRID)
    assert estimate(0, "2 CPU cores (x86_64)").grams == 0
    assert estimate(60, "an abacus") is None


def test_this_machine_is_told_in_words_that_are_understood(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 4, 5}, raising=False)
    assert watts(hardware()) == 3 * WATTS_PER_CORE


def test_the_words_hold_the_sum_and_what_it_takes_for_granted():
    text = energy_text({"minutes": 30, "hardware": "2 CPU cores (x86_64)"})
    hours = 0.5 * 2 * WATTS_PER_CORE * OVERHEAD / 1000
    assert text.startswith("30 minutes on 2 CPU cores (x86_64): by estimate")
    assert f"{hours:.2f} kWh and {hours * GRID:.0f} g of CO2" in text
    for constant in (WATTS_PER_CORE, OVERHEAD, GRID):
        assert f"{constant:g}" in text
    assert "Ember" in text and "Green Algorithms" in text


@pytest.mark.parametrize(
    ("training", "missing"),
    [
        ({}, "time was not recorded"),
        ({"minutes": 3}, "hardware was not recorded"),
        ({"minutes": 3, "hardware": "an abacus"}, "not known"),
    ],
)
def test_what_was_not_recorded_is_said_and_nothing_is_made_up(training, missing):
    text = energy_text(training)
    assert missing in text and "cannot be estimated" in text and "kWh" not in text
