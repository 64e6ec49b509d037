"""Fitting powers to readings: exact data come back exactly, intervals hold what they promise, drift is seen and not invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zerofactory.errors import Misuse
from zerofactory.optimisation.twin.calibrate import NAMES, Observed, balance, cvrmse, fit, keep, nmbe
from zerofactory.optimisation.twin.rhythm import EXTRA, WAITS, WORKS, rhythm

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


def weeks(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return day × slot and kinds of a place with breaks, one shift on Saturdays, a warm season and noise."""
    random = np.random.default_rng(seed)
    day = np.zeros(24)
    day[6], day[7:23], day[[12, 18]] = 0.45, 1.0, 0.5
    saturday = np.where(np.arange(24) < 15, day, 0.0)
    kinds = np.tile(np.array([1, 2, 3, 4, 5, 6, 0]), count)
    shapes = np.stack([np.zeros(24) if kind == 0 else saturday if kind == 6 else day for kind in kinds])
    season = 1.0 + 0.5 * np.sin(np.arange(len(kinds)) / 58.0)
    return 20.0 + 400.0 * season[:, None] * shapes * random.normal(1.0, 0.05, shapes.shape), kinds


def test_the_rhythm_of_a_week_is_found_through_the_seasons() -> None:
    power, kinds = weeks(40, 1)
    power[5, 3] = np.nan
    found = rhythm(power, kinds)
    assert found is not None
    assert [found.hours(kind, WORKS) for kind in (1, 6, 0)] == [14.0, 7.0, 0.0]
    assert [found.hours(kind, WAITS) for kind in (1, 6, 0)] == [3.0, 2.0, 0.0]
    assert (found.of(np.array([EXTRA])) == found.of(np.array([3]))).all()


def test_a_night_shift_that_ends_on_a_closed_day_hides_nothing() -> None:
    week = np.full((7, 24), 20.0)
    week[:5, 6:14], week[:5, 22:], week[1:6, :6] = 400.0, 400.0, 400.0
    power = np.tile(week, (20, 1)) * np.random.default_rng(4).normal(1.0, 0.03, (140, 24))
    found = rhythm(power, np.tile(np.array([1, 2, 3, 4, 5, 0, 0]), 20))
    assert found is not None
    assert [found.hours(kind, WORKS) for kind in (1, 2, 5)] == [10.0, 16.0, 16.0]


def test_no_rhythm_is_read_into_a_load_without_one() -> None:
    random = np.random.default_rng(2)
    kinds = np.tile(np.array([1, 2, 3, 4, 5, 6, 0]), 20)
    assert rhythm(50.0 + random.normal(0.0, 1.0, (140, 24)), kinds) is None
    assert rhythm(np.full((140, 24), np.nan), kinds) is None
    assert rhythm(np.zeros((140, 24)), kinds) is None


@pytest.mark.parametrize(("heating", "cooling"), [(15, None), (None, 21), (10, 18), (None, None)])
def test_the_base_of_heating_and_cooling_is_found(heating: int | None, cooling: int | None) -> None:
    random = np.random.default_rng(4)
    days = 330
    degc = np.repeat(16.0 + 12.0 * np.sin(np.arange(days) / 52.0) + random.normal(0, 2, days), 24)
    seen = observed(days, 8, noise=4.0)
    plain = Observed(seen.energy - DEGREE * seen.degrees["cooling"], seen.open_fraction, seen.busy_fraction, seen.day, 1.0, {})  # fmt: skip
    more = sum(
        5.0 * np.maximum(side * (degc - base), 0.0) * plain.open_fraction
        for side, base in ((-1.0, heating), (1.0, cooling))
        if base is not None
    )
    found = balance(replace(plain, energy=plain.energy + more), degc)
    assert set(found) == {name for name, base in (("heating", heating), ("cooling", cooling)) if base is not None}
    for name, base in (("heating", heating), ("cooling", cooling)):
        assert base is None or abs(found[name] - base) <= 1.0
