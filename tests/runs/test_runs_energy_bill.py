"""The bill of a past month from the readings of a workspace, and the checks of tariff and assets in `zf check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import SMALL_PLANT, readings_of
from typer.testing import CliRunner

from zerofactory.assets.gas_price import gas_price
from zerofactory.cli.main import app
from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import check, energy_bill, forecast, import_data
from zerofactory.runs.context import Context
from zerofactory.runs.energy_assets import plant_assets
from zerofactory.runs.energy_tariff import plant_gas_price, plant_tariff
from zerofactory.site.load import plant as read_plant

Writer = Callable[..., Path]
Reopen = Callable[[Context], Context]

TARIFF = """
[tariff]
area = "shanghai"
scheme = "two_part_large_industry"
voltage = "35kV"
carry = "2026-08"
demand_basis = "maximum"
transformer_kva = 400.0
gas = "contract"
"""
GAS = """
title = { zh = "合同", en = "contract" }
unit = "m3"
basis = "month"
status = "placeholder"
source = "a hand-made case"
[[steps]]
from_m3 = 0
price_cny_per_m3 = 3.5
[[steps]]
from_m3 = 5000
price_cny_per_m3 = 4.0
"""
BANDS_JULY = {
    "sharp_peak": ((12, 14),),
    "peak": ((8, 12), (14, 15), (18, 21)),
    "flat": ((6, 8), (15, 18), (21, 22)),
    "valley": ((0, 6), (22, 24)),
}


@pytest.fixture
def metered(small: Context, write_readings: Writer, reopen: Reopen) -> Context:
    """Return the small plant with a tariff, a gas contract of its own, and the readings of June and July."""
    folder = small.workspace.folder
    (folder / "factory.toml").write_text(SMALL_PLANT + TARIFF, encoding="utf-8")
    (folder / "tariffs").mkdir()
    (folder / "tariffs" / "contract.toml").write_text(GAS, encoding="utf-8")
    import_data.run(reopen(small), [write_readings(6, 7)])
    return reopen(small)


def test_bill_reproduces_from_the_readings_by_hand(metered: Context) -> None:
    """The readings summed hour by hour without any of our code; prices of the published row of August 2026, 35 kV."""
    found = energy_bill.read(metered, Period.parse("2025-07")).bills[0]
    rows = readings_of((7,))
    kwh = rows.filter(rows["meter"] == "E1")["value"].to_numpy().reshape(31, 24, 4).sum(axis=2)
    lines = {line.code: line for line in found.lines}
    prices = {"flat": "0.635913"}
    tariff = plant_tariff(metered.workspace.plant)
    row = tariff.rows[0]
    assert row.prices["flat"] == Decimal(prices["flat"])
    for band, spans in BANDS_JULY.items():
        energy = sum(float(kwh[:, first:last].sum()) for first, last in spans)
        line = lines[f"energy.{band}"]
        assert float(line.quantity) == pytest.approx(energy, abs=1e-6)
        assert line.amount_fen == round(energy * float(row.prices[band]) * 100)
    peak = float(rows.filter(rows["meter"] == "E1")["value"].max()) * 4  # type: ignore[arg-type]
    assert found.peak_kw == pytest.approx(peak)
    hours = kwh.sum() / 400.0
    price = 41.6 * (0.9 if hours >= 260 else 1.0)
    assert lines["basic.maximum"].amount_fen == round(round(peak, 4) * price * 100)
    assert found.total_fen == sum(line.amount_fen for line in found.lines)


def test_peak_so_far_counts_what_was_read(metered: Context) -> None:
    found = energy_bill.read(metered, Period.parse("2025-07")).bills[0]
    assert energy_bill.peak_so_far_kw(metered, Period.parse("2025-07")) == pytest.approx(found.peak_kw)
    assert energy_bill.peak_so_far_kw(metered, Period.parse("2025-08")) == 0.0
    assert energy_bill.peak_so_far_kw(metered, Period.parse("2024-01")) == 0.0
    with pytest.raises(FaultyData):
        energy_bill.read(metered, Period.parse("2025"), energy_bill.Stated(power_factor=0.9))


def test_gas_is_billed_by_its_steps(metered: Context) -> None:
    """2.5 Nm3 a quarter hour, 2976 of them: 7 440; the plant takes m3 as Nm3: 5 000 · 3.5 + 2 440 · 4.0."""
    lines = energy_bill.read(metered, Period.parse("2025-07")).gas[0]
    assert [line.amount_fen for line in lines] == [1_750_000, 976_000]
    assert plant_gas_price(metered.workspace.plant, metered.workspace.folder) is not None


def test_year_lists_the_months_there_are(metered: Context) -> None:
    found = energy_bill.read(metered, Period.parse("2025"))
    assert [one.month for one in found.bills] == ["2025-06", "2025-07"]
    assert found.total_fen == sum(one.total_fen for one in found.bills)
    assert [problem.code for problem in found.problems] == ["assets.tariff_carried"]
    assert json.loads(json.dumps(found.as_json()))["gas_fen"] == found.gas_fen


def test_a_gap_is_named_with_meter_and_moment(small: Context, tmp_path: Path, reopen: Reopen) -> None:
    (small.workspace.folder / "factory.toml").write_text(
        SMALL_PLANT + TARIFF.replace('gas = "contract"\n', ""), encoding="utf-8"
    )
    rows = readings_of((7,))
    third = rows["time"].min() + timedelta(days=2, hours=5)  # type: ignore[operator]
    holed = rows.filter((rows["meter"] != "E1") | ~rows["time"].is_between(third, third + timedelta(minutes=30)))
    path = tmp_path / "holed.parquet"
    holed.write_parquet(path)
    import_data.run(reopen(small), [path])
    with pytest.raises(FaultyData) as caught:
        energy_bill.read(reopen(small), Period.parse("2025-07"))
    assert [problem.code for problem in caught.value.problems] == ["bill.gap"]
    assert "E1" in caught.value.problems[0].message.zh
    assert "2025-07-03 05:00" in caught.value.problems[0].message.en
    with pytest.raises(FaultyData, match="2025-03"):
        energy_bill.read(reopen(small), Period.parse("2025-03"))


def test_no_tariff_is_said(small: Context) -> None:
    with pytest.raises(FaultyData, match="names no tariff"):
        energy_bill.read(small, Period.parse("2025-07"))


def test_own_tariff_files_come_first(metered: Context, reopen: Reopen) -> None:
    folder = metered.workspace.folder
    own = folder / "tariffs"
    (own / "shanghai.toml").write_text(
        'title = { zh = "自备", en = "own" }\ntime_zone = "Asia/Shanghai"\nsource = "contract"\n', encoding="utf-8"
    )
    with pytest.raises(FaultyData, match=r"shanghai\.csv"):
        energy_bill.read(reopen(metered), Period.parse("2025-07"))
    head = "month,scheme,voltage,hours,flat_cny_per_kwh\n"
    (own / "shanghai.csv").write_text(
        head + "2025-07,two_part_large_industry,35kV,00:00-24:00=flat,0.5\n", encoding="utf-8"
    )
    text = SMALL_PLANT + TARIFF.replace('carry = "2026-08"\n', "")
    (folder / "factory.toml").write_text(text, encoding="utf-8")
    found = energy_bill.read(reopen(metered), Period.parse("2025-07")).bills[0]
    assert [line.code for line in found.lines] == ["energy.flat"]


def test_command_prints_both_languages_and_json(metered: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    where = ["-w", str(metered.workspace.folder), "--period", "2025-07"]
    monkeypatch.setenv("ZF_LANG", "en")
    done = CliRunner().invoke(app, ["energy", "bill", *where])
    assert done.exit_code == 0, done.output
    assert "sharp peak" in done.output
    assert "total" in done.output
    found = json.loads(CliRunner().invoke(app, ["energy", "bill", *where, "--json"]).stdout)
    assert found["total_fen"] == sum(line["amount_fen"] for line in found["bills"][0]["lines"])
    assert all(isinstance(line["amount_fen"], int) for line in found["bills"][0]["lines"])
    listed = json.loads(CliRunner().invoke(app, ["energy", "tariffs", "--json"]).stdout)
    assert {row["area"] for row in listed} == {
        "beijing",
        "jiangsu",
        "jilin",
        "shaanxi",
        "shanghai",
        "sichuan",
        "zhejiang",
    }


def test_forecast_of_price_follows_the_same_tariff(metered: Context) -> None:
    """What the plant names under [tariff] prices bills, live costs and forecasts alike."""
    made = forecast.run(metered, forecast.Asked("price", horizon=timedelta(days=1)))
    row = plant_tariff(metered.workspace.plant).rows[0]
    assert set(np.round(made.wide()["p50"].to_list(), 6)) <= {
        round(float(row.prices["flat"]) + (ratio - 1) * float(row.base or 0), 6) for ratio in (1.0, 1.8, 0.4, 2.25)
    }


ASSETS = """
[[assets]]
id = "battery-1"
kind = "battery"
name = { zh = "一号储能", en = "battery 1" }
shop = "utilities"
parameters = { capacity_kwh = 2000, c_rate_per_hour = 99, colour = "red" }

[[assets]]
id = "pv-new"
kind = "photovoltaic"
name = { zh = "新光伏", en = "new PV" }
shop = "utilities"
parameters = { peak_maximum_kw = 5000, segments = "10@90=0.5 10@270=0.5" }

[[assets]]
id = "switch"
kind = "switchgear"
name = { zh = "开关", en = "switch" }
shop = "utilities"
parameters = { sf6_kg = 3 }

[[assets]]
id = "chiller-9"
kind = "chiller"
name = { zh = "冷机", en = "chiller" }
shop = "utilities"
parameters = { cooling_kw = 500, meter = "E9" }

[[assets]]
id = "typo"
kind = "heatpump"
name = { zh = "热泵", en = "heat pump" }
shop = "utilities"
"""


def test_every_fault_of_every_asset_is_named_at_once(small: Context, reopen: Reopen) -> None:
    path = small.workspace.folder / "factory.toml"
    path.write_text(SMALL_PLANT + ASSETS + TARIFF.replace("35kV", "36kV"), encoding="utf-8")
    report = check.run(reopen(small))
    found = {(problem.code, problem.column) for problem in report.problems}
    assert ("assets.unknown_parameter", "assets.battery-1.parameters.colour") in found
    assert ("assets.out_of_bounds", "assets.battery-1.parameters.c_rate_per_hour") in found
    assert ("assets.unknown_kind", "assets.typo.kind") in found
    assert ("name.not_found", "assets.chiller-9.parameters.meter") in found
    assert ("name.not_found", "tariff") in found
    assert report.failed
    equipment, _ = plant_assets(reopen(small).workspace.plant)
    assert [(one.entry.id, one.sized) for one in equipment] == [("pv-new", True), ("chiller-9", False)]


def test_the_reference_plant_has_a_tariff_and_sound_assets() -> None:
    text = (files("zerofactory.reference_plant") / "plant.toml").read_text(encoding="utf-8")
    plant, problems = read_plant(text)
    assert plant is not None, problems
    equipment, faults = plant_assets(plant)
    assert faults == []
    assert {"photovoltaic", "gas_boiler", "chiller", "paint_oven", "furnace"} <= {one.kind.id for one in equipment}
    assert plant_tariff(plant).id == "shanghai/two_part_large_industry/110kV"
    with pytest.raises(NotFound):
        gas_price("nowhere")
