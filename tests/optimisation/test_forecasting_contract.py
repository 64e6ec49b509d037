"""One contract for every forecaster: cited, bilingual, deterministic, in order, within bounds, and blind to the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.errors import FaultyData, Misuse, NotFound
from zerofactory.optimisation.forecasting.features import features, ground
from zerofactory.optimisation.forecasting.forecaster import QUANTILES, Forecaster, forecaster, forecasters, prepared
from zerofactory.optimisation.forecasting.history import TARGETS, History, Outlook, Target, almanac, filled
from zerofactory.optimisation.forecasting.solar import clear_sky, cos_zenith, locate
from zerofactory.site.model import Calendar

START = datetime(2025, 2, 28, 16, tzinfo=UTC)  # midnight of 1 March in Shanghai, a Saturday
CALENDAR = Calendar(weekdays=(1, 2, 3, 4, 5), holidays=(date(2025, 4, 4),), extra_workdays=(date(2025, 4, 6),))
EVERY = [(one, target) for one in forecasters().values() for target in one.targets]
DAYS, MINUTES = 40, 60


def history(target: Target, days: int = DAYS, seed: int = 3) -> History:
    random = np.random.Generator(np.random.PCG64(seed))
    empty = History(target, START, MINUTES, np.zeros(days * 24), "Asia/Shanghai", CALENDAR)
    calendar = almanac(empty, 0)
    if target == "pv":
        sky = clear_sky(cos_zenith(START, MINUTES, days * 24, (31.0, 121.0)))
        values = sky / 10 * np.repeat(random.uniform(0.2, 1.0, days), 24)
    else:
        shape = 1.0 + np.sin(np.pi * calendar.slot_of_day / 24) * (1 + 2 * calendar.working)
        values = 100 * shape + random.normal(0, 5, days * 24)
    return replace(empty, values=values)


def named(pair: tuple[Forecaster, Target]) -> str:
    return f"{pair[0].id}-{pair[1]}"


def test_there_is_a_forecaster_for_every_target_and_the_yardstick_is_among_them() -> None:
    assert {"seasonal_naive", "linear", "gradient_boosting", "clear_sky_pv"} <= set(forecasters())
    assert all("seasonal_naive" in forecasters(target) for target in TARGETS)
    with pytest.raises(NotFound):
        forecaster("clear_sky_pv", "load")


@pytest.mark.parametrize("pair", EVERY, ids=named)
def test_contract(pair: tuple[Forecaster, Target]) -> None:
    one, target = pair
    assert one.id
    assert one.reference
    assert one.title.zh != one.title.en
    past, steps = history(target), 48
    seen = past.as_known(35 * 24)
    forecast = one.fit(seen, steps).predict(seen, steps)
    assert forecast.shape == (steps, len(QUANTILES))
    assert np.isfinite(forecast).all()
    assert (np.diff(forecast, axis=1) >= 0).all()
    assert (forecast >= 0).all()
    # Deterministic, and blind to the future: what comes after the origin changes nothing, to the bit.
    spoilt = past.values.copy()
    spoilt[35 * 24 :] = 1e6
    other = replace(past, values=spoilt).as_known(35 * 24)
    assert one.fit(other, steps).predict(other, steps).tobytes() == forecast.tobytes()
    # It learns: the day ahead is nearer than the mean of the past.
    middle, actual = forecast[:24, 1], past.values[35 * 24 : 36 * 24]
    assert np.abs(middle - actual).mean() < np.abs(past.values[: 35 * 24].mean() - actual).mean()


def test_a_value_known_late_is_not_used_before() -> None:
    past = history("load")
    known = np.arange(1, past.slots + 1)
    known[30 * 24 : 31 * 24] = 36 * 24  # a day that came in five days late
    late = replace(past, known=known)
    spoilt = past.values.copy()
    spoilt[30 * 24 : 31 * 24] = 1e6
    seen, other = (one.as_known(35 * 24) for one in (late, replace(late, values=spoilt)))
    assert np.isnan(seen.values[30 * 24 : 31 * 24]).all()
    one = forecaster("linear", "load")
    assert one.fit(seen, 24).predict(seen, 24).tobytes() == one.fit(other, 24).predict(other, 24).tobytes()
    assert not np.isnan(late.as_known(36 * 24).values).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30 * 24 - 1), st.integers(0, 24), st.integers(0, 6), st.integers(0, 167))
def test_no_feature_holds_a_value_from_the_origin_on(origin: int, delay: int, extra: int, ahead: int) -> None:
    """Whatever lies at or after origin − delay may change: the features of the pair stay the same, bit by bit."""
    past = history("load", days=31)
    spoilt = past.values.copy()
    spoilt[max(origin - delay, 0) :] = np.linspace(1e6, 2e6, past.slots - max(origin - delay, 0))
    pair = np.array([origin]), np.array([origin + ahead])
    for other in (past, replace(past, values=past.values[: origin + extra])):
        whole = features(ground(past, 200, delay), *pair)
        again = features(ground(replace(past, values=spoilt), 200, delay), *pair)
        assert np.array_equal(whole[0], again[0], equal_nan=True)
        assert np.array_equal(whole[1], again[1], equal_nan=True)
        if origin + extra <= other.slots and other is not past:
            cut = features(ground(other, 400, delay), *pair)
            assert np.array_equal(cut[0], whole[0], equal_nan=True)


def test_a_temperature_is_used_from_the_moment_it_was_known() -> None:
    past = history("load", days=20)
    slot = np.array([479, 480, 480])
    outlook = Outlook(slot, np.array([479, 470, 500]), np.array([10.0, 30.0, 99.0]))
    given_one = replace(past, temperature=outlook)
    table, _ = features(ground(given_one, 24), np.array([479]), np.array([480]))
    assert table[0, -3:].tolist() == [30.0, 12.0, 0.0]  # the forecast known then, not the later one
    table, _ = features(ground(given_one, 24), np.array([469]), np.array([480]))
    assert np.isnan(table[0, -3])
    cut = given_one.as_known(479)
    assert cut.temperature is not None
    assert cut.temperature.value.tolist() == [10.0, 30.0]


def test_holidays_and_make_up_days_are_in_the_calendar() -> None:
    past = history("load")
    calendar = almanac(past, 0)
    friday, sunday = (date(2025, 4, 4) - date(2025, 3, 1)).days, (date(2025, 4, 6) - date(2025, 3, 1)).days
    assert calendar.kind[[friday, sunday]].tolist() == [0, 1]
    one = forecaster("linear", "load")
    seen = past.as_known(friday * 24)
    forecast = one.fit(seen, 72).predict(seen, 72)[:, 1]
    like_friday, like_sunday = past.values[(friday - 7) * 24 + 12], past.values[(friday - 5) * 24 + 12]
    assert abs(forecast[12] - like_sunday) < abs(forecast[12] - like_friday)
    assert forecast[48 + 12] > 1.3 * forecast[12]  # the make-up Sunday like a working day


def test_a_history_that_is_too_short_or_misused_is_refused() -> None:
    with pytest.raises(FaultyData) as caught:
        prepared(history("load", days=10))
    assert caught.value.problems[0].code == "forecasting.too_short"
    with pytest.raises(Misuse):
        History("load", START.replace(tzinfo=None), 15, np.zeros(1), "Asia/Shanghai")
    with pytest.raises(Misuse):
        features(ground(history("load"), 1), np.array([10]), np.array([9]))


def test_gaps_are_bridged_from_the_season_before() -> None:
    values = np.arange(96.0)
    values[50] = np.nan
    assert filled(values, 24)[50] == 26.0
    assert filled(np.full(5, np.nan), 24).tolist() == [0.0] * 5


def test_the_sun_stands_where_almanacs_say() -> None:
    # Shanghai 31.2 N 121.5 E: solar noon at 2025-06-21 about 11:56 (UTC+8), zenith 31.2 − 23.44 = 7.8°.
    cosines = cos_zenith(datetime(2025, 6, 20, 16, tzinfo=UTC), 1, 1440, (31.2, 121.5))
    assert int(np.argmax(cosines)) == pytest.approx(11 * 60 + 56, abs=2)
    assert np.degrees(np.arccos(cosines.max())) == pytest.approx(7.8, abs=0.3)
    daylight = (cosines > 0).sum() / 60
    assert daylight == pytest.approx(14.0, abs=0.15)  # sunrise to sunset without refraction


def test_a_pv_plant_is_found_from_its_readings() -> None:
    values = history("pv").values
    found = locate(START, MINUTES, values, 8.0)
    assert found[1] == pytest.approx(121.0, abs=3.0)

    def fit(place: tuple[float, float]) -> float:
        return float(np.corrcoef(clear_sky(cos_zenith(START, MINUTES, len(values), place)), values)[0, 1])

    assert fit(found) >= fit((31.0, 121.0)) - 1e-3
