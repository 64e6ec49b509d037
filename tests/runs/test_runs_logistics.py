"""Logistics in a workspace: planned tonnes are booked tonnes, the documents import as they are, faults are told, the fleet's loads."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from zerofactory.accounting.quantify import quantify
from zerofactory.assets.grid import Grid
from zerofactory.errors import FaultyData
from zerofactory.metering.profile import LOAD
from zerofactory.optimisation.logistics.network import Goals
from zerofactory.optimisation.logistics.routing import Effort
from zerofactory.periods import Period
from zerofactory.runs import import_data, logistics_file, logistics_fleet, logistics_plan, planned_load
from zerofactory.runs.context import Context
from zerofactory.store.schema import ACTIVITIES

REFERENCE = (files("zerofactory.reference_plant") / "logistics.toml").read_text(encoding="utf-8")
SOURCES = """
[[sources]]
id = "chain-inbound"
kind = "upstream_transport"
name = { zh = "入厂运输链", en = "inbound chains" }
shop = "utilities"

[[sources]]
id = "chain-outbound"
kind = "downstream_transport"
name = { zh = "出厂运输链", en = "outbound chains" }
shop = "utilities"

[[accounting.pin]]
role = "grid.upstream:electricity"
factor = "uk.wtt_gen.2025"
reason = "替代 stand-in"

[[accounting.pin]]
role = "transport.sea_freight:ship_vehicle_transport_average_tkm"
factor = "uk25.ship.vehicle_transport.average.tkm"
reason = "替代 stand-in"

[[accounting.pin]]
role = "transport.upstream:wtt_ship_vehicle_transport_average_tkm"
factor = "uk25.wtt.ship.vehicle_transport.average.tkm"
reason = "替代 stand-in"

[tariff]
area = "shanghai"
scheme = "two_part_large_industry"
voltage = "110kV"
carry = "2026-08"
demand_basis = "maximum"
"""


@pytest.fixture
def chained(small: Context, reopen: Callable[[Context], Context]) -> Context:
    """Return the small plant with the reference plant's network and the sources it books to."""
    folder = small.workspace.folder
    plant = folder / "factory.toml"
    plant.write_text(plant.read_text(encoding="utf-8") + SOURCES, encoding="utf-8")
    (folder / "logistics.toml").write_text(REFERENCE, encoding="utf-8")
    return reopen(small)


def with_network(context: Context, *changes: tuple[str, str]) -> Context:
    text = REFERENCE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (context.workspace.folder / "logistics.toml").write_text(text, encoding="utf-8")
    return context


def test_the_reference_network_is_the_packaged_one_of_the_reference_plant() -> None:
    file = logistics_file.parse(REFERENCE)
    assert {"supplier", "raw_store", "plant", "finished_store", "customer", "terminal"} <= {
        node.kind for node in file.nodes
    }
    plant = tomllib.loads((files("zerofactory.reference_plant") / "plant.toml").read_text(encoding="utf-8"))
    assert {file.logistics.inbound_source, file.logistics.outbound_source} <= {
        source["id"] for source in plant["sources"]
    }


def test_planned_tonnes_are_booked_tonnes(chained: Context) -> None:
    result = logistics_plan.run(chained, logistics_plan.Asked())
    assert result.after is not None
    assert result.booked is not None
    booked = int(result.booked.records["emissions_gco2e"].sum())
    assert booked + result.plant_charged_g == pytest.approx(result.after.plan.emissions_t * 1e6, rel=1e-6)
    assert result.after.plan.cost_cny <= result.before.plan.cost_cny
    assert result.clean is not None
    assert result.clean.plan.emissions_t <= result.after.plan.emissions_t
    assert {row["source"] for row in result.rows} == {"chain-inbound", "chain-outbound"}
    assert set(result.booked.records["scope"].to_list()) == {3}


def test_the_documents_import_as_they_are_and_count_the_same(chained: Context, tmp_path: Path) -> None:
    asked = logistics_plan.Asked(period=Period(2025, 4))
    result = logistics_plan.run(chained, asked)
    made = {path.name: path for path in logistics_plan.write(chained, asked, result, tmp_path / "out")}
    (imported,) = import_data.run(chained, [made["activities-2025-04.csv"]])
    assert (imported.rows, imported.periods) == (len(result.rows), ("2025-04",))
    rows = chained.workspace.journal.active(ACTIVITIES).drop("reverses")
    plant, book = chained.workspace.plant, chained.workspace.factor_book
    again = quantify(rows, plant, book, known_at=chained.today)
    assert result.booked is not None
    assert int(again.records["emissions_gco2e"].sum()) == int(result.booked.records["emissions_gco2e"].sum())
    assert all(row for row in rows["evidence"].to_list())


def test_a_month_is_its_share_of_the_year(chained: Context) -> None:
    year = logistics_plan.run(chained, logistics_plan.Asked(period=Period(2025)))
    month = logistics_plan.run(chained, logistics_plan.Asked(period=Period(2025, 4)))
    assert year.booked is not None
    assert month.booked is not None
    part = month.booked.records["emissions_gco2e"].sum() / year.booked.records["emissions_gco2e"].sum()
    assert part == pytest.approx(30 / 365, rel=1e-6)


def test_a_cap_that_cannot_be_kept_is_answered_with_the_clash(chained: Context) -> None:
    result = logistics_plan.run(chained, logistics_plan.Asked(cap="1%"))
    assert result.after is None
    assert result.conflict is not None
    assert "carbon_cap" in {one.wish.id for one in result.conflict.clashing}
    assert result.as_json()["conflict"]


def test_a_price_of_carbon_lowers_emissions(chained: Context) -> None:
    free = logistics_plan.run(chained, logistics_plan.Asked())
    priced = logistics_plan.run(chained, logistics_plan.Asked(goals=Goals(carbon_price_cny_per_t=20_000.0)))
    assert free.after is not None
    assert priced.after is not None
    assert priced.after.plan.emissions_t < free.after.plan.emissions_t


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("chargers_km = [165.0, 320.0]", "chargers_km = [90.0]"), "logistics.range"),
        (('kind = "battery_49t"', 'kind = "battery_99t"'), "name.not_found"),
        (("tonnes = 180000.0", "tonnes = 1800000.0"), "logistics.capacity"),
        (('end = "raw-store"', 'end = "nowhere"'), "logistics.unknown"),
        (("plant_share = 0.5", "plant_share = 1.5"), "logistics_file.less_than_equal"),
        (('one_way_factor = "uk25.mat.paper_mixed.primary"', 'one_way_factor = "paper"'), "logistics.packaging_factor"),
    ],
)
def test_faults_of_the_file_are_named(chained: Context, change: tuple[str, str], code: str) -> None:
    with pytest.raises(FaultyData) as fault:
        logistics_plan.run(with_network(chained, change), logistics_plan.Asked())
    assert code in {problem.code for problem in fault.value.problems}
    assert all(problem.file for problem in fault.value.problems)


def test_a_workspace_without_sources_is_told_what_to_add(small: Context) -> None:
    (small.workspace.folder / "logistics.toml").write_text(REFERENCE, encoding="utf-8")
    with pytest.raises(FaultyData) as fault:
        logistics_plan.run(small, logistics_plan.Asked())
    assert [problem.code for problem in fault.value.problems] == ["logistics.no_source"] * 2
    assert "upstream_transport" in fault.value.problems[0].hint.en


def test_the_fleet_s_day(
    chained: Context, write_readings: Callable[..., Path], reopen: Callable[[Context], Context], tmp_path: Path
) -> None:
    import_data.run(chained, [write_readings(3)])
    context = reopen(chained)
    asked = logistics_fleet.Asked(date(2025, 3, 11), Effort(seconds=None, iterations=200))
    result = logistics_fleet.run(context, asked)
    assert result.electric is not None
    assert result.diesel is not None
    assert result.electric.emissions_g < result.diesel.emissions_g
    assert result.dock is not None
    problem, plan = result.dock
    needed = sum(stay.need_kwh for stay in problem.stays)
    assert plan.load_kw.sum() * problem.step_hours * problem.efficiency == pytest.approx(needed, rel=1e-6)
    on_the_way = sum(one.charged_kwh for one in result.electric.rounds.rounds)
    driven = result.electric.rounds.distance_km * result.electric.problem.truck.kwh_per_km
    assert needed + on_the_way == pytest.approx(driven, rel=1e-6)
    assert plan.cost_cny <= plan.at_once_cny + 1e-6
    assert LOAD.check(result.loads) == []
    energy = logistics_fleet.loads_by_place(result)
    assert set(energy) == {"logistics-dock", "forklifts", "agvs"}
    assert energy["logistics-dock"] == pytest.approx(plan.load_kw.sum() * problem.step_hours, abs=0.1)
    made = {path.name: path for path in logistics_fleet.write(context, result, tmp_path / "out")}
    assert LOAD.check(pl.read_parquet(made["load.parquet"])) == []
    rows = planned_load.read(made["load.parquet"])
    wide = Grid(datetime(2025, 3, 11, tzinfo=ZoneInfo("Asia/Shanghai")), 60, 48)
    assert planned_load.on_grid(rows, wide).sum() == pytest.approx(sum(energy.values()), abs=0.5)
    envelope = pl.read_csv(made["dock-envelope.csv"])
    assert envelope.columns == ["time", "latest_kwh", "earliest_kwh", "plugged_kw"]
    assert envelope["latest_kwh"].max() == pytest.approx(needed)


def test_a_planned_load_that_is_none_is_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "load.parquet", tmp_path / "other.parquet"
    text.write_text("no parquet", encoding="utf-8")
    pl.DataFrame({"x": [1]}).write_parquet(other)
    for path, code in ((text, "load.unreadable"), (other, "tables.missing_column")):
        with pytest.raises(FaultyData) as fault:
            planned_load.read(path)
        assert fault.value.problems[0].code == code
        assert fault.value.problems[0].file == path.name


def test_a_day_that_was_not_measured_is_told(
    chained: Context, write_readings: Callable[..., Path], reopen: Callable[[Context], Context]
) -> None:
    import_data.run(chained, [write_readings(3)])
    asked = logistics_fleet.Asked(date(2025, 9, 1), Effort(seconds=None, iterations=50))
    with pytest.raises(FaultyData) as fault:
        logistics_fleet.run(reopen(chained), asked)
    assert [problem.code for problem in fault.value.problems] == ["logistics.not_measured"]


def test_rounds_alone_need_no_readings(chained: Context) -> None:
    text = REFERENCE[: REFERENCE.index("# 月台充电")]
    (chained.workspace.folder / "logistics.toml").write_text(text, encoding="utf-8")
    result = logistics_fleet.run(chained, logistics_fleet.Asked(effort=Effort(seconds=None, iterations=100)))
    assert result.dock is None
    assert result.electric is not None
    assert replace(result.electric.rounds, runtime_s=0.0).vehicles >= 1
