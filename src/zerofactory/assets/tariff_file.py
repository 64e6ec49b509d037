"""Tariffs as data: ``<area>.toml`` (titles, seasons, rules) beside ``<area>.csv`` (one row a month, scheme and voltage).

Packaged areas stand in ``tariffs/``; a plant may bring its own pair of files in the same form.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from zerofactory.assets.grid import DAY_MINUTES
from zerofactory.assets.tariff import (
    BANDS,
    PARTS,
    SAME_MONTH,
    HotDays,
    PriceRow,
    Season,
    Spans,
    SpecialDays,
    Tariff,
    span_problems,
)
from zerofactory.assets.tariff_form import RulesForm, column_problems, read_form
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.periods import zone

_SPAN = re.compile(r"^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})=(\w+)$")
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")


@dataclass(frozen=True, slots=True)
class TariffFiles:
    """The two files of one area as text."""

    area: str
    rules: str
    rows: str


def areas() -> tuple[str, ...]:
    """Return the areas whose published prices are packaged."""
    return tuple(sorted(entry.name[:-4] for entry in _folder().iterdir() if entry.name.endswith(".csv")))


@lru_cache(maxsize=16)
def packaged(area: str) -> TariffFiles:
    """Return the files of a packaged area; raise `NotFound` with the choices."""
    if area not in areas():
        raise NotFound(Text("电价地区", "tariff area"), area, areas())
    rules = (_folder() / f"{area}.toml").read_text(encoding="utf-8")
    return TariffFiles(area, rules, (_folder() / f"{area}.csv").read_text(encoding="utf-8"))


def tariff(area: str, scheme: str, voltage: str, carry: str = "") -> Tariff:
    """Return a packaged tariff.

    Raises
    ------
    NotFound
        No such area, scheme or voltage; lists the choices.

    Examples
    --------
    >>> tariff("shanghai", "two_part_large_industry", "110kV").published
    ('2026-08',)
    """
    found, problems = read_tariff(packaged(area), scheme, voltage, carry)
    refuse(problems)
    if found is None:
        raise FaultyData(problems)
    return found


def choices(given: TariffFiles) -> tuple[tuple[str, str], ...]:
    """Return each (scheme, voltage) of the files, in order."""
    return tuple(dict.fromkeys((row["scheme"], row["voltage"]) for row in csv.DictReader(given.rows.splitlines())))


def read_tariff(given: TariffFiles, scheme: str, voltage: str, carry: str = "") -> tuple[Tariff | None, list[Problem]]:
    """Return one tariff of an area's files, with every fault of the rows and rules it rests on.

    Raises
    ------
    NotFound
        The files have no such scheme and voltage, or no row of the month to carry; lists the choices.
    """
    rules, problems = read_form(RulesForm, given.rules, f"{given.area}.toml")
    header = tuple(csv.DictReader(given.rows.splitlines()).fieldnames or ())
    problems += column_problems(header, f"{given.area}.csv")
    if rules is None or problems:
        return None, problems
    known = choices(given)
    if (scheme, voltage) not in known:
        listed = [f"{a} / {b}" for a, b in known]
        raise NotFound(Text("电价(方案 / 电压)", "tariff (scheme / voltage)"), f"{scheme} / {voltage}", listed)
    rows, problems = _rows(given, scheme, voltage)
    seasons, faults = _seasons(rules, given.area, scheme)
    hot, special, more = _day_rules(rules, given.area)
    problems += [*faults, *more, *_zone_problems(rules, given.area)]
    months = tuple(row.month for row in rows)
    if carry not in ("", SAME_MONTH, *months):
        raise NotFound(Text("沿用的月份", "month to carry"), carry, (SAME_MONTH, *months))
    if problems:
        return None, problems
    export = None if rules.export_cny_per_kwh is None else Decimal(str(rules.export_cny_per_kwh))
    title = Text(f"{rules.title.zh}({voltage})", f"{rules.title.en} ({voltage})")
    return Tariff(
        f"{given.area}/{scheme}/{voltage}", title, rules.time_zone, scheme, voltage, rows, seasons, hot, special, carry, export, rules.source,
    ), []  # fmt: skip


def _zone_problems(rules: RulesForm, area: str) -> list[Problem]:
    try:
        zone(rules.time_zone)
    except FaultyData as error:
        return [problem.at(file=f"{area}.toml", column="time_zone") for problem in error.problems]
    return []


def _rows(given: TariffFiles, scheme: str, voltage: str) -> tuple[tuple[PriceRow, ...], list[Problem]]:
    rows, problems, seen = [], [], set()
    for number, row in enumerate(csv.DictReader(given.rows.splitlines()), 2):
        if (row["scheme"], row["voltage"]) != (scheme, voltage):
            continue
        spans, faults = _spans(row["hours"], f"{given.area} {row['month']}")
        if not _MONTH.match(row["month"]) or row["month"] in seen:
            faults.append(
                _fault(
                    "month", f"月份“{row['month']}”无效或重复。", f"Month '{row['month']}' is not valid or repeated."
                )
            )
        seen.add(row["month"])
        found, wrong = _row(row, spans)
        lacking = sorted({band for _, _, band in spans} - set(found.prices))
        if lacking:
            faults.append(
                _fault(
                    "price",
                    f"{row['month']} 缺少时段电价: {', '.join(lacking)}。",
                    f"{row['month']} has no price for: {', '.join(lacking)}.",
                )
            )
        rows.append(found)
        problems += [problem.at(file=f"{given.area}.csv", row=number) for problem in (*faults, *wrong)]
    return tuple(sorted(rows, key=lambda one: one.month)), problems


def _row(row: Mapping[str, str], spans: Spans) -> tuple[PriceRow, list[Problem]]:
    problems: list[Problem] = []

    def number(name: str) -> Decimal | None:
        text = row.get(name) or ""
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if value.is_finite():
            return value
        problems.append(_fault("number", f"“{text}”不是数。", f"'{text}' is not a number.").at(column=name))
        return None

    prices = {band: value for band in BANDS if (value := number(f"{band}_cny_per_kwh")) is not None}
    parts = {part: value for part in PARTS if (value := number(f"{part}_cny_per_kwh")) is not None}
    found = PriceRow(
        row["month"],
        spans,
        prices,
        parts,
        number("base_cny_per_kwh"),
        number("demand_charge_cny_per_kw_month"),
        number("capacity_charge_cny_per_kva_month"),
        row.get("status") or "placeholder",
    )
    return found, problems


def _seasons(rules: RulesForm, area: str, scheme: str) -> tuple[tuple[Season, ...], list[Problem]]:
    seasons, problems = [], []
    taken: set[int] = set()
    for entry in rules.seasons:
        if entry.schemes is not None and scheme not in entry.schemes:
            continue
        spans, faults = _spans(entry.hours, f"{area} {'、'.join(map(str, entry.months))}月")
        for month in entry.months:
            if month in taken:
                faults.append(_fault("season", f"{month} 月属于两个季节。", f"Month {month} is in two seasons."))
            taken.add(month)
        ratios = {str(band): Decimal(str(value)) for band, value in entry.ratios.items()}
        seasons.append(Season(tuple(entry.months), spans, ratios, entry.status))
        problems += [problem.at(file=f"{area}.toml") for problem in faults]
    return tuple(seasons), problems


def _day_rules(rules: RulesForm, area: str) -> tuple[tuple[HotDays, ...], tuple[SpecialDays, ...], list[Problem]]:
    """Return the rules of hot and of special days; they cover only part of a day."""
    hot, special, problems = [], [], []
    for warm in rules.hot_days:
        spans, faults = _spans(warm.hours, area, whole=False)
        hot.append(HotDays(warm.celsius, warm.days, spans, tuple(warm.months)))
        problems += [problem.at(file=f"{area}.toml") for problem in faults]
    for named in rules.special_days:
        spans, faults = _spans(named.hours, area, whole=False)
        special.append(SpecialDays(tuple(named.dates), spans))
        problems += [problem.at(file=f"{area}.toml") for problem in faults]
    return tuple(hot), tuple(special), problems


def _spans(hours: str, where: str, *, whole: bool = True) -> tuple[Spans, list[Problem]]:
    spans, problems = [], []
    for part in hours.split():
        match = _SPAN.match(part)
        if match is None or match[5] not in BANDS:
            problems.append(
                _fault("hours", f"电价 {where}: 时段“{part}”无法识别。", f"Tariff {where}: '{part}' cannot be read.")
            )
            continue
        first, last = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if not 0 <= first < last <= DAY_MINUTES:
            problems.append(
                _fault(
                    "hours",
                    f"电价 {where}: 时段“{part}”不在一天之内。",
                    f"Tariff {where}: '{part}' is not within a day.",
                )
            )
            continue
        spans.append((first, last, match[5]))
    if whole and not problems:
        problems = span_problems(tuple(spans), where)
    return tuple(spans), problems


def _fault(code: str, zh: str, en: str) -> Problem:
    return Problem(
        f"assets.tariff_{code}",
        Text(zh, en),
        Text("请对照公布的电价表更正。", "Correct it against the published table."),
    )


def _folder() -> Traversable:
    return files("zerofactory.assets") / "tariffs"


def all_problems(given: TariffFiles) -> Iterable[Problem]:
    """Yield the faults of every tariff in an area's files."""
    for scheme, voltage in choices(given):
        yield from read_tariff(given, scheme, voltage)[1]
