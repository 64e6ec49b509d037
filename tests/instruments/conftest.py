"""A plant that lives on documents: 2024 is its base year, 2025 still open; and registry exports made for it."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zerofactory.periods import Period
from zerofactory.runs import base_year, close, import_data
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAME = "示例汽车有限公司"
PLANT = f"""
[plant]
id = "green"
name = {{ zh = "绿厂", en = "green plant" }}
time_zone = "Asia/Shanghai"
region = "CN-上海"
currency = "CNY"

[organisation]
name = {{ zh = "{NAME}", en = "Example Motor Co., Ltd." }}

[boundary]
description = {{ zh = "全厂", en = "the whole plant" }}

[[shops]]
id = "assembly"
kind = "assembly"
name = {{ zh = "总装", en = "assembly" }}

[[sources]]
id = "electricity"
kind = "purchased_electricity"
name = {{ zh = "外购电力", en = "purchased electricity" }}
shop = "assembly"
item = "electricity"

[[sources]]
id = "diesel"
kind = "mobile_combustion"
name = {{ zh = "柴油车", en = "diesel trucks" }}
shop = "assembly"
item = "diesel"
detail = {{ use = "road" }}

[[sources]]
id = "green-power"
kind = "green_power_contract"
name = {{ zh = "绿证", en = "certificates" }}
shop = "assembly"
item = "electricity"
"""
FORM = "排放源,开始日期,结束日期,数量,单位,数据来源,凭证号\n"
GEC = "起始编号,终止编号,绿证数量,电量生产月份,建档立卡编码,项目名称,能源类型,账户名称,单价(元/个)\n"
CCER = "起始编号,终止编号,数量,减排量产生起始日期,减排量产生截止日期,项目编号,项目名称,项目类型,账户名称,项目登记日期,单价(元)\n"
LAST_DAY = {2: 28, 4: 30, 6: 30, 9: 30, 11: 30}


def documents(year: int, energy_mwh: float, diesel_t: float) -> str:
    """Return the documents of a year: electricity and diesel of each month."""
    lines = [FORM]
    for month in range(1, 13):
        last = LAST_DAY.get(month, 31) + (month == 2 and year % 4 == 0)
        days = f"{year}-{month:02d}-01,{year}-{month:02d}-{last}"
        lines.append(f"electricity,{days},{energy_mwh},MWh,结算,E-{year}{month:02d}\n")
        lines.append(f"diesel,{days},{diesel_t},t,结算,D-{year}{month:02d}\n")
    return "".join(lines)


def gec(month: int, first: int, last: int, year: int = 2025, **more: str) -> str:
    """Return one row of an export of green certificates."""
    cells = {
        "first": f"GEC-{first:06d}", "last": f"GEC-{last:06d}", "amount": str(last - first + 1),
        "vintage": f"{year}-{month:02d}", "project": "WIND-01", "name": "张北风电场", "type": "风电", "holder": NAME, "price": "6.5",
    } | more  # fmt: skip
    return ",".join(cells.values()) + "\n"


def ccer(first: int, last: int, **more: str) -> str:
    """Return one row of an export of CCER."""
    cells = {
        "first": f"CCER-{first:06d}", "last": f"CCER-{last:06d}", "amount": str(last - first + 1),
        "from": "2024-01-01", "to": "2024-12-31", "project": "FOREST-9", "name": "塞罕坝造林", "type": "造林碳汇",
        "holder": NAME, "registered": "2024-06-01", "price": "75",
    } | more  # fmt: skip
    return ",".join(cells.values()) + "\n"


@pytest.fixture(scope="session")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("green") / "plant"
    folder.mkdir()
    (folder / "factory.toml").write_text(PLANT, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    context = Context(Workspace.open(folder), NOW, "test")
    for year, energy, diesel in ((2024, 100.0, 3.0), (2025, 80.0, 1.0)):
        path = folder.parent / f"documents-{year}.csv"
        path.write_text(documents(year, energy, diesel), encoding="utf-8")
        import_data.run(context, [path])
    close.run(context, Period(2024))
    base_year.fix(Context(Workspace.open(folder), NOW, "test"), Period(2024))
    return folder


@pytest.fixture
def green(_built: Path, tmp_path: Path) -> Context:
    """Return a context on a fresh copy of the plant."""
    folder = Path(shutil.copytree(_built, tmp_path / "plant"))
    return Context(Workspace.open(folder), NOW, "test")


@pytest.fixture
def later() -> Callable[..., Context]:
    """Return a function that opens the same workspace afresh, as the next command would, at another moment if given."""

    def opened(context: Context, now: datetime | None = None) -> Context:
        return replace(context, workspace=Workspace.open(context.workspace.folder), now=now or context.now)

    return opened


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes an export from its heading and rows."""

    def write(heading: str, rows: Sequence[str], name: str = "export.csv") -> Path:
        path = tmp_path / name
        path.write_text(heading + "".join(rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def zf(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that calls ``zf`` within this process, in the test's own folder."""

    def call(*arguments: str, language: str = "zh") -> subprocess.CompletedProcess[str]:
        from zerofactory.cli.main import main

        out, err, code = io.StringIO(), io.StringIO(), 0
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            for name, value in {
                "ZF_LANG": language,
                "ZF_NOW": stamp(NOW),
                "ZF_ACTOR": "test",
                "COLUMNS": "160",
            }.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["zf", *arguments])
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    main()
                except SystemExit as left:
                    code = int(left.code or 0)
        return subprocess.CompletedProcess(list(arguments), code, out.getvalue(), err.getvalue())

    return call
