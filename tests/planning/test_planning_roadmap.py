"""The roadmap against every possible plan tried one by one, and against arithmetic by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import numpy as np
import pytest
from tests.planning.toys import Toy

from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.planning import lever, model, roadmap
from zerofactory.planning.limit import Limit
from zerofactory.planning.portfolio import Floats, Portfolio
from zerofactory.planning.roadmap import Goal, Question

Make = Callable[..., Portfolio]
BASE_T = (1_000_000 * 2_000 + 2_000_000 * 500) / 1e6  # 2000 t of gas, 1000 t of power
TITLE = Text("目标", "goal")


def _goal(limits: Mapping[int, float], scopes: tuple[int, ...] = (1, 2), regime: str = "market_annual") -> Goal:
    return Goal("g", TITLE, regime, scopes, {year: int(t * 1e6) for year, t in limits.items()})


def _all_plans(portfolio: Portfolio) -> Iterator[Floats]:
    """Yield every way to start (or never start) each option, as option × year."""
    years = len(portfolio.years)
    for starts in product(range(years + 1), repeat=len(portfolio.options)):
        on = np.array([[1.0 if y >= start else 0.0 for y in range(years)] for start in starts])
        yield on


def _best(portfolio: Portfolio, question: Question) -> float:
    """Return the least cost over every plan that keeps all wishes (without contracts)."""
    wishes = roadmap.wishes_of(portfolio, question)
    none = np.zeros((0, len(portfolio.years)))
    best = float("inf")
    for on in _all_plans(portfolio):
        w = portfolio.residuals(on)
        if any(
            row.figure.value(on, w, none)[portfolio.years.index(row.year)] > row.bound + 1e-3 for row in wishes.rows
        ):
            continue
        begun = np.diff(on, axis=1, prepend=0.0)
        paid = dict.fromkeys(portfolio.years, 0.0)
        for m in range(len(portfolio.options)):
            for y, year in enumerate(portfolio.years):
                if begun[m, y]:
                    for at in model.payments(portfolio, m, year):
                        paid[at] += model.investment(portfolio, m, at)
        if any(paid[year] > budget + 1e-6 for year, budget in question.budgets_cny.items()):
            continue
        if any(_early(portfolio, on)):
            continue
        clash = any(
            on[m, y] and on[k, y]
            for m, one in enumerate(portfolio.options) for k, other in enumerate(portfolio.options)
            for y in range(len(portfolio.years)) if other.id in one.measure.excludes
        )  # fmt: skip
        if clash:
            continue
        best = min(best, roadmap.total_cost(portfolio, wishes, question, (on, w, none)))
    return best


def _early(portfolio: Portfolio, on: Floats) -> Iterator[bool]:
    for m, option in enumerate(portfolio.options):
        for y, year in enumerate(portfolio.years):
            yield bool(on[m, y] and year < option.earliest)


CASES = {
    "shared oven": [
        Toy("a", (("oven", 0.3),), capex=300_000.0), Toy("b", (("oven", 0.25), ("boiler", 0.1)), capex=260_000.0),
        Toy("c", (("oven", 0.4),), adds_kwh=2.0, capex=350_000.0, kind="electrification"), Toy("d", (("boiler", 0.5),), capex=410_000.0),
    ],
    "short lives": [
        Toy("a", (("fans", 0.2),), capex=90_000.0, life=2, lead=1), Toy("b", (("fans", 0.3), ("oven", 0.1)), capex=200_000.0, life=1),
        Toy("c", (("boiler", 0.6),), capex=333_000.0, opex=5_000.0, life=5),
    ],
    "either or": [
        Toy("a", (("boiler", 0.9),), capex=500_000.0, excludes=("b",)), Toy("b", (("boiler", 0.6),), capex=200_000.0, excludes=("a",)),
        Toy("c", (("oven", 0.2),), capex=150_000.0, opex=-20_000.0, earliest=2027), Toy("d", fixed_kwh=-400_000.0, capex=240_000.0, kind="renewable"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("limits", [{2028: 2600.0}, {2026: 2950.0, 2027: 2700.0, 2028: 2400.0}, {2028: 2150.0}])
def test_the_program_finds_what_trying_everything_finds(make: Make, name: str, limits: dict[int, float]) -> None:
    portfolio = make(CASES[name], rate=0.06, carbon=80.0, gas_cny=0.3, power_cny=0.05)
    question = Question("market_annual", (_goal(limits),), gap_fraction=1e-9)
    best = _best(portfolio, question)
    found = roadmap.plan(portfolio, question)
    assert found.kept == np.isfinite(best)
    if found.kept:
        assert found.bill_cny == pytest.approx(best, abs=1.0)
        assert found.report.objective / model.CNY == pytest.approx(best, abs=1.0)
        assert found.report.bound <= found.report.objective + 1e-6


@pytest.mark.parametrize("budget", [280_000.0, 400_000.0])
def test_budgets_of_each_year_hold_and_the_best_plan_within_them_is_found(make: Make, budget: float) -> None:
    portfolio = make(CASES["shared oven"], rate=0.06)
    question = Question(
        "market_annual",
        (_goal({2028: 2700.0}),),
        budgets_cny=dict.fromkeys((2026, 2027, 2028), budget),
        gap_fraction=1e-9,
    )
    best = _best(portfolio, question)
    found = roadmap.plan(portfolio, question)
    assert found.kept == np.isfinite(best)
    if found.kept:
        assert found.bill_cny == pytest.approx(best, abs=1.0)
        assert max(found.investment_cny().values()) <= budget


def test_shared_savings_are_multiplied(make: Make) -> None:
    """Oven gas 600 000 Nm3: 30 % and then 25 % of the rest leave 0.7 x 0.75 = 52.5 %, not 45 %."""
    portfolio = make([Toy("a", (("oven", 0.3),)), Toy("b", (("oven", 0.25),))])
    on = np.ones((2, 3))
    gas = portfolio.amounts(on, np.zeros((0, 3)))[0]
    assert gas.tolist() == pytest.approx([400_000.0 + 600_000.0 * 0.525] * 3)


def test_electric_heat_takes_over_only_what_efficiency_left(make: Make) -> None:
    """30 % saved first; 40 % of the remaining 420 000 Nm3 at 2 kWh each are 336 000 kWh, not 480 000."""
    portfolio = make([Toy("a", (("oven", 0.3),)), Toy("c", (("oven", 0.4),), adds_kwh=2.0, kind="electrification")])
    amounts = portfolio.amounts(np.ones((2, 3)), np.zeros((0, 3)))
    assert amounts[1].tolist() == pytest.approx([2_336_000.0] * 3)
    assert amounts[0].tolist() == pytest.approx([400_000.0 + 600_000.0 * 0.7 * 0.6] * 3)


def test_contracts_cover_just_what_a_target_needs_in_whole_mwh(make: Make) -> None:
    """500 t of 1000 t of power have to go: 1000 MWh at 0.5 t each."""
    portfolio = make([], contract=30.0)
    found = roadmap.plan(portfolio, Question("market_annual", (_goal({2028: 2500.0}),)))
    assert found.covers_mwh.tolist() == [[0.0, 0.0, 1000.0]]
    assert found.path("market_annual", (1, 2))[2] == pytest.approx(2500e6)
    assert found.path("location", (1, 2))[2] == pytest.approx(
        BASE_T * 1e6
    )  # a certificate never moves the location view


def test_contracts_never_exceed_what_is_purchased(make: Make) -> None:
    portfolio = make([], contract=1.0, carbon=1000.0)
    found = roadmap.plan(portfolio, Question("market_annual"))
    assert found.covers_mwh.tolist() == [[2000.0] * 3]


def test_emissions_never_rise_when_asked(make: Make) -> None:
    """A contract is worth it only while carbon is dear; steady keeps it on."""
    portfolio = make([], contract=30.0)
    goal = _goal({2026: 2500.0})
    falling = roadmap.plan(portfolio, Question("market_annual", (goal,)))
    assert falling.covers_mwh.tolist() == [[1000.0, 0.0, 0.0]]
    steady = roadmap.plan(portfolio, Question("market_annual", (goal,), steady=True))
    assert steady.covers_mwh.tolist() == [[1000.0, 1000.0, 1000.0]]


def test_what_clashes_is_named_and_the_nearest_plan_shown(make: Make) -> None:
    """Scope 1 can fall to 1400 t at most; 1200 in 2028 and 1900 in 2026 without lead time: only the first is impossible."""
    portfolio = make([Toy("a", (("oven", 0.5),), capex=1e5)])
    impossible = Goal("deep", TITLE, "market_annual", (1,), {2028: 1_200_000_000})
    easy = Goal("easy", TITLE, "market_annual", (1, 2), {2026: 2_990_000_000})
    found = roadmap.plan(portfolio, Question("market_annual", (impossible, easy)))
    assert found.clash == ("deep:2028",)
    assert [(b.group, b.wanted, b.reached) for b in found.breaches] == [("deep:2028", 1200.0, pytest.approx(1400.0))]
    assert found.starts["a"] == 2026  # the nearest plan takes what there is and keeps the rest


def test_a_budget_that_is_too_small_is_part_of_the_clash(make: Make) -> None:
    portfolio = make([Toy("a", (("oven", 0.5),), capex=1e6)])
    question = Question("market_annual", (_goal({2028: 2500.0}),), budgets_cny=dict.fromkeys((2026, 2027, 2028), 1e5))
    found = roadmap.plan(portfolio, question)
    assert set(found.clash) == {"g:2028", "budget"}
    assert max(found.investment_cny().values()) <= 1e5
    wider = roadmap.plan(
        portfolio, Question("market_annual", (_goal({2028: 2500.0}),), budgets_cny={2026: 1e6, 2027: 0.0, 2028: 0.0})
    )
    assert wider.kept
    assert wider.starts == {"a": 2026}


def test_lead_time_and_renewals_are_paid_when_they_fall_due(make: Make) -> None:
    portfolio = make([Toy("a", (("fans", 0.5),), capex=100.0, life=2, lead=1)], years=range(2026, 2033))
    assert model.payments(portfolio, 0, 2027) == [2026, 2029, 2031]
    worth = model.capital(portfolio)
    assert worth[0, 1] == pytest.approx(300.0)  # three payments, the last life ends with the plan
    assert worth[0, 6] == pytest.approx(100.0 - 50.0)  # on in 2032: one year of two is left over


@pytest.mark.parametrize(
    ("indicator", "value", "direction"),
    [("emissions_12", 2500.0, "at_most"), ("emissions_per_vehicle", 2600.0, "at_most"), ("renewable_fraction", 0.4, "at_least"),
     ("energy_per_vehicle", 1480.0, "at_most"), ("emissions_per_tce", 1.6, "at_most"), ("emissions_1", 1700.0, "at_most")],
)  # fmt: skip
def test_every_lever_is_kept_in_its_own_unit(make: Make, indicator: str, value: float, direction: str) -> None:
    portfolio = make(CASES["shared oven"], contract=30.0)
    unit = lever.lever(indicator).unit
    limit = Limit(indicator, value, unit, direction, TITLE, 2028)  # type: ignore[arg-type]
    before = lever.value(portfolio, indicator, "market_annual", (np.zeros((4, 3)), np.zeros((1, 3))))[2]
    assert not limit.met_by(float(before)), "the limit must bite"
    found = roadmap.plan(portfolio, Question("market_annual", limits=(limit,)))
    assert found.kept
    after = lever.value(portfolio, indicator, "market_annual", (found.on, found.covers_mwh))[2]
    assert limit.distance(float(after)) <= abs(value) * 1e-6


def test_a_limit_in_another_unit_or_of_another_indicator_is_refused(make: Make) -> None:
    portfolio = make([])
    with pytest.raises(FaultyData):
        lever.rows(portfolio, Limit("emissions_12", 1.0, "kgCO2e", "at_most", TITLE), "market_annual")
    with pytest.raises(NotFound) as unknown:
        lever.rows(portfolio, Limit("voc", 1.0, "kg", "at_most", TITLE), "market_annual")
    assert "emissions_12" in unknown.value.choices
    with pytest.raises(FaultyData):
        lever.rows(portfolio, Limit("emissions_12", 1.0, "tCO2e", "at_most", TITLE, 2099), "market_annual")


def test_the_same_question_gives_the_same_plan(make: Make) -> None:
    portfolio = make(CASES["either or"], contract=20.0, rate=0.05)
    question = Question("market_annual", (_goal({2027: 2500.0, 2028: 2000.0}),))
    one, two = roadmap.plan(portfolio, question), roadmap.plan(portfolio, question)
    assert one.starts == two.starts
    assert one.covers_mwh.tolist() == two.covers_mwh.tolist()


def test_a_decided_start_stays_and_a_latest_start_binds(make: Make) -> None:
    """A dear measure that was decided is on from its year; a cheap one whose time has passed is not begun."""
    from dataclasses import replace

    portfolio = make([Toy("a", (("oven", 0.3),), capex=9e6), Toy("b", (("boiler", 0.5),), capex=-1e5, earliest=2028)])
    decided = replace(portfolio.options[0], fixed_start=2027, earliest=2027)
    too_late = replace(portfolio.options[1], latest=2027)
    found = roadmap.plan(replace(portfolio, options=(decided, too_late)), Question("market_annual"))
    assert found.starts == {"a": 2027}
    assert roadmap.plan(portfolio, Question("market_annual")).starts == {"b": 2028}


def test_growth_of_the_plant_scales_what_grows_and_not_the_contracts(make: Make) -> None:
    from dataclasses import replace

    portfolio = replace(make([], contract=1.0), volume=np.array([1.0, 1.5, 2.0]))
    nothing = portfolio.amounts(np.zeros((0, 3)), np.full((1, 3), 7.0))
    assert nothing.tolist() == [[1e6, 1.5e6, 2e6], [2e6, 3e6, 4e6], [7.0, 7.0, 7.0]]
