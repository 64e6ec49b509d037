"""The reference plant writes the same bytes every time, quickly, and its meters behave like meters."""

import hashlib
import tomllib
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from zerofactory.errors import ZeroFactoryError
from zerofactory.reference_plant import generate, series, shapes
from zerofactory.site.load import plant as load_plant
from zerofactory.site.tree import meter_tree

MONTHS = range(1, 13)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> generate.Written:
    return generate.write(tmp_path_factory.mktemp("plant") / "demo")


@pytest.fixture(scope="module")
def readings(written: generate.Written) -> pl.DataFrame:
    paths = [written.folder / f"inbox/readings-2025-{month:02d}.parquet" for month in MONTHS]
    return pl.concat([pl.read_parquet(path) for path in paths])


def _digests(made: generate.Written) -> dict[Path, str]:
    return {path.relative_to(made.folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in made.files}


def test_the_same_bytes_every_time(written: generate.Written, tmp_path: Path) -> None:
    again = generate.write(tmp_path / "again")
    assert _digests(again) == _digests(written)


def test_a_folder_with_a_plant_is_left_alone(written: generate.Written) -> None:
    with pytest.raises(ZeroFactoryError, match="holds a plant"):
        generate.write(written.folder)


def test_the_plant_file_is_sound_and_says_it_is_fictional() -> None:
    plant, problems = load_plant(series.plant_text())
    assert problems == []
    assert plant is not None
    assert plant.fictional
    assert "虚构" in plant.name.zh
    assert "fictional" in plant.name.en
    assert {shop.kind for shop in plant.shops} == {
        "stamping", "body", "paint", "assembly", "powertrain", "battery", "casting", "utilities",
    }  # fmt: skip
    real = [meter for meter in plant.meters if meter.kind != "virtual"]
    assert 110 <= len(real) <= 130
    assert {meter.kind for meter in plant.meters} == {"register", "interval", "gauge", "virtual"}
    assert {recipe.meter for recipe in series.recipes()} == {meter.id for meter in real}


def test_readings_are_long_sorted_and_on_the_plants_clock(readings: pl.DataFrame, written: generate.Written) -> None:
    assert readings.height > 4_200_000
    assert readings.columns == ["meter", "time", "value"]
    assert readings.schema["time"] == pl.Datetime("us")
    for month in MONTHS:
        rows = pl.read_parquet(written.folder / f"inbox/readings-2025-{month:02d}.parquet")
        assert (
            rows.select(pl.struct("meter", "time").is_sorted()).item()
            if False
            else rows.equals(rows.sort("meter", "time"))
        )
        assert not rows.select("meter", "time").is_duplicated().any()
    assert readings["time"].min() == datetime.fromisoformat("2025-01-01")
    assert readings["time"].max() == datetime.fromisoformat("2026-01-01")
    assert readings["value"].is_finite().all()
    assert readings["value"].min() >= 0  # type: ignore[operator]


def test_parents_measure_one_to_two_per_cent_more_than_their_children() -> None:
    plant, _ = load_plant(series.plant_text())
    assert plant is not None
    meters = {meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]}
    amounts = {name: int(amount.sum()) for name, amount in series.amounts(meters).items()}
    tree = meter_tree(plant)
    for virtual, terms in tree.terms.items():
        amounts[virtual] = sum(amounts[name] * factor for name, factor in terms.items())
    for parent, children in tree.children.items():
        below = sum(amounts[child] for child in children)
        assert 0.005 < amounts[parent] / below - 1.0 < 0.021, parent


def test_every_quarter_hour_of_electricity_balances() -> None:
    """Import + sun − export is what the shops use and the transformers lose, in whole watt-hours."""
    meters = {meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]}
    found = series.amounts(meters)
    supply = found["E-IN-1"] + found["E-IN-2"] - found["E-EX-1"] + sum(found[f"PV-{i}"] for i in range(1, 5))
    shops = sum(found[name] for name, meter in meters.items() if meter.get("parent") == "V-SUPPLY")
    loss = supply - shops
    assert (loss >= 0).all()
    assert abs(loss.sum() / shops.sum() - shapes.parameters()["transformer_loss_fraction"]) < 1e-6
    assert not ((found["E-EX-1"] > 0) & (found["E-IN-1"] > 0)).any()
    assert found["E-EX-1"].sum() > 0


def test_virtual_rests_never_turn_negative() -> None:
    plant, _ = load_plant(series.plant_text())
    assert plant is not None
    found = series.amounts({meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]})
    for virtual, terms in meter_tree(plant).terms.items():
        assert (sum(found[name] * factor for name, factor in terms.items()) >= 0).all(), virtual


def test_the_calendar_is_that_of_2025() -> None:
    types = dict(zip(shapes.days(), shapes.day_types(), strict=True))
    assert sum(kind == "workday" for kind in types.values()) == 241
    plant, _ = load_plant(series.plant_text())
    assert plant is not None
    for day, kind in types.items():
        asked = day in plant.calendar.extra_workdays or (
            day.isoweekday() in plant.calendar.weekdays and day not in plant.calendar.holidays
        )
        assert asked == (kind != "off"), day


def test_the_load_follows_the_shifts(readings: pl.DataFrame) -> None:
    line = readings.filter(pl.col("meter") == "E-BD-MB").with_columns(pl.col("time").dt.date().alias("day"))
    at = line.filter(pl.col("time").dt.hour() == 9).group_by("day").agg(pl.col("value").mean())
    values = dict(at.iter_rows())
    workday, sunday = (
        values[datetime.fromisoformat("2025-03-12").date()],
        values[datetime.fromisoformat("2025-03-16").date()],
    )
    assert workday > 5 * sunday


def test_registers_count_up_but_for_the_listed_reset_and_roll_over(readings: pl.DataFrame) -> None:
    meters = {meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]}
    registers = [name for name, meter in meters.items() if meter["kind"] == "register"]
    falls = (
        readings.filter(pl.col("meter").is_in(registers))
        .sort("meter", "time")
        .with_columns(pl.col("value").diff().over("meter").alias("step"))
        .filter(pl.col("step") < 0)
    )
    assert sorted(falls["meter"]) == ["E-BD-FAN", "G-BO-1"]
    reset = falls.filter(pl.col("meter") == "E-BD-FAN")
    assert reset["time"].item() == datetime.fromisoformat("2025-05-17T10:15")


def test_no_value_is_beyond_its_meters_limit(readings: pl.DataFrame) -> None:
    meters = {meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"] if "maximum" in meter}
    highest = dict(
        readings.sort("meter", "time")
        .with_columns(pl.col("value").diff().over("meter").alias("step"))
        .group_by("meter")
        .agg(pl.col("step").max(), pl.col("value").max())
        .select("meter", pl.struct("step", "value"))
        .iter_rows()
    )
    for name, meter in meters.items():
        gap = name in ("E-PT-BTH1", "G-PT-RTO1")
        seen = highest[name]["step" if meter["kind"] == "register" else "value"]
        assert seen <= meter["maximum"] or gap, name
