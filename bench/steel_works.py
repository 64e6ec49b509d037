"""The measured year of a real steel works (15-minute kWh with its published CO2) through the same path.

Give the folder of data sets in ZF_DATA (default ../shared/data). The file's own totals must come out: 959 636.71 kWh and
403.81 t, the latter as directly measured emissions, and within rounding as kWh × the ratio of the two.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
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
YEAR = Period(2018)
RATIO_KG_PER_KWH = 0.4208


@dataclass(frozen=True)
class Totals:
    """The totals of one view of the year, and the seconds it took to import and to close it."""

    energy_kwh: float
    published_t: float
    computed_t: float
    import_s: float = 0.0
    close_s: float = 0.0


def of_file(path: Path) -> Totals:
    """Return the file's own totals."""
    own = pl.read_csv(path, columns=["Usage_kWh", "CO2(tCO2)"], infer_schema_length=None)
    energy_kwh = float(own["Usage_kWh"].sum())
    return Totals(energy_kwh, float(own["CO2(tCO2)"].sum()), energy_kwh * RATIO_KG_PER_KWH / 1000)


def of_book(path: Path, folder: Path) -> Totals:
    """Import the file into a new book in ``folder``, close the year and return the totals of the book."""
    for file in ("factory.toml", "factors/own.csv"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes((FOLDER / file).read_bytes())
    Workspace.create(folder, at=stamp(now()), actor="bench")
    started = time.perf_counter()
    import_data.run(open_context(folder), [path], FOLDER / "mapping.toml")
    imported = time.perf_counter()
    close.run(open_context(folder), YEAR)
    closed = time.perf_counter()
    context = open_context(folder)
    result = inventory.read(context, YEAR, "iso_14064_1_2018", "location", "source")
    grams = {line.key: line.emissions_gco2e for line in result.lines}
    energy_kwh = context.workspace.journal.active(ACTIVITIES, {"source_id": "electricity"})["quantity"].sum()
    return Totals(
        energy_kwh, grams["co2-as-published"] / 1e6, grams["electricity"] / 1e6, imported - started, closed - imported
    )


def run() -> None:
    """Print the totals of the file and of the book."""
    path = Path(os.environ.get("ZF_DATA", "../shared/data")) / FILE
    print("steel_works: a measured year through import, close and inventory")
    if not path.is_file():
        print(f"  skipped: {path} is not here (set ZF_DATA to the folder of data sets)")
        return
    with tempfile.TemporaryDirectory() as name:
        file, book = of_file(path), of_book(path, Path(name))
    print(f"  {'':<34}{'file':>16}{'book':>16}")
    for label, own, ours in (
        ("electricity, kWh", file.energy_kwh, book.energy_kwh),
        ("CO2 as published, t", file.published_t, book.published_t),
        (f"kWh × {RATIO_KG_PER_KWH} kg/kWh, t", file.computed_t, book.computed_t),
    ):
        print(f"  {label:<34}{own:>16,.2f}{ours:>16,.2f}")
    print(f"  import {book.import_s:.2f} s, close {book.close_s:.2f} s")
