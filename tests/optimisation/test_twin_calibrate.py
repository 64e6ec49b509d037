"""Fitting powers to readings: exact data come back exactly, intervals hold what they promise, drift is seen and not invented."""

from __future__ import annotations

import numpy as np
import pytest

from zerofactory.errors import Misuse
from zerofactory.optimisation.twin.calibrate import NAMES, Observed, cvrmse, fit, keep, nmbe

TRUE = {"off": 20.0, "idle": 60.0, "working": 150.0}
DEGREE = 3.0


def observed(days: int, seed: int, noise: float = 0.0, shift: float = 0.0) -> Observed:
    """Return days of hours, open from 7 to 23, busy differently every day, warm in the middle; noise hangs together by day."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), 24)
    opened = np.tile((np.arange(24) >= 7) & (np.arange(24) < 23), days).astype(np.float64)
    busy = np.repeat(random.uniform(0.55, 0.95, days), 24)
    degrees = np.repeat(random.uniform(0, 9, days), 24) * opened
    power = TRUE["off"] * (1 - opened) + TRUE["idle"] * opened * (1 - busy) + TRUE["working"] * opened * busy
    wobble = np.repeat(random.normal(0, noise, days), 24) + random.normal(0, noise, days * 24)
    return Observed(power + DEGREE * degrees + wobble + shift, opened, busy, day, 1.0, {"cooling": degrees})


def test_exact_data_come_back() -> None:
    found = fit(observed(30, 1))
    assert {name: found.powers[name].mean for name in NAMES} == pytest.approx(TRUE)
    assert found.slopes["cooling"].mean == pytest.approx(DEGREE)
    assert found.cvrmse_fraction < 1e-9
    assert found.days == 30


def test_intervals_hold_the_truth_as_often_as_promised() -> None:
    held = dict.fromkeys(NAMES, 0)
    for seed in range(120):
        powers = fit(observed(60, seed, noise=6.0), confidence=0.9).powers
        for name in NAMES:
            held[name] += powers[name].low <= TRUE[name] <= powers[name].high
    for name in NAMES:
        assert 0.8 < held[name] / 120 <= 0.98, name


def test_a_month_held_out_lies_in_its_interval_as_often_as_promised() -> None:
    holds = sum(keep(fit(observed(300, 7, noise=6.0)), observed(30, 100 + n, noise=6.0), 0.9).holds for n in range(60))
    assert 0.78 < holds / 60 <= 1.0


def test_drift_is_told_when_it_is_there_and_not_else() -> None:
    found = fit(observed(300, 3, noise=6.0))
    quiet = [keep(found, observed(30, 200 + n, noise=6.0)).drift_day for n in range(60)]
    assert sum(day is not None for day in quiet) <= 6
    moved = [keep(found, observed(30, 300 + n, noise=6.0, shift=9.0)).drift_day for n in range(60)]
    assert all(day is not None for day in moved)
    assert np.mean([day for day in moved if day is not None]) < 12


def test_states_that_cannot_be_told_apart_are_said_to_be_missing() -> None:
    seen = observed(30, 5)
    same = Observed(seen.energy, seen.open_fraction, np.full(len(seen.energy), 0.8), seen.day, 1.0, {})
    found = fit(same)
    assert found.missing == ("working",)
    never = Observed(seen.energy, np.ones_like(seen.energy), seen.busy_fraction, seen.day, 1.0, {})
    assert fit(never).missing == ("off",)


def test_gaps_are_left_out_and_too_few_days_refused() -> None:
    seen = observed(40, 2)
    energy = seen.energy.copy()
    energy[100:300] = np.nan
    holed = Observed(energy, seen.open_fraction, seen.busy_fraction, seen.day, 1.0, seen.degrees)
    assert fit(holed).powers["working"].mean == pytest.approx(TRUE["working"])
    with pytest.raises(Misuse):
        fit(observed(9, 1))


def test_measures_of_ashrae_by_hand() -> None:
    metered, predicted = np.array([10.0, 12.0, 14.0]), np.array([11.0, 12.0, 10.0])
    assert nmbe(metered, predicted) == pytest.approx(3.0 / 36.0)
    assert cvrmse(metered, predicted) == pytest.approx((17.0 / 3.0) ** 0.5 / 12.0)
