"""Costs of scenarios against hand-made cases: a line of one fixed station, its demand peak, its shifts, annuity tables, payback."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.conftest import readings_of
from tests.runs.test_runs_twin_scenarios import DAYS, ONE, PLANT, TWO, compared, made, scenario

from zerofactory.assets.grid import Grid
from zerofactory.errors import FaultyData, Text
from zerofactory.periods import Period
from zerofactory.runs import import_data, twin, twin_basic, twin_compare, twin_scenario
from zerofactory.runs.context import Context, open_context
from zerofactory.runs.twin_cost import Costs
from zerofactory.runs.twin_labour import Days, Wage, labour
from zerofactory.runs.twin_scenario_write import Wish, write
from zerofactory.runs.twin_shifts import When

DEMAND, CAPACITY = 38.4, 24.0
"""Shanghai, two-part, 110 kV, August 2026: CNY/kW·month and CNY/kVA·month (the published row of the packaged tariff)."""
COSTS = """
[wage]
cny_per_h = 40
source = "test"
on = 2025-01-01
status = "verified"
[crews]
people = { one = 5 }
source = "test"
on = 2025-01-01
status = "verified"
"""
PLAN = """
[plan]
title = { zh = "计划", en = "plan" }
commitment = { zh = "承诺", en = "commitment" }
scope = { zh = "范围", en = "scope" }
base_year = 2024
first_year = 2026
last_year = 2030
reduction_strategy = { zh = "减", en = "reduce" }
maintenance_strategy = { zh = "保持", en = "keep" }
offset_strategy = { zh = "抵消", en = "offset" }
[economics]
carbon_price = "200"
discount_fraction = 0.08
"""


@pytest.fixture
def one(tmp_path: Path) -> Context:
    """Return a plant of one station that makes a piece a minute, with a wage and five people at it."""
    return priced(made(tmp_path / "plant", ONE))


def priced(context: Context, text: str = COSTS) -> Context:
    """Write costs.toml into a workspace."""
    (context.workspace.folder / "costs.toml").write_text(text, encoding="utf-8")
    return context


def costs(context: Context, asked: twin.Asked = DAYS, **change: Any) -> Costs:
    """Return the costs of a scenario."""
    found = compared(context, asked, **change).costs
    assert found is not None
    return found


def cny(found: Costs, kind: str) -> tuple[float, float]:
    """Return a kind of cost before and after."""
    row = next(one for one in found.rows if one.kind == kind)
    return row.before_cny, row.after_cny


def plant_of(context: Context, *pairs: tuple[str, str]) -> Context:
    """Return the same workspace with another factory.toml."""
    text = PLANT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (context.workspace.folder / "factory.toml").write_text(text, encoding="utf-8")
    return open_context(context.workspace.folder)


def test_the_demand_of_one_station_by_hand(one: Context) -> None:
    """100 kW in every quarter hour of the shift; two days of January are 2/31 of its charge."""
    found = costs(one, stations={"one": {"draws": {"electricity": {"power": {"working": 150}}}}})
    assert cny(found, "basic") == pytest.approx((100 * DEMAND * 2 / 31, 150 * DEMAND * 2 / 31), abs=0.01)
    assert found.basic is not None
    assert found.peak_kw is not None
    assert (found.basic.peaks_kw[0][0], found.peak_kw.mean) == pytest.approx((100.0, 50.0))
    week = costs(one, twin.Asked(date(2025, 1, 30), days=3, warm_up_days=1, runs=1), overtime_h=0.0)
    assert cny(week, "basic")[0] == pytest.approx(100 * DEMAND * (2 / 31 + 1 / 28), abs=0.01), "two days of January, one of February"  # fmt: skip


def test_the_charge_follows_the_terms(one: Context) -> None:
    """By capacity 24 CNY a kVA; by a contract of 80 kW the 16 kW beyond 105 % count twice."""
    found = costs(one, connection={"demand_basis": "capacity", "transformer_kva": 250})
    assert cny(found, "basic")[1] == pytest.approx(250 * CAPACITY * 2 / 31, abs=0.01)
    found = costs(one, connection={"demand_basis": "contract", "contract_demand_kw": 80})
    assert cny(found, "basic")[1] == pytest.approx((80 + 2 * (100 - 84)) * DEMAND * 2 / 31, abs=0.01)
    terms = ('carry = "2026-08"', 'carry = "2026-08"\ndemand_basis = "capacity"\ntransformer_kva = 200')
    found = costs(plant_of(one, terms), connection={"transformer_kva": 250})
    assert cny(found, "basic") == pytest.approx((200 * CAPACITY * 2 / 31, 250 * CAPACITY * 2 / 31), abs=0.01)


def test_a_plant_that_loads_its_transformers_pays_ten_per_cent_less(one: Context) -> None:
    """260 kWh a kVA and month: 100 kW day and night are 74 400 kWh in January, so 200 kVA have the discount, 300 kVA do not."""
    tariff = twin_basic.two_part(one)
    assert tariff is not None
    grid = Grid(Grid.of_period(Period.parse("2025-01"), 15).start, 15, 192)
    load = np.full(192, 25.0)
    own, _ = twin_basic.terms_of(one, None)
    for kva, times in ((200.0, 0.9), (300.0, 1.0)):
        terms = replace(own, transformer_kva=kva)
        charge = twin_basic.charge_cny(tariff, terms, grid, load, whole_plant=True)
        assert charge == pytest.approx(times * 100 * DEMAND * 2 / 31, abs=0.01)
        alone = twin_basic.charge_cny(tariff, terms, grid, load, whole_plant=False)
        assert alone == pytest.approx(100 * DEMAND * 2 / 31, abs=0.01), "of the lines alone it is not known"


def test_the_peak_of_the_whole_plant_is_that_of_its_readings_with_the_line_replaced(
    one: Context, write_readings: Callable[..., Path]
) -> None:
    import_data.run(one, [write_readings(1)])
    (one.workspace.folder / "twin.toml").write_text(ONE.replace(', meters = ["E1"]', ""), encoding="utf-8")
    priced(one, COSTS + '[basic]\nload = "plant"\n')
    found = costs(one, stations={"one": {"draws": {"electricity": {"power": {"working": 150}}}}})
    rows = readings_of((1,)).filter((pl.col("meter") == "E1") & pl.col("time").dt.date().is_between(date(2025, 1, 6), date(2025, 1, 7)))  # fmt: skip
    hours = rows["time"].to_list()[1] - rows["time"].to_list()[0]
    kw = rows["value"].to_numpy() / (hours.total_seconds() / 3600.0)
    works = np.array([7 <= moment.hour < 15 for moment in rows["time"].to_list()])
    assert found.basic is not None
    assert found.basic.whole_plant
    assert found.basic.peaks_kw[0][0] == pytest.approx(max(kw[works].max() + 100, kw[~works].max() + 2))
    assert found.basic.peaks_kw[1][0] == pytest.approx(max(kw[works].max() + 150, kw[~works].max() + 2))


def test_a_battery_that_fills_in_the_valley_raises_the_peak(one: Context) -> None:
    """400 kWh at half an hour's rate take 200 kW at night, above the 100 kW of the day."""
    supply = {"behind": "line", "rule": "valley", "battery": {"capacity_kwh": 400}}
    found = costs(one, supply=supply)
    assert found.peak_kw is not None
    assert found.peak_kw.mean > 50
    before, after = cny(found, "energy")
    assert after < before
    assert cny(found, "basic")[1] > cny(found, "basic")[0]


def test_labour_of_a_shift_overtime_a_third_shift_a_saturday_and_a_holiday_by_hand(one: Context) -> None:
    """Five people at 40 CNY an hour; overtime 150 %, rest days 200 %, statutory holidays 300 % (Labour Law, article 44)."""
    assert cny(costs(one, overtime_h=1.5), "labour") == (5 * 40 * 2 * 8.0, 5 * 40 * 2 * (8 + 1.5 * 1.5))
    third = costs(one, shifts=[{"times": [["07:00", "15:00"], ["15:00", "23:00"], ["23:00", "07:00"]]}])
    assert cny(third, "labour")[1] == pytest.approx(5 * 40 * (24 - 7 + 24.0)), "ordinary hours of other people"
    assert third.labour is not None
    assert third.labour[1].hours.overtime == 0
    assert third.labour[1].hours.ordinary == pytest.approx(5 * 41.0)
    long = costs(one, shifts=[{"times": [["07:00", "19:00"]]}])
    assert cny(long, "labour")[1] == 5 * 40 * 2 * (8 + 4 * 1.5)
    saturday = twin.Asked(date(2025, 1, 10), days=2, warm_up_days=1, runs=1)
    six = [{"weekdays": [1, 2, 3, 4, 5, 6], "times": [["07:00", "15:00"]]}]
    assert cny(costs(one, saturday, shifts=six), "labour") == (5 * 40 * 8.0, 5 * 40 * 8.0 * (1 + 2))
    may = twin.Asked(date(2025, 5, 1), days=1, warm_up_days=1, runs=1)
    assert cny(costs(one, may, overtime_h=1.0), "labour") == (5 * 40 * 8 * 3.0, 5 * 40 * 9 * 3.0)


def test_overtime_that_a_volume_needs_is_paid(one: Context) -> None:
    found = costs(one, volume={"times": 1.25})
    assert cny(found, "labour")[1] == 5 * 40 * 2 * (8 + 2 * 1.5)
    row = next(one for one in found.rows if one.kind == "labour")
    assert row.each is not None
    assert row.each[:2] == pytest.approx((3200 / 960, 4400 / 1200))


def test_people_by_shift_of_a_pool_and_of_a_new_station(one: Context) -> None:
    two_shifts = [{"times": [["07:00", "15:00"], ["15:00", "23:00"]]}]
    found = costs(one, shifts=two_shifts, labour={"people": {"one": [5, 3]}})
    assert cny(found, "labour")[1] == 40 * 2 * 8 * (5 + 3.0)
    second = {"id": "two", "name": {"zh": "二", "en": "two"}, "shop": "paint", "cycle": {"mean_s": 60}}
    found = costs(one, add={"stations": [second]})
    assert cny(found, "labour")[1] == 40 * 2 * 8 * 5.0
    assert any("two" in note.en for note in found.notes), "nobody says who stands there"
    found = costs(one, add={"stations": [second]}, labour={"people": {"two": 2}})
    assert cny(found, "labour")[1] == 40 * 2 * 8 * 7.0
    pooled: dict[str, Any] = {"stations": {"one": {"operators": {"pool": "team", "number": 1}}}, "add": {"pools": [{"id": "team", "number": 3}]}}  # fmt: skip
    assert cny(costs(one, **pooled), "labour")[1] == 40 * 2 * 8 * (5 + 3.0)
    assert cny(costs(one, remove=["one"], add={"stations": [second]}, labour={"people": {"two": 2}}), "labour")[1] == 40 * 2 * 8 * 2.0  # fmt: skip


def test_those_who_repair_are_paid_and_a_form_says_people_and_investment(one: Context) -> None:
    repaired = {"between": {"mean_s": 1e7}, "repair": {"mean_s": 60}, "repairers": {"pool": "fitters", "number": 1}}
    fitted: dict[str, Any] = {"stations": {"one": {"failure": repaired}}, "add": {"pools": [{"id": "fitters", "number": 2}]}}  # fmt: skip
    assert cny(costs(one, **fitted), "labour")[1] == 40 * 2 * 8 * (5 + 2.0)
    wish = Wish("robot", Text("机器人", "robot"), station="one", people=1.0, investment_cny=9e5, life_years=10)
    found = twin_compare.compare(one, DAYS, [write(one, wish)]).scenarios[0].costs
    assert found is not None
    assert cny(found, "labour") == (40 * 2 * 8 * 5.0, 40 * 2 * 8 * 1.0)
    assert found.payback is not None
    assert found.payback.entry.investment_cny == 9e5
    with pytest.raises(FaultyData) as caught:
        write(one, Wish("half", Text("半", "half"), people=1.0, investment_cny=9e5))
    assert {problem.column for problem in caught.value.problems} == {"people", "investment"}


def test_on_costs_breaks_rest_days_and_a_wage_of_the_scenario(one: Context) -> None:
    text = COSTS.replace("cny_per_h = 40", "cny_per_h = 40\non_cost_fraction = 0.5\nunpaid_break_h_per_shift = 1\nrest_weekdays = [2]")  # fmt: skip
    assert cny(costs(priced(one, text), overtime_h=0.0), "labour")[0] == 5 * 40 * 1.5 * (7 + 2 * 7)
    assert cny(costs(priced(one, text), labour={"cny_per_h": 60}), "labour") == (5 * 60 * 1.5 * 21,) * 2, (
        "for both sides"
    )


def test_the_hours_of_whole_days_are_those_of_the_spans_they_are_cut_into(one: Context) -> None:
    """Conservation: a week is its days, also where a shift crosses midnight."""
    plant, line = one.workspace.plant, twin.run(one, DAYS).twin.line
    when = When.model_validate({"shifts": [{"times": [["22:00", "07:30"]]}], "overtime_h": 2.0})
    wage = Wage(40.0, unpaid_break_h_per_shift=0.25)
    people = {"one": (5.0,)}
    whole = labour(plant, line, when, Days(date(2025, 4, 28), 7), (wage, people))
    parts = [labour(plant, line, when, Days(date(2025, 4, 28 + n) if n < 3 else date(2025, 5, n - 2), 1), (wage, people)) for n in range(7)]  # fmt: skip
    assert whole.cny == pytest.approx(sum(part.cny for part in parts))
    assert whole.hours.holiday > 0


def test_an_investment_by_the_published_tables_and_its_payback(one: Context) -> None:
    """(A/P, 8 %, 15) = 0.11683 in published tables of compound interest; payback by its closed form."""
    invest = {
        "investment_cny": 20_000.0,
        "life_years": 15,
        "maintenance_cny_per_year": 500.0,
        "discount_fraction": 0.08,
    }
    half = {"one": {"draws": {"electricity": {"power": {"working": 50}}}}}
    found = costs(one, stations=half, investment=invest)
    assert found.payback is not None
    assert found.payback.annual_cny == pytest.approx(20_000 * 0.11683 + 500, abs=0.2)
    assert cny(found, "capital") == pytest.approx((0.0, found.payback.annual_cny * 2 / 261)), "2025 has 261 weekdays"
    times = {"energy": 261 / 2, "basic": 365 / 2, "labour": 261 / 2}
    saving = sum(by * (cny(found, kind)[0] - cny(found, kind)[1]) for kind, by in times.items()) - 500
    assert found.payback.saving_cny is not None
    assert found.payback.saving_cny.mean == pytest.approx(saving)
    assert found.payback.simple_years[0] == pytest.approx(20_000 / saving)
    exact = -math.log(1 - 20_000 * 0.08 / saving) / math.log(1.08)
    assert found.payback.discounted_years[0] is not None
    assert math.floor(exact) <= found.payback.discounted_years[0] <= math.ceil(exact)
    assert found.payback.discounted_years[0] == pytest.approx(exact, abs=0.1)
    never = costs(one, stations=half, investment={**invest, "investment_cny": 1e9}).payback
    assert never is not None
    assert never.simple_years == (None, None, None)


def test_more_pieces_are_compared_by_the_piece(one: Context) -> None:
    """Twice the pieces at the same cost save half the cost of today's pieces."""
    found = costs(one, stations={"one": {"cycle": {"kind": "fixed", "mean_s": 30}}}, investment={"investment_cny": 1.0, "life_years": 1})  # fmt: skip
    assert found.payback is not None
    assert found.payback.saving_cny is not None
    times = {"energy": 261 / 2, "basic": 365 / 2, "labour": 261 / 2}
    total = sum(by * cny(found, kind)[0] for kind, by in times.items())
    assert found.payback.saving_cny.mean == pytest.approx(total / 2, rel=1e-6)


def test_the_plan_gives_carbon_price_and_discount_rate(one: Context) -> None:
    found = costs(one, overtime_h=1.0, investment={"investment_cny": 1000.0, "life_years": 10})
    assert found.payback is not None
    assert (found.payback.discount_fraction, "carbon" in found.left_out) == (0.06, True)
    (one.workspace.folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    compared_ = compared(one, overtime_h=1.0, investment={"investment_cny": 1000.0, "life_years": 10})
    assert compared_.costs is not None
    found = compared_.costs
    assert found.payback is not None
    assert found.payback.discount_fraction == 0.08
    assert cny(found, "carbon")[0] == pytest.approx(0.2 * compared_.before["kgco2e"][0])


def test_the_total_is_the_sum_and_its_interval_that_of_the_pairs(tmp_path: Path) -> None:
    two = priced(made(tmp_path / "plant", TWO), COSTS.replace("one = 5", "a = 2, z = 3"))
    found = costs(two, stations={"a": {"cycle": {"kind": "exponential", "mean_s": 50}}}, investment={"investment_cny": 1e5, "life_years": 8})  # fmt: skip
    *kinds, total = found.rows
    assert [row.kind for row in kinds] == ["energy", "basic", "labour", "capital"]
    assert total.kind == "total"
    assert total.difference.mean == pytest.approx(sum(row.difference.mean for row in kinds))
    assert total.before_cny == pytest.approx(sum(row.before_cny for row in kinds))
    assert total.each is not None
    assert total.each[2].half > 0
    assert found.payback is not None
    low, high = found.payback.npv_cny[1:]
    assert low is not None
    assert high is not None
    assert low < found.payback.npv_cny[0] < high  # type: ignore[operator]
    json.dumps(found.as_json())
    same = costs(two, stations={"a": {"machines": 1}})
    assert all((row.difference.mean, row.difference.half) == (0.0, 0.0) for row in same.rows), "nothing is nothing"


def test_what_is_not_known_is_left_out_and_said(tmp_path: Path) -> None:
    """Without a wage, a tariff, a plan and an investment there is no cost; the other figures are what they were."""
    one = made(tmp_path / "plant", ONE)
    found = costs(one, overtime_h=1.0)
    assert set(found.left_out) == {"labour", "carbon", "capital"}
    assert [row.kind for row in found.rows] == ["energy", "basic", "total"]
    before = compared(one, overtime_h=1.0).figures_as_json()
    assert compared(priced(one), overtime_h=1.0).figures_as_json() == before
    priced(one, COSTS[: COSTS.index("[crews]")])
    assert set(costs(one, overtime_h=1.0).left_out) == {"labour", "carbon", "capital"}
    bare = plant_of(one, (PLANT[PLANT.index("[tariff]") :], ""))
    found = costs(bare, overtime_h=1.0)
    assert set(found.left_out) == {"energy", "basic", "labour", "carbon", "capital"}
    assert found.rows == ()


def test_overtime_beyond_the_law_is_said(one: Context) -> None:
    week = twin.Asked(date(2025, 3, 10), days=7, warm_up_days=1, runs=1)
    assert len(costs(one, week, overtime_h=1.5).notes) == 0, "7.5 h a week are 33 h a month"
    assert "36 h" in costs(one, week, overtime_h=2.0).notes[0].zh
    assert ["3 h" in note.en for note in costs(one, week, overtime_h=4.0).notes] == [True, False]
    later = twin.Asked(date(2031, 3, 10), days=1, warm_up_days=0, runs=1)
    assert "2031" in costs(one, later, overtime_h=1.0).notes[0].en


def test_every_fault_of_costs_comes_at_once_and_nothing_runs(one: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin_compare, "run", lambda *_: pytest.fail("it must not run"))
    bad = [
        scenario("people", labour={"people": {"on": 3, "one": [1, 2]}}, shifts=[{"times": [["00:00", "08:00"], ["08:00", "16:00"], ["16:00", "00:00"]]}]),
        scenario("money", investment={"investment_cny": -1, "life_years": 0, "maintenance": 3}),
        scenario("grid", connection={"demand_basis": "capacity"}),
    ]  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin_compare.compare(one, DAYS, bad)
    found = {(problem.file, problem.column, problem.code) for problem in caught.value.problems}
    assert found == {
        ("people.toml", "labour.people.on", "twin_file.name"),
        ("people.toml", "labour.people.one", "costs.shifts"),
        ("money.toml", "investment.investment_cny", "twin_file.greater_than_equal"),
        ("money.toml", "investment.life_years", "twin_file.greater_than_equal"),
        ("money.toml", "investment.maintenance", "twin_file.extra_forbidden"),
        ("grid.toml", "connection", "assets.tariff_terms"),
    }
    priced(
        one, '[wage]\ncny_per_h = -4\n[crews]\npeople = { two = 1 }\nsource = "x"\non = 2025-01-01\nstatus = "sure"\n'
    )
    with pytest.raises(FaultyData) as caught:
        twin_scenario.checked(one, [scenario(overtime_h=1.0)], date(2025, 1, 6), 2)
    assert {(problem.file, problem.column) for problem in caught.value.problems} == {
        ("costs.toml", "wage.cny_per_h"), ("costs.toml", "wage.source"), ("costs.toml", "wage.on"), ("costs.toml", "wage.status"),
        ("costs.toml", "crews.status"),
    }  # fmt: skip
    priced(one, COSTS.replace("one = 5", "two = 5"))
    with pytest.raises(FaultyData) as caught:
        twin_scenario.checked(one, [scenario(overtime_h=1.0)], date(2025, 1, 6), 2)
    assert [(problem.file, problem.column) for problem in caught.value.problems] == [("costs.toml", "crews.people.two")]
