"""Tariff: what a kilowatt-hour, a kilowatt and a kilovolt-ampere cost in each interval and month, as published.

A tariff holds rows as the grid company publishes them (one a month), seasons (which hours are 尖 峰 平 谷, and the ratios to
the floating base), rules of hot days, and days of their own. Prices are decimals, as printed; series are floats.

    price(band, month) = published price                                   in the season of the row that holds
                       = flat + (ratio(band) − 1) · floating base          in another season (a carried row)

A month is priced by its own row. Without one, `carry` says what holds: nothing (a fault that names the month), the row of
the same calendar month (``same_month``), or one row for all (its label). `tariff_file` reads tariffs, `bill` makes bills.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from zerofactory.assets.grid import DAY_MINUTES, Floats, Grid, Integers
from zerofactory.errors import FaultyData, Misuse, Problem, Text

BANDS = ("sharp_peak", "peak", "flat", "valley", "deep_valley")
BAND_TITLES: Mapping[str, Text] = {
    "sharp_peak": Text("尖峰", "sharp peak"),
    "peak": Text("高峰", "peak"),
    "flat": Text("平段", "flat"),
    "valley": Text("低谷", "valley"),
    "deep_valley": Text("深谷", "deep valley"),
}
PARTS = ("purchase", "line_loss", "system_operation", "transmission_distribution", "government_funds")
PART_TITLES: Mapping[str, Text] = {
    "purchase": Text("代理购电(上网)", "energy purchase"),
    "line_loss": Text("上网环节线损", "line losses"),
    "system_operation": Text("系统运行费", "system operation"),
    "transmission_distribution": Text("输配电", "transmission and distribution"),
    "government_funds": Text("政府性基金及附加", "government funds"),
}
SAME_MONTH = "same_month"
CARRIED = "assets.tariff_carried"
Spans = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One published row: the all-in price of each band, its parts, the base the ratios float on, the basic charge."""

    month: str
    spans: Spans
    prices: Mapping[str, Decimal]
    parts: Mapping[str, Decimal]
    base: Decimal | None = None
    demand_cny_per_kw_month: Decimal | None = None
    capacity_cny_per_kva_month: Decimal | None = None
    status: str = "secondary"


@dataclass(frozen=True, slots=True)
class Season:
    """Calendar months with one timetable; ``ratios`` (to the floating base) are needed when a row is carried into it."""

    months: tuple[int, ...]
    spans: Spans
    ratios: Mapping[str, Decimal]
    status: str = "secondary"


@dataclass(frozen=True, slots=True)
class HotDays:
    """Hours that become sharp peak on days whose highest temperature reached ``celsius`` on ``days`` days running."""

    celsius: float
    days: int
    spans: Spans
    months: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """Named dates (holidays) with a timetable of their own over some hours."""

    dates: tuple[date, ...]
    spans: Spans


@dataclass(frozen=True, slots=True)
class Tariff:
    """One tariff: an area, a scheme, a voltage, and what was published for it.

    ``export_cny_per_kwh`` is what the grid pays for surplus. ``carry`` says which row prices a month without its own.
    """

    id: str
    title: Text
    time_zone: str
    scheme: str
    voltage: str
    rows: tuple[PriceRow, ...]
    seasons: tuple[Season, ...] = ()
    hot_days: tuple[HotDays, ...] = ()
    special_days: tuple[SpecialDays, ...] = ()
    carry: str = ""
    export_cny_per_kwh: Decimal | None = None
    source: str = ""

    @property
    def published(self) -> tuple[str, ...]:
        """The months with a row of their own."""
        return tuple(row.month for row in self.rows)

    @property
    def two_part(self) -> bool:
        """Whether a basic charge (by demand or by capacity) is part of it."""
        return any(row.demand_cny_per_kw_month is not None for row in self.rows)


@dataclass(frozen=True, slots=True)
class MonthTariff:
    """What holds in one month: prices by band, the timetable of a usual day, the row it comes from, and how sure it is."""

    month: str
    prices: Mapping[str, Decimal]
    spans: Spans
    row: PriceRow
    carried: bool
    status: str


def row_of(tariff: Tariff, month: str) -> PriceRow | None:
    """Return the row that prices a month, its own or the carried one; None where there is none."""
    rows = {row.month: row for row in tariff.rows}
    if month in rows:
        return rows[month]
    if tariff.carry == SAME_MONTH:
        same = [row for row in tariff.rows if row.month[5:] == month[5:]]
        return min(same, key=lambda row: abs(int(row.month[:4]) - int(month[:4])), default=None)
    return rows.get(tariff.carry)


def season_of(tariff: Tariff, number: int) -> Season | None:
    """Return the season a calendar month is in."""
    return next((season for season in tariff.seasons if number in season.months), None)


def month_tariff(tariff: Tariff, month: str) -> tuple[MonthTariff | None, list[Problem]]:
    """Return what holds in a month, or every reason why it cannot be priced."""
    row = row_of(tariff, month)
    if row is None:
        return None, [_no_row(tariff, month)]
    number, published = int(month[5:]), int(row.month[5:])
    season, home = season_of(tariff, number), season_of(tariff, published)
    carried = row.month != month
    if number == published or season is None:
        found = MonthTariff(month, row.prices, row.spans, row, carried, row.status)
        missing_season = carried and number != published
        return (None, [_no_season(tariff, month, row)]) if missing_season else _complete(tariff, found)
    prices = row.prices if season is home or not season.ratios else _floated(row, season)
    if prices is None:
        return None, [_no_base(tariff, month, row)]
    status = season.status if season is not home else row.status
    return _complete(tariff, MonthTariff(month, prices, season.spans, row, carried, status))


def _floated(row: PriceRow, season: Season) -> Mapping[str, Decimal] | None:
    if row.base is None:
        return None
    flat = row.prices["flat"]
    return {"flat": flat} | {band: flat + (ratio - 1) * row.base for band, ratio in season.ratios.items()}


def _complete(tariff: Tariff, found: MonthTariff) -> tuple[MonthTariff | None, list[Problem]]:
    lacking = [(first, band) for first, _, band in found.spans if band not in found.prices]
    if not lacking:
        return found, []
    return None, [_no_price(tariff, found.month, first, band) for first, band in lacking]


def tariff_problems(tariff: Tariff, grid: Grid) -> list[Problem]:
    """Return every reason why a grid cannot be priced, and a warning for each month priced by a carried row."""
    if tariff.time_zone != grid.time_zone:
        zh = f"电价按 {tariff.time_zone} 的钟点, 工厂在 {grid.time_zone}。"
        en = f"The tariff follows the clock of {tariff.time_zone}, the plant that of {grid.time_zone}."
        return [_fault("clock", Text(zh, en), Text("请选用当地电价。", "Choose a tariff of the place."))]
    problems: list[Problem] = []
    carried = []
    for month in grid.months:
        found, faults = month_tariff(tariff, month)
        problems += faults
        if found is not None and found.carried:
            carried.append((month, found.row.month))
        if found is not None and _deep_valley_idle(tariff, found):
            problems.append(_no_dates(tariff, month))
    if carried:
        problems.append(carried_problem(tariff, carried))
    return problems


def _deep_valley_idle(tariff: Tariff, found: MonthTariff) -> bool:
    """Whether a deep-valley price was published for a month but no hour of it: the dates (holidays) were not."""
    spans = [*found.spans, *(span for special in tariff.special_days for span in special.spans)]
    return "deep_valley" in found.row.prices and all(band != "deep_valley" for _, _, band in spans)


def _months(tariff: Tariff, grid: Grid) -> list[MonthTariff]:
    if tariff.time_zone != grid.time_zone:
        raise FaultyData(tariff_problems(tariff, grid))
    pairs = [month_tariff(tariff, month) for month in grid.months]
    faults = [problem for _, problems in pairs for problem in problems]
    if faults:
        raise FaultyData(faults)
    return [found for found, _ in pairs if found is not None]


def band_shares(tariff: Tariff, grid: Grid, ambient_celsius: Floats | None = None) -> Mapping[str, Floats]:
    """Return the share of each interval that lies in each band (1 or 0 where no border falls inside it).

    Parameters
    ----------
    ambient_celsius : array, optional
        Air temperature on the grid; without it rules of hot days rest.

    Raises
    ------
    FaultyData
        A month cannot be priced; every such month is named.
    """
    months = _months(tariff, grid)
    kinds = _day_kinds(tariff, grid, ambient_celsius)
    shares = {band: np.zeros(grid.length) for band in BANDS}
    for place, found in enumerate(months):
        for kind in np.unique(kinds[grid.month_of == place]):
            inside = (grid.month_of == place) & (kinds == kind)
            day = _day(tariff, found.spans, int(kind))
            for band in found.prices:
                running = np.concatenate([[0], np.cumsum(np.tile(day == BANDS.index(band), 2))])
                first = grid.minute_of_day[inside]
                shares[band][inside] = (running[first + grid.step_minutes] - running[first]) / grid.step_minutes
    return shares


def price_cny_per_kwh(tariff: Tariff, grid: Grid, ambient_celsius: Floats | None = None) -> Floats:
    """Return the all-in price of each interval; averaged over its minutes where a border falls inside it.

    Raises
    ------
    FaultyData
        A month cannot be priced; every such month is named.
    """
    months = _months(tariff, grid)
    shares = band_shares(tariff, grid, ambient_celsius)
    total = np.zeros(grid.length)
    for band in BANDS:
        price = np.asarray([float(found.prices.get(band, Decimal(0))) for found in months])
        total += shares[band] * price[grid.month_of]
    return total


def market_price_cny_per_kwh(tariff: Tariff, grid: Grid, market_cny_per_kwh: Floats) -> Floats:
    """Return the all-in price of a user who buys energy at a market series (which may be negative).

    The market price takes the place of the purchase price; losses, system operation, transmission and funds stay.
    """
    months = _months(tariff, grid)
    rest = np.asarray(
        [
            float(sum((value for part, value in found.row.parts.items() if part != "purchase"), Decimal(0)))
            for found in months
        ]
    )
    price: Floats = market_cny_per_kwh + rest[grid.month_of]
    return price


def export_price_cny_per_kwh(tariff: Tariff, grid: Grid) -> Floats:
    """Return the price of surplus in each interval; `Misuse` when the tariff has none."""
    if tariff.export_cny_per_kwh is None:
        raise Misuse(f"tariff {tariff.id} has no export price")
    return np.full(grid.length, float(tariff.export_cny_per_kwh))


def demand_price_cny_per_kw_month(tariff: Tariff, grid: Grid) -> Floats:
    """Return the price of the highest demand in each month of the grid (0 under a one-part tariff)."""
    return np.asarray([float(found.row.demand_cny_per_kw_month or 0) for found in _months(tariff, grid)])


def capacity_price_cny_per_kva_month(tariff: Tariff, grid: Grid) -> Floats:
    """Return the price of transformer capacity in each month of the grid (0 under a one-part tariff)."""
    return np.asarray([float(found.row.capacity_cny_per_kva_month or 0) for found in _months(tariff, grid)])


def _day(tariff: Tariff, spans: Spans, kind: int) -> Integers:
    """Return the band of each minute of a kind of day: 0 usual, 1.. hot days, then special days."""
    extra: list[Spans] = [hot.spans for hot in tariff.hot_days] + [special.spans for special in tariff.special_days]
    day = np.full(DAY_MINUTES, -1, dtype=np.int64)
    for first, last, band in (*spans, *(extra[kind - 1] if kind else ())):
        day[first:last] = BANDS.index(band)
    return day


def _day_kinds(tariff: Tariff, grid: Grid, ambient_celsius: Floats | None) -> Integers:
    """Return the kind of day of each interval."""
    kinds = np.zeros(grid.length, dtype=np.int64)
    for place, hot in enumerate(tariff.hot_days, 1):
        if ambient_celsius is not None:
            inside = _hot(grid, hot, ambient_celsius)
            kinds[inside] = place
    for place, special in enumerate(tariff.special_days, 1 + len(tariff.hot_days)):
        first = first_day(grid)
        days = [(day - first).days for day in special.dates]
        kinds[np.isin(grid.day_of, days)] = place
    return kinds


def _hot(grid: Grid, hot: HotDays, ambient_celsius: Floats) -> NDArray[np.bool_]:
    count = int(grid.day_of[-1]) + 1
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, grid.day_of, ambient_celsius)
    reached = highest >= hot.celsius
    run = np.ones(count, dtype=bool)
    for back in range(hot.days):
        run[back:] &= reached[: count - back]
        run[:back] = False
    allowed = np.isin(grid.month_number, hot.months) if hot.months else np.ones(grid.length, dtype=bool)
    return run[grid.day_of] & allowed


def hot_days_matter(tariff: Tariff, found: MonthTariff) -> bool:
    """Whether a hot day of the month would have other hours than a usual one."""
    number = int(found.month[5:])
    for hot in tariff.hot_days:
        allowed = not hot.months or number in hot.months
        inside = all(
            any(a <= first and last <= b and band == own for a, b, own in found.spans)
            for first, last, band in hot.spans
        )
        if allowed and not inside:
            return True
    return False


def first_day(grid: Grid) -> date:
    """Return the local date of the first interval."""
    moment = np.datetime64(grid.months[int(grid.month_of[0])], "D").astype(date)
    local = int(grid.hour_of_year[0]) // 24
    return date(moment.year, 1, 1) + timedelta(days=local)


def span_problems(spans: Spans, where: str) -> list[Problem]:
    """Return each gap and each overlap of a timetable, with its hours."""
    minutes = np.zeros(DAY_MINUTES + 1, dtype=np.int64)
    for first, last, _ in spans:
        minutes[first:last] += 1
    minutes[-1] = 1
    problems = []
    edges = [0, *(np.flatnonzero(np.diff(minutes)) + 1).tolist()]
    for first, last in zip(edges, [*edges[1:], DAY_MINUTES], strict=True):
        count = int(minutes[first])
        if first < DAY_MINUTES and count != 1:
            code, zh, en = (
                ("gap", "没有时段", "no band") if count == 0 else ("overlap", "有多个时段", "more than one band")
            )
            hours = f"{clock(first)}–{clock(min(last, DAY_MINUTES))}"
            message = Text(f"电价 {where}: {hours} {zh}。", f"Tariff {where}: {hours} has {en}.")
            problems.append(
                _fault(code, message, Text("各时段应恰好覆盖 24 小时。", "Bands cover 24 hours exactly once."))
            )
    return problems


def clock(minute: int) -> str:
    """Return a minute of the day as ``HH:MM``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _fault(code: str, message: Text, hint: Text, severity: str = "error") -> Problem:
    return Problem(f"assets.tariff_{code}", message, hint, severity="warning" if severity == "warning" else "error")


def _no_row(tariff: Tariff, month: str) -> Problem:
    listed = ", ".join(tariff.published)
    return _fault(
        "month_missing",
        Text(f"{tariff.title.zh}没有 {month} 的电价。", f"{tariff.title.en} has no price for {month}."),
        Text(
            f'已收录: {listed}; 可补录该月, 或在 [tariff] 写 carry = "{tariff.published[-1]}" 沿用。',
            f'Published: {listed}; add the month, or carry one with carry = "{tariff.published[-1]}" under [tariff].',
        ),
    )


def _no_season(tariff: Tariff, month: str, row: PriceRow) -> Problem:
    return _fault(
        "season_missing",
        Text(
            f"{tariff.title.zh}没有 {int(month[5:])} 月的时段表。",
            f"{tariff.title.en} has no timetable for month {int(month[5:])}.",
        ),
        Text(f"{row.month} 的时段不适用; 请补录该季。", f"The hours of {row.month} do not hold; add the season."),
    )


def _no_base(tariff: Tariff, month: str, row: PriceRow) -> Problem:
    return _fault(
        "base_missing",
        Text(
            f"{month} 另属一季, 而 {row.month} 的行没有浮动基数。",
            f"{month} is another season, and the row of {row.month} has no floating base.",
        ),
        Text(f"请补录 {month} 的公布电价({tariff.id})。", f"Add the published prices of {month} ({tariff.id})."),
    )


def _no_price(tariff: Tariff, month: str, first: int, band: str) -> Problem:
    title = BAND_TITLES[band]
    return _fault(
        "band_missing",
        Text(
            f"{month} {clock(first)} 起为{title.zh}, 却没有价格。", f"{month}, {clock(first)}: {title.en} has no price."
        ),
        Text(f"请在 {tariff.id} 补上该时段电价。", f"Add its price to {tariff.id}."),
    )


def _no_dates(tariff: Tariff, month: str) -> Problem:
    return _fault(
        "deep_valley_dates",
        Text(
            f"{month} 公布了深谷价, 但没有深谷的日期, 未计入。",
            f"{month} has a deep-valley price but no dates; left out.",
        ),
        Text("请在自备电价里写 [[special_days]]。", "Write [[special_days]] in a tariff of your own."),
        "warning",
    )


def carried_problem(tariff: Tariff, carried: list[tuple[str, str]]) -> Problem:
    """Return the warning that names the months (first, last) priced by rows of other months."""
    rows = ", ".join(sorted({row for _, row in carried}))
    first, last = carried[0][0], carried[-1][0]
    span = first if first == last else f"{first}–{last}"
    return _fault(
        "carried",
        Text(
            f"{span} 按 {rows} 公布的{tariff.title.zh}沿用计价。", f"{span} is priced with {tariff.title.en} of {rows}."
        ),
        Text("逐月公布价到手后请补录。", "Add each month as it is published."),
        "warning",
    )
