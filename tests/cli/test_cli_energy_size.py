"""`zf energy size` on a small workspace: answer, files, conflict; and what is planned is what is booked when the plan happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

PLANT = """
[plant]
id = "works"
name = { zh = "小厂", en = "small works" }
time_zone = "Asia/Shanghai"
region = "CN-上海"
currency = "CNY"

[organisation]
name = { zh = "测试公司", en = "test company" }

[tariff]
area = "shanghai"
scheme = "two_part_large_industry"
voltage = "1-10kV"
carry = "2026-08"
demand_basis = "maximum"
export_cny_per_kwh = 0.3

[[shops]]
id = "utilities"
kind = "utilities"
name = { zh = "公用", en = "utilities" }

[[meters]]
id = "E-IN"
name = { zh = "进线", en = "incomer" }
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "utilities"
interval_minutes = 60

[[meters]]
id = "G-BO"
name = { zh = "锅炉燃气", en = "boiler gas" }
carrier = "natural_gas"
kind = "interval"
unit = "Nm3"
shop = "utilities"
interval_minutes = 60

[[sources]]
id = "electricity"
kind = "purchased_electricity"
name = { zh = "外购电力", en = "purchased electricity" }
item = "electricity"
meters = ["E-IN"]

[[sources]]
id = "boiler"
kind = "stationary_combustion"
name = { zh = "锅炉", en = "boiler" }
item = "natural_gas"
meters = ["G-BO"]
"""
ENERGY = """
[energy]
discount_fraction = 0.08
horizon_years = 20

[[loads]]
carrier = "electricity"
meters = ["E-IN"]

[[loads]]
carrier = "heat_high"
meters = ["G-BO"]
as_output_of = "boiler"

[[assets]]
id = "grid"
kind = "grid_connection"
parameters = { transformer_kva = 5000, import_limit_kw = 4000, load_loss_fraction = 0.0 }

[[assets]]
id = "gas"
kind = "gas_supply"
parameters = { limit_nm3_per_h = 500 }
series = { gas_price_cny_per_nm3 = 4.0 }

[[assets]]
id = "boiler"
kind = "gas_boiler"
source = "boiler"
parameters = { heat_kw = 2000, heat_level = "heat_high" }

[[assets]]
id = "sun"
kind = "photovoltaic"
candidate = true
parameters = { peak_maximum_kw = 1500 }
series = { ghi_w_per_m2 = { weather = "ghi_w_per_m2", place = "shanghai" }, dni_w_per_m2 = { weather = "dni_w_per_m2", place = "shanghai" }, dhi_w_per_m2 = { weather = "dhi_w_per_m2", place = "shanghai" }, ambient_celsius = { weather = "ambient_celsius", place = "shanghai" }, wind_m_per_s = { weather = "wind_m_per_s", place = "shanghai" } }

[[assets]]
id = "battery"
kind = "battery"
candidate = true
parameters = { capacity_maximum_kwh = 4000 }

[[assets]]
id = "pump"
kind = "heat_pump"
candidate = true
parameters = { heat_maximum_kw = 2000, heat_level = "heat_high" }
series = { ambient_celsius = { weather = "ambient_celsius", place = "shanghai" } }
"""
HOURS = 744
Call = Callable[..., object]


def readings(path: Path, electricity_kwh: np.ndarray, gas_nm3: np.ndarray) -> None:  # type: ignore[type-arg]
    start = pl.datetime_range(pl.datetime(2025, 3, 1), pl.datetime(2025, 3, 31, 23), "1h", eager=True)
    text = start.dt.strftime("%Y-%m-%d %H:%M").to_list()
    meters = ["E-IN"] * HOURS + ["G-BO"] * HOURS
    values = [f"{value:.3f}" for value in (*electricity_kwh, *gas_nm3)]
    pl.DataFrame({"表计": meters, "时间": [*text, *text], "读数": values}).write_csv(path)


def works(folder: Path, zf: Call, electricity_kwh: np.ndarray, gas_nm3: np.ndarray) -> None:  # type: ignore[type-arg]
    for step in (("init", str(folder)),):
        assert zf(*step).returncode == 0  # type: ignore[attr-defined]
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    (folder / "energy.toml").write_text(ENERGY, encoding="utf-8")
    file = folder.parent / f"{folder.name}.csv"
    readings(file, electricity_kwh, gas_nm3)
    done = zf("import", str(file), "-w", str(folder))
    assert done.returncode == 0, done.stderr  # type: ignore[attr-defined]
    done = zf("close", "--period", "2025-03", "-w", str(folder))
    assert done.returncode == 0, done.stderr  # type: ignore[attr-defined]


def measured() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    clock = np.arange(HOURS) % 24
    return 800.0 + 500.0 * ((clock > 7) & (clock < 20)), 60.0 + 20.0 * (clock < 12)


@pytest.fixture
def plant(tmp_path: Path, zf: Call) -> Path:
    works(tmp_path / "works", zf, *measured())
    return tmp_path / "works"


def test_the_answer_fits_the_page_and_its_files_are_written(plant: Path, tmp_path: Path, zf: Call) -> None:
    done = zf("energy", "size", "-w", str(plant), "--period", "2025-03", "--out", str(tmp_path / "out"), "--week", "2025-03-10", "--pareto", "3", "--sensitivity", "0.2")  # fmt: skip
    assert done.returncode == 0, done.stderr  # type: ignore[attr-defined]
    from rich.cells import cell_len

    printed = done.stdout  # type: ignore[attr-defined]
    assert max(cell_len(line) for line in printed.splitlines()) <= 100
    for word in (
        "推荐结构",
        "光伏",
        "费用(万元)",
        "各口径",
        "中国物理认定",
        "净现值",
        "前沿",
        "敏感性",
        "独立检查通过",
    ):
        assert word in printed
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"plan.json", "dispatch.parquet", "planned_records.parquet", "week.svg", "week.png", "front.svg", "front.png"}  # fmt: skip
    assert (tmp_path / "out" / "week.png").read_bytes().startswith(b"\x89PNG")
    from zerofactory.runs.context import open_context

    (kept,) = open_context(plant).workspace.journal.payloads("energy_size")
    told = json.loads(kept)
    assert set(told["files"]) == files
    assert set(told["sizes"]) >= {"sun"}
    assert zf("verify", "-w", str(plant)).returncode == 0  # type: ignore[attr-defined]
    english = zf("energy", "size", "-w", str(plant), "--period", "2025-03", language="en")
    assert "recommended structure" in english.stdout  # type: ignore[attr-defined]
    assert max(cell_len(line) for line in english.stdout.splitlines()) <= 100  # type: ignore[attr-defined]


def test_planned_records_equal_booked_records_when_the_plan_happens(plant: Path, tmp_path: Path, zf: Call) -> None:
    out = tmp_path / "out"
    done = zf("energy", "size", "-w", str(plant), "--period", "2025-03", "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr  # type: ignore[attr-defined]
    told = json.loads(done.stdout)  # type: ignore[attr-defined]
    assert told["check"]["passed"]
    assert told["after"]["cost_cny"]["total"] < told["before"]["cost_cny"]["total"]
    rows = pl.read_parquet(out / "dispatch.parquet").sort("started_at")

    def counted(asset: str, carrier: str) -> np.ndarray:  # type: ignore[type-arg]
        exact = rows.filter((pl.col("asset") == asset) & (pl.col("carrier") == carrier))["energy"].to_numpy()
        register = np.rint(np.cumsum(np.abs(exact)) * 1000) / 1000  # a meter counts whole Wh and loses none
        return np.diff(register, prepend=0.0)

    works(tmp_path / "later", zf, counted("grid", "electricity"), counted("gas", "natural_gas"))
    from zerofactory.runs.context import open_context
    from zerofactory.store.schema import RECORDS

    booked = open_context(tmp_path / "later").workspace.journal.active(RECORDS)
    planned = pl.read_parquet(out / "planned_records.parquet")
    key = ["source_id", "gas", "regime", "factor_id"]
    columns = [*key, "quantity", "unit", "emissions_gco2e", "scope", "category"]
    assert planned.select(columns).sort(key).equals(booked.select(columns).sort(key))
    whole = booked.filter(pl.col("regime").is_in(["any", "location"]))["emissions_gco2e"].sum() / 1e6
    assert told["after"]["emissions_t"]["location"] == pytest.approx(whole, rel=1e-8)


def test_a_wish_beyond_reach_is_answered_with_what_clashes(plant: Path, zf: Call) -> None:
    done = zf("energy", "size", "-w", str(plant), "--period", "2025-03", "--cap", "80%", "--budget", "1000000")
    assert done.returncode == 2  # type: ignore[attr-defined]
    printed = done.stdout  # type: ignore[attr-defined]
    assert "不能同时满足" in printed
    assert "碳排放不超过" in printed
    assert "须改为" in printed
    assert "最接近要求的可行方案" in printed
    assert "推荐结构" in printed
    hopeless = zf("energy", "size", "-w", str(plant), "--period", "2025-03", "--cap", "10%")
    assert "低于任何方案的排放" in hopeless.stderr  # type: ignore[attr-defined]


def test_faults_are_told_before_anything_is_solved(plant: Path, zf: Call) -> None:
    def said(*more: str) -> str:
        done = zf("energy", "size", "-w", str(plant), *more)
        assert done.returncode == 2, done.stdout  # type: ignore[attr-defined]
        return str(done.stderr)  # type: ignore[attr-defined]

    assert "没有读数完整的年度" in said()
    assert "2025-04" in said("--period", "2025-04")
    assert "步长不能是 20" in said("--period", "2025-03", "--step", "20")
    assert "读数间隔 60" in said("--period", "2025-03", "--step", "15")
    assert "不是碳上限" in said("--period", "2025-03", "--cap", "much")
    assert "不能作为约束口径" in said("--period", "2025-03", "--regime", "eu_battery")
    assert "没有目标" in said("--period", "2025-03", "--target", "joy")
    assert "0 与 1 之间" in said("--period", "2025-03", "--hourly-matched", "80")
    energy = plant / "energy.toml"
    energy.write_text(ENERGY.replace("peak_maximum_kw = 1500", "peak_maximum_kw = 1500, colour = 5") + '\n[[loads]]\ncarrier = "cold"\nmeters = ["NONE"]\n', encoding="utf-8")  # fmt: skip
    assert "colour" in said("--period", "2025-03")
    energy.write_text(ENERGY + "\n[extra]\nx = 1\n", encoding="utf-8")
    assert "不认识的键" in said("--period", "2025-03")
    energy.unlink()
    assert "energy.toml" in said("--period", "2025-03")


def test_a_tariff_with_a_gap_and_missing_hours_are_named(plant: Path, tmp_path: Path, zf: Call) -> None:
    (plant / "factory.toml").write_text(PLANT.replace('carry = "2026-08"\n', ""), encoding="utf-8")
    done = zf("energy", "size", "-w", str(plant), "--period", "2025-03")
    assert done.returncode == 2  # type: ignore[attr-defined]
    assert "2025-03" in done.stderr  # type: ignore[attr-defined]
    gaps = tmp_path / "gaps"
    assert zf("init", str(gaps)).returncode == 0  # type: ignore[attr-defined]
    (gaps / "factory.toml").write_text(PLANT, encoding="utf-8")
    (gaps / "energy.toml").write_text(ENERGY, encoding="utf-8")
    file = tmp_path / "gaps.csv"
    readings(file, *measured())
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:100] + lines[107:]) + "\n", encoding="utf-8")
    assert zf("import", str(file), "-w", str(gaps)).returncode == 0  # type: ignore[attr-defined]
    done = zf("energy", "size", "-w", str(gaps), "--period", "2025-03")
    assert done.returncode == 2  # type: ignore[attr-defined]
    assert "缺 7 个时段" in done.stderr  # type: ignore[attr-defined]
