"""ORIGINS kept at closing: a plant with sun, a store, a contract whose wind is metered, two load meters, an export."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from zerofactory.accounting.claims import CLAIMS
from zerofactory.accounting.origin_rows import ORIGINS
from zerofactory.errors import FaultyData, NotFound
from zerofactory.metering.interval import ESTIMATED
from zerofactory.periods import Period
from zerofactory.runs import close, electricity, import_data, open_package, origins, package, verify
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.intervals import sealed_month
from zerofactory.store.workspace import Workspace

NOW = datetime(2026, 1, 15, tzinfo=UTC)
HOURS = ("IN", "PV", "EX", "CH", "DI", "WIND", "L1", "L2")
JANUARY, FEBRUARY = Period(2025, 1), Period(2025, 2)
PLANT = """
[plant]
id = "store"
name = { zh = "储能厂", en = "plant with a store" }
time_zone = "Asia/Shanghai"
region = "CN-上海"
currency = "CNY"
[organisation]
name = { zh = "测试公司", en = "test company" }
[[shops]]
id = "all"
kind = "other"
name = { zh = "全厂", en = "all" }
""" + "".join(
    f"""
[[meters]]
id = "{name}"
name = {{ zh = "{name}", en = "{name}" }}
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "all"
interval_minutes = 60
{'parent = "V"' if name in ("L1", "L2") else ""}
"""
    for name in HOURS
)
PLANT += """
[[meters]]
id = "V"
name = { zh = "总用电", en = "whole load" }
carrier = "electricity"
kind = "virtual"
unit = "kWh"
shop = "all"
interval_minutes = 60
formula = "IN + PV - EX - CH + DI"
[[meters]]
id = "SELF"
name = { zh = "自用光伏", en = "sun used" }
carrier = "electricity"
kind = "virtual"
unit = "kWh"
shop = "all"
interval_minutes = 60
formula = "PV - EX"
[[sources]]
id = "bought"
kind = "purchased_electricity"
name = { zh = "外购", en = "bought" }
item = "electricity"
meters = ["IN"]
[[sources]]
id = "sun"
kind = "on_site_renewable"
name = { zh = "光伏", en = "sun" }
item = "electricity"
meters = ["SELF"]
detail = { certificates_sold = "no" }
[[sources]]
id = "store"
kind = "on_site_storage"
name = { zh = "储能", en = "store" }
item = "electricity"
meters = ["CH"]
detail = { discharge = "DI", round_trip_fraction = 0.8, capacity_kwh = 400 }
[[sources]]
id = "wind"
kind = "green_power_contract"
name = { zh = "风电合同", en = "wind contract" }
shop = "all"
item = "electricity"
detail = { instrument_kind = "green_power", vintage_year = 2025, market = "CN", beneficiary = "测试公司", retired = "yes", sole_claim = "yes", rate_attribute = "yes", profile = "WIND" }
"""


def day(hour: int) -> dict[str, float]:
    """One day by hand: export while importing at nine, sun 10–15, the store filled at noon and at night, emptied at dusk."""
    load = 100.0
    sun = 130.0 if 10 <= hour < 16 else 20.0 if hour == 9 else 0.0
    charge = 20.0 if 10 <= hour < 16 else 30.0 if hour in (2, 3) else 0.0
    discharge = 36.0 if 18 <= hour < 22 else 0.0
    export = 5.0 if hour == 9 else 0.0
    bought = load + charge + export - sun - discharge
    bought, export = (bought, export) if bought >= 0 else (0.0, export - bought)
    wind = 60.0 if hour < 12 else 10.0
    return {"IN": bought, "PV": sun, "EX": export, "CH": charge, "DI": discharge, "WIND": wind, "L1": 70.0, "L2": 29.0}


def readings(first: datetime, days: int) -> pl.DataFrame:
    rows = [
        {"表计": meter, "时间": first + timedelta(hours=slot), "读数": amount}
        for slot in range(days * 24)
        for meter, amount in day(slot % 24).items()
    ]
    return pl.DataFrame(rows).sort("表计", "时间")


@pytest.fixture
def stored(tmp_path: Path, write_form: Callable[..., Path]) -> Context:
    """Return the plant with January and February imported, nothing closed."""
    folder = tmp_path / "stored"
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    path = tmp_path / "hours.csv"
    readings(datetime(2025, 1, 1), 59).write_csv(path, datetime_format="%Y-%m-%d %H:%M")  # noqa: DTZ001
    form = write_form(
        "wind,2025-01-01,2025-01-31,20000,kWh,,结算,W1,", "wind,2025-02-01,2025-02-28,18000,kWh,,结算,W2,"
    )
    context = again(folder)
    import_data.run(context, [path, form])
    return again(folder)


def again(folder: Path) -> Context:
    return Context(Workspace.open(folder), NOW, "test")


def sums(rows: pl.DataFrame) -> dict[tuple[str, str], int]:
    grouped = rows.group_by("origin", "path").agg(pl.col("energy_wh").sum())
    return {(origin, path): energy for origin, path, energy in grouped.iter_rows()}


def test_a_closed_month_keeps_its_origins_and_verifies(stored: Context) -> None:
    folder = stored.workspace.folder
    close.run(stored, JANUARY)
    context = again(folder)
    assert verify.run(context).clean
    rows = origins.read(context, JANUARY)
    assert ORIGINS.check(rows) == []
    hours = [day(slot % 24) for slot in range(31 * 24)]
    moment = pl.col("started_at")
    by_slot = rows.group_by(moment).agg(
        supply=pl.col("energy_wh").filter(pl.col("path").is_in(["direct", "charged"])).sum(),
        load=pl.col("energy_wh").filter(pl.col("path").is_in(["direct", "discharged"])).sum(),
    )
    by_slot = by_slot.sort("started_at")
    assert by_slot["supply"].to_list() == [round(1000 * (h["IN"] + h["PV"] - h["EX"])) for h in hours]
    assert by_slot["load"].to_list() == [100_000] * len(hours), "the load is 100 kWh in every hour, store or not"
    assert by_slot["started_at"][0] == datetime(2024, 12, 31, 16, tzinfo=UTC)


def test_the_first_day_by_hand(stored: Context) -> None:
    """Night: 60 kWh charged at 130 kWh bought of which 30.61… are wind. Noon: 120 kWh of sun. Evening: 144 at 80 %."""
    close.run(stored, JANUARY)
    context = again(stored.workspace.folder)
    first = origins.read(context, JANUARY).filter(pl.col("started_at") < datetime(2025, 1, 1, 16, tzinfo=UTC))
    found = sums(first)
    wind = 20_000_000 * 60 // (31 * (12 * 60 + 12 * 10))  # Wh of the contract in a night hour
    charged_wind = [amount for (origin, path), amount in found.items() if (origin, path) == ("contract", "charged")]
    assert charged_wind[0] == pytest.approx(2 * 30_000 * wind / 130_000, abs=4)
    assert found["on_site", "charged"] == 6 * 20_000
    content = 60_000 + 120_000
    drawn = 4 * 36_000 / 0.8
    assert drawn == content, "the day empties the store"
    assert found["on_site", "discharged"] == pytest.approx(120_000 * 0.8, abs=4)
    assert found["on_site", "lost"] == pytest.approx(120_000 * 0.2, abs=4)
    assert sum(amount for (_, path), amount in found.items() if path == "discharged") == 4 * 36_000
    assert sum(amount for (_, path), amount in found.items() if path == "lost") == 36_000


def test_a_gap_that_was_filled_is_in_the_origins_too(stored: Context, tmp_path: Path) -> None:
    """Three hours of the incomer are missing: what stands in for them is metered energy like any other, to the watt-hour."""
    folder = tmp_path / "gap"
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    path = tmp_path / "gap.csv"
    rows = readings(datetime(2025, 1, 1), 31)  # noqa: DTZ001  (the plant's clock)
    lost = pl.col("时间").is_between(datetime(2025, 1, 9, 4), datetime(2025, 1, 9, 6)) & (pl.col("表计") == "IN")  # noqa: DTZ001
    rows.filter(~lost).write_csv(path, datetime_format="%Y-%m-%d %H:%M")
    import_data.run(again(folder), [path])
    close.run(again(folder), JANUARY)
    month = sealed_month(again(folder), JANUARY)
    assert (month.state[month.row("IN")] == ESTIMATED).sum() == 3
    used = month.amount_milli[month.row("IN")] + month.amount_milli[month.row("SELF")]
    found = origins.read(again(folder), JANUARY).filter(pl.col("path").is_in(["direct", "charged"]))
    by_slot = found.group_by("started_at").agg(pl.col("energy_wh").sum()).sort("started_at")
    assert by_slot["energy_wh"].to_list() == used.tolist()
    assert verify.run(again(folder)).clean


def test_a_meter_opens_to_its_own_energy(stored: Context) -> None:
    close.run(stored, JANUARY)
    context = again(stored.workspace.folder)
    for meter, energy in (("L1", 70_000), ("L2", 29_000), ("V", 100_000)):
        rows = origins.read(context, JANUARY, meter)
        each = rows.group_by("started_at").agg(pl.col("energy_wh").sum())["energy_wh"]
        assert each.to_list() == [energy] * (31 * 24)
    with pytest.raises(NotFound) as caught:
        origins.read(context, JANUARY, "PV")
    assert "L1" in caught.value.choices


def test_the_store_is_carried_over_the_end_of_a_month(stored: Context) -> None:
    folder = stored.workspace.folder
    (january,) = close.run(stored, JANUARY)
    assert not [problem for problem in january.warnings if problem.code.startswith("electricity.")]
    close.run(again(folder), FEBRUARY)
    one_by_one = origins.kept(again(folder))
    assert one_by_one["2025-02.r0"]["opening_wh"] == one_by_one["2025-01.r0"]["closing_wh"]
    assert verify.run(again(folder)).clean
    close.run(again(folder), JANUARY, revise=True, reason="again")
    assert origins.kept(again(folder))["2025-01.r1"]["closing_wh"] == one_by_one["2025-01.r0"]["closing_wh"]
    assert verify.run(again(folder)).clean


def test_closing_months_together_or_one_by_one_keeps_the_same_origins(stored: Context, tmp_path: Path) -> None:
    import shutil

    other = tmp_path / "other"
    shutil.copytree(stored.workspace.folder, other)
    for month in (JANUARY, FEBRUARY):
        close.run(again(stored.workspace.folder), month)
    context = again(other)
    prepared = [close.run(context, Period(2025, month)) for month in (1, 2)]
    assert len(prepared) == 2
    assert origins.kept(again(other)) == origins.kept(again(stored.workspace.folder))


def test_changed_origins_are_named(stored: Context) -> None:
    folder = stored.workspace.folder
    close.run(stored, JANUARY)
    path = folder / "series/sealed/2025-01.r0.origins.parquet"
    rows = pl.read_parquet(path)
    changed = rows.with_columns(
        pl.when(pl.int_range(pl.len()) == 7).then(pl.col("energy_wh") + 1).otherwise("energy_wh").alias("energy_wh")
    )
    changed.write_parquet(path)
    assert [problem.code for problem in verify.run(again(folder)).problems] == ["verify.origins_file"]
    path.unlink()
    assert [problem.code for problem in verify.run(again(folder)).problems] == ["verify.origins_file"]


def test_regimes_over_the_store_keep_the_metered_total_and_the_evening_is_sunny(stored: Context) -> None:
    close.run(stored, JANUARY)
    result = electricity.compare(again(stored.workspace.folder), JANUARY)
    physical = result.matched_by_hour["china_physical"]
    assert physical[11] == pytest.approx(1.0), "at eleven 130 of sun cover the load and the charge"
    assert physical[18] == pytest.approx(0.36 * 120 / 180, abs=1e-4), "two thirds of what the store gives out is sun"
    assert physical[23] == 0.0
    assert {regime.id: found.energy_wh for regime, found in result.results} == dict.fromkeys(
        (regime.id for regime, _ in result.results), result.consumption_wh
    )
    plain = json.loads(json.dumps(result.as_json()))
    hourly = next(entry for entry in plain["regimes"] if entry["id"] == "market_hourly")
    assert len(hourly["matched_fraction_by_hour_of_period"]) == 31 * 24
    assert np.array(hourly["matched_fraction_by_hour_and_month"]).shape == (24, 1)
    base = next(entry for entry in plain["regimes"] if entry["id"] == "location")["emissions_gco2e"]
    for entry in plain["regimes"]:
        assert entry["emissions_gco2e"] - base == entry["differs_from_location_gco2e"]


def claim(name: str, **given: object) -> dict[str, object]:
    row: dict[str, object] = {
        "claim_id": name, "instrument": "gec", "covers": "electricity", "amount_wh": 1_000_000, "vintage": "2025-01",
        "market": "CN", "beneficiary": "测试公司", "regime": "any", "period": "2025-01", "retired_on": "2025-12-01",
    }  # fmt: skip
    return row | given


def test_claims_cover_and_those_that_fail_say_why(stored: Context) -> None:
    close.run(stored, JANUARY)
    context = again(stored.workspace.folder)
    before = {regime.id: found.emissions_gco2e for regime, found in electricity.compare(context, JANUARY).results}
    rows = [
        claim("good"),
        claim("not-retired", retired_on=None),
        claim("expired", retired_on="2027-02-01"),
        claim("old", vintage="2024-12"),
        claim("abroad", market="US"),
        claim("theirs", beneficiary="别的公司"),
        claim("whole-year", period="2025"),
        claim("only-programme", regime="china_programme", amount_wh=500_000),
    ]
    with context.workspace.journal.writing(at=context.at, kind="retire", actor="test") as writer:
        writer.append(CLAIMS, CLAIMS.frame(rows))
    unrevised = electricity.compare(again(stored.workspace.folder), JANUARY)
    assert {regime.id: found.emissions_gco2e for regime, found in unrevised.results} == before
    assert verify.run(again(stored.workspace.folder)).clean, "claims made after closing do not move what was sealed"
    close.run(again(stored.workspace.folder), JANUARY, revise=True, reason="certificates retired")
    result = electricity.compare(again(stored.workspace.folder), JANUARY)
    after = {regime.id: found.emissions_gco2e for regime, found in result.results}
    remarks = " ".join(remark.en for _, found in result.results for remark in found.remarks)
    assert before["market_annual"] - after["market_annual"] == pytest.approx(1_000_000 * 0.6096, abs=1)
    assert before["china_programme"] - after["china_programme"] == pytest.approx(1_500_000 * 0.5306, abs=1)
    for name in ("location", "china_physical", "eu_battery", "market_hourly"):
        assert after[name] == before[name]
    for name, why in (
        ("not-retired", "retired"),
        ("expired", "expired"),
        ("old", "vintage_year"),
        ("abroad", "market"),
        ("theirs", "beneficiary"),
    ):
        assert f"'{name}'" in remarks
        assert why in remarks
    assert "'whole-year' (2025) covers a year" in remarks
    assert "'good' (2025-01) is not applied" not in remarks
    kept = sums(origins.read(again(stored.workspace.folder), JANUARY))
    covered = [wh for (origin, path), wh in kept.items() if origin == "certificate" and path in ("direct", "charged")]
    assert sum(covered) == 1_500_000, (
        "the origins hold every certificate that qualifies, whichever regime it is claimed under"
    )
    assert verify.run(again(stored.workspace.folder)).clean


def test_a_claim_that_is_booked_as_a_document_too_counts_once(stored: Context) -> None:
    close.run(stored, JANUARY)
    context = again(stored.workspace.folder)
    before = electricity.compare(context, JANUARY)
    with context.workspace.journal.writing(at=context.at, kind="retire", actor="test") as writer:
        writer.append(CLAIMS, CLAIMS.frame([claim("W1", amount_wh=20_000_000)]))
    close.run(again(stored.workspace.folder), JANUARY, revise=True, reason="claimed")
    after = electricity.compare(again(stored.workspace.folder), JANUARY)
    for (_, one), (_, other) in zip(before.results, after.results, strict=True):
        assert one.emissions_gco2e == other.emissions_gco2e
    assert len(after.book.supplies) == len(before.book.supplies)


def test_a_package_carries_the_origins_and_recomputes_them(stored: Context, tmp_path: Path) -> None:
    close.run(stored, JANUARY)
    close.run(again(stored.workspace.folder), FEBRUARY)
    for month in (JANUARY, FEBRUARY):
        out = tmp_path / f"{month.label}.zip"
        package.run(again(stored.workspace.folder), month, out, package.Content())
        assert f"origins/{month.label}.parquet" in zipfile.ZipFile(out).namelist()
        assert open_package.verify(out).clean
    rows = pl.read_parquet(io.BytesIO(zipfile.ZipFile(out).read("origins/2025-02.parquet")))
    assert rows.equals(origins.read(again(stored.workspace.folder), FEBRUARY))


def test_rows_go_to_a_file(stored: Context, tmp_path: Path) -> None:
    close.run(stored, JANUARY)
    found = origins.opened(again(stored.workspace.folder), JANUARY, "L1")
    assert found.load_wh == 70_000 * 31 * 24
    assert sum(line.share_fraction for line in found.lines) == pytest.approx(1.0)
    for name in ("l1.csv", "l1.parquet"):
        origins.write(found, tmp_path / name)
        assert (tmp_path / name).stat().st_size
    assert pl.read_parquet(tmp_path / "l1.parquet").equals(found.rows)
    with pytest.raises(FaultyData):
        origins.write(found, tmp_path / "l1.xlsx")
    comparison = electricity.compare(again(stored.workspace.folder), JANUARY)
    electricity.write_hours(comparison, tmp_path / "hours-out.csv")
    hours = pl.read_csv(tmp_path / "hours-out.csv")
    assert hours.height == 31 * 24
    assert hours["load_wh"].sum() == 100_000 * 31 * 24
    assert hours["started_at"][0] == "2025-01-01T00:00:00+08:00"


def test_what_a_store_gives_out_before_it_was_charged_is_told(stored: Context) -> None:
    plant = stored.workspace.folder / "factory.toml"
    text = plant.read_text(encoding="utf-8").replace('discharge = "DI"', 'discharge = "IN"')
    plant.write_text(text, encoding="utf-8")  # a store that gives out more than it takes in: meters mixed up
    (january,) = close.run(again(stored.workspace.folder), JANUARY)
    assert "electricity.unrecorded_discharge" in {problem.code for problem in january.warnings}
    assert verify.run(again(stored.workspace.folder)).clean


def test_a_store_whose_discharge_is_not_measured_stops_closing(stored: Context) -> None:
    plant = stored.workspace.folder / "factory.toml"
    meter = """
[[meters]]
id = "DEAD"
name = { zh = "无读数", en = "without readings" }
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "all"
interval_minutes = 60
"""
    plant.write_text(
        plant.read_text(encoding="utf-8").replace('discharge = "DI"', 'discharge = "DEAD"') + meter, encoding="utf-8"
    )
    with pytest.raises(FaultyData) as caught:
        close.run(again(stored.workspace.folder), JANUARY)
    assert [problem.code for problem in caught.value.problems if problem.severity == "error"] == ["month.unfilled"]
    assert "DEAD" in str(caught.value)


def test_a_store_without_efficiency_stops_closing(stored: Context) -> None:
    folder = stored.workspace.folder
    plant = folder / "factory.toml"
    plant.write_text(plant.read_text(encoding="utf-8").replace("round_trip_fraction = 0.8, ", ""), encoding="utf-8")
    with pytest.raises(FaultyData) as caught:
        close.run(again(folder), JANUARY)
    assert {problem.code for problem in caught.value.problems} & {
        "electricity.no_efficiency",
        "accounting.missing_detail",
    }
