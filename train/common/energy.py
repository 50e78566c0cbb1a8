"""Energy and CO2 of a training run, estimated from its minutes and its hardware.

Time x power x overhead of the building x grams of CO2 a kWh: the formula, the power of a
core and the overhead are those of Green Algorithms (Lannelongue et al. 2021,
doi:10.1002/advs.202100707). Memory is left out, since its size is not recorded.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass

import torch

WATTS_PER_CORE = 12.0  # Green Algorithms' value for a processor that is not known
WATTS_PER_GPU = {"H200": 700.0, "H100": 700.0, "A100": 400.0}  # NVIDIA's data sheets, at most
OVERHEAD = 1.67  # power usage effectiveness, Green Algorithms' world average
GRID = 436.0  # g CO2 a kWh, the world in 2022: Ember, Global Electricity Review 2023
SOURCES = (
    f"Taken for granted: full use of the hardware, {WATTS_PER_CORE:g} W a core or the most that a "
    f"graphics card draws, {OVERHEAD:g} times that for the building (Green Algorithms, Lannelongue "
    f"et al. 2021), and {GRID:g} g of CO2 a kWh (the world's mean of 2022; Ember, Global "
    "Electricity Review 2023). Memory, runs that were not kept, and evaluation are not in it."
)


@dataclass(frozen=True)
class Energy:
    """An estimate of what a run took."""

    watts: float
    kilowatt_hours: float
    grams: float  # of CO2


def hardware() -> str:
    """What this process computes on, in words."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} CPU core{'s' * (cores != 1)} ({platform.machine()})"


def watts(hardware: str) -> float | None:
    """Power in watts: 24.0 for "2 CPU cores (x86_64)"; None for hardware that is not known."""
    if cores := re.match(r"(\d+) CPU core", hardware):
        return int(cores[1]) * WATTS_PER_CORE
    cards = re.match(r"(\d+) x (.+)", hardware)
    each = next((w for name, w in WATTS_PER_GPU.items() if cards and name in cards[2]), None)
    return int(cards[1]) * each if each else None


def estimate(minutes: float, hardware: str) -> Energy | None:
    """The energy of a run; None for hardware whose power is not known."""
    power = watts(hardware)
    if power is None:
        return None
    energy = minutes / 60 * power * OVERHEAD / 1000
    return Energy(power, energy, energy * GRID)


def energy_text(training: dict) -> str:
    """Time, energy and CO2 of a run in words; what was not recorded is said to be missing.

    Args:
        training: The training section of a config.json.
    """
    minutes, hardware = training.get("minutes"), training.get("hardware")
    if minutes is None:
        return "The time was not recorded, so that energy and CO2 cannot be estimated."
    if not hardware:
        return (
            f"{minutes} minutes. The hardware was not recorded, so that energy and CO2 cannot "
            "be estimated."
        )
    found = estimate(minutes, hardware)
    if found is None:
        return (
            f"{minutes} minutes on {hardware}, whose power is not known: energy and CO2 cannot "
            "be estimated."
        )
    return (
        f"{minutes} minutes on {hardware}: by estimate {found.watts:g} W, "
        f"{found.kilowatt_hours:.2f} kWh and {found.grams:.0f} g of CO2. {SOURCES}"
    )
