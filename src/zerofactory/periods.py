"""Periods: calendar years and months of a site, as half-open UTC intervals labelled by their start.

A month is a month on the site's own clock (a plant in Shanghai closes January at 2025-01-31T16:00Z); everything stored
is UTC. A period knows nothing of shifts: those belong to the site.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zerofactory.errors import FaultyData, Problem, Text

_FORM = re.compile(r"^(\d{4})(?:-(\d{2}))?$")
YEAR_RANGE = (1990, 2100)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar year (``month`` is None) or month.

    Examples
    --------
    >>> Period.parse("2025-03").label
    '2025-03'
    >>> len(Period.parse("2025").months())
    12
    """

    year: int
    month: int | None = None

    @classmethod
    def parse(cls, text: str) -> Period:
        """Return the period that ``2025`` or ``2025-03`` means; raise `FaultyData` otherwise."""
        match = _FORM.match(text.strip())
        year = int(match.group(1)) if match else 0
        month = int(match.group(2)) if match and match.group(2) else None
        if match is None or not YEAR_RANGE[0] <= year <= YEAR_RANGE[1] or (month is not None and not 1 <= month <= 12):
            raise FaultyData(
                [
                    Problem(
                        code="periods.unreadable",
                        message=Text(f"“{text}”不是一个期间。", f"'{text}' is not a period."),
                        hint=Text("请写成 2025 或 2025-03。", "Write 2025 or 2025-03."),
                    )
                ]
            )
        return cls(year, month)

    @classmethod
    def containing(cls, moment: datetime, time_zone: str) -> Period:
        """Return the month in which a moment falls on the site's clock."""
        local = moment.astimezone(zone(time_zone))
        return cls(local.year, local.month)

    @property
    def label(self) -> str:
        """``2025`` or ``2025-03``."""
        return f"{self.year:04d}" if self.month is None else f"{self.year:04d}-{self.month:02d}"

    def months(self) -> tuple[Period, ...]:
        """Return the months inside, in order."""
        if self.month is not None:
            return (self,)
        return tuple(Period(self.year, month) for month in range(1, 13))

    def contains(self, other: Period) -> bool:
        """Whether the other period lies inside this one."""
        return self.year == other.year and self.month in (None, other.month)

    @property
    def first_day(self) -> date:
        """The first day on the site's calendar."""
        return date(self.year, self.month or 1, 1)

    @property
    def next_first_day(self) -> date:
        """The first day after the period."""
        if self.month is None or self.month == 12:
            return date(self.year + 1, 1, 1)
        return date(self.year, self.month + 1, 1)

    def start(self, time_zone: str) -> datetime:
        """Return the first instant in UTC."""
        return local_midnight(self.first_day, time_zone)

    def end(self, time_zone: str) -> datetime:
        """Return the first instant after the period in UTC."""
        return local_midnight(self.next_first_day, time_zone)

    def slots(self, time_zone: str, interval_minutes: int) -> int:
        """Return how many intervals of the given length the period holds (daylight saving counted)."""
        length = self.end(time_zone) - self.start(time_zone)
        return int(length / timedelta(minutes=interval_minutes))


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive months, from one to another, both inside; used where a period has to cross the turn of a year.

    Examples
    --------
    >>> span = Span(Period(2025, 11), Period(2026, 1))
    >>> span.label, [month.label for month in span.months()]
    ('2025-11..2026-01', ['2025-11', '2025-12', '2026-01'])
    """

    first: Period
    last: Period

    @property
    def year(self) -> int:
        """The year of the first month."""
        return self.first.year

    @property
    def label(self) -> str:
        """``2025-11..2026-01``."""
        return f"{self.first.label}..{self.last.label}"

    def months(self) -> tuple[Period, ...]:
        """Return the months inside, in order."""
        low, high = (12 * one.year + (one.month or 1) - 1 for one in (self.first, self.last))
        return tuple(Period(number // 12, number % 12 + 1) for number in range(low, high + 1))

    def start(self, time_zone: str) -> datetime:
        """Return the first instant in UTC."""
        return self.first.start(time_zone)

    def end(self, time_zone: str) -> datetime:
        """Return the first instant after the span in UTC."""
        return self.last.end(time_zone)

    def slots(self, time_zone: str, interval_minutes: int) -> int:
        """Return how many intervals of the given length the span holds (daylight saving counted)."""
        return int((self.end(time_zone) - self.start(time_zone)) / timedelta(minutes=interval_minutes))


def zone(name: str) -> ZoneInfo:
    """Return the time zone; raise `FaultyData` when the name is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise FaultyData(
            [
                Problem(
                    code="periods.unknown_time_zone",
                    message=Text(f"没有时区“{name}”。", f"There is no time zone '{name}'."),
                    hint=Text("例如 Asia/Shanghai。", "For example Asia/Shanghai."),
                )
            ]
        ) from error


def local_midnight(day: date, time_zone: str) -> datetime:
    """Return midnight of a local day in UTC.

    Examples
    --------
    >>> local_midnight(date(2025, 1, 1), "Asia/Shanghai").isoformat()
    '2024-12-31T16:00:00+00:00'
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone(time_zone)).astimezone(UTC)
