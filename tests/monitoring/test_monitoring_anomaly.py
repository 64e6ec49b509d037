"""The learnt normal: what it promises is kept on days it never saw, nothing looks ahead, and planted events are found."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from bench.anomaly import SIZES, false_alarms, injected, odd_days, of_history, recall, reference_plant
from bench.forecasting import steel_works

from zerofactory.monitoring.anomaly import cusum, judge, thresholds
from zerofactory.monitoring.days import FREE_SUNDAY, WORKED, Clock, Days, days_of, kind_of
from zerofactory.monitoring.rules.anomaly import terms
from zerofactory.periods import local_midnight
from zerofactory.site.model import Calendar

DATA = Path(os.environ.get("ZF_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data")


def made_up(meters: int = 20, count: int = 220, seed: int = 5, noise: float = 0.05) -> Days:
    """Return hourly loads of a plant of two shifts with independent noise: a normal that does not change."""
    random = np.random.Generator(np.random.PCG64(seed))
    hours = np.arange(24)
    shape = np.where((hours >= 6) & (hours < 22), 100.0, 20.0)
    kinds = np.array([kind_of(Calendar(), date(2025, 1, 6) + timedelta(days=n)) for n in range(count)])
    base = np.where((kinds == WORKED)[:, None], shape, 20.0)
    values = base * (1.0 + noise * random.standard_normal((meters, count, 24)))
    return Days(Clock("UTC", Calendar(), 60), date(2025, 1, 6), values, kinds)


@lru_cache(maxsize=1)
def plant() -> Days:
    return reference_plant(12)


def test_promised_rate_of_false_alarms_is_kept_where_nothing_changes() -> None:
    days = made_up(meters=40)
    _, odd, seen = false_alarms(days, 130)
    assert seen == 40 * 90
    promised = terms().false_alarm_fraction
    allowed = promised + 2.6 * np.sqrt(promised * (1 - promised) / seen)  # 99.5 % of samples of that size
    assert odd <= allowed


def test_promised_rate_is_kept_on_the_reference_plant_month_by_month() -> None:
    share, odd, seen = false_alarms(plant(), 270)
    assert seen > 12 * 90
    assert share <= terms().false_alarm_fraction
    assert odd <= 3 * terms().false_alarm_fraction


@pytest.mark.parametrize(
    ("kind", "least"), [("stuck on", 0.8), ("night load", 0.8), ("spike", 0.75), ("leak", 0.85), ("drift", 0.85), ("off", 0.6)]
)  # fmt: skip
def test_planted_events_are_found_in_the_reference_plant(kind: str, least: float) -> None:
    assert recall(plant(), 240, kind, SIZES[kind][1]) >= least


def test_greater_promise_finds_more() -> None:
    days = made_up(noise=0.15)
    values = days.values.copy()
    for meter in range(len(values)):
        values[meter] = injected(values[meter], "night load", 0.1, 200, 0)
    found = []
    for promised in (0.002, 0.1):
        judged = judge(replace(days, values=values), 199, replace(terms(), false_alarm_fraction=promised))
        assert judged is not None
        found.append(int(judged.odd.sum()))
    assert found[1] > found[0]


def test_a_day_is_judged_alike_whatever_comes_after_it() -> None:
    days = made_up(meters=3)
    changed = days.values.copy()
    changed[:, 170:] *= 3.0
    first = judge(days.until(170), 150, terms())
    second = judge(replace(days, values=changed), 150, terms())
    assert first is not None
    assert second is not None
    count = 170 - 150
    np.testing.assert_array_equal(first.oddness, second.oddness[:, :count])
    np.testing.assert_array_equal(first.odd, second.odd[:, :count])
    np.testing.assert_array_equal(first.expected, second.expected[:, :count])


def test_the_same_data_give_the_same_verdict() -> None:
    one, other = (judge(made_up(meters=4), 180, terms()) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.oddness, other.oddness)


def test_what_lasts_becomes_the_new_normal_and_stops_being_odd() -> None:
    days = made_up(meters=4)
    values = days.values.copy()
    values[:, 150:] += 15.0
    judged = judge(replace(days, values=values), 148, terms())
    assert judged is not None
    assert judged.odd[:, 2:12].mean() > 0.8
    assert judged.odd[:, -14:].mean() < 0.2


def test_slow_drift_that_no_day_shows_is_found_by_the_sum() -> None:
    days = made_up(meters=10, noise=0.1)
    values = days.values.copy()
    values[:, 180:] *= 1.0 + np.linspace(0.0, 0.07, days.count - 180)[:, None]
    judged = judge(replace(days, values=values), 178, replace(terms(), false_alarm_fraction=0.0005))
    calm = judge(days, 178, terms())
    assert judged is not None
    assert calm is not None
    assert (np.abs(calm.drift) > calm.drift_limit[:, None]).any(axis=1).mean() <= 0.1
    assert odd_days(judged).any(axis=1).mean() >= 0.7
    assert judged.odd.any(axis=1).mean() < odd_days(judged).any(axis=1).mean()


def test_too_short_a_history_is_not_judged() -> None:
    assert judge(made_up(meters=1), 30, terms()) is None


def test_thin_days_are_not_judged_and_gaps_do_not_count_as_zero() -> None:
    days = made_up(meters=2)
    values = days.values.copy()
    values[:, 160, :] = np.nan
    values[:, 165, 10:16] = np.nan
    judged = judge(replace(days, values=values), 158, terms())
    assert judged is not None
    assert np.isnan(judged.oddness[:, 2]).all()
    assert not judged.odd[:, 2].any()
    assert not judged.odd[:, 7].any()


def test_threshold_is_the_conformal_rank_by_hand() -> None:
    calm = np.arange(1.0, 100.0)[None]  # 99 days, one in a hundred: the greatest
    assert thresholds(calm, 0.01) == (pytest.approx([99.0]), pytest.approx([99.0]))
    few, own = thresholds(np.stack([np.arange(50.0), np.arange(50.0) + 0.5]), 0.02)
    assert own.tolist() == [50.0, 50.0]
    pooled, own = thresholds(np.stack([np.arange(30.0), np.arange(30.0) + 0.5]), 0.02)
    assert own.tolist() == [0.0, 0.0]
    assert pooled.tolist() == [29.5, 29.5]
    assert few.tolist() == [49.0, 49.5]


def test_cusum_against_the_recursion_of_page() -> None:
    random = np.random.Generator(np.random.PCG64(3))
    misses = random.standard_normal((2, 25))
    expected, level = np.zeros_like(misses), np.zeros(2)
    for day in range(25):
        level = np.maximum(0.0, level + misses[:, day] - 0.5)
        expected[:, day] = level
    np.testing.assert_allclose(cusum(misses, 0.5, 28), expected, atol=1e-12)


def test_days_follow_the_local_clock_when_it_is_changed() -> None:
    calendar = Calendar()
    start = local_midnight(date(2025, 3, 29), "Europe/Berlin")
    slots = 24 + 23 + 24  # the night to 30 March lacks an hour
    days = days_of(np.arange(float(slots))[None], start, Clock("Europe/Berlin", calendar, 60))
    assert days.dates == (date(2025, 3, 29), date(2025, 3, 30), date(2025, 3, 31))
    assert np.isnan(days.values[0, 1]).nonzero()[0].tolist() == [2]
    assert days.values[0, 2, 0] == 47.0
    autumn = local_midnight(date(2025, 10, 26), "Europe/Berlin")
    back = days_of(np.ones((1, 25)), autumn, Clock("Europe/Berlin", calendar, 60))
    assert back.values.shape == (1, 1, 24)
    assert (back.values == 1.0).all()
    assert days.kind[1] == FREE_SUNDAY


@pytest.mark.skipif(not (DATA / "loads/steel_industry_kr").is_dir(), reason="the data sets are not here (ZF_DATA)")
def test_leaks_are_found_in_the_measured_steel_works() -> None:
    days = of_history(steel_works())
    found = np.mean([recall(days, first, "leak", 0.2, seed) for first in (150, 200, 250) for seed in (1, 2)])
    assert found >= 0.8


def test_a_meter_read_once_a_day_is_judged_too() -> None:
    random = np.random.Generator(np.random.PCG64(8))
    kinds = made_up(meters=1).kind
    values = np.where(kinds == WORKED, 1000.0, 200.0)[None, :, None] * (
        1.0 + 0.03 * random.standard_normal((1, 220, 1))
    )
    values[0, 200] *= 1.5
    judged = judge(Days(Clock("UTC", Calendar(), 1440), date(2025, 1, 6), values, kinds), 190, terms())
    assert judged is not None
    assert judged.odd[0].nonzero()[0].tolist() == [10]
