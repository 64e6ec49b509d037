"""Labour of a twin: how long people stand at its stations, by how the law pays those hours, and what they cost.

    cost = wage · (1 + on-costs) · Σ people · (ordinary h + 1.5 · overtime h + 2 · rest-day h + 3 · holiday h)

People are paid for the whole of their shift, also while their station fails, waits or is locked out. What of a shift lies on a
statutory holiday, by the clock, are holiday hours. Of the rest, the hours beyond the ordinary day (after an unpaid break, where one
is stated) and the overtime after the last shift are overtime, and all of it rest-day hours where the shift begins on a rest day.
Each shift has people of its own, so a third shift costs ordinary hours. What lies outside the days simulated is not counted.

References
----------
中华人民共和国劳动法 第三十六, 三十八, 四十一, 四十四条; 国务院令第174号 第三条 (numbers: `labour_law.toml`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from zerofactory.errors import Text
from zerofactory.optimisation.twin.line import Line, Station
from zerofactory.periods import zone
from zerofactory.runs.labour_law import LabourLaw, labour_law, statutory_holidays
from zerofactory.runs.twin_shifts import ShiftsEntry, When
from zerofactory.site.calendar import shifts_of
from zerofactory.site.model import Calendar, Plant, Shift

DAY_S, HOUR_S = 86400.0, 3600.0
MONTH_DAYS, WEEK_DAYS = 365.25 / 12.0, 7
People = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Wage:
    """What an hour costs and how hours are told apart; numbers are the plant's (costs.toml) or the scenario's.

    Parameters
    ----------
    cny_per_h : paid for an ordinary hour; premiums are multiples of it.
    on_cost_fraction : the employer's contributions, as a share of what is paid.
    unpaid_break_h_per_shift : of each shift, neither worked nor paid.
    rest_weekdays : 1 Monday … 7 Sunday; None: those on which the plant's calendar has no work.
    statutory_holidays : besides those of the packaged years.
    """

    cny_per_h: float
    on_cost_fraction: float = 0.0
    unpaid_break_h_per_shift: float = 0.0
    rest_weekdays: tuple[int, ...] | None = None
    statutory_holidays: tuple[date, ...] = ()
    source: str = ""
    status: str = "placeholder"


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a person, or person-hours, by how they are paid."""

    ordinary: float = 0.0
    overtime: float = 0.0
    rest_day: float = 0.0
    holiday: float = 0.0

    def plus(self, other: Hours, times: float = 1.0) -> Hours:
        """Return the sum with a multiple of other hours."""
        return Hours(
            self.ordinary + times * other.ordinary,
            self.overtime + times * other.overtime,
            self.rest_day + times * other.rest_day,
            self.holiday + times * other.holiday,
        )

    @property
    def total(self) -> float:
        """All of them, each once."""
        return self.ordinary + self.overtime + self.rest_day + self.holiday

    def paid_h(self, law: LabourLaw) -> float:
        """Return them as ordinary hours that cost the same.

        >>> Hours(8.0, 2.0, 8.0, 8.0).paid_h(labour_law())
        51.0
        """
        premiums = law.overtime_times * self.overtime + law.rest_day_times * self.rest_day
        return self.ordinary + premiums + law.holiday_times * self.holiday

    def as_json(self) -> dict[str, float]:
        """Return plain JSON values."""
        return {"ordinary_h": self.ordinary, "overtime_h": self.overtime, "rest_day_h": self.rest_day, "holiday_h": self.holiday}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stay:
    """A shift of some day, in seconds from the midnight of the first: its place in the day, and the overtime after it."""

    day: date
    number: int
    start_s: float
    end_s: float
    overtime_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Crew:
    """People at a station, or of a pool that stations hold: most at a time, person-hours and cost over the days."""

    place: str
    title: Text
    most: float
    hours: Hours
    cny: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"place": self.place, "title": {"zh": self.title.zh, "en": self.title.en}, "people": self.most, **self.hours.as_json(), "cny": self.cny}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labour:
    """The crews of the days, what they cost, what is to be known of it, and the stations of which nobody says who stands there."""

    crews: tuple[Crew, ...]
    notes: tuple[Text, ...] = ()
    unstated: tuple[str, ...] = ()

    @property
    def cny(self) -> float:
        """The cost of all."""
        return sum(one.cny for one in self.crews)

    @property
    def hours(self) -> Hours:
        """The person-hours of all."""
        found = Hours()
        for one in self.crews:
            found = found.plus(one.hours)
        return found

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"cny": self.cny, **self.hours.as_json(), "crews": [one.as_json() for one in self.crews], "unstated": list(self.unstated)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Days:
    """The days that are simulated: ``number`` of them from ``since_s`` after the midnight of the first."""

    first: date
    number: int
    since_s: float = 0.0

    @property
    def end_s(self) -> float:
        """When they end, after the midnight of the first."""
        return self.since_s + self.number * DAY_S


def labour(plant: Plant, line: Line, when: When, over: Days, paid: tuple[Wage, People]) -> Labour:
    """Return what the people of a line cost over some days.

    Parameters
    ----------
    paid : the wage, and people by station: one number for every shift, or one for each shift of the day in its order.
    """
    wage, people = paid
    everyday, own = patterns(plant, when, over)
    titles = {one.id: one.title for one in line.stations}
    crews = [
        _crew(name, titles[name], numbers, own.get(name, everyday), (plant.calendar, over, wage))
        for name, numbers in people.items()
        if name in titles
    ]
    for pool in line.pools:
        stations = [one.id for one in line.stations if pool.id in _pools(one)]
        stays = _once(one for name in stations for one in own.get(name, everyday))
        if stations:
            title = Text(f"人员组 {pool.id}", f"pool {pool.id}")
            crews.append(_crew(pool.id, title, (float(pool.number),), stays, (plant.calendar, over, wage)))
    staffed = {*people, *(one.id for one in line.stations if one.operators is not None)}
    unstated = tuple(one.id for one in line.stations if one.id not in staffed)
    stays = [*everyday, *(one for each in own.values() for one in each)]
    return Labour(tuple(crews), (*_twice(line, people), *_notes(plant.calendar, wage, stays, over)), unstated)


def too_short(plant: Plant, when: When, over: Days, people: People) -> Iterator[tuple[str, int, int]]:
    """Yield stations whose people are told for fewer shifts than they have: the station, shifts told, shifts there are."""
    everyday, own = patterns(plant, when, over)
    for name, numbers in people.items():
        most = max((one.number + 1 for one in own.get(name, everyday)), default=0)
        if 1 < len(numbers) < most:
            yield name, len(numbers), most


def patterns(plant: Plant, when: When, over: Days) -> tuple[list[Stay], dict[str, list[Stay]]]:
    """Return the shifts of every station, and those of the stations with shifts of their own."""
    everyday = list(_stays(plant, None, when.overtime_h, over))
    own: dict[str, list[Stay]] = {}
    for entry in when.shifts:
        found = list(_stays(plant, entry, when.overtime_h, over))
        if not entry.stations:
            everyday = found
        own |= dict.fromkeys(entry.stations, found)
    return everyday, own


def _stays(plant: Plant, entry: ShiftsEntry | None, overtime_h: float, over: Days) -> Iterator[Stay]:
    """Yield the shifts that begin on the days or on the day before them, in order."""
    calendar = plant.calendar
    if entry is not None:
        name = Text("场景班次", "shift of the scenario")
        shifts = tuple(Shift(name, start, end) for start, end in entry.times)
        calendar = replace(calendar, shifts=shifts, weekdays=calendar.weekdays if entry.weekdays is None else entry.weekdays)  # fmt: skip
    place = zone(plant.time_zone)
    begin = datetime.combine(over.first, time(), place)
    for number in range(-1, over.number + (over.since_s > 0.0)):
        day = over.first + timedelta(days=number)
        spans = []
        for shift in shifts_of(calendar, day):
            ends = day if shift.end > shift.start else day + timedelta(days=1)
            start, end = (datetime.combine(*one, place) - begin for one in ((day, shift.start), (ends, shift.end)))
            spans.append((start.total_seconds(), end.total_seconds()))
        last = max((end for _, end in spans), default=0.0)
        for order, (start_s, end_s) in enumerate(sorted(spans)):
            yield Stay(day, order, start_s, end_s, overtime_h * HOUR_S * (end_s == last))


def hours_of(stay: Stay, calendar: Calendar, wage: Wage, over: Days) -> Hours:
    """Return the paid hours of a person in a shift, as far as it lies in the days that are simulated.

    >>> from zerofactory.site.model import Calendar
    >>> monday = Stay(date(2025, 3, 10), 0, 7 * 3600.0, 16 * 3600.0, 3600.0)
    >>> hours_of(monday, Calendar(), Wage(40.0, unpaid_break_h_per_shift=0.5), Days(date(2025, 3, 10), 1))
    Hours(ordinary=8.0, overtime=1.5, rest_day=0.0, holiday=0.0)
    """
    whole_h = (stay.end_s - stay.start_s) / HOUR_S
    worked_h = max(whole_h - wage.unpaid_break_h_per_shift, 0.0)
    off_h, inside_h, holiday_h = _parted(stay.start_s, stay.end_s, over, wage)
    _, after_h, holiday_after_h = _parted(stay.end_s, stay.end_s + stay.overtime_s, over, wage)
    holiday = worked_h * (holiday_h / whole_h) + holiday_after_h
    share = inside_h / off_h if off_h else 0.0
    off_h = worked_h * (off_h / whole_h)
    if is_rest_day(stay.day, calendar, wage):
        return Hours(rest_day=share * off_h + after_h, holiday=holiday)
    ordinary_h = min(off_h, labour_law().ordinary_h_per_day)
    return Hours(share * ordinary_h, share * (off_h - ordinary_h) + after_h, 0.0, holiday)


def is_holiday(day: date, wage: Wage) -> bool:
    """Return whether work on a day is paid as that of a statutory holiday.

    >>> [is_holiday(date(2025, 5, day), Wage(40.0)) for day in (1, 2, 3)]
    [True, True, False]
    """
    return day in wage.statutory_holidays or day in statutory_holidays().get(day.year, frozenset())


def is_rest_day(day: date, calendar: Calendar, wage: Wage) -> bool:
    """Return whether a weekday is one of rest; a day that the plant works in the place of another (``extra_workdays``) is not.

    >>> from zerofactory.site.model import Calendar
    >>> [is_rest_day(date(2025, 5, day), Calendar(), Wage(40.0)) for day in (3, 5)]
    [True, False]
    """
    rest = wage.rest_weekdays
    rests = day.isoweekday() not in calendar.weekdays if rest is None else day.isoweekday() in rest
    return rests and day not in calendar.extra_workdays


def _parted(start_s: float, end_s: float, over: Days, wage: Wage) -> tuple[float, float, float]:
    """Return the hours of a span off holidays, those of them in the days simulated, and its holiday hours in these days."""
    off_s = inside_s = holiday_s = 0.0
    here = start_s
    while here < end_s:
        number = math.floor(here / DAY_S)
        there = min(end_s, (number + 1) * DAY_S)
        simulated_s = max(min(there, over.end_s) - max(here, over.since_s), 0.0)
        if is_holiday(over.first + timedelta(days=number), wage):
            holiday_s += simulated_s
        else:
            off_s, inside_s = off_s + there - here, inside_s + simulated_s
        here = there
    return off_s / HOUR_S, inside_s / HOUR_S, holiday_s / HOUR_S


def _once(stays: Iterable[Stay]) -> list[Stay]:
    """Return the shifts of a pool that serves several stations: what lies in two of them is paid once."""
    longest: dict[tuple[float, float], Stay] = {}
    for one in sorted(stays, key=lambda one: one.overtime_s):
        longest[one.start_s, one.end_s] = one
    found: list[Stay] = []
    for _, one in sorted(longest.items()):
        start_s = max(one.start_s, found[-1].end_s if found else one.start_s)
        if start_s < one.end_s:
            found.append(replace(one, start_s=start_s))
    following = [*(one.start_s for one in found[1:]), math.inf]
    return [replace(one, overtime_s=min(one.overtime_s, after_s - one.end_s)) for one, after_s in zip(found, following, strict=True)]  # fmt: skip


def _twice(line: Line, people: People) -> Iterator[Text]:
    """Yield that stations have people of their own besides the operators they take from a pool."""
    names = ", ".join(one.id for one in line.stations if one.operators is not None and any(people.get(one.id, ())))
    if names:
        yield Text(f"既写了每班人数, 又从人员组取操作员的工位, 两者都计工资: {names}。", f"Stations with people of their own besides operators of a pool, both paid: {names}.")  # fmt: skip


def _pools(station: Station) -> tuple[str, ...]:
    """Return the pools of people that a station holds: who run it, and who repair it."""
    held = station.operators, None if station.failure is None else station.failure.repairers
    return tuple(one[0] for one in held if one is not None)


def _crew(
    name: str, title: Text, numbers: Sequence[float], stays: Sequence[Stay], how: tuple[Calendar, Days, Wage]
) -> Crew:
    calendar, over, wage = how
    found, most = Hours(), 0.0
    for stay in stays:
        people = numbers[min(stay.number, len(numbers) - 1)]
        spent = hours_of(stay, calendar, wage, over)
        found = found.plus(spent, people)
        most = max(most, people if spent.total else 0.0)
    cny = wage.cny_per_h * (1.0 + wage.on_cost_fraction) * found.paid_h(labour_law())
    return Crew(name, title, most, found, cny)


def _notes(calendar: Calendar, wage: Wage, stays: Sequence[Stay], over: Days) -> Iterator[Text]:
    """Yield what is to be known: more overtime or longer weeks than the law has, years whose holidays are not known."""
    law = labour_law()
    spent = [(one.day, hours_of(one, calendar, wage, over)) for one in stays]
    most = max((hours.overtime for _, hours in spent), default=0.0)
    if most > law.most_overtime_h_per_day + 1e-9:
        limit = f"{law.most_overtime_h_per_day:g}"
        yield Text(f"加班每日 {most:.2g} h, 超过劳动法第四十一条的 {limit} h。", f"{most:.2g} h of overtime a day: more than the {limit} h of article 41 of the Labour Law.")  # fmt: skip
    extra: dict[date, float] = {}
    usual: dict[date, float] = {}
    for day, hours in spent:
        extra[day] = max(extra.get(day, 0.0), hours.overtime + hours.rest_day + hours.holiday)
        usual[day] = max(usual.get(day, 0.0), 0.0 if day in calendar.extra_workdays else hours.ordinary)
    monthly = sum(extra.values()) / over.number * MONTH_DAYS
    if over.number >= 5 and monthly > law.most_overtime_h_per_month + 1e-9:
        limit = f"{law.most_overtime_h_per_month:g}"
        yield Text(f"同一批人照此加班(含休息日、法定假日)每月 {monthly:.0f} h, 超过劳动法第四十一条的 {limit} h。", f"Kept up by the same people this is {monthly:.0f} h of overtime a month, rest days and holidays among them: more than the {limit} h of article 41 of the Labour Law.")  # fmt: skip
    weekly = sum(usual.values()) / over.number * WEEK_DAYS
    if over.number >= WEEK_DAYS and weekly > law.ordinary_h_per_week + 1e-9:
        limit = f"{law.ordinary_h_per_week:g}"
        yield Text(f"同一批人每周正常工时 {weekly:.0f} h, 超过 {limit} h(国务院令第174号第三条); 超出部分没有按加班计。若不是轮休, 请写 rest_weekdays。", f"The same people have {weekly:.0f} ordinary hours a week: more than {limit} h (State Council order 174, article 3), and the rest is not paid as overtime. State rest_weekdays unless people take turns.")  # fmt: skip
    years = sorted({one.day.year for one in stays if one.end_s > over.since_s} - set(statutory_holidays()))
    if years and not wage.statutory_holidays:
        told = ", ".join(str(year) for year in years)
        yield Text(f"没有 {told} 年的法定休假日, 未按 300 % 计。", f"Statutory holidays of {told} are not known: no hour is paid threefold.")  # fmt: skip
