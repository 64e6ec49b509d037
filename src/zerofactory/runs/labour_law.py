"""What the law says of hours of work and of their pay: the data file `labour_law.toml`, and the statutory holidays by year."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class LabourLaw:
    """Hours of a day and a week, what hours beyond them are paid times the wage, and how many there may be."""

    ordinary_h_per_day: float
    ordinary_h_per_week: float
    overtime_times: float
    rest_day_times: float
    holiday_times: float
    most_overtime_h_per_day: float
    most_overtime_h_per_month: float
    status: str


@lru_cache(maxsize=1)
def labour_law() -> LabourLaw:
    """Return the law of the People's Republic of China.

    References
    ----------
    中华人民共和国劳动法 第三十六, 四十一, 四十四条; 国务院关于职工工作时间的规定(国务院令第174号, 1995) 第三条.

    Examples
    --------
    >>> found = labour_law()
    >>> found.overtime_times, found.rest_day_times, found.holiday_times
    (1.5, 2.0, 3.0)
    """
    told: dict[str, Any] = tomllib.loads(_packaged("labour_law.toml"))
    status = str(told.pop("status"))
    return LabourLaw(**{name: float(one["value"]) for name, one in told.items()}, status=status)


@lru_cache(maxsize=1)
def statutory_holidays() -> Mapping[int, frozenset[date]]:
    """Return the statutory holidays of each year that is known: work on them is paid threefold.

    Examples
    --------
    >>> {year: len(days) for year, days in statutory_holidays().items()}
    {2024: 11, 2025: 13, 2026: 13, 2027: 13}
    """
    found: dict[int, set[date]] = {}
    for row in csv.DictReader(_packaged("labour_holidays.csv").splitlines()):
        day = date.fromisoformat(row["date"])
        found.setdefault(day.year, set()).add(day)
    return {year: frozenset(days) for year, days in found.items()}


def _packaged(name: str) -> str:
    return files("zerofactory.runs").joinpath(name).read_text(encoding="utf-8")
