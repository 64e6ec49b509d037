"""LOAD and SIGNALS: nothing counted twice, exact sums, tariff borders to the minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from zerofactory.errors import NotFound
from zerofactory.metering.fill import virtual
from zerofactory.metering.interval import to_intervals
from zerofactory.metering.profile import LOAD, energy_wh, every_place, load_of, place, shop_meters
from zerofactory.metering.signal import SIGNALS, chosen, prices_of, signals, tariff
from zerofactory.periods import Period
from zerofactory.reference_plant.shapes import table
from zerofactory.units import WrongDimension

MONTH = Period(2025, 1)
KNOWN = datetime(2025, 2, 1, tzinfo=UTC)


def plant_of(bench: Any) -> Any:
    return bench.plant([
        bench.meter("in", "interval", shop="body"), bench.meter("pv", "interval", shop="paint"),
        bench.meter("all", "virtual", shop="body", formula="in + pv"),
        bench.meter("p", "interval", parent="all"), bench.meter("p1", "interval", parent="p"),
        bench.meter("b", "interval", shop="body", parent="all"), bench.meter("c", "interval", carrier="cooling", unit="GJ"),
        bench.meter("g", "interval", carrier="natural_gas", unit="Nm3"),
    ])  # fmt: skip


def test_a_shop_is_its_topmost_meters_and_the_site_its_root(bench: Any) -> None:
    plant = plant_of(bench)
    assert shop_meters(plant) == {"paint": ("p",), "body": ("b",)}
    assert place(plant, "site").meters == ("all",)
    assert place(plant, "paint", "cooling").meters == ("c",)
    assert place(plant, "p1").level == "meter"
    with pytest.raises(NotFound) as caught:
        place(plant, "nowhere")
    assert "paint" in caught.value.choices


def test_load_rows_keep_every_watt_hour_and_leave_gaps_out(bench: Any) -> None:
    plant = plant_of(bench)
    slots = 31 * 96
    values: dict[str, list[float | None]] = {name: [1.2345] * slots for name in ("in", "pv", "p", "p1", "b", "g")}
    values["c"] = [1 / 3] * slots
    values["b"][7] = None
    month, _ = to_intervals(bench.readings(plant, values), plant, MONTH)
    month = virtual(month, plant)
    rows = load_of(month, every_place(plant), KNOWN)
    assert LOAD.check(rows) == []
    total = {
        (r["place"], r["level"]): r["energy_wh"]
        for r in rows.group_by("place", "level").agg(pl.col("energy_wh").sum()).to_dicts()
    }
    assert total["site", "site"] == sum(month.total_milli(name) for name in ("in", "pv"))
    assert total["paint", "shop"] == month.total_milli("p")
    assert rows.filter((pl.col("place") == "body") & (pl.col("level") == "shop")).height == slots - 1
    exact = month.total_milli("c") / 1000 / 3.6e-3  # GJ → kWh, and to the watt-hour
    assert int(energy_wh(month, ["c"]).sum()) == pytest.approx(exact * 1000, abs=1)
    with pytest.raises(WrongDimension):
        energy_wh(month, ["g"])


def test_the_tariff_of_the_reference_plant_and_its_seasonal_peak() -> None:
    row = chosen(table("tariff_shanghai_2026_08"), "two_part_large_industry", "110kV")
    found, problems = tariff(row, "Asia/Shanghai")
    assert problems == []
    assert found is not None
    august = prices_of(found, datetime.fromisoformat("2025-08-05T00:00+08:00"), 15, 96)
    may = prices_of(found, datetime.fromisoformat("2025-05-05T00:00+08:00"), 15, 96)
    assert august[[0, 24, 32, 48, 56, 60, 95]].tolist() == [
        0.289894,
        0.604413,
        1.023772,
        1.259662,
        1.023772,
        0.604413,
        0.289894,
    ]
    assert may[48] == 1.023772  # no sharp peak outside July and August
    assert found.demand_cny_per_kw_month == 38.4
    rows = signals(
        "Shanghai", (datetime.fromisoformat("2025-08-05T00:00+08:00"), 15), {"price_cny_per_kwh": august}, KNOWN
    )
    assert SIGNALS.check(rows) == []
    with pytest.raises(NotFound):
        chosen(table("tariff_shanghai_2026_08"), None, "110kV")


def test_half_hour_borders_are_averaged_over_an_hour_and_kept_in_quarters() -> None:
    row = {
        "province_en": "X", "scheme": "s", "voltage": "v", "month": "2026-08", "flat_cny_per_kwh": 0.6, "valley_cny_per_kwh": 0.2,
        "hours": "00:00-08:30=valley 08:30-24:00=flat",
    }  # fmt: skip
    found, problems = tariff(row, "Asia/Shanghai")
    assert problems == []
    assert found is not None
    start = datetime.fromisoformat("2026-03-01T08:00+08:00")
    assert prices_of(found, start, 60, 2) == pytest.approx([0.4, 0.6])
    assert prices_of(found, start, 15, 4) == pytest.approx([0.2, 0.2, 0.6, 0.6])
    night = prices_of(found, datetime.fromisoformat("2026-02-28T23:30+08:00"), 60, 1)
    assert night == pytest.approx([0.4])


def test_every_fault_of_a_tariff_is_told() -> None:
    row = {
        "province_en": "X",
        "scheme": "s",
        "voltage": "v",
        "month": "2026-08",
        "flat_cny_per_kwh": 0.6,
        "hours": "00:00-08:00=valley x 09:00-24:00=flat",
    }
    found, problems = tariff(row, "Asia/Shanghai")
    assert found is None
    assert {problem.code for problem in problems} == {
        "metering.tariff_unreadable_hours",
        "metering.tariff_no_price",
        "metering.tariff_not_a_day",
    }
