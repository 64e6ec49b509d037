"""Files of readings → READINGS: long form (表计, 时间, 读数) or any wide file through a `mapping.Mapping`.

Vectorised: millions of rows in seconds; only faults are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from zerofactory import units
from zerofactory.errors import NotFound, Problem, Severity, Text, errors_of
from zerofactory.metering.cells import moments, numbers, texts
from zerofactory.metering.clock import to_local_us, to_utc
from zerofactory.metering.grid import MICROSECONDS_PER_MINUTE, Flags, Integers
from zerofactory.metering.heading import READING_COLUMNS, matched, missing
from zerofactory.metering.mapping import MappedColumn, Mapping, TimeRule, read_mapping
from zerofactory.metering.reading import READINGS
from zerofactory.metering.scatter import Numbers, codes_of
from zerofactory.metering.sheet import words
from zerofactory.metering.state_codes import NOWHERE, STATE, as_meter, coded, overtaken, same_moment, unknown
from zerofactory.site.model import Meter, Plant
from zerofactory.site.state_signal import StateSignal

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Mapping", "from_reading_file", "looks_like_readings", "read_mapping"]

MAX_PROBLEMS_PER_FAULT = 1000
_DAY_US = 86_400_000_000
_WHOLE = 2.0**53  # a 64-bit float holds whole numbers up to here
_YEARS_US = (631_152_000_000_000, 4_133_980_800_000_000)  # 1990-01-01 to 2101-01-01


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """A block of rows being read: meter codes, values, and where each row stands in the file (header, row of the frame).

    The last of ``meters`` are ``signals``.
    """

    meters: tuple[Meter, ...]
    code: np.ndarray[tuple[int], np.dtype[np.uint32]]
    value: Numbers
    time_us: Integers
    header: str
    time_header: str
    signals: tuple[StateSignal, ...] = ()

    @property
    def signal(self) -> Integers:
        """The place of each row's signal among ``signals``; `NOWHERE` where it is of none."""
        place = self.code.astype(np.int64) - (len(self.meters) - len(self.signals))
        return np.where((place >= 0) & (place < len(self.signals)), place, NOWHERE)


def looks_like_readings(headers: Sequence[str]) -> bool:
    """Return whether headers are those of the long form of readings: meter, time and value."""
    names = {name for header in headers for name in matched([header], READING_COLUMNS)[0].values()}
    return {"meter", "time", "value"} <= names


def from_reading_file(
    frame: pl.DataFrame,
    plant: Plant,
    mapping: Mapping | None,
    file: str | None,
    known_at: datetime,
) -> tuple[pl.DataFrame, list[Problem]]:
    """Return READINGS of a file, and every fault found; no rows when one is an error.

    Parameters
    ----------
    frame : DataFrame
        Long form: meter, time, value, and if wanted unit and quality (Chinese or English headers); or, with a mapping, any
        wide form. Cells as text or typed. A time without a zone is on the plant's (or the mapping's) clock.
    known_at : datetime
        When the file became known, aware.

    Notes
    -----
    Faults: unknown meter, unreadable time, a clock time that never was or cannot be told from its twin, not a number, out
    of range (interval meters and gauges: the meter's bounds; registers: below zero or beyond the roll-over), unit of
    another dimension, off the meter's grid, the same meter and time twice (equal values: a warning, one is kept).
    """
    blocks, problems = _long(frame, plant) if mapping is None else _wide(frame, plant, mapping)
    parts: list[pl.DataFrame] = []
    for block, quality in blocks:
        found, repeated = _faults(block, plant)
        problems += found
        parts.append(_rows(block, quality, known_at, ~repeated & ~np.isnan(block.value)))
    problems = sorted((problem.at(file=file) for problem in problems), key=lambda problem: problem.row or 0)
    if errors_of(problems) or not parts:
        return READINGS.empty(), problems
    import polars as pl

    return (parts[0] if len(parts) == 1 else pl.concat(parts)), problems


Block = tuple[_Column, "pl.Series | None"]


def _long(frame: pl.DataFrame, plant: Plant) -> tuple[list[Block], list[Problem]]:
    names, problems = matched(frame.columns, READING_COLUMNS)
    lacking = missing(names, READING_COLUMNS)
    if lacking:
        return [], [*problems, *lacking]
    header = {name: given for given, name in names.items()}
    real = tuple(meter for meter in plant.meters if meter.kind != "virtual")
    signals = plant.state_signals
    meters = (*real, *(as_meter(signal) for signal in signals))
    ids = frame[header["meter"]]
    code = codes_of(ids, [meter.id for meter in meters])
    problems += _unknown_meters(ids, code == len(meters), header["meter"], plant)
    time_us, faults = _instants(frame[header["time"]], header["time"], TimeRule(header["time"]), plant, code)
    problems += faults
    told = coded(frame[header["value"]], code, signals, len(real))
    value, faults = _values(told, header["value"], gaps=False)
    problems += faults
    if "unit" in header:
        ratio, faults = _ratios(frame[header["unit"]], header["unit"], meters, code)
        value = value * ratio
        problems += faults
    quality = None
    if "quality" in header:
        quality, faults = _qualities(frame[header["quality"]], header["quality"])
        problems += faults
    block = _Column(meters, code, value, time_us, header["value"], header["time"], signals)
    problems += unknown(frame[header["value"]], value, block.signal, (signals, header["value"]))
    return [(block, quality)], problems


def _wide(frame: pl.DataFrame, plant: Plant, mapping: Mapping) -> tuple[list[Block], list[Problem]]:
    wanted = [mapping.time.column, *(entry.column for entry in mapping.columns)]
    problems = [
        _fault("missing_column", f"缺少“{name}”列。", f"The column '{name}' is missing.", 1, name)
        for name in wanted
        if name not in frame.columns
    ]
    known = {meter.id: meter for meter in plant.meters if meter.kind != "virtual"}
    spoken = {signal.id: signal for signal in plant.state_signals}
    known |= {name: as_meter(signal) for name, signal in spoken.items()}
    for entry in mapping.columns:
        if entry.meter not in known:
            problems.append(_no_meter(entry.meter, None, entry.column, plant))
    if problems:
        return [], problems
    blocks: list[Block] = []
    for entry in mapping.columns:
        meter = known[entry.meter]
        code = np.zeros(len(frame), dtype=np.uint32)
        time_us, faults = _instants(frame[mapping.time.column], mapping.time.column, mapping.time, plant, code)
        problems += faults if not blocks else []
        if mapping.time.label == "end" and meter.kind != "register":
            time_us = time_us - meter.interval_minutes * MICROSECONDS_PER_MINUTE
        signals = (spoken[entry.meter],) if entry.meter in spoken else ()
        value, faults = _values(coded(frame[entry.column], code, signals, 0), entry.column, gaps=True)
        ratio, more = _mapped_ratio(entry, meter)
        problems += [*faults, *more]
        block = _Column((meter,), code, value * ratio, time_us, entry.column, mapping.time.column, signals)
        problems += unknown(frame[entry.column], value, block.signal, (signals, entry.column))
        blocks.append((block, None))
    return blocks, problems


def _instants(
    column: pl.Series, header: str, rule: TimeRule, plant: Plant, code: np.ndarray[tuple[int], np.dtype[np.uint32]]
) -> tuple[Integers, list[Problem]]:
    """Return UTC microseconds of a time column; rows that cannot be read are zero."""
    import polars as pl

    local, stated = moments(column, rule.format)
    if rule.midnight == "end_of_day":
        clock = local.to_physical()
        local = (clock + (clock % _DAY_US == 0).cast(pl.Int64) * _DAY_US).cast(pl.Datetime("us"))
    unread = (local.is_null() & stated.is_null()) | _out_of_years(local) | _out_of_years(stated)
    problems = _told(unread.to_numpy(), header, _cell(column), _UNREADABLE_TIME)
    local = local.set(unread, None) if unread.any() else local
    if local.null_count() == len(local):
        return stated.to_physical().fill_null(0).to_numpy(), problems
    instants = to_utc(local, rule.time_zone or plant.time_zone, code)
    problems += _told(instants.never, header, _cell(column), _NEVER)
    problems += _told(instants.twice, header, _cell(column), _TWICE)
    time_us = instants.time_us
    if stated.null_count() < len(stated):
        time_us = np.where(stated.is_null().to_numpy(), time_us, stated.to_physical().fill_null(0).to_numpy())
    return (
        np.where(unread.to_numpy() | instants.never | instants.twice, 0, time_us) if problems else time_us
    ), problems


def _out_of_years(moment: pl.Series) -> pl.Series:
    physical = moment.to_physical()
    return ((physical < _YEARS_US[0]) | (physical >= _YEARS_US[1])).fill_null(False)


def _values(column: pl.Series, header: str, *, gaps: bool) -> tuple[Numbers, list[Problem]]:
    """Return a column of values, NaN where there is none; an empty cell is a fault unless ``gaps`` are allowed."""
    read = numbers(column)
    problems: list[Problem] = []
    if read.null_count():
        wrong = read.is_null() & texts(column).is_not_null() if gaps else read.is_null()
        problems = _told(wrong.to_numpy(), header, _cell(column), _NOT_A_NUMBER)
    return read.fill_null(float("nan")).to_numpy(), problems


def _ratios(
    column: pl.Series, header: str, meters: Sequence[Meter], code: np.ndarray[tuple[int], np.dtype[np.uint32]]
) -> tuple[Numbers, list[Problem]]:
    """Return what turns each value into its meter's unit; looks at each pair of unit and meter once."""
    import polars as pl

    pairs = pl.DataFrame({"unit": texts(column), "code": code}).with_row_index("row", 2)
    ratio = np.ones(len(column))
    problems: list[Problem] = []
    for (unit, place), part in pairs.drop_nulls("unit").group_by("unit", "code", maintain_order=True):
        meter = meters[int(str(place))] if int(str(place)) < len(meters) else None
        if meter is None or unit == meter.unit:
            continue
        rows = part["row"].to_numpy() - 2
        try:
            ratio[rows] = _ratio(str(unit), meter)
        except NotFound as error:
            named = "wrong_unit" if meter.carrier == STATE else "unknown_unit"
            problems.append(_unit_fault(named, error.as_problem(), (part, header)))
        except units.WrongDimension as error:
            problems.append(_unit_fault("wrong_unit", error.as_problem(), (part, header)))
    return ratio, problems


def _ratio(unit: str, meter: Meter) -> float:
    """Return what turns a unit into the meter's; codes of states are no shares of anything."""
    if meter.carrier == STATE:
        raise NotFound(Text("状态代码的单位", "unit of codes of states"), unit, (meter.unit,))
    return units.ratio(unit, meter.unit)


def _mapped_ratio(entry: MappedColumn, meter: Meter) -> tuple[float, list[Problem]]:
    if entry.unit is None or entry.unit == meter.unit:
        return 1.0, []
    try:
        return _ratio(entry.unit, meter), []
    except (NotFound, units.WrongDimension) as error:
        problem = error.as_problem()
        return 1.0, [Problem("metering.wrong_unit", problem.message, problem.hint, row=1, column=entry.column)]


def _unit_fault(code: str, problem: Problem, place: tuple[pl.DataFrame, str]) -> Problem:
    part, header = place
    count = len(part)
    more = Text(f"(共 {count} 行)", f"({count} rows)") if count > 1 else Text("", "")
    message = Text(problem.message.zh + more.zh, f"{problem.message.en} {more.en}".strip())
    return Problem(f"metering.{code}", message, problem.hint, row=int(part["row"][0]), column=header)


def _qualities(column: pl.Series, header: str) -> tuple[pl.Series, list[Problem]]:
    import polars as pl

    written, known = texts(column), words("quality")
    read = written.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)
    unread = (read.is_null() & written.is_not_null()).to_numpy()
    return read.fill_null("measured"), _told(unread, header, _cell(column), _UNKNOWN_QUALITY)


def _unknown_meters(ids: pl.Series, unknown: Flags, header: str, plant: Plant) -> list[Problem]:
    """Return one problem a name that no meter has: at its first row, with how often it stands."""
    import polars as pl

    if not unknown.any():
        return []
    rows = np.flatnonzero(unknown)
    names = pl.DataFrame({"name": texts(ids.gather(rows)), "row": rows + 2})
    counted = names.group_by("name", maintain_order=True).agg(pl.col("row").min(), pl.len().alias("count"))
    found: list[Problem] = []
    for entry in counted.head(MAX_PROBLEMS_PER_FAULT).iter_rows(named=True):
        problem = _no_meter(entry["name"] or "", entry["row"], header, plant)
        zh, en = f"{problem.message.zh}(共 {entry['count']} 行)", f"{problem.message.en} ({entry['count']} rows)"
        found.append(Problem(problem.code, Text(zh, en), problem.hint, row=problem.row, column=header))
    return found


def _no_meter(name: str, row: int | None, column: str, plant: Plant) -> Problem:
    import difflib

    real = [meter.id for meter in plant.meters if meter.kind != "virtual"]
    real += [signal.id for signal in plant.state_signals]
    near = difflib.get_close_matches(name, real, n=5, cutoff=0.4) or real[:8]
    problem = NotFound(Text("实体表计", "real meter"), name, near).as_problem()
    return Problem("metering.unknown_meter", problem.message, problem.hint, row=row, column=column)


def _faults(block: _Column, plant: Plant) -> tuple[list[Problem], Flags]:
    """Return what is wrong with rows that could be read, and which rows only repeat another."""
    known = (block.code < len(block.meters)) & (block.time_us != 0) & ~np.isnan(block.value)
    problems = _range_faults(block, known)
    problems += _told(
        known & _off_grid(block, plant), block.time_header, lambda row: _clock(block, row, plant), _OFF_GRID
    )
    signal = block.signal
    mine = signal != NOWHERE
    passed = overtaken(block.code, block.time_us, known & mine)
    problems += same_moment(passed, signal, block.signals, block.time_header)
    repeated, differing = _repeats(block, known & ~mine)
    problems += _told(differing, block.time_header, lambda row: _clock(block, row, plant), _REPEATED)
    problems += _told(repeated, block.time_header, lambda row: _clock(block, row, plant), _EQUAL_REPEAT, "warning")
    return problems, repeated | passed


def _range_faults(block: _Column, known: Flags) -> list[Problem]:
    low = np.array([*(_bounds(meter)[0] for meter in block.meters), -np.inf])
    high = np.array([*(_bounds(meter)[1] for meter in block.meters), np.inf])
    outside = known & ((block.value < low[block.code]) | (block.value > high[block.code]))

    def said(row: int) -> str:
        code = int(block.code[row])
        return f"{block.value[row]:g} ({block.meters[code].id}: {low[code]:g} … {high[code]:g})"

    return _told(outside, block.header, said, _OUT_OF_RANGE)


def _bounds(meter: Meter) -> tuple[float, float]:
    """Return the least and the largest value a reading may have; none may pass what thousandths can be counted for."""
    most = _WHOLE / (1000.0 * max(1.0, abs(meter.multiplier)))
    if meter.kind == "register":
        return (0.0 if meter.minimum is None or meter.minimum >= 0.0 else -most), (meter.rollover or most)
    low = -most if meter.minimum is None else meter.minimum
    return low, (most if meter.maximum is None else meter.maximum)


def _off_grid(block: _Column, plant: Plant) -> Flags:
    """Return which rows are not at a multiple of their meter's interval on the plant's clock."""
    local = to_local_us(block.time_us, plant.time_zone)
    steps = np.array([*(meter.interval_minutes for meter in block.meters), 1], dtype=np.int64) * MICROSECONDS_PER_MINUTE
    steps = np.maximum(steps, 1)  # a state changes at any instant
    if len(set(steps[:-1].tolist())) == 1:
        off: Flags = local % steps[0] != 0
        return off
    return np.asarray(local % steps[block.code] != 0)


def _repeats(block: _Column, known: Flags) -> tuple[Flags, Flags]:
    """Return the rows that repeat an earlier one with the same value, and those that contradict it."""
    none = np.zeros(len(known), dtype=np.bool_)
    if len(known) < 2:
        return none, none
    same_meter = block.code[1:] == block.code[:-1]
    rising = np.where(same_meter, block.time_us[1:] > block.time_us[:-1], block.code[1:] > block.code[:-1])
    if rising.all():
        return none, none
    order = np.lexsort((np.arange(len(known)), block.time_us, block.code))
    code, time_us, value = block.code[order], block.time_us[order], block.value[order]
    again = np.concatenate([[False], (code[1:] == code[:-1]) & (time_us[1:] == time_us[:-1])])
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(code))))
    equal = value == value[first]
    repeated, differing = none.copy(), none.copy()
    repeated[order], differing[order] = again & equal, again & ~equal
    return repeated & known, differing & known


def _rows(block: _Column, quality: pl.Series | None, known_at: datetime, keep: Flags) -> pl.DataFrame:
    import polars as pl

    ids = pl.Series("meter_id", [*(meter.id for meter in block.meters), None], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "meter_id": ids.gather(pl.Series(block.code)),
            "started_at": pl.Series(block.time_us).cast(pl.Datetime("us", "UTC")),
            "value": block.value,
            **({} if quality is None else {"quality": quality}),
        }
    ).with_columns(
        pl.lit(known_at).cast(pl.Datetime("us", "UTC")).alias("known_at"),
        pl.lit(None, dtype=pl.String).alias("segment"),
        *([pl.lit("measured").alias("quality")] if quality is None else []),
    )
    frame = frame.select(READINGS.names)
    return frame if keep.all() else frame.filter(pl.Series(keep))


def _clock(block: _Column, row: int, plant: Plant) -> str:
    local = to_local_us(block.time_us[row : row + 1], plant.time_zone)
    return f"{block.meters[int(block.code[row])].id} {np.datetime64(int(local[0]), 'us')}"


def _cell(column: pl.Series) -> Callable[[int], str]:
    return lambda row: "" if column[row] is None else str(column[row])


def _told(
    mask: Flags,
    header: str,
    said: Callable[[int], str],
    fault: tuple[str, str, str, str, str],
    severity: Severity = "error",
) -> list[Problem]:
    """Return one problem a row of the mask (the first thousand)."""
    code, zh, en, hint_zh, hint_en = fault
    problems: list[Problem] = []
    for row in np.flatnonzero(mask)[:MAX_PROBLEMS_PER_FAULT]:
        value = said(int(row))
        message = Text(zh.replace("{value}", value), en.replace("{value}", value))
        problems.append(
            Problem(
                f"metering.{code}", message, Text(hint_zh, hint_en), row=int(row) + 2, column=header, severity=severity
            )
        )
    return problems


def _fault(code: str, zh: str, en: str, row: int | None, column: str) -> Problem:
    return Problem(f"metering.{code}", Text(zh, en), Text("请核对表头。", "Check the headers."), row=row, column=column)


_UNREADABLE_TIME = (
    "unreadable_time",
    "“{value}”不是时间。",
    "'{value}' is not a time.",
    "请写成 2025-01-31 08:15 或带时区的 ISO 时间。",
    "Write 2025-01-31 08:15, or ISO time with its offset.",
)
_NEVER = (
    "no_such_time",
    "时刻“{value}”因夏令时不存在。",
    "The clock never showed '{value}' (daylight saving).",
    "请核对时间。",
    "Check it.",
)
_TWICE = (
    "ambiguous_time",
    "时刻“{value}”因夏令时出现两次, 无法判断。",
    "The clock showed '{value}' twice (daylight saving); which one cannot be told.",
    "请写带时区的 ISO 时间。",
    "Write ISO time with its offset.",
)
_NOT_A_NUMBER = (
    "not_a_number",
    "“{value}”不是数。",
    "'{value}' is not a number.",
    "请只填数字; 缺数请删去该行。",
    "Digits only; leave out rows without a value.",
)
_UNKNOWN_QUALITY = (
    "unknown_quality",
    "没有质量标志“{value}”。",
    "There is no quality '{value}'.",
    "可选: 自动、人工、估算、存疑。",
    "Choose one of: measured, manual, estimated, suspect.",
)
_OUT_OF_RANGE = (
    "out_of_range",
    "读数超出量程: {value}。",
    "The value is out of range: {value}.",
    "请核对读数、单位与表计量程。",
    "Check the value, its unit and the meter's range.",
)
_OFF_GRID = (
    "off_grid",
    "不在表计的采集时刻上: {value}。",
    "Not on the meter's grid: {value}.",
    "请按表计采集间隔对齐。",
    "Align it to the meter's interval.",
)
_REPEATED = (
    "repeated_row",
    "同一表计同一时刻有不同读数: {value}。",
    "The same meter and time stand twice with different values: {value}.",
    "请只保留正确的一行。",
    "Keep the right one.",
)
_EQUAL_REPEAT = (
    "repeated_row",
    "重复行: {value}。",
    "A repeated row: {value}.",
    "已只取一行。",
    "One of them is taken.",
)
