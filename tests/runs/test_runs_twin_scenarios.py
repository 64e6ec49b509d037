"""Scenarios of the twin: nothing changed is nothing different, hand-made lines, shifts, volume, supply, and every fault at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t
from tests.conftest import NOW, SMALL_PLANT, readings_of

from zerofactory.assets.asset import asset, values_of
from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.runs import import_data, twin, twin_compare, twin_file, twin_kept, twin_scenario, twin_supply
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.twin_scenario import Scenario
from zerofactory.store.workspace import Workspace

PLANT = (
    SMALL_PLANT
    + """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]

[tariff]
area = "shanghai"
scheme = "two_part_large_industry"
voltage = "110kV"
carry = "2026-08"
"""
)
ONE = """
[[stations]]
id = "one"
name = { zh = "一", en = "one" }
shop = "paint"
cycle = { kind = "fixed", mean_s = 60 }
draws.electricity = { power = { off = 2, idle = 40, working = 100 }, meters = ["E1"] }
"""
TWO = """
[[stations]]
id = "a"
name = { zh = "甲", en = "a" }
shop = "paint"
cycle = { kind = "exponential", mean_s = 60 }
gives = "b"
draws.electricity = { power = { off = 2, idle = 40, working = 100 }, per_piece = 0.5 }
[[stations]]
id = "z"
name = { zh = "乙", en = "z" }
shop = "paint"
cycle = { kind = "exponential", mean_s = 50 }
takes = ["b"]
failure = { between = { kind = "exponential", mean_s = 7200 }, repair = { kind = "exponential", mean_s = 600 } }
draws.electricity = { power = { idle = 5, working = 8 } }
[[buffers]]
id = "b"
capacity = 5
"""
DAYS = twin.Asked(date(2025, 1, 6), days=2, warm_up_days=1, runs=3, seed=4)


def made(folder: Path, text: str) -> Context:
    """Return a workspace with one shift of eight hours on weekdays and a twin."""
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "twin.toml").write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


@pytest.fixture
def one(tmp_path: Path) -> Context:
    """Return a plant of one station that makes a piece a minute, 480 a day."""
    return made(tmp_path / "plant", ONE)


@pytest.fixture
def two(tmp_path: Path) -> Context:
    """Return a plant of two stations that vary."""
    return made(tmp_path / "plant", TWO)


def scenario(name: str = "s", **change: Any) -> Scenario:
    """Return a scenario without a file."""
    return Scenario(name, Text("场景", "scenario"), change)


def compared(context: Context, asked: twin.Asked = DAYS, **change: Any) -> twin_compare.Compared:
    """Return one scenario beside the plant as it is."""
    return twin_compare.compare(context, asked, [scenario(**change)]).scenarios[0]


@pytest.mark.parametrize(
    "change",
    [
        {"stations": {"a": {"machines": 1}}},
        {"shifts": [{"times": [["07:00", "15:00"]]}]},
        {"overtime_h": 0.0},
        {"scale": [{"carrier": "electricity", "factor": 1.0}]},
        {"volume": {"times": 1.0, "overtime": False}},
        {"add": {"pools": [{"id": "spare", "number": 2}]}},
        {"down": [{"station": "z", "day": 1, "at": "02:00", "hours": 3}]},
    ],
)
def test_what_changes_nothing_differs_by_exactly_nothing(two: Context, change: dict[str, Any]) -> None:
    found = compared(two, **change)
    assert set(found.differences) >= {"output", "electricity", "energy_cny", "kgco2e", "kgco2e_per_piece"}
    assert all((one.mean, one.low, one.high) == (0.0, 0.0, 0.0) for one in found.differences.values())


def test_a_station_taken_out_and_put_back_draws_the_same_numbers(two: Context) -> None:
    again = {"remove": ["z"], "add": {"stations": tomllib.loads(TWO)["stations"][1:]}}
    found = compared(two, **again)
    assert all((one.mean, one.half) == (0.0, 0.0) for one in found.differences.values())


def test_shifts_overtime_and_a_stop_by_hand(one: Context) -> None:
    """A piece a minute: an hour more or less is 60 pieces; the energy follows from the hours in each state."""
    base = twin.run(one, DAYS)
    assert base.output.mean == 960
    assert base.energy["electricity"].mean == pytest.approx(2 * (8 * 100 + 16 * 2))
    assert compared(one, overtime_h=1.5).differences["output"].mean == 180
    third = compared(one, shifts=[{"times": [["07:00", "15:00"], ["15:00", "23:00"], ["23:00", "07:00"]]}])
    hours = 24 - 7 + 24  # from Monday 7 o'clock on; one piece is still on the machine at the end
    assert third.simulated.output.mean == 60 * hours - 1
    assert third.simulated.energy["electricity"].mean == pytest.approx(hours * 100 + 7 * 2)
    down = compared(one, down=[{"station": "one", "day": 2, "at": "09:00", "hours": 2}])
    assert down.differences["output"].mean == -120
    assert down.differences["electricity"].mean == pytest.approx(2 * (2 - 100))
    all_day = compared(one, down=[{"station": "one", "day": 1, "at": "00:00", "hours": 24}])
    assert all_day.differences["output"].mean == -480
    sunday = twin.Asked(date(2025, 1, 5), days=1, warm_up_days=1, runs=1)
    assert twin.run(one, sunday, changed={"shifts": [{"weekdays": [6, 7], "times": [["08:00", "12:00"]]}]}).output.mean == 240  # fmt: skip
    always = DAYS.days + DAYS.warm_up_days
    never = compared(one, down=[{"station": "one", "day": 1, "at": "00:00", "hours": 24.0 * always}])
    assert never.simulated.output.mean == 0
    assert "kgco2e_per_piece" not in never.differences


def test_shifts_of_one_station_leave_the_others(two: Context) -> None:
    found = compared(two, shifts=[{"stations": ["z"], "times": [["07:00", "19:00"]]}])
    shares = {one.station: one for one in found.simulated.stations}
    assert shares["z"].working < {one.station: one for one in twin.run(two, DAYS).stations}["z"].working
    assert found.differences["output"].mean > 0, "what waits in the buffer is finished"


def test_a_new_line_doubles_and_a_removed_one_halves(one: Context) -> None:
    second = {"id": "two", "name": {"zh": "二", "en": "two"}, "shop": "paint", "cycle": {"mean_s": 60}}
    doubled = compared(one, add={"stations": [second]})
    assert doubled.differences["output"].mean == 960
    assert doubled.differences["electricity"].mean == 0
    swapped = compared(one, add={"stations": [second]}, remove=["one"])
    assert swapped.differences["output"].mean == 0
    assert "electricity" not in swapped.differences, "the new one draws nothing that is stated"


def test_what_is_drawn_is_merged_scaled_and_stays_scaled_where_powers_were_fitted(one: Context) -> None:
    found = compared(one, stations={"one": {"draws": {"electricity": {"power": {"working": 50}}}}})
    assert found.differences["electricity"].mean == pytest.approx(2 * 8 * -50)
    half = [{"carrier": "electricity", "factor": 0.5, "states": ["off"], "stations": ["one"]}]
    assert compared(one, scale=half).differences["electricity"].mean == pytest.approx(2 * 16 * -1)
    columns = ",".join(twin_file.COLUMNS)
    (one.workspace.folder / twin_file.FITTED).write_text(f"{columns}\none,electricity,working,200,190,210,2025-01,2025-03\n", encoding="utf-8")  # fmt: skip
    fitted = compared(one, scale=[{"carrier": "electricity", "factor": 0.5}])
    assert fitted.differences["electricity"].mean == pytest.approx(-0.5 * 2 * (8 * 200 + 16 * 2))
    told = compared(one, stations={"one": {"draws": {"electricity": {"power": {"working": 150}}}}})
    assert told.differences["electricity"].mean == pytest.approx(2 * 8 * -50)


def test_without_takes_a_key_away(two: Context) -> None:
    found = compared(two, stations={"z": {"without": ["failure"]}})
    assert found.simulated.failures["z"] == 0
    assert found.differences["output"].mean >= 0


def test_volume_takes_the_overtime_it_needs_or_tells_the_shortfall(one: Context) -> None:
    found = compared(one, volume={"times": 1.25}).demand
    assert found is not None
    assert (found.wanted.mean, found.made.mean, found.overtime_h_per_day, found.reached_fraction) == (1200, 1200, 2.0, 1.0)  # fmt: skip
    assert found.is_met
    assert found.needed_h_per_day.mean == pytest.approx(2.0)
    short = compared(one, volume={"per_day": 600, "most_overtime_h": 1}).demand
    assert short is not None
    assert (short.overtime_h_per_day, short.shortfall.mean, short.is_met) == (1.0, 120, False)
    assert short.needed_h_per_day.mean == pytest.approx(2.0)
    told = compared(one, volume={"times": 1.25, "overtime": False})
    assert told.demand is not None
    assert told.demand.shortfall.mean == 240
    assert told.differences["output"].mean == 0
    less = compared(one, volume={"times": 0.5}).demand
    assert less is not None
    assert less.overtime_h_per_day == 0
    assert less.needed_h_per_day.mean == 0


def test_several_at_once_hold_together(two: Context) -> None:
    """Bonferroni: two intervals that hold together with 95 % are each of 97.5 %."""
    faster = {"stations": {"a": {"cycle": {"kind": "exponential", "mean_s": 50}}}}
    alone = twin_compare.compare(two, DAYS, [scenario("x", **faster)]).scenarios[0].differences["output"]
    both = twin_compare.compare(two, DAYS, [scenario("x", **faster), scenario("y", remove=[], overtime_h=1.0)])
    wide = both.scenarios[0].differences["output"]
    assert wide.mean == alone.mean
    assert wide.half / alone.half == pytest.approx(t.ppf(0.9875, 2) / t.ppf(0.975, 2))
    assert both.as_json()["together"] == 2


def _supply(**entry: Any) -> twin_supply.Supply:
    found = twin_supply.SupplyEntry(behind="line", **entry)
    kinds = [("photovoltaic", found.pv), ("battery", found.battery)]
    pv, battery = (values_of(asset(kind), given)[0] if given else None for kind, given in kinds)
    return twin_supply.Supply(found, pv, battery)


def test_a_battery_by_hand_and_in_balance() -> None:
    """100 kWh, whole charge used, no loss at rest: ten hours of surplus and need, kWh for kWh."""
    exact = {"capacity_kwh": 100.0, "c_rate_per_hour": 1.0, "charge_efficiency_fraction": 0.8, "discharge_efficiency_fraction": 0.5,
             "self_discharge_fraction_per_hour": 0.0, "minimum_charge_fraction": 0.0, "initial_fraction": 0.0}  # fmt: skip
    load, given = np.full(40, 10.0), np.concatenate([np.full(20, 16.0), np.zeros(20)])
    every, none = np.ones(40, dtype=np.bool_), np.zeros(40, dtype=np.bool_)
    flows = twin_supply.dispatched(_supply(battery=exact), load, given, none, every)
    assert flows.grid == pytest.approx(flows.load - flows.given + flows.charge - flows.discharge)
    assert flows.charge[:20].sum() == pytest.approx(20 * 6.0)
    assert 0.8 * flows.charge.sum() - flows.discharge.sum() / 0.5 == pytest.approx(0.0, abs=1e-9), "it ends as it began"
    assert flows.stored.max() <= 100.0 + 1e-9
    assert not (flows.charge * flows.discharge).any()
    assert flows.discharge.sum() == pytest.approx(0.5 * 0.8 * 120.0)
    assert (flows.grid >= -1e-9).all(), "all of the surplus fits"


def test_pv_and_a_battery_lower_what_is_bought_by_tariff_and_factor(one: Context) -> None:
    supply = {"behind": "line", "place": "shanghai", "pv": {"peak_kw": 100}}
    found = compared(one, supply=supply)
    pv = found.differences["electricity_pv"].mean
    bought, sold = found.differences["electricity_purchased"].mean, found.differences["electricity_exported"].mean
    assert pv > 0
    assert -bought + sold == pytest.approx(pv)
    assert found.differences["electricity"].mean == 0
    kwh, kg = found.before["electricity"][0], found.before["kgco2e"][0]
    assert found.differences["kgco2e"].mean == pytest.approx(bought * kg / kwh, rel=1e-6)
    assert found.differences["energy_cny"].mean < 0
    stored = compared(one, supply={**supply, "rule": "valley", "battery": {"capacity_kwh": 200}})
    assert stored.differences["electricity_exported"].mean <= sold
    assert stored.differences["energy_cny"].mean < found.differences["energy_cny"].mean
    nothing = compared(one, supply={**supply, "pv": {"peak_kw": 1e-9}})
    assert nothing.differences["energy_cny"].mean == pytest.approx(0.0, abs=1e-6)


def test_the_valley_fills_and_the_dear_hours_take() -> None:
    """50 kW for two hours fill 100 kWh from the grid; nothing is given until the dear hours, and never more than the need."""
    exact = {"capacity_kwh": 100.0, "c_rate_per_hour": 0.5, "charge_efficiency_fraction": 1.0, "discharge_efficiency_fraction": 1.0,
             "self_discharge_fraction_per_hour": 0.0, "minimum_charge_fraction": 0.0, "initial_fraction": 0.0}  # fmt: skip
    load, place = np.full(96, 5.0), np.arange(96)
    flows = twin_supply.dispatched(_supply(battery=exact), load, np.zeros(96), place < 8, place >= 72)
    assert flows.grid[:8] == pytest.approx(np.full(8, 5.0 + 12.5))
    assert flows.grid[8:72] == pytest.approx(np.full(64, 5.0))
    assert flows.grid[72:] == pytest.approx(np.concatenate([np.zeros(20), np.full(4, 5.0)]))


def test_the_load_of_the_whole_plant_is_its_readings_with_the_line_simulated(
    one: Context, write_readings: Callable[..., Path]
) -> None:
    """The line has the only meter, so nothing is left beside it; a line without a meter comes on top of all that was read."""
    import_data.run(one, [write_readings(1)])
    supply = {"place": "shanghai", "pv": {"peak_kw": 100}}
    line = compared(one, supply={**supply, "behind": "line"})
    plant = compared(one, supply={**supply, "behind": "plant"})
    assert plant.differences["electricity_purchased"].mean == pytest.approx(line.differences["electricity_purchased"].mean)  # fmt: skip
    (one.workspace.folder / "twin.toml").write_text(ONE.replace(', meters = ["E1"]', ""), encoding="utf-8")
    on_top = compared(one, supply={**supply, "behind": "plant"})
    read = on_top.before["electricity_purchased"][0] - on_top.before["electricity"][0]
    times = readings_of((1,)).filter(pl.col("meter") == "E1")
    days = times.filter(pl.col("time").dt.date().is_between(date(2025, 1, 6), date(2025, 1, 7)))
    assert read == pytest.approx(days["value"].sum())
    assert read > 0


def test_the_load_of_the_whole_plant_needs_readings(one: Context) -> None:
    with pytest.raises(FaultyData) as caught:
        compared(one, supply={"behind": "plant", "place": "shanghai", "pv": {"peak_kw": 100}})
    assert [problem.code for problem in caught.value.problems] == ["twin.supply_readings"]


def test_every_fault_of_every_scenario_comes_at_once_and_nothing_runs(
    two: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin_compare, "run", lambda *_: pytest.fail("it must not run"))
    bad = [
        scenario("names", stations={"q": {"machines": 2}}, remove=["nobody"], scale=[{"carrier": "steam", "factor": 1.0}], down=[{"station": "q", "day": 3, "at": "07:00", "hours": 1}]),
        scenario("times", shifts=[{"weekdays": [8], "times": [["07:00", "09:00"]]}, {"times": [["07:00", "09:00"]]}], volume={"times": 1.1, "per_day": 4}, measure="magic"),
        scenario("supply", supply={"behind": "line", "pv": {"peak_kw": 0, "tilt": 3}, "battery": {"capacity_kwh": 0}}),
        scenario("empty", supply={"behind": "line"}),
        scenario("schema", shift=[], volume={"times": -1}, down=[{"station": "a", "day": 0, "at": "25:00", "hours": 0}]),
        scenario("buffer", buffers={"b": {"capacity": 0}}),
        scenario("utilities", utilities={"chillers": {"c": {"available": False}}}),
        scenario("loose", remove=["z"]),
    ]  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin_compare.compare(two, DAYS, bad)
    codes: dict[str, set[str]] = {}
    for problem in caught.value.problems:
        codes.setdefault(str(problem.file), set()).add(problem.code)
        assert problem.message.zh
        assert problem.hint.zh
    assert codes == {
        "names.toml": {"twin_file.name", "twin.down_day"},
        "times.toml": {"twin.weekday", "twin.shifts_twice", "twin.volume", "twin_file.name"},
        "supply.toml": {"assets.unknown_parameter", "twin.supply_size", "twin_file.name"},
        "empty.toml": {"twin.supply_empty"},
        "schema.toml": {"twin_file.name", "twin_file.greater_than", "twin_file.greater_than_equal", "twin_file.time_parsing"},
        "buffer.toml": {"twin.capacity"},
        "utilities.toml": {"utilities.missing"},
        "loose.toml": {"twin.buffer", "twin.exit"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"volume": {"times": float("inf")}},
        {"scale": [{"carrier": "electricity", "factor": float("inf")}]},
        {"down": [{"station": "one", "day": 1, "at": "07:00", "hours": float("inf")}]},
        {"supply": {"behind": "line", "place": "shanghai", "pv": {"peak_kw": float("inf")}}},
    ],
)
def test_numbers_without_end_are_refused(one: Context, change: dict[str, Any]) -> None:
    with pytest.raises(FaultyData) as caught:
        compared(one, **change)
    assert "twin_file.finite_number" in {problem.code for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a = " + "[" * 5000, "TOML"),
        ("#" * (twin_scenario.MOST_BYTES + 1), "bytes"),
        ("", "title"),
    ],
    ids=["deep", "large", "empty"],
)
def test_a_file_that_is_no_scenario_is_told(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "bad.toml").write_text(content, encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        twin_scenario.read_scenario(tmp_path / "bad.toml")
    (problem,) = caught.value.problems
    assert problem.file == "bad.toml"
    assert told in problem.message.en
    assert problem.hint.zh


def test_a_scenario_is_named_by_its_file(one: Context, tmp_path: Path) -> None:
    folder = one.workspace.folder / twin_scenario.FOLDER
    folder.mkdir()
    text = 'title = { zh = "长", en = "longer" }\nbasis = { zh = "设定", en = "decision" }\nmeasure = "led_daylight"\novertime_h = 1\n'
    (folder / "longer.toml").write_text(text, encoding="utf-8")
    (found,) = twin_scenario.listed(one)
    assert (found.id, found.measure, found.basis) == ("longer", "led_daylight", Text("设定", "decision"))
    assert twin_scenario.named(one, "longer") == found
    assert twin_scenario.named(one, str(folder / "longer.toml")) == found
    with pytest.raises(NotFound) as caught:
        twin_scenario.named(one, "shorter")
    assert caught.value.choices == ("longer",)
    (tmp_path / "big.toml").write_bytes(b"#" * (twin_scenario.MOST_BYTES + 1))
    with pytest.raises(FaultyData):
        twin_scenario.named(one, tmp_path / "big.toml")


def test_a_comparison_is_kept_listed_and_opened(one: Context) -> None:
    assert twin_kept.listed(one) == ()
    comparison = twin_compare.compare(one, DAYS, [scenario("longer", overtime_h=1.0)])
    kept = twin_kept.keep(one, comparison)
    again = Context(Workspace.open(one.workspace.folder), NOW, "other")
    assert twin_kept.keep(again, comparison) == kept, "the same is kept once"
    (row,) = twin_kept.listed(again)
    assert (row.id, row.days, [one["scenario"] for one in row.scenarios]) == (kept.id, 2, ["longer"])
    told = twin_kept.opened(again, kept.id)
    assert told["scenarios"][0]["differences"]["output"]["mean"] == 120
    assert {figure["figure"] for figure in told["scenarios"][0]["figures"]} >= {"output", "kgco2e_per_piece"}
    with pytest.raises(NotFound):
        twin_kept.opened(again, "comparison-0")
    path = one.workspace.folder / twin_kept.FOLDER / f"{kept.id}.json"
    path.write_text(path.read_text(encoding="utf-8").replace("1080", "2000"), encoding="utf-8")
    with pytest.raises(FaultyData):
        twin_kept.opened(again, kept.id)


def test_faults_name_the_station_the_buffer_and_the_shift_by_id(two: Context) -> None:
    """A twelfth station is not counted for: it is called by its name, in the file and under the key that is wrong."""
    bad = [
        scenario("values", stations={"z": {"machines": "two", "cycle": {"kind": "sometimes"}}}, buffers={"b": {"capacity": "five"}}),
        scenario("lists", shifts=[{"stations": ["a"], "times": [["07:00", "15:00"], ["15:00", "25:00"]]}, {"times": []}], down=[{"station": "z", "day": 0, "at": "07:00", "hours": 1}]),
        scenario("added", add={"stations": [{"id": "new", "name": {"zh": "新", "en": "new"}, "shop": "paint", "cycle": {"mean_s": 9}, "machine": 2}]}),
        scenario("line", stations={"z": {"rework_fraction": -0.5, "setup_s": -1}}),
        scenario("days", shifts=[{"stations": ["a", "z"], "weekdays": [8], "times": [["07:00", "09:00"]]}], scale=[{"carrier": "electricity", "factor": 1.0, "stations": ["q"]}]),
    ]  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin_compare.compare(two, DAYS, bad)
    found: dict[str, set[str | None]] = {}
    for problem in caught.value.problems:
        found.setdefault(str(problem.file), set()).add(problem.column)
    assert found == {
        "values.toml": {"stations.z.machines", "stations.z.cycle.kind", "buffers.b.capacity"},
        "lists.toml": {"shifts.a.times#2#2", "shifts#2.times", "down.z.day"},
        "added.toml": {"add.stations.new.machine"},
        "line.toml": {"stations.z.rework_fraction", "stations.z.setup_s"},
        "days.toml": {"shifts.a+z.weekdays", "scale.q.stations"},
    }
