"""Losses of pieces: kilograms kept to the gram, intervals of counts against closed forms, points and thresholds against hand-made cases."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import chi2

from zerofactory.errors import Misuse, NotFound
from zerofactory.optimisation.quality.counted import counted
from zerofactory.optimisation.quality.decision import Prices, Scores, at, best, curve, share
from zerofactory.optimisation.quality.loss import (
    Added,
    Fate,
    Loss,
    Material,
    Part,
    Rework,
    Step,
    reworked,
    scrapped,
    totals,
)
from zerofactory.optimisation.quality.measure import rate
from zerofactory.optimisation.quality.points import POINT, Cost, Each, Shares, Stage, escaped, points
from zerofactory.optimisation.quality.recovery import rate_of, rates

SHEET = Material("sheet", "sold", 0.9)
ALLOY = Material("alloy", "remelted", 0.95, 0.2, 0.08)
PAINT = Material("paint", "disposed", 0.5)
METALS = {one.id: one for one in (SHEET, ALLOY, PAINT)}
BODY = Part(
    "body",
    (
        Step("press", "stamping", (Added("sheet", 6.0, 0.6),), 2.0),
        Step("weld", "body", (Added("alloy", 3.0, 0.75),), 1.5),
        Step("spray", "paint", (Added("paint", 0.5, 0.5),), 4.0, 0.25),
    ),
)
FATES: tuple[Fate, ...] = ("sold", "returned", "remelted", "disposed")


def test_a_piece_takes_what_its_stations_took_until_it_was_scrapped() -> None:
    early = scrapped(BODY, "press", METALS)
    assert early.put_in_kg == {"sheet": pytest.approx(10.0)}
    assert early.bought_kg == {"sheet": pytest.approx(10.0)}
    assert early.recovered_kg["sheet"] == pytest.approx(9.0)
    assert early.kwh == pytest.approx(2.0)
    late = scrapped(BODY, "spray", METALS)
    assert late.put_in_kg["alloy"] == pytest.approx(4.0)
    assert late.bought_kg["alloy"] == pytest.approx(4.0 * 0.05)
    # the alloy is melted again: 3.8 kg come back, each with 0.2 kWh and 0.08 Nm3
    assert late.kwh == pytest.approx(2.0 + 1.5 + 4.0 + 3.8 * 0.2)
    assert late.nm3 == pytest.approx(0.25 + 3.8 * 0.08)
    assert late.lost_kg["paint"] == pytest.approx(1.0)
    assert late.recovered_kg.get("paint", 0.0) == 0.0


@given(
    some.sampled_from(FATES),
    some.floats(0.0, 1.0),
    some.floats(0.01, 500.0),
    some.floats(0.05, 1.0),
    some.integers(0, 10_000),
)
def test_kilograms_are_conserved(fate: Fate, recovery: float, mass: float, kept: float, count: int) -> None:
    metals = {"m": Material("m", fate, recovery, 0.1, 0.1)}
    part = Part("p", (Step("s", "shop", (Added("m", mass, kept),), 1.0),))
    mended = reworked(Rework("r", "shop", 5.0, 1.0, 0.0, (Added("m", mass, kept),)), metals)
    for one in (scrapped(part, "s", metals).times(count), mended.times(count)):
        into = sum(one.put_in_kg.values())
        out = sum(one.kept_kg.values()) + sum(one.recovered_kg.values()) + sum(one.lost_kg.values())
        assert into == pytest.approx(out, rel=1e-9, abs=1e-9)
        assert sum(one.bought_kg.values()) <= into * (1 + 1e-9)
    assert mended.kept_kg["m"] == pytest.approx(mass)


def test_mended_pieces_keep_what_is_put_on_them() -> None:
    one = reworked(Rework("respray", "paint", 70.0, 45.0, 8.0, (Added("paint", 0.9, 0.5),)), METALS)
    assert (one.minutes, one.kwh, one.nm3) == (70.0, 45.0, 8.0)
    assert one.put_in_kg["paint"] == pytest.approx(1.8)
    assert one.kept_kg["paint"] == pytest.approx(0.9)
    assert one.bought_kg["paint"] == pytest.approx(1.8)


def test_sums_are_those_of_the_pieces() -> None:
    one, other = scrapped(BODY, "press", METALS), scrapped(BODY, "spray", METALS)
    both = totals([one.times(3), other.times(2)])
    assert both.mass_kg == pytest.approx(3 * one.mass_kg + 2 * other.mass_kg)
    assert both.kwh == pytest.approx(3 * one.kwh + 2 * other.kwh)
    assert totals([]) == Loss()


@pytest.mark.parametrize("number", [0, 1, 7, 250])
def test_one_weight_has_the_exact_interval_of_a_count(number: int) -> None:
    found = counted([number], [2.5], 0.9)
    low = 0.0 if number == 0 else 2.5 * chi2.ppf(0.05, 2 * number) / 2
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(2.5 * chi2.ppf(0.95, 2 * number + 2) / 2)
    split = counted([number, 0], [2.5, 2.5], 0.9)
    assert (split.low, split.high) == (pytest.approx(found.low), pytest.approx(found.high))


def test_the_interval_of_a_weighted_sum_holds_what_it_promises() -> None:
    """Two kinds of pieces, one rare and heavy: at least 95 % of repeated periods' intervals hold the expected sum."""
    random = np.random.default_rng(3)
    means, weights = np.array([20.0, 1.5]), [1.0, 30.0]
    expected = float(means @ np.array(weights))
    held = [
        one.low <= expected <= one.high
        for counts in random.poisson(means, (600, 2))
        for one in [counted([int(n) for n in counts], weights)]
    ]
    assert np.mean(held) >= 0.95


def test_pieces_that_save_turn_the_interval_around() -> None:
    saves, costs = counted([10], [-2.0]), counted([10], [2.0])
    assert (saves.value, saves.low, saves.high) == (-costs.value, -costs.high, -costs.low)
    mixed = counted([10, 10], [2.0, -1.0])
    assert mixed.low < mixed.value == 10.0 < mixed.high
    with pytest.raises(Misuse):
        counted([1, -1])


def test_an_escape_costs_the_chances_of_the_stages() -> None:
    stages = [
        Stage("weld", 0.5, Cost(1.0, 10.0)),
        Stage("paint", 0.8, Cost(5.0, 100.0)),
        Stage("user", 1.0, Cost(20.0, 2000.0)),
    ]
    found = escaped(stages)
    assert found.cny == pytest.approx(0.5 * 10 + 0.5 * 0.8 * 100 + 0.5 * 0.2 * 1 * 2000)
    assert found.kgco2e == pytest.approx(0.5 * 1 + 0.4 * 5 + 0.1 * 20)
    later = escaped([Stage("weld", 0.0, Cost(1.0, 10.0)), *stages[1:]])
    assert later.cny > found.cny  # what the first stage does not find is found dearer


def test_points_by_hand() -> None:
    each = Each(Cost(2.0, 50.0, 10.0), Cost(0.5, 8.0), Cost(1.0, 20.0), Cost(6.0, 320.0), Cost(0.1, 3.0))
    found = points(9500.0, Shares(0.05, 0.10), each)
    started = 9500 / 0.95  # ten thousand
    assert found["scrap"].cny == pytest.approx(50 * 9500 * (1 / 0.94 - 1 / 0.95))
    assert found["scrap"].mass_kg == pytest.approx(10 * 9500 * (1 / 0.94 - 1 / 0.95))
    assert found["rework"].cny == pytest.approx(8 * started * POINT)
    assert found["escape"].cny == pytest.approx(started * 0.10 * POINT * 300)
    assert found["false_reject"].kgco2e == pytest.approx(started * 0.90 * POINT * 0.1)
    assert set(points(9500.0, Shares(0.0, 0.0), Each(Cost(), None, Cost(), None, None))) == {"scrap"}
    with pytest.raises(Misuse):
        points(10.0, Shares(0.995, 1.0), each)


def test_the_threshold_of_two_normal_kinds_is_where_the_closed_form_puts_it() -> None:
    """Scores N(0, 1) and N(2, 1): t* = 1 + ln((1 − p)·c_false / (p·(c_escape − c_found))) / 2 (Metz 1978)."""
    random = np.random.default_rng(11)
    good, bad = random.normal(0.0, 1.0, 40_000), random.normal(2.0, 1.0, 40_000)
    prices = Prices(0.05, 400.0, 20.0, 5.0)
    found = best(Scores.of(good, bad), prices)
    closed = 1.0 + log(0.95 * 5.0 / (0.05 * 380.0)) / 2.0
    assert found.threshold == pytest.approx(closed, abs=0.12)
    assert found.cost <= at(closed, Scores.of(good, bad), prices).cost
    assert found.cost_low <= found.cost <= found.cost_high


def test_the_best_threshold_is_the_best_of_all() -> None:
    random = np.random.default_rng(4)
    good, bad = random.normal(0.0, 1.0, 60), random.normal(1.0, 1.0, 25)
    prices = Prices(0.2, 90.0, 10.0, 7.0)
    found = best(Scores.of(good, bad), prices)
    tried = [at(one, Scores.of(good, bad), prices).cost for one in np.linspace(-4.0, 5.0, 901)]
    assert found.cost <= min(tried) + 1e-9
    assert dict(curve(Scores.of(good, bad), prices))[found.threshold] == pytest.approx(found.cost)


def test_dear_escapes_reject_everything_and_cheap_ones_are_refused() -> None:
    good, bad = np.array([0.1, 0.2]), np.array([0.15, 0.9])
    assert best(Scores.of(good, bad), Prices(0.5, 1e9, 0.0, 1.0)).escape.value == 0.0
    assert best(Scores.of(good, bad), Prices(1e-6, 2.0, 1.0, 1e6)).false_reject.value == 0.0
    with pytest.raises(Misuse):
        best(Scores.of(good, bad), Prices(0.5, 1.0, 2.0, 1.0))
    with pytest.raises(Misuse):
        best(Scores.of(good, np.array([])), Prices(0.5, 3.0, 2.0, 1.0))


def test_parts_looked_at_by_chance_stand_for_those_that_were_not() -> None:
    """Every rejected part is looked at, of the passed ones a tenth: with weights the true escapes come out, without them far too few."""
    random = np.random.default_rng(21)
    good, bad = random.normal(0.0, 1.0, 90_000), random.normal(1.5, 1.0, 10_000)
    limit = 1.0

    def looked(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        passed = scores <= limit
        kept = ~passed | (random.random(len(scores)) < 0.1)
        return scores[kept], np.where(passed[kept], 10.0, 1.0)

    (some_good, good_weight), (some_bad, bad_weight) = looked(good), looked(bad)
    seen = Scores(some_good, some_bad, good_weight, bad_weight)
    true = float((bad <= limit).mean())
    found = at(limit, seen, Prices(0.1, 100.0, 10.0, 1.0)).escape
    assert found.low <= true <= found.high
    assert found.value == pytest.approx(true, rel=0.08)
    assert at(limit, Scores.of(some_good, some_bad), Prices(0.1, 100.0, 10.0, 1.0)).escape.high < true
    assert seen.defective_fraction == pytest.approx(0.1, rel=0.05)
    equal = share(np.array([True] * 3 + [False] * 17), np.full(20, 4.0))
    exact = rate(3, 20)
    assert (equal.value, equal.low, equal.high) == (exact.value, pytest.approx(exact.low), pytest.approx(exact.high))


def test_every_rate_of_recovery_says_where_it_is_from() -> None:
    for one in rates():
        assert one.source
        assert one.status in ("verified", "secondary", "placeholder")
        assert (one.fraction is None) == bool(one.factor)
        assert one.of.zh
        assert one.of.en
        if one.low is not None and one.high is not None and one.fraction is not None:
            assert 0.0 < one.low <= one.fraction <= one.high <= 1.0
    assert rate_of("cobalt", "sold").factor == "deck.como_recovery"
    with pytest.raises(NotFound):
        rate_of("tin", "sold")
