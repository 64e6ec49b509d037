"""Small books for property tests: hourly meters, a few documents, any number of fresh workspaces."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from zerofactory.periods import Period
from zerofactory.runs import close
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

PLANT = """
[plant]
id = "property"
name = { zh = "性质测试厂", en = "property plant" }
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
interval_minutes = 60

[[meters]]
id = "G1"
name = { zh = "烘房燃气", en = "oven gas" }
carrier = "natural_gas"
kind = "register"
unit = "Nm3"
shop = "paint"
interval_minutes = 60

[[sources]]
id = "electricity"
kind = "purchased_electricity"
name = { zh = "外购电力", en = "purchased electricity" }
item = "electricity"
meters = ["E1"]

[[sources]]
id = "ovens"
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
id = "grease"
kind = "lubricant"
name = { zh = "润滑脂", en = "grease" }
shop = "paint"
item = "grease"
"""
NOW = datetime(2026, 1, 15, tzinfo=UTC)
HEADER = "排放源,开始日期,结束日期,数量,单位,品种,数据来源,凭证号,备注\n"


class Desk:
    """Makes books, opens them, and writes the files that go into them."""

    known_at = date(2026, 1, 15)

    def __init__(self, root: Path) -> None:
        self._root, self._numbers = root, itertools.count()

    def _path(self, name: str) -> Path:
        folder = self._root / str(next(self._numbers))
        folder.mkdir()
        return folder / name

    def book(self) -> Path:
        """Return the folder of a new, empty book."""
        folder = self._path("factory.toml").parent
        (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
        Workspace.create(folder, at=stamp(NOW), actor="test")
        return folder

    def opened(self, folder: Path) -> Context:
        """Open a book as the next command would, a minute after the one before."""
        return Context(Workspace.open(folder), NOW + timedelta(minutes=next(self._numbers)), "test")

    def form(self, lines: Sequence[str]) -> Path:
        """Write lines of the document form to a file of its own."""
        path = self._path("form.csv")
        path.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    def readings(self, months: Sequence[int], seed: int | None = None) -> Path:
        """Write the readings of some months of 2025 in the long form; a seed shuffles them."""
        start = datetime(2025, 1, 1)  # noqa: DTZ001  (the plant's clock)
        frames = []
        for month in months:
            first = datetime(2025, month, 1)  # noqa: DTZ001
            last = datetime(2025 + month // 12, month % 12 + 1, 1)  # noqa: DTZ001
            times = pl.datetime_range(first, last, "1h", closed="both", time_unit="us", eager=True).alias("time")
            since = (times - start).dt.total_hours()
            register = pl.DataFrame({"meter": ["G1"] * len(times), "time": times, "value": 1000.0 + since * 3.25})
            load = pl.DataFrame({"meter": ["E1"] * len(times), "time": times, "value": 40.0 + (since % 24) * 1.125})
            frames += [register, load.head(-1)]
        made = pl.concat(frames).unique(["meter", "time"], maintain_order=True)
        path = self._path("readings.parquet")
        (made if seed is None else made.sample(fraction=1.0, shuffle=True, seed=seed)).write_parquet(path)
        return path

    def close(self, folder: Path, months: Sequence[int]) -> None:
        """Close months of 2025 one by one in the order given."""
        for month in months:
            close.run(self.opened(folder), Period(2025, month), known_at=self.known_at)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return a desk that makes as many fresh books as a property needs."""
    return Desk(tmp_path_factory.mktemp("desk"))
