"""The packaged tables: small, explained, and the same as the derivation gives from the data files where these are at hand."""

import hashlib
import os
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from zerofactory.reference_plant import readings, series, shapes

TABLES = Path(str(files("zerofactory.reference_plant"))) / "tables"
BENCH = Path(__file__).resolve().parents[2] / "bench" / "derive_reference_tables.py"
DERIVED = (
    "end_use_electricity", "heat_by_temperature", "weather_hours", "weather_days", "industrial_variability",
    "tariff_shanghai_2026_08", "bands", "generation_hours", "generation_days",
)  # fmt: skip


def test_tables_are_small_and_each_is_explained() -> None:
    guide = (TABLES / "README.md").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in TABLES.iterdir()) < 1_000_000
    for path in TABLES.glob("*.csv"):
        assert f"`{path.name}`" in guide, path.name
    assert guide.count("CC BY-SA 4.0") >= 2


def test_shapes_have_the_mean_of_the_measured_year() -> None:
    for name in ("end_use_electricity", "heat_by_temperature"):
        frame = shapes.table(name)
        assert frame.height == 3 * 3 * 96
        for column in frame.columns[3:]:
            assert 0 < frame[column].min() <= frame[column].max() < 3500  # type: ignore[operator]
    variability = shapes.table("industrial_variability")
    for column in ("slot_ratio", "day_ratio"):
        assert variability[column].mean() == pytest.approx(1.0, abs=0.002)
        assert variability[column].is_sorted()


def test_the_sun_and_the_air_are_those_of_shanghai() -> None:
    degrees = shapes.temperature_fortieths() / 40
    assert degrees.mean() == pytest.approx(17.02, abs=0.2)  # mean of the typical year
    assert shapes.sun_power().sum() / 4000 == pytest.approx(1100, abs=60)  # kWh per kWp


def test_draws_are_pinned() -> None:
    """The stream is part of the data: these numbers may never change."""
    assert shapes.draws("vehicles", 8).tolist() == PINNED


PINNED = [10, 34, 9, 11, 4, 54, 22, 13]


@pytest.mark.skipif(
    not (os.environ.get("ZF_DATA") and os.environ.get("ZF_BENCHMARKS")),
    reason="ZF_DATA (folder of the data sets) and ZF_BENCHMARKS (CSV of published intensities) are not set",
)
def test_the_derivation_gives_the_packaged_bytes(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH), "--data", os.environ["ZF_DATA"]]
    command += ["--benchmarks", os.environ["ZF_BENCHMARKS"], "--out", str(tmp_path)]
    subprocess.run(command, check=True)
    for name in DERIVED:
        assert (tmp_path / f"{name}.csv").read_bytes() == (TABLES / f"{name}.csv").read_bytes(), name


def test_every_display_of_the_year_is_pinned() -> None:
    """One digest over what all displays show; it moves only when a table or the making of the year is changed."""
    meters = {meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]}
    amounts = series.amounts(meters)
    digest = hashlib.sha256()
    for recipe in sorted(series.recipes(), key=lambda recipe: recipe.meter):
        shown = readings.display(recipe, meters[recipe.meter], amounts[recipe.meter]).shown
        digest.update(recipe.meter.encode() + shown.astype("<i8").tobytes())
    assert digest.hexdigest()[:16] == DIGEST


DIGEST = "aafdf75a0708cb56"
