"""Budgets of carbon and energy (量化排放目标, 约束资源使用): a year's amount, split to shops and months, burnt down, foreseen.

    year's amount ─► cells shop × month (whole numbers, their sum is the amount) ─► used so far ─► the year's end ─► warning

Everything is whole gCO2e or Wh. What a cell may still use is a limit that planning and optimisation read (`allowances`).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from zerofactory import units
from zerofactory.errors import Misuse, Text
from zerofactory.metering.metered import largest_remainder
from zerofactory.metering.student import t_quantile
from zerofactory.periods import Period
from zerofactory.planning.limit import Limit
from zerofactory.site.calendar import is_workday
from zerofactory.site.model import Calendar
from zerofactory.tables import Column, TableSchema

FEWEST_MISSES = 3
GJ_PER_TCE = 29.3076  # GB/T 2589-2020, 3.8

Kind = Literal["carbon", "energy"]
KINDS: tuple[Kind, ...] = ("carbon", "energy")
UNITS: Mapping[Kind, str] = {"carbon": "gCO2e", "energy": "Wh"}
SPLITS = ("last_year", "seasonal", "given")
Cell = tuple[str, str]  # shop, month
Status = Literal["within", "at_risk", "will_break", "broken"]


def _text(name: str, zh: str, en: str, *, nullable: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", Text(zh, en), nullable=nullable, choices=choices)


BUDGETS = TableSchema(
    "budgets",
    Text("碳与能源预算", "budgets of carbon and energy"),
    (
        _text("line_id", "编号", "id"),
        _text("budget_id", "预算", "budget"),
        Column("year", "integer", Text("年份", "year")),
        Column("version", "integer", Text("版次", "version"), minimum=1),
        _text("kind", "种类", "kind", choices=KINDS),
        _text("shop", "车间", "shop"),
        _text("month", "月份", "month"),
        Column("amount", "integer", Text("预算量", "amount"), minimum=0),
        _text("unit", "单位", "unit", choices=("gCO2e", "Wh")),
        _text("split", "分解方法", "how it was split", choices=SPLITS),
        _text("basis", "分解依据", "what the split rests on"),
        _text("reason", "原因", "reason", nullable=True),
        _text("actor", "经手人", "who"),
        _text("at", "时间", "at"),
    ),
    ("line_id",),
)


@dataclass(frozen=True, slots=True)
class Budget:
    """One version of a year's budget. ``cells`` add up to ``total`` exactly."""

    kind: Kind
    year: int
    version: int
    cells: Mapping[Cell, int]
    split: str
    basis: str
    reason: str | None = None

    @property
    def total(self) -> int:
        """The amount of the year."""
        return sum(self.cells.values())

    def by_shop(self) -> dict[str, int]:
        """Return the amount of each shop."""
        return _summed(self.cells, 0)

    def by_month(self) -> dict[str, int]:
        """Return the amount of each month."""
        return _summed(self.cells, 1)


@dataclass(frozen=True, slots=True)
class Month:
    """What a month came to in all: ``part_fraction`` of it is over (1: closed or complete)."""

    label: str
    amount: int
    part_fraction: float = 1.0


@dataclass(frozen=True, slots=True)
class YearEnd:
    """The year's end as foreseen.

    ``used`` so far, ``expected`` in all with ``low`` … ``high`` at ``confidence_fraction``; ``errors`` says how many
    back-tests stand behind the interval; ``breaks_on`` is the day on which the budget is used up if things go on as expected,
    ``breaks_early_on`` at the upper end of the interval (None: not this year).
    """

    used: int
    expected: int
    low: int
    high: int
    confidence_fraction: float
    errors: int
    method: Text
    status: Status
    breaks_on: date | None
    breaks_early_on: date | None


@lru_cache(maxsize=1)
def terms() -> Mapping[str, float]:
    """Return the numbers of `budget.toml` by name."""
    table = tomllib.loads((files("zerofactory.planning") / "budget.toml").read_text(encoding="utf-8"))
    return {name: float(row["value"]) for name, row in table.items()}


def split(total: int, weights: Mapping[Cell, int]) -> dict[Cell, int]:
    """Return a whole amount shared out over cells by whole weights; the cells add up to it exactly (largest remainder).

    Examples
    --------
    >>> split(10, {("paint", "2026-01"): 1, ("body", "2026-01"): 1, ("body", "2026-02"): 1})
    {('paint', '2026-01'): 4, ('body', '2026-01'): 3, ('body', '2026-02'): 3}
    """
    if total < 0 or not weights or any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise Misuse("a budget is not negative and has weights of which one is positive")
    named = {f"{shop}\x00{month}": weight for (shop, month), weight in weights.items()}
    parts = largest_remainder(total, named)
    return {(name.split("\x00")[0], name.split("\x00")[1]): amount for name, amount in parts.items()}


def last_year(amounts: Mapping[Cell, int], year: int) -> dict[Cell, int]:
    """Return the weights of a year: what each shop used in the same month of the year before, nothing less than zero.

    Examples
    --------
    >>> last_year({("paint", "2025-03"): 7}, 2026)
    {('paint', '2026-03'): 7}
    """
    return {(shop, f"{year}{month[4:]}"): max(amount, 0) for (shop, month), amount in sorted(amounts.items())}


def seasonal(amounts: Mapping[Cell, int], year: int, calendar: Calendar) -> dict[Cell, int]:
    """Return the weights of a year from months that do not make a whole year: share of each shop × worked and free days.

    The share of a shop is that of its months; a month weighs by its days, free ones by ``free_day_weight_fraction``.
    """
    shops: dict[str, int] = {}
    for (shop, _), amount in sorted(amounts.items()):
        shops[shop] = shops.get(shop, 0) + max(amount, 0)
    total = sum(shops.values())
    if not total:
        raise Misuse("nothing was used in the months the split rests on")
    return {
        (shop, month.label): round(1_000_000 * used / total * _weight(month, calendar))
        for shop, used in shops.items()
        for month in Period(year).months()
    }


def _weight(month: Period, calendar: Calendar) -> float:
    """Return the days of a month, free ones at their fraction."""
    return sum(_day_weight(day, calendar) for day in _days(month))


def _day_weight(day: date, calendar: Calendar) -> float:
    return 1.0 if is_workday(calendar, day) else terms()["free_day_weight_fraction"]


def _days(month: Period) -> list[date]:
    return [month.first_day + timedelta(days=n) for n in range((month.next_first_day - month.first_day).days)]


def year_end(budget: Budget, months: Sequence[Month], calendar: Calendar) -> YearEnd:
    """Return how the year of a budget will end.

    Parameters
    ----------
    months : sequence of Month
        All months known, in order, earlier years included; of the budget's year the last may be part of a month.

    Where every month of the year before is known: what remains = the same months of that year × the recent level (the months
    known of this year over the same of last year). Else: the recent months per day, free days counted by their fraction. The
    interval is Student's t on the relative misses of the same method at earlier months (back-test), over as many months ahead.
    """
    own = [month for month in months if month.label[:4] == str(budget.year)]
    used = sum(month.amount for month in own)
    ahead = _ahead(budget.year, own)
    known = [month for month in months if month.part_fraction >= 1.0]
    parts, method, by_last_year = _foreseen(known, ahead, calendar)
    remaining = sum(parts)
    reach = max(sum(1 for _, share in ahead if share > 0.0), 1)
    misses = _misses(known, reach, calendar, by_last_year)
    level = terms()["confidence_fraction"]
    half = _half_width(misses, level) if remaining else 0.0
    low, high = remaining * math.exp(-half), remaining * math.exp(half)
    days = _day_by_day(ahead, parts, calendar)
    expected = used + round(remaining)
    breaks = _break_day(budget.total - used, days, 1.0)
    early = _break_day(budget.total - used, days, math.exp(half))
    if used > budget.total:
        status: Status = "broken"
    elif expected > budget.total:
        status = "will_break"
    else:
        status = "at_risk" if used + round(high) > budget.total else "within"
    return YearEnd(
        used, expected, used + round(low), used + round(high), level, len(misses), method, status, breaks, early
    )


def _ahead(year: int, own: Sequence[Month]) -> list[tuple[Period, float]]:
    """Return the months of the year that are not over, each with the share of it that remains."""
    over = {month.label: month.part_fraction for month in own}
    return [
        (month, 1.0 - over.get(month.label, 0.0)) for month in Period(year).months() if over.get(month.label, 0.0) < 1.0
    ]


def _foreseen(
    known: Sequence[Month], ahead: Sequence[tuple[Period, float]], calendar: Calendar
) -> tuple[list[float], Text, bool]:
    """Return the amount foreseen of each month ahead, the method in words, and whether it rests on last year."""
    amounts = {month.label: float(month.amount) for month in known}
    recent = list(known)[-int(terms()["recent_months"]) :]
    before = [_year_before(month.label) for month, _ in ahead]
    if ahead and all(label in amounts for label in before):
        pairs = [
            (month.amount, amounts[_year_before(month.label)])
            for month in recent
            if _year_before(month.label) in amounts
        ]
        past = sum(old for _, old in pairs)
        level = sum(new for new, _ in pairs) / past if past > 0 else 1.0
        said = Text(
            f"上年同月 × 近期水平 {level:.3f}({len(pairs)} 个月同比)",
            f"same months of last year × recent level {level:.3f} ({len(pairs)} months over the same of last year)",
        )
        return [amounts[label] * level * share for label, (_, share) in zip(before, ahead, strict=True)], said, True
    weights = sum(_weight(Period.parse(month.label), calendar) for month in recent)
    daily = sum(month.amount for month in recent) / weights if weights else 0.0
    said = Text(
        f"近 {len(recent)} 个月的日均(非工作日按比例) × 剩余天数",
        f"mean per day of the last {len(recent)} months (free days by their fraction) × days left",
    )
    return [daily * _weight(month, calendar) * share for month, share in ahead], said, False


def _year_before(label: str) -> str:
    return f"{int(label[:4]) - 1}{label[4:]}"


def _misses(known: Sequence[Month], reach: int, calendar: Calendar, by_last_year: bool) -> list[float]:
    """Return log(actual ÷ foreseen) of what followed earlier months over up to ``reach`` months, one an origin.

    Origins of the method in use count where there are three at least, else all; reaches of at least half the one asked for,
    where there is none the longest there is.
    """
    found: list[tuple[int, float, bool]] = []
    for origin in range(3, len(known)):
        later = known[origin : origin + reach]
        parts, _, alike = _foreseen(known[:origin], [(Period.parse(month.label), 1.0) for month in later], calendar)
        actual = sum(month.amount for month in later)
        if actual > 0 and sum(parts) > 0:
            found.append((len(later), math.log(actual / sum(parts)), alike))
    same = [one for one in found if one[2] == by_last_year]
    chosen = same if len(same) >= FEWEST_MISSES else found
    longest = max((count for count, _, _ in chosen), default=0)
    least = min(max(reach // 2, 1), longest)
    return [miss for count, miss, _ in chosen if count >= least]


def _half_width(misses: Sequence[float], level: float) -> float:
    """Return the half-width of the interval in log: t × the root mean square of the misses × √(1 + 1/n)."""
    if len(misses) < 2:
        return math.log1p(terms()["widest_fraction"])
    square = sum(miss * miss for miss in misses) / len(misses)
    return t_quantile(level, len(misses) - 1) * math.sqrt(square * (1.0 + 1.0 / len(misses)))


def _day_by_day(
    ahead: Sequence[tuple[Period, float]], parts: Sequence[float], calendar: Calendar
) -> list[tuple[date, float]]:
    """Return what is foreseen of each day ahead; of a month that has begun its last days."""
    made: list[tuple[date, float]] = []
    for (month, share), amount in zip(ahead, parts, strict=True):
        days = _days(month)
        left = days[len(days) - max(math.ceil(share * len(days) - 1e-9), 1) :]
        weight = sum(_day_weight(day, calendar) for day in left)
        made += [(day, amount * _day_weight(day, calendar) / weight) for day in left]
    return made


def _break_day(left: int, days: Sequence[tuple[date, float]], stretch: float) -> date | None:
    """Return the first day on which more than what is left has been used; None when it lasts."""
    running = 0.0
    for day, amount in days:
        running += amount * stretch
        if running > left:
            return day
    return None


def allowances(budget: Budget, used: Mapping[Cell, int], over: Sequence[str]) -> dict[Cell, int]:
    """Return what each shop may still use in each month that is not over, so that the year's budget is kept.

    What a shop used less, or more, than its cells in the months that are ``over`` is carried to its other months in
    proportion to their cells, exactly; a shop that has used its year up may use nothing.

    Examples
    --------
    >>> budget = Budget("carbon", 2026, 1, {("paint", f"2026-0{m}"): 100 for m in (1, 2, 3)}, "given", "")
    >>> allowances(budget, {("paint", "2026-01"): 140}, ["2026-01"])
    {('paint', '2026-02'): 80, ('paint', '2026-03'): 80}
    """
    gone = set(over)
    made: dict[Cell, int] = {}
    for shop, total in budget.by_shop().items():
        left = max(total - sum(amount for (one, month), amount in used.items() if one == shop and month in gone), 0)
        open_cells = {cell: amount for cell, amount in budget.cells.items() if cell[0] == shop and cell[1] not in gone}
        if not open_cells:
            continue
        weights = open_cells if any(open_cells.values()) else dict.fromkeys(open_cells, 1)
        shared = split(left, weights) if left else dict.fromkeys(open_cells, 0)
        made |= {cell: max(shared[cell] - used.get(cell, 0), 0) for cell in open_cells}
    return made


def limit_of(budget: Budget) -> Limit:
    """Return the budget of a year as a limit that a roadmap takes."""
    if budget.kind == "carbon":
        title = Text(f"{budget.year} 年碳预算", f"carbon budget of {budget.year}")
        return Limit("emissions_12", budget.total / 1e6, "tCO2e", "at_most", title, budget.year, "zf budget")
    title = Text(f"{budget.year} 年能源预算", f"energy budget of {budget.year}")
    tce = units.convert(budget.total, "Wh", "GJ") / GJ_PER_TCE
    return Limit("energy_tce", tce, "tce", "at_most", title, budget.year, "zf budget")


def _summed(cells: Mapping[Cell, int], part: int) -> dict[str, int]:
    made: dict[str, int] = {}
    for cell, amount in cells.items():
        made[cell[part]] = made.get(cell[part], 0) + amount
    return made
