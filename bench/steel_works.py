"""The measured year of a real steel works (15-minute kWh with its published CO2) through the same path.

Give the folder of data sets in ZF_DATA (default ../shared/data). The file's own totals must come out: 959 636.71 kWh and
403.81 t, the latter as directly measured emissions, and within rounding as kWh × the ratio of the two.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import polars as pl

from zerofactory.periods import Period
from zerofactory.runs import close, import_data, inventory
from zerofactory.runs.context import clock as now
from zerofactory.runs.context import open_context, stamp
from zerofactory.store.schema import ACTIVITIES
from zerofactory.store.workspace import Workspace

FILE = "loads/steel_industry_kr/Steel_industry_data.csv"
FOLDER = Path(__file__).parent / "steel_works"


def run() -> None:
    """Print the totals of the file and of the book."""
    path = Path(os.environ.get("ZF_DATA", "../shared/data")) / FILE
    print("steel_works: a measured year through import, close and inventory")
    if not path.is_file():
        print(f"  skipped: {path} is not here (set ZF_DATA to the folder of data sets)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("factory.toml", "factors/own.csv"):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes((FOLDER / file).read_bytes())
        Workspace.create(folder, at=stamp(now()), actor="bench")
        started = time.perf_counter()
        import_data.run(open_context(folder), [path], FOLDER / "mapping.toml")
        imported = time.perf_counter()
        close.run(open_context(folder), Period(2018))
        closed = time.perf_counter()
        result = inventory.read(open_context(folder), Period(2018), "iso_14064_1_2018", "location", "source")
        kwh = open_context(folder).workspace.journal.active(ACTIVITIES, {"source_id": "electricity"})["quantity"].sum()
        own = pl.read_csv(path)
        grams = {line.key: line.emissions_gco2e for line in result.lines}
        print(f"  {'':<34}{'file':>16}{'book':>16}")
        print(f"  {'electricity, kWh':<34}{own['Usage_kWh'].sum():>16,.2f}{kwh:>16,.2f}")
        print(f"  {'CO2 as published, t':<34}{own['CO2(tCO2)'].sum():>16,.2f}{grams['co2-as-published'] / 1e6:>16,.2f}")
        print(
            f"  {'kWh × 0.4208 kg/kWh, t':<34}{own['Usage_kWh'].sum() * 0.4208 / 1000:>16,.2f}{grams['electricity'] / 1e6:>16,.2f}"
        )
        print(f"  import {imported - started:.2f} s, close {closed - imported:.2f} s")
