"""A measure tested in the twin: its saving by hand, back into the plan and the roadmap, and out of it again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from tests.cli.conftest import within
from tests.conftest import HEADER, NOW, SMALL_PLANT, readings_of

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.planning.commitment import read_plan
from zerofactory.planning.likelihood import half_widths
from zerofactory.planning.scenario import default
from zerofactory.planning.tested import Trial, TrialSaving, as_tested
from zerofactory.runs import close, import_data, plan_roadmap, twin, twin_measure, twin_scenario
from zerofactory.runs import plan as run_plan
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.plan_book import plan_book
from zerofactory.store.workspace import Workspace

PLANT = (
    SMALL_PLANT
    + """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:00:00" }]
"""
)
TWIN = """
status = "secondary"
output_source = "vehicles"
[[stations]]
id = "oven"
name = { zh = "烘房", en = "oven" }
shop = "paint"
cycle = { kind = "exponential", mean_s = 600 }
draws.natural_gas = { power = { off = 0, idle = 5, working = 8 } }
draws.electricity = { power = { off = 1, working = 10 } }
"""
PLAN = """
[plan]
title = { zh = "计划", en = "plan" }
commitment = { zh = "减排。", en = "Reduce." }
scope = { zh = "范围1+2", en = "scopes 1 and 2" }
base_year = 2025
first_year = 2026
last_year = 2030  # the first ten years
reduction_strategy = { zh = "能效", en = "efficiency" }
maintenance_strategy = { zh = "保持", en = "keep" }
offset_strategy = { zh = "最后", en = "last" }

[[targets]]
id = "near"
title = { zh = "近期", en = "near term" }
method = "stated"
scope = "1+2"
target_year = 2030
reduction_fraction = 0.05
from_year = 2030
"""
NAME = "paint_low_temperature_cure"
COOLER = f"""
title = {{ zh = "降温", en = "cooler" }}
basis = {{ zh = "设定", en = "a decision" }}
measure = "{NAME}"
[[scale]]
carrier = "natural_gas"
factor = 0.7
"""
WEEK = twin.Asked(date(2025, 1, 6), days=5, warm_up_days=1, runs=3, seed=4)
ONCE = twin_measure.Over(seasons=1)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plant with a closed year of 1200 vehicles, a twin of its oven, a plan, and a scenario that cools it."""
    place = tmp_path_factory.mktemp("twin-measure")
    folder = place / "plant"
    (folder / twin_scenario.FOLDER).mkdir(parents=True)
    for name, text in (("factory.toml", PLANT), ("twin.toml", TWIN), ("scenarios/cooler.toml", COOLER)):
        (folder / name).write_text(text, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(folder), NOW, "test")
    lines = [f"vehicles,2025-{m:02d}-01,2025-{m:02d}-28,100,辆,,结算,V{m},\n".strip() for m in range(1, 13)]
    lines += [f"diesel,2025-{m:02d}-01,2025-{m:02d}-28,800,L,,结算,D{m},\n".strip() for m in range(1, 13)]
    (place / "form.csv").write_text(HEADER + "".join(line + "\n" for line in lines), encoding="utf-8")
    readings_of(tuple(range(1, 13))).write_parquet(place / "readings.parquet")
    import_data.run(context, [place / "readings.parquet", place / "form.csv"])
    close.run(Context(Workspace.open(folder), NOW, "test"), Period(2025))
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture
def year(closed: Path, tmp_path: Path) -> Context:
    """Return a copy of that plant."""
    copytree(closed, tmp_path / "plant")
    return Context(Workspace.open(tmp_path / "plant"), NOW, "test")


def _gas_saved(context: Context) -> float:
    """Return what the measure saves of gas in the roadmap's program, alone and at the base year's output."""
    portfolio = plan_book(context, run_plan.current(context).plan).portfolio
    (link,) = [
        place for place, one in enumerate(portfolio.links)
        if portfolio.options[one.option].id == NAME and one.end_use == "paint.curing_oven"
    ]  # fmt: skip
    return -float(portfolio.link_matrix[:, link].sum())


def test_a_measure_is_tested_taken_by_the_roadmap_and_taken_out_again(year: Context) -> None:
    run_plan.set_plan(year)
    before = _gas_saved(year)
    found = twin_measure.try_out(year, NAME, WEEK, ONCE)
    base = twin.run(year, WEEK)
    each = [gas / made for gas, made in zip(base.paired["natural_gas"], base.paired["output"], strict=True)]
    (saving,) = found.savings
    assert saving.carrier == "natural_gas"
    assert saving.tested.mean == pytest.approx(1200 * 0.3 * sum(each) / len(each)), "three tenths of what a piece took"
    assert saving.catalogue == pytest.approx(before)
    assert found.saved_tco2e.mean > 0
    assert saving.tested.low < saving.tested.mean < saving.tested.high

    written = twin_measure.write(year, found)
    assert written.version == 2
    text = (year.workspace.folder / "plan.toml").read_text(encoding="utf-8")
    assert text.startswith(PLAN.rstrip("\n")), "what a person wrote stays, comments too"
    trial = written.plan.test_of(NAME)
    assert trial is not None
    assert (trial.scenario, trial.seed, trial.runs, trial.days, trial.seasons, trial.status) == ("cooler", 4, 3, 5, 1, "secondary")  # fmt: skip
    assert _gas_saved(year) == pytest.approx(saving.tested.mean, rel=1e-6)

    result = plan_roadmap.run(year, more=plan_roadmap.More(draws=50))
    width = half_widths(result.roadmap)[NAME]
    chance = (saving.tested.high - saving.tested.low) / 2 / saving.tested.mean
    assert width == pytest.approx((chance**2 + default("saving_secondary") ** 2) ** 0.5, rel=1e-6)
    told = [row for row in plan_roadmap.measures_as_json(result) if row["measure"] == NAME]
    assert all(row["tested"]["scenario"] == "cooler" for row in told)  # type: ignore[index]
    (line,) = plan_roadmap.as_json(result)["tested"]  # type: ignore[misc]
    assert (line["id"], line["chosen"]) == (NAME, NAME in result.roadmap.starts)
    reference = next(o for o in result.roadmap.portfolio.options if o.id == NAME).measure.references[-1]
    assert "tested in the twin: scenario cooler" in reference.text

    assert twin_measure.write(year, found).version == 2, "the same again is no change"
    assert twin_measure.stale(year, written.plan) == ()
    cooler = year.workspace.folder / "scenarios" / "cooler.toml"
    cooler.write_text(COOLER.replace("0.7", "0.6"), encoding="utf-8")
    assert twin_measure.stale(year, written.plan) == (NAME,)

    back = twin_measure.forget(year, NAME)
    assert back.plan.tested == ()
    assert _gas_saved(year) == pytest.approx(before)
    assert read_plan((year.workspace.folder / "plan.toml").read_text(encoding="utf-8")).tested == ()
    with pytest.raises(NotFound):
        twin_measure.forget(year, NAME)


def test_the_commands_say_it_and_take_it_back(year: Context) -> None:
    folder = year.workspace.folder
    over = ("--from", "2025-01-06", "--days", "5", "--runs", "2", "--seasons", "1", "-w", ".")

    def zf(*words: str) -> str:
        done = within(words, folder, {"ZF_LANG": "en"})
        assert done.returncode == 0, done.stderr
        return done.stdout

    zf("plan", "set", "-w", ".")
    assert "catalogue inside" in zf("twin", "measure", NAME, *over)
    told = json.loads(zf("twin", "measure", NAME, "--write", "--json", *over))
    assert (told["plan"], told["savings"][0]["carrier"], told["origin"]["seasons"]) == ("plan-2025.v2", "natural_gas", 1)  # fmt: skip
    roadmap = json.loads(zf("plan", "roadmap", "--json", "-w", "."))
    assert [one["id"] for one in roadmap["tested"]] == [NAME]
    assert roadmap["tested_stale"] == []
    (folder / "twin.toml").write_text(TWIN.replace("working = 8", "working = 9"), encoding="utf-8")
    assert "test again" in zf("plan", "roadmap", "-w", ".")
    assert "catalogue's again" in zf("twin", "measure", NAME, "--forget", "-w", ".")
    assert json.loads(zf("plan", "roadmap", "--json", "-w", "."))["tested"] == []


def test_seasons_are_added_up_and_nothing_changed_saves_nothing(year: Context) -> None:
    twice = twin_measure.try_out(year, NAME, WEEK, twin_measure.Over(seasons=2))
    apart = [
        twin.run(year, twin.Asked(day, 5, warm_up_days=1, runs=3, seed=4))
        for day in (date(2025, 1, 6), date(2025, 7, 7))
    ]
    gas, made = (sum(one.paired[name][0] for one in apart) for name in ("natural_gas", "output"))
    gas_2, made_2 = (sum(one.paired[name][1] for one in apart) for name in ("natural_gas", "output"))
    gas_3, made_3 = (sum(one.paired[name][2] for one in apart) for name in ("natural_gas", "output"))
    mean = (gas / made + gas_2 / made_2 + gas_3 / made_3) / 3
    assert twice.savings[0].tested.mean == pytest.approx(1200 * 0.3 * mean)
    same = year.workspace.folder / twin_scenario.FOLDER / "same.toml"
    same.write_text('title = { zh = "同", en = "same" }\n[stations.oven]\nmachines = 1\n', encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        twin_measure.try_out(year, NAME, WEEK, twin_measure.Over("same", 1))
    assert caught.value.problems[0].code == "twin.measure_no_effect"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("factor = 1.2", "planning.tested_negative"),
        ("factor = 1.0\n[stations.oven.draws.electricity.power]\nworking = 5", "planning.tested_no_end_use"),
    ],
)
def test_what_the_plan_cannot_take_is_refused_and_nothing_written(year: Context, change: str, code: str) -> None:
    run_plan.set_plan(year)
    (year.workspace.folder / "scenarios" / "cooler.toml").write_text(COOLER.replace("factor = 0.7", change), encoding="utf-8")  # fmt: skip
    with pytest.raises(FaultyData) as caught:
        twin_measure.write(year, twin_measure.try_out(year, NAME, WEEK, ONCE))
    assert [one.code for one in caught.value.problems] == [code]
    assert (year.workspace.folder / "plan.toml").read_text(encoding="utf-8") == PLAN
    assert run_plan.current(year).version == 1


def test_a_measure_without_a_scenario_or_without_savings_is_told(year: Context) -> None:
    def fault(name: str, over: twin_measure.Over | None = None) -> str:
        with pytest.raises(FaultyData) as caught:
            twin_measure.try_out(year, name, WEEK, over)
        return caught.value.problems[0].code

    assert fault("led_daylight") == "twin.measure_none"
    assert fault("led_daylight", twin_measure.Over("cooler")) == "twin.measure_other"
    free = 'title = { zh = "任", en = "any" }\novertime_h = 1\n'
    (year.workspace.folder / "scenarios" / "any.toml").write_text(free, encoding="utf-8")
    assert fault("pv_roof", twin_measure.Over("any")) == "twin.measure_no_savings"
    assert fault("stamping_servo_press", twin_measure.Over("any")) == "twin.measure_not_here"
    assert fault(NAME, twin_measure.Over(seasons=13)) == "twin.measure_seasons"
    (year.workspace.folder / "scenarios" / "again.toml").write_text(COOLER, encoding="utf-8")
    assert fault(NAME) == "twin.measure_several"
    with pytest.raises(NotFound):
        twin_measure.try_out(year, "magic", WEEK)


def _trial(**changed: Any) -> Trial:
    saving = {"carrier": "natural_gas", "unit": "Nm3", "amount": 10.0, "low": 9.0, "high": 11.0} | changed
    origin = ("s", "", "", 1, 8, date(2025, 3, 10), 7, date(2026, 1, 5))
    return Trial("electric_curing_oven", (TrialSaving(**saving),), 0.95, *origin)


def test_what_takes_the_place_of_a_saving_follows_its_own_test() -> None:
    from zerofactory.planning.measure import measure

    oven = measure("electric_curing_oven")
    gas = _trial(amount=45.0, low=44.0, high=46.0)
    half = as_tested(oven, gas, {"paint.curing_oven": 100.0}).savings[0]
    assert half.fraction == pytest.approx(0.45)
    assert half.instead[0].per_unit == pytest.approx(9.1), "half of the gas, half of the power"
    power = TrialSaving("electricity", "kWh", -500.0, -510.0, -490.0)
    both = Trial(**{**{name: getattr(gas, name) for name in Trial.__slots__}, "savings": (*gas.savings, power)})
    made = as_tested(oven, both, {"paint.curing_oven": 100.0}).savings[0]
    assert made.fraction * 100.0 * made.instead[0].per_unit == pytest.approx(500.0)
    fans = TrialSaving("electricity", "kWh", -30.0, -31.0, -29.0)
    wheel = Trial(**{**{name: getattr(gas, name) for name in Trial.__slots__}, "savings": (*gas.savings, fans)})
    turned = as_tested(measure("paint_oven_heat_recovery"), wheel, {"paint.curing_oven": 100.0}).savings[0]
    assert turned.fraction * 100.0 == pytest.approx(45.0)
    (more,) = turned.instead
    assert (more.source_kind, more.item, more.unit) == ("purchased_electricity", "electricity", "kWh")
    assert more.per_unit * 45.0 == pytest.approx(30.0), "fans that the catalogue does not know of"
    with pytest.raises(FaultyData) as caught:
        as_tested(oven, _trial(amount=150.0, low=140.0, high=160.0), {"paint.curing_oven": 100.0})
    assert caught.value.problems[0].code == "planning.tested_too_much"


def test_faults_of_tested_savings_in_a_plan_come_with_the_others() -> None:
    entry = """
[[tested]]
id = "magic"
savings = [{ carrier = "steam", unit = "t", amount = 1, low = 2, high = 3 }]
confidence_fraction = 2
scenario = "s"
scenario_sha256 = ""
twin_sha256 = ""
seed = 1
runs = 8
first = 2025-03-10
days = 7
on = 2026-01-05
"""
    with pytest.raises(FaultyData) as caught:
        read_plan(PLAN + entry)
    codes = {one.code for one in caught.value.problems}
    assert codes == {"planning.unknown", "planning.tested_carrier", "planning.tested_interval", "planning.tested_confidence"}  # fmt: skip
