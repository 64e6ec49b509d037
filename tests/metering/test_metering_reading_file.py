"""Files of readings: long and wide, clocks and zones, every fault, and the real steel works."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from zerofactory.errors import FaultyData, Problem
from zerofactory.metering.fill import fill
from zerofactory.metering.interval import to_intervals
from zerofactory.metering.reading import READINGS
from zerofactory.metering.reading_file import from_reading_file, looks_like_readings, read_mapping
from zerofactory.periods import Period

KNOWN_AT = datetime(2026, 1, 1, tzinfo=UTC)
DATA = Path(os.environ.get("ZF_DATA", str(Path(__file__).resolve().parents[3] / "shared" / "data")))
STEEL = DATA / "loads" / "steel_industry_kr" / "Steel_industry_data.csv"
STEEL_MAPPING = """
[time]
column = "date"
format = "%d/%m/%Y %H:%M"
label = "end"
midnight = "end_of_day"
time_zone = "Asia/Seoul"
[[columns]]
column = "Usage_kWh"
meter = "grid"
unit = "kWh"
[[columns]]
column = "CO2(tCO2)"
meter = "co2"
unit = "t"
"""


@pytest.fixture(scope="module")
def plant(bench: Any) -> Any:
    meters = [
        bench.meter("r", rollover=10_000.0, maximum=100.0),
        bench.meter("i", "interval", minimum=0.0, maximum=50.0),
        bench.meter("h", "interval", interval_minutes=60, unit="m3", carrier="water"),
        bench.meter("v", "virtual", formula="r"),
    ]
    return bench.plant(meters)


@pytest.fixture(scope="module")
def steel(bench: Any) -> Any:
    meters = [bench.meter("grid", "interval"), bench.meter("co2", "interval", unit="t", carrier="emission")]
    return bench.plant(meters, time_zone="Asia/Seoul")


def long(*rows: tuple[Any, ...], headers: tuple[str, ...] = ("表计", "时间", "读数")) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict.fromkeys(headers, pl.String), orient="row")


def read(frame: pl.DataFrame, plant: Any) -> tuple[pl.DataFrame, list[Problem]]:
    return from_reading_file(frame, plant, None, "f.csv", KNOWN_AT)


def test_the_long_form(plant: Any) -> None:
    frame, problems = read(
        long(
            ("r", "2025-01-01 00:15", "12.5"),
            ("i", "2025/1/1 24:00", "1,000"[:1]),
            ("i", "2024-12-31T16:30:00Z", "2"),
            ("i", "2025-01-01T00:45:00+08:00", "3"),
        ),
        plant,
    )
    assert problems == []
    assert READINGS.check(frame) == []
    utc = [datetime(2024, 12, 31, 16, minute, tzinfo=UTC) for minute in (15, 30, 45)]
    assert frame["started_at"].to_list() == [utc[0], datetime(2025, 1, 1, 16, tzinfo=UTC), utc[1], utc[2]]
    assert frame["value"].to_list() == [12.5, 1.0, 2.0, 3.0]
    assert set(frame["quality"]) == {"measured"}
    assert set(frame["known_at"]) == {KNOWN_AT}


def test_units_and_qualities_are_read(plant: Any) -> None:
    headers = ("meter", "time", "value", "unit", "quality")
    rows = [("r", "2025-01-01 00:00", "1", "MWh", "人工"), ("r", "2025-01-01 00:15", "1002", None, None)]
    frame, problems = read(long(*rows, headers=headers), plant)
    assert problems == []
    assert frame["value"].to_list() == [1000.0, 1002.0]
    assert frame["quality"].to_list() == ["manual", "measured"]


def test_typed_columns_are_read(plant: Any) -> None:
    moments = [datetime(2025, 1, 1, 0, minute) for minute in (0, 15)]  # noqa: DTZ001
    naive = pl.DataFrame({"meter": ["i", "i"], "time": moments, "value": [1.0, 2.0]})
    aware = naive.with_columns(pl.col("time").dt.replace_time_zone("Asia/Shanghai"))
    coarse = naive.with_columns(pl.col("time").cast(pl.Datetime("ms")), pl.col("meter").cast(pl.Categorical))
    frames = [read(frame, plant)[0] for frame in (naive, aware, coarse)]
    assert len(frames[0]) == 2
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])


FAULTS = [
    (("x", "2025-01-01 00:00", "1"), "unknown_meter", "表计"),
    (("v", "2025-01-01 00:00", "1"), "unknown_meter", "表计"),
    (("i", "yesterday", "1"), "unreadable_time", "时间"),
    (("i", None, "1"), "unreadable_time", "时间"),
    (("i", "1066-10-14 00:00", "1"), "unreadable_time", "时间"),
    (("i", "2025-01-01 00:00", "n/a"), "not_a_number", "读数"),
    (("i", "2025-01-01 00:00", None), "not_a_number", "读数"),
    (("i", "2025-01-01 00:00", "nan"), "not_a_number", "读数"),
    (("i", "2025-01-01 00:00", "51"), "out_of_range", "读数"),
    (("r", "2025-01-01 00:00", "10001"), "out_of_range", "读数"),
    (("r", "2025-01-01 00:00", "-1"), "out_of_range", "读数"),
    (("h", "2025-01-01 00:00", "1e308"), "out_of_range", "读数"),
    (("i", "2025-01-01 00:07", "1"), "off_grid", "时间"),
    (("h", "2025-01-01 00:15", "1"), "off_grid", "时间"),
]


@pytest.mark.parametrize(("row", "code", "column"), FAULTS)
def test_each_fault(plant: Any, row: tuple[Any, ...], code: str, column: str) -> None:
    frame, problems = read(long(("r", "2025-01-02 00:00", "1"), row), plant)
    assert len(frame) == 0
    assert [(problem.code, problem.row, problem.column, problem.file) for problem in problems] == [
        (f"metering.{code}", 3, column, "f.csv")
    ]
    bilingual(problems[0])


def bilingual(problem: Problem) -> None:
    for text in (problem.message, problem.hint):
        assert text.zh
        assert text.en
        assert text.zh != text.en
    assert "{value}" not in problem.sentence("zh") + problem.sentence("en")


def test_all_faults_come_together_and_in_order(plant: Any) -> None:
    rows = [row for row, _, _ in FAULTS]
    _, problems = read(long(*rows), plant)
    told = {(problem.code, problem.row) for problem in problems}
    assert {(f"metering.{code}", index + 2) for index, (_, code, _) in enumerate(FAULTS)} <= told
    assert [problem.row for problem in problems] == sorted(problem.row or 0 for problem in problems)


def test_repeated_rows(plant: Any) -> None:
    row = ("i", "2025-01-01 00:00", "1")
    frame, problems = read(long(row, ("r", *row[1:]), row), plant)
    assert [(problem.code, problem.severity, problem.row) for problem in problems] == [
        ("metering.repeated_row", "warning", 4)
    ]
    assert len(frame) == 2
    frame, problems = read(long(row, ("i", "2025-01-01 00:00", "2")), plant)
    assert [(problem.code, problem.severity, problem.row) for problem in problems] == [
        ("metering.repeated_row", "error", 3)
    ]
    assert len(frame) == 0


def test_units_that_do_not_fit(plant: Any) -> None:
    headers = ("meter", "time", "value", "unit", "quality")
    rows = [
        ("i", "2025-01-01 00:00", "1", "m3", None),
        ("i", "2025-01-01 00:15", "1", "m3", None),
        ("i", "2025-01-01 00:30", "1", "zorkmid", None),
        ("i", "2025-01-01 00:45", "1", "kWh", "fine"),
    ]
    _, problems = read(long(*rows, headers=headers), plant)
    assert [(problem.code, problem.row) for problem in problems] == [
        ("metering.wrong_unit", 2),
        ("metering.unknown_unit", 4),
        ("metering.unknown_quality", 5),
    ]
    for problem in problems:
        bilingual(problem)


def test_headers(plant: Any) -> None:
    assert looks_like_readings(["表计", "时间", "读数"])
    assert looks_like_readings(["Meter", "Timestamp", "Value", "unit"])
    assert not looks_like_readings(["排放源", "开始日期", "结束日期", "数量", "单位"])
    _, problems = read(long(("i", "2025-01-01 00:00", "1"), headers=("表计", "时间", "颜色")), plant)
    assert {problem.code for problem in problems} == {"metering.unknown_column", "metering.missing_column"}


def test_a_clock_that_changes(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval"), bench.meter("k", "interval")], time_zone="Europe/Berlin")
    missing = long(("i", "2025-03-30 02:15", "1"))
    assert [problem.code for problem in read(missing, plant)[1]] == ["metering.no_such_time"]
    once = long(("i", "2025-10-26 02:15", "1"))
    assert [problem.code for problem in read(once, plant)[1]] == ["metering.ambiguous_time"]
    hours = ["01:45", "02:00", "02:15", "02:30", "02:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
    rows = [(name, f"2025-10-26 {hour}", str(index)) for index, hour in enumerate(hours) for name in ("i", "k")]
    frame, problems = read(long(*rows), plant)
    assert problems == []
    start = datetime(2025, 10, 25, 23, 45, tzinfo=UTC)
    times = frame.filter(pl.col("meter_id") == "i")["started_at"].to_list()
    assert times == [start + timedelta(minutes=15 * index) for index in range(10)]
    stated = long(("i", "2025-10-26T02:15:00+02:00", "1"), ("i", "2025-10-26T02:15:00+01:00", "2"))
    frame, problems = read(stated, plant)
    assert problems == []
    assert [moment.hour for moment in frame["started_at"]] == [0, 1]


def test_summer_time_is_followed_through_a_year(bench: Any) -> None:
    plant = bench.plant([bench.meter("i", "interval", interval_minutes=60)], time_zone="Europe/Berlin")
    rows = [("i", f"2025-{month:02d}-15 12:00", "1") for month in range(1, 13)]
    frame, problems = read(long(*rows), plant)
    assert problems == []
    assert [moment.hour for moment in frame["started_at"]] == [11, 11, 11, 10, 10, 10, 10, 10, 10, 10, 11, 11]


def test_a_wide_file_whose_midnight_ends_the_day(steel: Any) -> None:
    frame = pl.DataFrame(
        {
            "date": ["01/01/2018 00:00", "01/01/2018 00:15", "01/01/2018 23:45", "02/01/2018 00:00"],
            "Usage_kWh": ["3", "1", "2", None],
            "CO2(tCO2)": ["0.01", "0", "0", "0"],
            "Load_Type": ["Light_Load"] * 4,
        }
    )
    rows, problems = from_reading_file(frame, steel, read_mapping(STEEL_MAPPING), "s.csv", KNOWN_AT)
    assert problems == []
    grid = rows.filter(pl.col("meter_id") == "grid").sort("started_at")
    start = datetime(2017, 12, 31, 15, tzinfo=UTC)
    assert grid["value"].to_list() == [1.0, 2.0, 3.0]
    assert [(moment - start) / timedelta(minutes=15) for moment in grid["started_at"]] == [0, 94, 95]
    plain = read_mapping(STEEL_MAPPING.replace("end_of_day", "start_of_day"))
    rows, _ = from_reading_file(frame.head(1), steel, plain, "s.csv", KNOWN_AT)
    assert rows["started_at"][0] == start - timedelta(minutes=15)


def test_faults_of_a_wide_file(steel: Any) -> None:
    frame = pl.DataFrame({"date": ["x", "01/01/2018 00:15"], "Usage_kWh": ["1", "y"]})
    _, problems = from_reading_file(frame, steel, read_mapping(STEEL_MAPPING), "s.csv", KNOWN_AT)
    assert [(problem.code, problem.column) for problem in problems] == [("metering.missing_column", "CO2(tCO2)")]
    whole = frame.with_columns(pl.lit("0").alias("CO2(tCO2)"))
    _, problems = from_reading_file(whole, steel, read_mapping(STEEL_MAPPING), "s.csv", KNOWN_AT)
    assert [(problem.code, problem.row) for problem in problems] == [
        ("metering.unreadable_time", 2),
        ("metering.not_a_number", 3),
    ]
    other = read_mapping(STEEL_MAPPING.replace('"grid"', '"grit"').replace('unit = "t"', 'unit = "kWh"'))
    _, problems = from_reading_file(whole, steel, other, "s.csv", KNOWN_AT)
    assert [problem.code for problem in problems] == ["metering.unknown_meter"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[time]", "[time", "metering.mapping_not_toml"),
        ('label = "end"', 'label = "middle"', "metering.mapping_invalid"),
        ('label = "end"', 'lable = "end"', "metering.mapping_invalid"),
        ('meter = "co2"', 'meter = "grid"', "metering.mapping_repeated"),
        ('unit = "kWh"', 'unit = "zorkmid"', "metering.unknown_unit"),
        ("Asia/Seoul", "Asia/Soul", "periods.unknown_time_zone"),
    ],
)
def test_faults_of_a_mapping(old: str, new: str, code: str) -> None:
    with pytest.raises(FaultyData) as caught:
        read_mapping(STEEL_MAPPING.replace(old, new), "m.toml")
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.problems[0].file == "m.toml"


@pytest.mark.skipif(
    not STEEL.exists(), reason="the measured steel-works file is not here: set ZF_DATA to the folder of data sets"
)
def test_the_real_steel_works_year(steel: Any) -> None:
    frame = pl.read_csv(STEEL, infer_schema=False)
    readings, problems = from_reading_file(frame, steel, read_mapping(STEEL_MAPPING), STEEL.name, KNOWN_AT)
    assert problems == []
    month, notes = to_intervals(readings, steel, Period(2018))
    assert notes == []
    assert month.state.all()
    assert month.total_milli("grid") == 959_636_710
    assert month.total_milli("co2") == 403_810
    filled, more = fill(month, steel)
    assert more == []
    assert filled is month
