"""Back-tests: scores by hand, the yardstick against itself, and the measured data sets where they are at hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import FaultyData
from zerofactory.optimisation.forecasting.backtest import Rolling, backtest
from zerofactory.optimisation.forecasting.forecast_table import FORECASTS, Made, forecast_rows
from zerofactory.optimisation.forecasting.forecaster import QUANTILES, forecasters
from zerofactory.optimisation.forecasting.history import History, almanac
from zerofactory.optimisation.forecasting.scores import coverage_fraction, pinball, skill
from zerofactory.site.model import Calendar

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2025, 1, 1, tzinfo=UTC)


def history(days: int = 60) -> History:
    random = np.random.Generator(np.random.PCG64(5))
    empty = History("load", START, 60, np.zeros(days * 24), "UTC", Calendar())
    calendar = almanac(empty, 0)
    values = 50 + 40 * calendar.working * np.sin(np.pi * calendar.slot_of_day / 24) + random.normal(0, 4, days * 24)
    return History("load", START, 60, values, "UTC", Calendar())


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_pinball_of_the_median_is_half_the_absolute_error(actual: float, median: float) -> None:
    assert pinball(np.array([actual]), np.array([[median]]), (0.5,))[0] == pytest.approx(abs(actual - median) / 2)


@given(st.lists(st.floats(0.1, 10), min_size=3, max_size=20))
def test_skill_lies_in_its_interval_and_is_nothing_against_itself(losses: list[float]) -> None:
    loss = np.array(losses)
    assert skill(loss, loss) == (0.0, 0.0, 0.0)
    gained, low, high = skill(loss / 2, loss)
    assert gained == pytest.approx(0.5)
    assert low - 1e-9 <= gained <= high + 1e-9


def test_the_true_quantiles_cover_and_beat_wrong_ones() -> None:
    random = np.random.Generator(np.random.PCG64(1))
    actual = random.normal(0, 1, 4000)
    right = np.tile([-1.2816, 0.0, 1.2816], (4000, 1))
    assert coverage_fraction(actual, right) == pytest.approx(0.8, abs=0.02)
    for wrong in (right * 2, right / 2, right + 0.5):
        assert pinball(actual, right, QUANTILES).mean() < pinball(actual, wrong, QUANTILES).mean()


def test_a_back_test_finds_what_can_be_learnt() -> None:
    scores = backtest(
        history(), forecasters("load"), Rolling(test_days=14, horizon_minutes=2880, every_minutes=660, refit_days=14)
    )
    by_name = {(one.forecaster, one.horizon_min): one for one in scores}
    naive, linear = by_name["seasonal_naive", 1440], by_name["linear", 1440]
    assert naive.skill_fraction == 0.0
    assert linear.skill_fraction > 0.15  # averaging over similar days takes away √2 of the noise
    assert linear.skill_low_fraction < linear.skill_fraction < linear.skill_high_fraction
    assert 0.65 < linear.coverage_fraction < 0.95
    assert linear.forecasts == naive.forecasts


def test_too_short_a_series_is_refused() -> None:
    with pytest.raises(FaultyData) as caught:
        backtest(history(20), forecasters("load"), Rolling(test_days=14))
    assert caught.value.problems[0].code == "forecasting.too_short"


def test_forecast_rows_fit_their_schema() -> None:
    forecast = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    rows = forecast_rows(history(), forecast, Made("site", "kWh", "linear", QUANTILES, START))
    assert FORECASTS.check(rows) == []
    assert rows["started_at"][0] == history().end
    assert rows["value"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize(
    ("name", "method", "horizon_min", "at_least"),
    [
        ("steel works load", "gradient_boosting", 1440, 0.15),
        ("vehicle manufacturing load", "linear", 15, -2.0),
        ("PV station", "gradient_boosting", 60, 0.2),
        ("carbon intensity ERCOT", "linear", 360, 0.3),
        ("carbon intensity CAISO", "linear", 60, 0.3),
    ],
)
def test_skill_on_measured_series(
    name: str, method: str, horizon_min: int, at_least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT)
    from bench import forecasting as bench

    try:
        series = bench.SETS[name][1]()
    except FileNotFoundError as absent:
        pytest.skip(f"{absent.filename} is not here: set ZF_DATA to the folder of data sets")
    chosen = {one: each for one, each in forecasters(series.target).items() if one in ("seasonal_naive", method)}
    scores = backtest(series, chosen, Rolling(test_days=28, horizon_minutes=1440, every_minutes=1380, refit_days=28))
    found = next(one for one in scores if one.forecaster == method and one.horizon_min == horizon_min)
    assert found.skill_fraction > at_least
    assert 0.4 < found.coverage_fraction <= 1.0
