"""Costs of scenarios at their edges: nights into holidays, long weeks, shared pools, whole months, what is missing, closed forms."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.runs.test_runs_twin_cost import COSTS, DEMAND, cny, costs, plant_of, priced
from tests.runs.test_runs_twin_scenarios import DAYS, ONE, TWO, made, scenario

from zerofactory.assets.grid import Grid
from zerofactory.errors import FaultyData
from zerofactory.optimisation.energy.finance import npv_cny
from zerofactory.periods import Period
from zerofactory.runs import twin, twin_basic, twin_compare, twin_cost_words, twin_scenario
from zerofactory.runs.context import Context
from zerofactory.runs.twin_labour import Days, Hours, Stay, Wage, hours_of
from zerofactory.site.model import Calendar
from zerofactory.web.twin_costs import stacks

HOUR_S = 3600.0
WEEK = twin.Asked(date(2025, 3, 10), days=7, warm_up_days=1, runs=1)
SIX_DAYS = ("[calendar]\n", "[calendar]\nweekdays = [1, 2, 3, 4, 5, 6]\n")
HALF = {"one": {"draws": {"electricity": {"power": {"working": 50}}}}}


@pytest.fixture
def one(tmp_path: Path) -> Context:
    """Return a plant of one station that makes a piece a minute, with a wage and five people at it."""
    return priced(made(tmp_path / "plant", ONE))


def test_a_night_into_a_holiday_is_paid_by_the_clock() -> None:
    """1 and 2 May 2025 are statutory: six of the eight hours from 22:00 on 30 April are theirs, and two of those from 2 May."""
    wage, over = Wage(40.0), Days(date(2025, 4, 30), 4)
    into = Stay(date(2025, 4, 30), 0, 22 * HOUR_S, 30 * HOUR_S)
    assert hours_of(into, Calendar(), wage, over) == Hours(ordinary=2.0, holiday=6.0)
    out = Stay(date(2025, 5, 2), 0, 70 * HOUR_S, 78 * HOUR_S)
    assert hours_of(out, Calendar(), wage, over) == Hours(ordinary=6.0, holiday=2.0), "a Friday's night, no rest day"
    late = Stay(date(2025, 4, 30), 0, 15 * HOUR_S, 23 * HOUR_S, 2 * HOUR_S)
    assert hours_of(late, Calendar(), wage, over) == Hours(ordinary=8.0, overtime=1.0, holiday=1.0)
    rested = Wage(40.0, unpaid_break_h_per_shift=1.0)
    assert hours_of(into, Calendar(), rested, over) == Hours(ordinary=1.75, holiday=5.25), "the break is in both"


def test_work_on_rest_days_counts_among_the_hours_of_article_41(one: Context) -> None:
    """A Saturday of ten hours is 43 h a month, one of eight 35 h."""
    for end, told in (("17:00", True), ("15:00", False)):
        saturday = [{"weekdays": [6], "times": [["07:00", end]]}]
        assert ["36 h" in note.zh for note in costs(one, WEEK, shifts=saturday).notes] == [True] * told


def test_a_week_beyond_forty_ordinary_hours_is_said(one: Context) -> None:
    """Six days of eight hours by the calendar are 48 ordinary hours; with rest days stated the sixth is paid twice."""
    six = plant_of(one, SIX_DAYS)
    found = costs(six, WEEK, overtime_h=0.0)
    assert cny(found, "labour")[0] == 5 * 40 * 48.0
    assert ["40 h" in note.zh for note in found.notes] == [True]
    found = costs(priced(six, COSTS.replace("cny_per_h = 40", "cny_per_h = 40\nrest_weekdays = [6, 7]")), WEEK, overtime_h=0.0)  # fmt: skip
    assert cny(found, "labour")[0] == 5 * 40 * (40 + 2 * 8.0)
    assert found.notes == ()


def test_a_pool_of_two_stations_is_paid_once_where_their_shifts_overlap(tmp_path: Path) -> None:
    """Three people serve 07-15 and 11-17: ten hours a day, not fourteen."""
    two = priced(made(tmp_path / "plant", TWO), COSTS.replace("one = 5", "a = 2, z = 0"))
    team = {"operators": {"pool": "team", "number": 1}}
    shifts = [{"stations": ["z"], "times": [["11:00", "17:00"]]}]
    found = costs(two, stations={"a": team, "z": team}, add={"pools": [{"id": "team", "number": 3}]}, shifts=shifts)
    assert found.labour is not None
    crew = next(crew for crew in found.labour[1].crews if crew.place == "team")
    assert crew.hours == Hours(ordinary=3 * 2 * 10.0)
    assert any("both paid: a." in note.en for note in found.notes), "nobody is at z besides the pool"
    same = costs(two, stations={"a": team, "z": team}, add={"pools": [{"id": "team", "number": 3}]}, overtime_h=1.0, shifts=[{"stations": ["z"], "times": [["07:00", "15:00"], ["15:00", "23:00"]]}])  # fmt: skip
    assert same.labour is not None
    crew = next(crew for crew in same.labour[1].crews if crew.place == "team")
    assert crew.hours == Hours(ordinary=3 * 2 * 16.0, overtime=3 * 2 * 1.0), "the late shift covers the early overtime"


def test_people_whom_only_the_scenario_states_are_told(tmp_path: Path) -> None:
    two = priced(made(tmp_path / "plant", TWO), COSTS.replace("one = 5", "a = 2"))
    notes = [note.en for note in costs(two, labour={"people": {"z": 3}}).notes]
    assert notes == ["costs.toml does not say who stands there as the plant is, so all people of the scenario count as more: z."]  # fmt: skip
    priced(two, "")
    found = costs(two, labour={"people": {"z": 3}, "cny_per_h": 40.0})
    assert "costs.toml" in found.left_out["labour"].zh


def test_a_month_that_is_simulated_whole_has_its_own_peak(one: Context) -> None:
    """100 kW all January and 50 kW all February are charged as such; of one day of March nothing is known but the year's highest."""
    tariff = twin_basic.two_part(one)
    assert tariff is not None
    own, _ = twin_basic.terms_of(one, None)
    grid = Grid(Grid.of_period(Period.parse("2025-01"), 15).start, 15, 60 * 96)
    load = np.repeat([25.0, 12.5, 2.5], [31 * 96, 28 * 96, 96])
    charge = twin_basic.charge_cny(tariff, own, grid, load, whole_plant=False)
    assert charge == pytest.approx((100 + 50 + 100 / 31) * DEMAND, abs=0.01)


def test_what_the_basic_charge_lacks_leaves_it_out_and_the_rest_stands(one: Context) -> None:
    """A comparison that ran before there were costs still runs."""
    priced(one, COSTS + '[basic]\nload = "plant"\n')
    found = costs(one, overtime_h=0.0)
    assert "读数" in found.left_out["basic"].zh
    assert [row.kind for row in found.rows] == ["energy", "labour", "total"]
    terms = ('carry = "2026-08"', 'carry = "2026-08"\ndemand_basis = "contract"')
    assert "contract_demand_kw" in costs(plant_of(priced(one), terms), overtime_h=0.0).left_out["basic"].en
    gas = ONE + "draws.natural_gas = { power = { working = 1 } }\n"
    (one.workspace.folder / "twin.toml").write_text(gas, encoding="utf-8")
    found = costs(plant_of(one, ('carry = "2026-08"\n', "")), overtime_h=0.0)
    assert (found.left_out["basic"].en, "energy" in found.left_out) == ("the tariff has no price of 2025-01", True)


def test_a_plan_that_cannot_be_read_is_not_called_a_plan_without_a_price(one: Context) -> None:
    assert costs(one, overtime_h=0.0).left_out["carbon"].en == "there is no plan"
    (one.workspace.folder / "plan.toml").write_text("[plan]\n", encoding="utf-8")
    assert costs(one, overtime_h=0.0).left_out["carbon"].en == "plan.toml has faults"


def test_faults_of_people_stand_once_at_their_number(one: Context) -> None:
    for people, column in (("[5, -3]", "crews.people.one#2"), ("[]", "crews.people.one"), ("-5", "crews.people.one"), ('"five"', "crews.people.one")):  # fmt: skip
        priced(one, COSTS.replace("one = 5", f"one = {people}"))
        with pytest.raises(FaultyData) as caught:
            twin_scenario.checked(one, [scenario(overtime_h=1.0)], date(2025, 1, 6), 2)
        assert [(problem.file, problem.column) for problem in caught.value.problems] == [("costs.toml", column)]
    shifts = ('end = "15:00:00" }]', 'end = "15:00:00" }, { name = { zh = "中", en = "late" }, start = "15:00:00", end = "19:00:00" }, { name = { zh = "晚", en = "night" }, start = "19:00:00", end = "23:00:00" }]')  # fmt: skip
    three = plant_of(priced(one, COSTS.replace("one = 5", "one = [5, 3]")), shifts)
    with pytest.raises(FaultyData) as caught:
        twin_scenario.checked(three, [scenario("a", overtime_h=0.5), scenario("b", overtime_h=1.0)], date(2025, 1, 6), 2)  # fmt: skip
    assert [problem.column for problem in caught.value.problems if problem.file == "costs.toml"] == ["crews.people.one"]


def test_no_interest_a_life_of_a_year_and_the_closed_form_of_the_worth(one: Context) -> None:
    free = costs(one, WEEK, stations=HALF, investment={"investment_cny": 60_000.0, "life_years": 1, "discount_fraction": 0.0}).payback  # fmt: skip
    assert free is not None
    assert free.saving_cny is not None
    saving = free.saving_cny.mean
    assert free.annual_cny == 60_000.0
    assert free.simple_years == free.discounted_years == pytest.approx((60_000 / saving,) * 3)
    assert free.npv_cny[0] == pytest.approx(saving - 60_000)
    later = costs(one, WEEK, stations=HALF, investment={"investment_cny": 60_000.0, "life_years": 15, "discount_fraction": 0.08}).payback  # fmt: skip
    assert later is not None
    assert later.npv_cny[0] == pytest.approx(saving * (1 - 1.08**-15) / 0.08 - 60_000)
    assert later.npv_cny[0] == pytest.approx(npv_cny([-60_000.0, *[saving] * 15], 0.08))


def test_a_loss_is_called_one_and_an_estimate_a_placeholder(one: Context) -> None:
    found = costs(one, WEEK, overtime_h=1.0, investment={"investment_cny": 1000.0, "life_years": 1, "source": "guess"})
    told = next(line for line in twin_cost_words.lines(found.as_json()) if "1,000 CNY" in line.en)
    assert "1,000 CNY (placeholder) over 1 year at" in told.en
    assert found.payback is not None
    assert found.payback.saving_cny is not None
    assert found.payback.saving_cny.mean < 0
    assert f"多花 {-found.payback.saving_cny.mean:,.0f}" in told.zh


def test_a_year_has_as_many_days_of_work_as_the_calendar(one: Context) -> None:
    """Five days and their week save the same in a year of 261 weekdays; ten holidays fewer are ten days of pay fewer."""
    less = {"labour": {"people": {"one": 4}}, "investment": {"investment_cny": 1000.0, "life_years": 5}}

    def saved(context: Context, days: int) -> float:
        found = costs(context, twin.Asked(date(2025, 3, 10), days=days, warm_up_days=1, runs=1), **less).payback
        assert found is not None
        assert found.saving_cny is not None
        return found.saving_cny.mean

    assert saved(one, 5) == pytest.approx(40 * 8 * 261)
    assert saved(one, 7) == pytest.approx(40 * 8 * 261)
    holidays = ", ".join(f"2025-08-{day:02}" for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15))
    assert saved(plant_of(one, ("[calendar]\n", f"[calendar]\nholidays = [{holidays}]\n")), 7) == pytest.approx(40 * 8 * 251)  # fmt: skip


def test_the_page_draws_one_plant_or_one_for_each_scenario_that_reckons_it_otherwise(one: Context) -> None:
    ready = [scenario("x", overtime_h=0.5), scenario("y", overtime_h=1.0), scenario("dear", labour={"cny_per_h": 80.0})]
    found = twin_compare.compare(one, DAYS, ready).scenarios
    told = {one.scenario.id: one.costs.as_json() for one in found if one.costs is not None}
    names = [name for name, _ in stacks({name: told[name] for name in ("x", "y")}, "now")]
    assert names == ["now", "x", "y"]
    bars = dict(stacks({name: told[name] for name in ("x", "dear")}, "now"))
    assert list(bars) == ["now · x", "x", "now · dear", "dear"]
    assert bars["now · dear"]["labour"] == pytest.approx(2 * bars["now · x"]["labour"], abs=0.02)


def test_faults_tell_entries_of_one_name_apart_and_repeat_no_strange_name(one: Context) -> None:
    """Two stops of one station are told by number too; a name with signs of the terminal, or without end, by number alone."""
    stop = {"station": "one", "at": "07:00", "hours": 1}
    bad = [
        scenario("stops", down=[{**stop, "day": 1}, {**stop, "day": 9}]),
        scenario("scales", scale=[{"carrier": "electricity", "factor": 0.5, "stations": ["q"]}, {"carrier": "electricity", "factor": 0.9, "stations": ["q"]}]),
        scenario("strange", add={"stations": [{"id": "a\x1b[2J", "machine": 1}, {"id": "y" * 5000, "machine": 1}]}),
    ]  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin_compare.compare(one, DAYS, bad)
    columns = {problem.column for problem in caught.value.problems}
    assert {"down.one#2.day", "scale.q#1.stations", "scale.q#2.stations", "add.stations#1.machine", "add.stations#2.machine"} <= columns  # fmt: skip
    assert not any("\x1b" in str(column) or len(str(column)) > 100 for column in columns)
