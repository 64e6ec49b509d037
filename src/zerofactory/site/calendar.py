"""Working days and shifts of a plant, on its own clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from zerofactory.periods import Period, zone
from zerofactory.site.model import Calendar, Shift


def is_workday(calendar: Calendar, day: date) -> bool:
    """Return whether the plant works on a day: an extra working day beats a holiday, a holiday beats the weekday.

    Examples
    --------
    >>> is_workday(Calendar(holidays=(date(2025, 1, 1),)), date(2025, 1, 1))
    False
    """
    if day in calendar.extra_workdays:
        return True
    return day not in calendar.holidays and day.isoweekday() in calendar.weekdays


def workdays(calendar: Calendar, period: Period) -> tuple[date, ...]:
    """Return the working days of a period in order."""
    length = (period.next_first_day - period.first_day).days
    days = (period.first_day + timedelta(days=index) for index in range(length))
    return tuple(day for day in days if is_workday(calendar, day))


def shifts_of(calendar: Calendar, day: date) -> tuple[Shift, ...]:
    """Return the shifts that begin on a day, none on a day off.

    Examples
    --------
    Two shifts, the late one not on Saturdays:

    >>> from zerofactory.errors import Text
    >>> late = Shift(Text("中班", "late"), time(15), time(23), weekdays=(1, 2, 3, 4, 5))
    >>> six = Calendar((Shift(Text("早班", "early"), time(7), time(15)), late), weekdays=(1, 2, 3, 4, 5, 6))
    >>> [len(shifts_of(six, date(2025, 3, day))) for day in (7, 8, 9)]
    [2, 1, 0]
    """
    if not is_workday(calendar, day):
        return ()
    if day in calendar.extra_workdays:
        return calendar.shifts
    return tuple(shift for shift in calendar.shifts if not shift.weekdays or day.isoweekday() in shift.weekdays)


def shift_at(calendar: Calendar, moment: datetime, time_zone: str) -> Shift | None:
    """Return the shift that runs at a moment, or None.

    A shift past midnight belongs to the day it began. On a day off no shift begins.
    """
    local = moment.astimezone(zone(time_zone))
    clock, day = local.time(), local.date()
    for shift in calendar.shifts:
        began = day if clock >= shift.start else day - timedelta(days=1)
        if _runs(shift, clock) and shift in shifts_of(calendar, began if shift.start >= shift.end else day):
            return shift
    return None


def _runs(shift: Shift, clock: time) -> bool:
    if shift.start < shift.end:
        return shift.start <= clock < shift.end
    return clock >= shift.start or clock < shift.end
