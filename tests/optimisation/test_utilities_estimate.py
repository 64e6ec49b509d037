"""Figures of utilities fitted to meters: known ones come back within their intervals, those that cannot be known are said not to be."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest

from zerofactory.errors import Text
from zerofactory.optimisation.utilities import air, estimate, groups
from zerofactory.optimisation.utilities.booth import Booth, Window
from zerofactory.optimisation.utilities.driven import Driven, Floats, Outdoors, Stations
from zerofactory.optimisation.utilities.estimate import BOUND, TOLD, WEAK, Known
from zerofactory.optimisation.utilities.groups import HEATING, Gauge
from zerofactory.optimisation.utilities.hall import Hall
from zerofactory.optimisation.utilities.knobs import knobs, ranges, turned, value_of
from zerofactory.optimisation.utilities.loop import Load, Loop
from zerofactory.optimisation.utilities.oven import Oven, Oxidiser
from zerofactory.optimisation.utilities.plant import GAS, Utilities
from zerofactory.optimisation.utilities.source import Chiller, Heater

NAME = Text("甲", "one")
STATES = ("off", "warm_up", "idle", "standby", "working")
DEGC = 10.0 - 12.0 * np.cos(np.arange(240) / 365.0 * 2.0 * np.pi) + 3.0 * np.sin(np.arange(240) * 2.4)
PRIOR = Known(np.array([8.0, 100.0]), np.array([4.0, 60.0]), np.zeros(2), np.array([40.0, 900.0]))


def heat(x: Floats) -> Floats:
    """A hall by hand: so much a kelvin below 16 °C, and so much always."""
    return np.asarray((x[0] * np.maximum(16.0 - DEGC, 0.0) + x[1])[None, :])


def noise(seed: int, alike: float, size: float) -> Floats:
    """Return scatter whose days are like the days before (autoregressive of the first order), of a given deviation."""
    drawn = np.random.default_rng(seed).normal(0.0, size * (1.0 - alike**2) ** 0.5, len(DEGC))
    found = np.zeros(len(DEGC))
    found[0] = drawn[0] / (1.0 - alike**2) ** 0.5
    for before, day in pairwise(range(len(DEGC))):
        found[day] = alike * found[before] + drawn[day]
    return found


@pytest.mark.parametrize("alike", [0.0, 0.6])
def test_the_truth_lies_in_the_interval_as_often_as_is_said(alike: float) -> None:
    """Sixty draws of days that are alike or not: 95 % intervals hold the truth in 60 · 0.95 = 57 of them, less three deviations (5)."""
    truth, held = np.array([10.0, 150.0]), np.zeros(2)
    for seed in range(60):
        found = estimate.fit(heat, PRIOR, heat(truth) + noise(seed, alike, 20.0))
        assert found.states == (TOLD, TOLD)
        held += (found.low <= truth) & (truth <= found.high)
    assert held.min() >= 52


def test_days_that_are_alike_tell_less() -> None:
    widths = []
    for alike in (0.0, 0.8):
        found = [
            estimate.fit(heat, PRIOR, heat(np.array([10.0, 150.0])) + noise(seed, alike, 20.0)) for seed in range(8)
        ]
        widths.append(np.mean([one.high - one.low for one in found], axis=0))
    assert (widths[1] > 1.3 * widths[0]).all()


def test_what_cannot_be_known_is_said_not_to_be() -> None:
    """Flow and fresh share act as one product; a figure no meter feels keeps what the file says, with its spread."""

    def product(x: Floats) -> Floats:
        return np.asarray((x[0] * x[1] * np.maximum(16.0 - DEGC, 0.0))[None, :])

    prior = Known(np.array([10.0, 1.0, 5.0]), np.array([1.0, 0.1, 2.0]), np.zeros(3), np.array([40.0, 4.0, 9.0]))
    found = estimate.fit(product, prior, product(np.array([12.0, 1.0, 7.0])) + noise(1, 0.0, 3.0))
    assert found.states == (WEAK, WEAK, WEAK)
    assert found.x[0] * found.x[1] == pytest.approx(12.0, rel=0.02)  # their product is known
    assert found.x[2] == 5.0
    assert found.high[2] - found.x[2] == pytest.approx(1.96 * 2.0, rel=1e-4)


def test_a_few_weeks_tell_less_than_many() -> None:
    """Three weeks and two figures leave one degree of freedom (t = 12.7): an interval wider than without readings tells nothing."""
    prior = replace(PRIOR, spread=np.array([0.4, 8.0]))
    many = heat(np.array([8.5, 105.0])) + noise(2, 0.0, 1.0)
    few = np.where(np.arange(len(DEGC)) < 21, many, np.nan)
    short, long = estimate.fit(heat, prior, few), estimate.fit(heat, prior, many)
    assert (short.high - short.low > 2.0 * 1.96 * prior.spread).all()
    assert short.states == (WEAK, WEAK)
    assert long.states == (TOLD, TOLD)


def test_a_figure_that_runs_into_its_range_is_told() -> None:
    narrow = replace(PRIOR, high=np.array([9.0, 900.0]))
    found = estimate.fit(heat, narrow, heat(np.array([14.0, 150.0])) + noise(3, 0.0, 10.0))
    assert found.states[0] == BOUND
    assert found.x[0] == 9.0


def test_without_a_month_is_a_fit_to_the_others() -> None:
    """For a straight model the short way by chords is the fit itself."""
    seen = heat(np.array([10.0, 150.0])) + noise(5, 0.3, 20.0)
    whole = estimate.fit(heat, PRIOR, seen)
    fewer = seen.copy()
    fewer[:, 30:60] = np.nan
    short = estimate.without(heat, PRIOR, fewer, whole)
    assert short[0, 30:60] == pytest.approx(estimate.fit(heat, PRIOR, fewer).days[0, 30:60], rel=5e-3)
    assert np.abs(short - whole.days).max() > 0.0


def test_the_same_readings_give_the_same_answer() -> None:
    seen = heat(np.array([10.0, 150.0])) + noise(7, 0.3, 20.0)
    first, second = estimate.fit(heat, PRIOR, seen), estimate.fit(heat, PRIOR, seen)
    assert first.x.tobytes() == second.x.tobytes()
    assert first.low.tobytes() == second.low.tobytes()


def test_days_that_were_not_read_are_not_fitted_to() -> None:
    seen = heat(np.array([10.0, 150.0])) + noise(9, 0.0, 5.0)
    holes = seen.copy()
    holes[:, 100:140] = 1e6
    holes[:, 100:140] = np.nan
    assert estimate.fit(heat, PRIOR, holes).x == pytest.approx(estimate.fit(heat, PRIOR, seen).x, rel=0.05)


CABIN = Booth(
    "cabin", NAME, "paint", ("s",), 60_000.0, Window(22.0, 25.0, 0.5, 0.7), Window(5.0, 40.0), 60.0, GAS, "cold",
    recirculated_fraction=0.4, flow_fraction={"off": 0.5}, fan_heat_fraction=0.5, meters={"electricity": ("E",), "natural_gas": ("G",)},
)  # fmt: skip
COLD = Loop("cold", NAME, False, 7.0, 12.0, loss_kw=20.0)
CHILLER = Chiller("chiller", NAME, "paint", "cold", 900.0, 5.0, 30.0, 5.0, 15.0, 9.0)
PLANT = Utilities(10.8, booths=(CABIN,), loops=(COLD,), chillers=(CHILLER,))
SEEN = (
    Gauge(("E",), (("cabin", "electricity"),)), Gauge(("G",), (("cabin", "natural_gas"),)), Gauge(("C",), (("chiller", "electricity"),)),
)  # fmt: skip


def drive(days: int = 90) -> Driven:
    """Return a station that works from six to twenty-two on six days of seven, over days from frost to heat, hour by hour."""
    hour = np.tile(np.arange(24), days)
    day = np.repeat(np.arange(days), 24)
    celsius = -4.0 + 36.0 * day / days + 4.0 * np.sin((hour - 9) / 24 * 2 * np.pi) + 3.0 * np.sin(day * 1.7)
    on = (hour >= 6) & (hour < 22) & (day % 7 != 6)
    shares = np.zeros((len(hour), len(STATES)))
    shares[:, 0], shares[:, 4] = ~on, on
    stations = Stations({"s": shares}, {"s": 1}, {"s": on * 60.0}, {"paint": on * 200.0}, STATES, ("working",))
    outdoors = Outdoors(celsius, air.humidity(celsius, 0.7), np.zeros(len(hour)))
    return Driven(3600.0, outdoors, stations, on.astype(np.float64), hour.astype(np.int64), np.zeros(len(hour)))


def test_a_booth_and_its_chiller_are_found_again_from_their_meters() -> None:
    """Meters made by the model with other figures than the file's, and 2 % of scatter: the figures that are told hold the truth."""
    truth = {
        "fan_kw": 72.0,
        "flow_fraction.off": 0.65,
        "recirculated_fraction": 0.55,
        "window.low_celsius": 20.0,
        "rated_eer_fraction": 4.0,
    }
    (group,) = groups.groups(PLANT, SEEN)
    given = tuple(one for one in knobs(group.utilities) if one.key in truth)
    assert [one.key for one in given] == list(truth)
    driven = drive()
    model = groups.model(group, given, driven)
    real = model(np.array(list(truth.values())))
    seen = real * (1.0 + np.random.default_rng(11).normal(0.0, 0.02, real.shape))
    known = Known(*(np.array([getattr(one, name) for one in given]) for name in ("stated", "spread", "low", "high")))
    found = estimate.fit(model, known, seen)
    assert found.states == (TOLD,) * len(truth)
    for place, (key, value) in enumerate(truth.items()):
        assert found.low[place] <= value <= found.high[place], key
        assert abs(found.x[place] - value) < 0.3 * abs(known.stated[place] - value), key
    fewer = seen.copy()
    fewer[:, 35:65] = np.nan  # a month left out: the short way and a whole fit to the others say the same of it
    short, long = estimate.without(model, known, fewer, found), estimate.fit(model, known, fewer).days
    missing = slice(35, 65)
    assert short[:, missing].sum(axis=1) == pytest.approx(long[:, missing].sum(axis=1), rel=0.02)
    before, after = (np.abs(days.sum(axis=1) / seen.sum(axis=1) - 1.0) for days in (model(known.stated), found.days))
    assert before.max() > 0.2
    assert after.max() < 0.01


def test_flow_and_fresh_share_of_a_booth_are_not_told_apart() -> None:
    (group,) = groups.groups(PLANT, SEEN)
    given = tuple(one for one in knobs(group.utilities) if one.key in ("supply_m3_per_h", "recirculated_fraction"))
    model = groups.model(group, given, drive(60))
    known = Known(*(np.array([getattr(one, name) for one in given]) for name in ("stated", "spread", "low", "high")))
    real = model(np.array([50_000.0, 0.4]))
    found = estimate.fit(model, known, real * (1.0 + np.random.default_rng(2).normal(0.0, 0.08, real.shape)))
    assert WEAK in found.states
    fresh = found.x[0] * (1.0 - found.x[1])
    assert fresh == pytest.approx(50_000.0 * 0.6, rel=0.05)


def test_a_booth_is_run_again_only_when_it_changed() -> None:
    """What is kept of booths gives what a run from the beginning gives."""
    (group,) = groups.groups(PLANT, SEEN)
    given = knobs(group.utilities)
    driven = drive(20)
    model = groups.model(group, given, driven)
    stated = np.array([one.stated for one in given])
    for place in (0, len(given) - 1, 0):
        moved = stated.copy()
        moved[place] *= 0.9
        assert model(moved) == pytest.approx(
            groups.days(group, turned(group.utilities, given, tuple(moved)), driven), rel=1e-12
        )
    assert model(stated) == pytest.approx(groups.days(group, group.utilities, driven), rel=1e-12)


def test_what_hangs_together_is_fitted_together() -> None:
    ovens = tuple(
        Oven(
            name,
            NAME,
            None,
            ("s",),
            160.0,
            120.0,
            150.0,
            30.0,
            5.0,
            4.0,
            9000.0,
            400.0,
            200.0,
            0.49,
            900.0,
            0.85,
            8.0,
            25.0,
        )
        for name in ("o1", "o2")
    )
    rtos = tuple(Oxidiser(f"r{n}", NAME, None, (f"o{n}",), 780.0, 0.92, 900.0, 50.0, fan_kw=40.0) for n in (1, 2))
    hall = Hall("hall", NAME, None, 5.0, 100.0, heat_from="hot", cool_from="cold", heat_celsius=18.0, heat_kw=100.0)
    one = Utilities(
        10.8, booths=(CABIN,), ovens=ovens, oxidisers=rtos, halls=(hall,), loops=(COLD, Loop("hot", NAME, True, 70.0, 50.0)),
        loads=(Load("bath", "hot", 10.0, 5.0),), chillers=(CHILLER,), heaters=(Heater("b", NAME, None, "hot", "gas", 200.0),),
    )  # fmt: skip
    meters = {
        ("o1", "natural_gas"): ("G1",), ("r1", "electricity"): ("ER",), ("r2", "electricity"): ("ER",),
        ("chiller", "electricity"): ("C",), ("hall", HEATING): ("H",),
    }  # fmt: skip
    found = groups.groups(one, groups.joined(one, meters))
    assert [set(group.ids) for group in found] == [
        {"cabin", "hall", "cold", "hot", "bath", "chiller", "b"},
        {"o1", "o2", "r1", "r2"},
    ]
    assert Gauge(("ER",), (("r1", "electricity"), ("r2", "electricity"))) in found[1].gauges
    apart = groups.groups(replace(one, oxidisers=()), groups.joined(one, {("o1", "natural_gas"): ("G1",)}))
    assert [group.ids for group in apart] == [("o1",)]


def test_sources_of_one_loop_are_compared_together() -> None:
    two = replace(PLANT, chillers=(CHILLER, replace(CHILLER, id="second")))
    found = groups.joined(two, {("chiller", "electricity"): ("C1",), ("second", "electricity"): ("C2",)})
    assert found == (Gauge(("C1", "C2"), (("chiller", "electricity"), ("second", "electricity"))),)


def test_every_range_is_of_a_figure_that_is_there_and_says_where_it_is_from() -> None:
    kinds = {"booths": Booth, "ovens": Oven, "oxidisers": Oxidiser, "halls": Hall, "loops": Loop, "loads": Load, "chillers": Chiller, "heaters": Heater}  # fmt: skip
    for one in ranges():
        assert one.key.partition(".")[0] in {field.name for field in fields(kinds[one.table])}, one.key
        assert one.low < one.high
        assert one.spread > 0.0
        assert one.source
        assert one.status in ("verified", "secondary", "placeholder")
        assert one.per in ("", "self", "design")
        assert one.title.zh != one.title.en


def test_figures_are_set_and_what_is_not_there_is_not_fitted() -> None:
    given = knobs(PLANT, [("loops", "cold", "loss_kw")])
    keys = {(one.table, one.key) for one in given}
    assert ("loops", "loss_kw") not in keys
    assert ("booths", "flow_fraction.standby") not in keys
    bare = knobs(Utilities(10.8, booths=(replace(CABIN, recirculated_fraction=0.0, flow_fraction={}),)))
    assert {"recirculated_fraction", "flow_fraction.off"}.isdisjoint({one.key for one in bare})
    values = [one.stated + 0.1 * one.spread for one in given]
    made = turned(PLANT, given, values)
    rows: dict[str, object] = {row.id: row for row in made.booths} | {row.id: row for row in made.chillers}
    assert [value_of(rows[one.id], one.key) for one in given] == pytest.approx(values)
    assert made.booths[0].rest == CABIN.rest


def test_edges_of_a_window_that_cross_meet_in_the_middle() -> None:
    given = tuple(one for one in knobs(PLANT) if one.key.startswith("window."))
    window = turned(PLANT, given, [24.0, 20.0]).booths[0].window
    assert (window.low_celsius, window.high_celsius) == (22.0, 22.0)
