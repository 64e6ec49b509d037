"""A small plant that the tests of runs and faces share: three meters, one month or more of readings, a few documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from tests.database import postgres_url, where_records_live  # noqa: F401  (fixtures of every test)

from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

# The same examples on every machine, however slow it is: a test fails for what is wrong, never for what is busy.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

SMALL_PLANT = """
[plant]
id = "small"
name = { zh = "小厂", en = "small plant" }
time_zone = "Asia/Shanghai"
region = "CN-上海"
currency = "CNY"

[organisation]
name = { zh = "测试公司", en = "test company" }

[[shops]]
id = "paint"
kind = "paint"
name = { zh = "涂装", en = "paint" }

[[shops]]
id = "utilities"
kind = "utilities"
name = { zh = "公用", en = "utilities" }

[[meters]]
id = "E1"
name = { zh = "进线", en = "incomer" }
carrier = "electricity"
kind = "interval"
unit = "kWh"
shop = "utilities"
maximum = 1000.0
minimum = 0.0

[[meters]]
id = "G1"
name = { zh = "烘房燃气", en = "oven gas" }
carrier = "natural_gas"
kind = "register"
unit = "Nm3"
shop = "paint"

[[sources]]
id = "electricity"
kind = "purchased_electricity"
name = { zh = "外购电力", en = "purchased electricity" }
item = "electricity"
meters = ["E1"]

[[sources]]
id = "gas-ovens"
kind = "stationary_combustion"
name = { zh = "烘房", en = "ovens" }
item = "natural_gas"
meters = ["G1"]

[[sources]]
id = "diesel"
kind = "mobile_combustion"
name = { zh = "柴油车", en = "diesel trucks" }
shop = "utilities"
item = "diesel"
detail = { use = "road" }

[[sources]]
id = "vehicles"
kind = "production_output"
name = { zh = "整车产量", en = "vehicles" }
shop = "paint"
"""
NOW = datetime(2026, 1, 15, tzinfo=UTC)
HEADER = "排放源,开始日期,结束日期,数量,单位,品种,数据来源,凭证号,备注\n"


def readings_of(months: tuple[int, ...], year: int = 2025) -> pl.DataFrame:
    """Return quarter hours of both meters for some months, the register with its closing reading."""
    frames = []
    for month in months:
        first = datetime(year, month, 1)  # noqa: DTZ001  (the plant's clock)
        last = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001
        slots = int((last - first).total_seconds() // 900)
        times = pl.datetime_range(first, last, "15m", closed="both", time_unit="us", eager=True)
        wave = np.round(50.0 + 10.0 * np.sin(np.arange(slots) / 96.0 * 2 * np.pi), 3)
        before = int((first - datetime(year, 1, 1)).total_seconds() // 900)  # noqa: DTZ001
        register = 100_000.0 + (before + np.arange(slots + 1)) * 2.5
        frames.append(pl.DataFrame({"meter": ["E1"] * slots, "time": times.head(slots), "value": wave}))
        frames.append(pl.DataFrame({"meter": ["G1"] * (slots + 1), "time": times, "value": register}))
    merged = pl.concat(frames)
    return merged.unique(["meter", "time"], keep="last", maintain_order=True).sort("meter", "time")


@pytest.fixture
def small(tmp_path: Path) -> Context:
    """Return a context on an empty book of the small plant."""
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    return Context(Workspace.open(folder), NOW, "test")


@pytest.fixture
def reopen() -> Callable[[Context], Context]:
    """Return a function that opens the same workspace afresh, as the next command would."""
    return lambda context: Context(Workspace.open(context.workspace.folder), context.now, context.actor)


@pytest.fixture
def write_form(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a document form as CSV from its lines."""

    def write(*lines: str, name: str = "form.csv") -> Path:
        path = tmp_path / name
        path.write_text(HEADER + "".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_readings(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes readings of some months as Parquet."""

    def write(*months: int, name: str = "readings.parquet", year: int = 2025) -> Path:
        path = tmp_path / name
        readings_of(months, year).write_parquet(path)
        return path

    return write
