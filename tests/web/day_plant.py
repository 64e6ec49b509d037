"""A small plant that has nearly everything done towards neutrality, served as a user serves it, for the manager's day."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.instruments.conftest import CCER, FORM, GEC, LAST_DAY, NOW, PLANT, ccer, gec
from tests.web.conftest import _free_port, _wait

from zerofactory.periods import Period
from zerofactory.runs import base_year, close, import_data, instrument_import, instruments
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.instruments import Request
from zerofactory.runs.plan import set_plan
from zerofactory.store.workspace import Workspace

BASE, YEAR = Period(2024), Period(2025)
SIMPLE_PLAN = """
[plan]
title = { zh = "零碳计划", en = "zero-carbon plan" }
commitment = { zh = "2030 年比 2024 年减半, 先减排、后抵消。", en = "Halve 2024 by 2030; reduce first, then offset." }
scope = { zh = "全厂范围一、二", en = "scopes 1 and 2 of the plant" }
base_year = 2024
first_year = 2026
last_year = 2032
reduction_strategy = { zh = "绿电与电动车辆", en = "green power and electric trucks" }
maintenance_strategy = { zh = "每年复核", en = "reviewed each year" }
offset_strategy = { zh = "只抵消剩余", en = "only what remains" }

[[targets]]
id = "half"
title = { zh = "2030 年减半", en = "half by 2030" }
scope = "1+2"
target_year = 2030
method = "stated"
reduction_fraction = 0.5

[[mechanism.roles]]
id = "director"
title = { zh = "总经理", en = "general manager" }
holder = "陈明远"
area = "plant"
duties = { zh = "批准", en = "approves" }
[[mechanism.roles]]
id = "carbon"
title = { zh = "碳管理师", en = "carbon manager" }
holder = "林晓"
area = "supply_chain"
duties = { zh = "核算", en = "accounts" }

[[mechanism.processes]]
id = "inventory"
title = { zh = "核算与封存", en = "accounts and closing" }
responsible = ["carbon"]
accountable = "director"

[[tasks]]
id = "policy"
title = { zh = "签发方针", en = "issue the policy" }
owner = "director"
due = 2026-02-01
"""


@dataclass(frozen=True)
class Served:
    """A server that answers at ``address``; ``plant`` is its folder, ``inbox`` holds files to drop."""

    address: str
    welcome: str
    plant: Path
    inbox: Path


def rows(year: int, months: range, energy_mwh: float, diesel_t: float) -> str:
    """Return documents of some months: electricity and diesel."""
    lines = []
    for month in months:
        last = LAST_DAY.get(month, 31) + (month == 2 and year % 4 == 0)
        days = f"{year}-{month:02d}-01,{year}-{month:02d}-{last}"
        lines.append(f"electricity,{days},{energy_mwh},MWh,结算,E-{year}{month:02d}\n")
        lines.append(f"diesel,{days},{diesel_t},t,结算,D-{year}{month:02d}\n")
    return "".join(lines)


def nearly_neutral(folder: Path) -> tuple[Path, Path]:
    """Build the plant: 2024 fixed as base year, 2025 covered by certificates and closed but for December. Return it and its inbox."""
    plant, inbox = folder / "plant", folder / "inbox"
    plant.mkdir(parents=True)
    inbox.mkdir()
    (plant / "factory.toml").write_text(PLANT, encoding="utf-8")
    (plant / "plan.toml").write_text(SIMPLE_PLAN, encoding="utf-8")
    Workspace.create(plant, at=stamp(NOW), actor="test")

    def fresh() -> Context:
        return Context(Workspace.open(plant), NOW, "test")

    for name, text in (("a.csv", rows(2024, range(1, 13), 100.0, 3.0)), ("b.csv", rows(2025, range(1, 12), 80.0, 1.0))):
        (folder / name).write_text(FORM + text, encoding="utf-8")
        import_data.run(fresh(), [folder / name])
    close.run(fresh(), BASE)
    base_year.fix(fresh(), BASE)
    export = folder / "gec.csv"
    export.write_text(GEC + "".join(gec(month, month * 1000, month * 1000 + 79) for month in range(1, 13)), "utf-8")
    instrument_import.run(fresh(), [export], "gec")
    claim = instruments.reserve(
        fresh(), Request("scope2_market", YEAR, _wanted(960), "all electricity of 2025")
    ).claim_id
    instruments.retire(fresh(), str(claim), "NEA-2025", "")
    for month in range(1, 12):
        close.run(fresh(), Period(2025, month))
    set_plan(fresh())
    december = FORM + rows(2025, range(12, 13), 80.0, 1.0)
    (inbox / "十二月.csv").write_text(december, encoding="utf-8")
    wrong = december.replace("80.0,MWh", "-80.0,MWh").replace("diesel", "diesl")
    (inbox / "十二月-有错.csv").write_text(wrong, encoding="utf-8")
    (inbox / "ccer.csv").write_text(CCER + ccer(1, 700), encoding="utf-8")
    (inbox / "ccer-wrong.csv").write_text(CCER + ccer(1, 700, amount="699") + ccer(500, 600), encoding="utf-8")
    (inbox / "依据.txt").write_text("evidence", encoding="utf-8")
    return plant, inbox


def _wanted(units: int) -> instruments.Wanted:
    return instruments.Wanted(units)


@contextmanager
def served(plant: Path, inbox: Path, log: Path) -> Iterator[Served]:
    """Serve a workspace at the moment the plant was made for, while entered."""
    port = _free_port()
    command = [sys.executable, "-m", "zerofactory.cli", "serve", "-w", str(plant), "--port", str(port)]
    environment = {**os.environ, "ZF_LANG": "zh", "ZF_NOW": stamp(NOW), "PYTHONUNBUFFERED": "1", "NICEGUI_SCREEN_TEST_PORT": ""}  # fmt: skip
    with log.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream, env=environment) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process, log)
            link = re.search(r"http\S+/welcome\S+", log.read_text(encoding="utf-8"))
            assert link is not None
            yield Served(address, link.group(), plant, inbox)
        finally:
            process.terminate()
            process.wait(60)
