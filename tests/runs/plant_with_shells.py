"""A small plant with a line, a machine and a closed month, for the tests of its shells."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.conftest import HEADER, NOW, SMALL_PLANT, readings_of

from zerofactory.periods import Period
from zerofactory.runs import close, import_data
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace

LINES = """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:30:00" }]

[[lines]]
id = "booth-1"
name = { zh = "喷漆一线", en = "booth line 1" }
shop = "paint"

[[assets]]
id = "chiller-1"
kind = "chiller"
name = { zh = "一号冷机", en = "chiller 1" }
shop = "utilities"
parameters = { cooling_kw = 700 }
"""
TWIN = """
output_source = "vehicles"

[[stations]]
line = "booth-1"
cycle = { kind = "fixed", mean_s = 60 }
gives = "flash"
draws.natural_gas = { power = { off = 1, idle = 4, working = 10 }, meters = ["G1"] }

[[stations]]
id = "oven"
name = { zh = "烘房", en = "oven" }
shop = "paint"
cycle = { kind = "uniform", low_s = 50, high_s = 62 }
takes = ["flash"]

[[buffers]]
id = "flash"
capacity = 6
"""
PLATES = """
address = "https://carbon.example.com"

[[nameplates]]
of = "station/oven"
manufacturer = { zh = "烘房厂", en = "Oven Works" }
designation = "OV-1"
order_code = "OV-1-A"
serial_number = "42"
year_of_construction = 2019
date_of_manufacture = 2019-05-01
country_of_origin = "CN"
address = { street = "Road 1", zip_code = "200000", city = { zh = "上海", en = "Shanghai" }, country = "CN" }
"""
DOCUMENTS = ("diesel,2025-01-01,2025-01-31,1,t,,结算,D-1,", "vehicles,2025-01-01,2025-01-31,250,辆,,表计,P-1,")


def build(folder: Path) -> Path:
    """Make the plant in a folder, with January 2025 closed; the meter of gas stands on the line."""
    folder.mkdir(parents=True)
    plant = SMALL_PLANT.replace('unit = "Nm3"\nshop = "paint"', 'unit = "Nm3"\nshop = "paint"\nline = "booth-1"')
    (folder / "factory.toml").write_text(plant + LINES, encoding="utf-8")
    (folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    (folder / "shells.toml").write_text(PLATES, encoding="utf-8")
    Workspace.create(folder, at=stamp(NOW), actor="test")
    readings_of((1,)).write_parquet(folder.parent / "readings.parquet")
    form = folder.parent / "documents.csv"
    form.write_text(HEADER + "".join(line + "\n" for line in DOCUMENTS), encoding="utf-8")
    import_data.run(context(folder), [folder.parent / "readings.parquet", form])
    close.run(context(folder), Period.parse("2025-01"), known_at=date(2026, 1, 15))
    return folder


def context(folder: Path) -> Context:
    """Open the plant."""
    return Context(Workspace.open(folder), NOW, "test")
