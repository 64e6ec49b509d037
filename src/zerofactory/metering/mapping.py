"""How a foreign file of readings is to be read: which column is which meter, and what its clock means.

[time]
column = "date"
format = "%d/%m/%Y %H:%M"      # strptime; left out: the usual forms
label = "end"                  # the time stands for the start (default) or the end of the interval
midnight = "end_of_day"        # 00:00 of day D means the end of D (default: its start)
time_zone = "Asia/Seoul"       # left out: the plant's

[[columns]]
column = "Usage_kWh"
meter = "grid"
unit = "kWh"                   # left out: the meter's own
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from zerofactory import units
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.notation import toml_of
from zerofactory.periods import zone
from zerofactory.wording import reason

Label = Literal["start", "end"]
Midnight = Literal["start_of_day", "end_of_day"]


@dataclass(frozen=True, slots=True)
class TimeRule:
    """The time column: strptime form (None: the usual ones), what it labels, what midnight means, its zone."""

    column: str
    format: str | None = None
    label: Label = "start"
    midnight: Midnight = "start_of_day"
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column of the file, the meter it is of, and its unit (None: the meter's own)."""

    column: str
    meter: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read a wide file: one time column, one column a meter. Other columns are left alone."""

    time: TimeRule
    columns: tuple[MappedColumn, ...]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    time: TimeRule
    columns: tuple[MappedColumn, ...]


def read_mapping(text: str, file: str = "mapping.toml") -> Mapping:
    """Return the mapping a TOML text gives.

    Raises
    ------
    FaultyData
        Every fault: not TOML, unknown or missing keys, no columns, a column or meter twice, unknown unit or time zone.
    """
    try:
        document = _Document.model_validate(toml_of(text, file, "metering.mapping_not_toml"))
    except ValidationError as error:
        raise FaultyData(
            [_translated(dict(entry)).at(file=file) for entry in error.errors(include_url=False)]
        ) from error
    mapping = Mapping(document.time, document.columns)
    problems = _checked(mapping)
    if problems:
        raise FaultyData([problem.at(file=file) for problem in problems])
    return mapping


def _checked(mapping: Mapping) -> list[Problem]:
    problems: list[Problem] = []
    if not mapping.columns:
        problems.append(_fault("no_columns", "没有一列。", "There are no columns.", "columns"))
    for key in ("column", "meter"):
        named = [getattr(entry, key) for entry in mapping.columns]
        for name in sorted({name for name in named if named.count(name) > 1}):
            problems.append(_fault("repeated", f"“{name}”出现两次。", f"'{name}' stands twice.", f"columns.{key}"))
    for entry in mapping.columns:
        try:
            _ = units.parse(entry.unit) if entry.unit else None
        except NotFound as error:
            problem = error.as_problem()
            problems.append(Problem("metering.unknown_unit", problem.message, problem.hint, column="columns.unit"))
    if mapping.time.time_zone is not None:
        try:
            zone(mapping.time.time_zone)
        except FaultyData as error:
            problems += [problem.at(column="time.time_zone") for problem in error.problems]
    return problems


def _fault(code: str, zh: str, en: str, column: str | None = None) -> Problem:
    return Problem(
        f"metering.mapping_{code}", Text(zh, en), Text("请改正映射文件。", "Mend the mapping."), column=column
    )


def _translated(error: dict[str, Any]) -> Problem:
    path, why = ".".join(str(part) for part in error["loc"]), reason(error)
    return _fault("invalid", f"“{path}”不合要求: {why.zh}。", f"'{path}' is not valid: {why.en}.", path)
