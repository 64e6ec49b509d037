"""The electricity bill of past months, from the readings of the settlement meters and the plant's tariff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from zerofactory import units
from zerofactory.assets.bill import Bill, Line, Metered, bill, part_title
from zerofactory.assets.gas_price import GasPrice, gas_bill
from zerofactory.assets.grid import Grid, Integers
from zerofactory.assets.tariff import CARRIED, Tariff, carried_problem, clock
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MISSING, MeterMonth
from zerofactory.metering.profile import energy_wh
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.energy_tariff import plant_gas_price, plant_tariff, plant_terms
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.site.model import Plant

IMPORTED, EXPORTED = "purchased_electricity", "exported_electricity"
BURNED, GAS = "stationary_combustion", "natural_gas"


@dataclass(frozen=True, slots=True)
class Bills:
    """The bills of the months of a period under one tariff."""

    period: str
    tariff: Tariff
    bills: tuple[Bill, ...]
    import_meters: tuple[str, ...]
    export_meters: tuple[str, ...]
    peak_at: tuple[str, ...]
    gas: tuple[tuple[Line, ...], ...] = ()
    gas_price: GasPrice | None = None

    @property
    def total_fen(self) -> int:
        """The sum of the bills of electricity."""
        return sum(one.total_fen for one in self.bills)

    @property
    def gas_fen(self) -> int:
        """The sum of the gas bills."""
        return sum(line.amount_fen for lines in self.gas for line in lines)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every warning once; months priced by a carried row are named together."""
        if len(self.bills) == 1:
            return self.bills[0].problems
        own = dict.fromkeys(one for each in self.bills for one in each.problems if one.code != CARRIED)
        carried = [(each.month, each.priced_by) for each in self.bills if each.month != each.priced_by]
        return (*([carried_problem(self.tariff, carried)] if carried else []), *own)

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; amounts in whole fen."""
        return {
            "period": self.period,
            "tariff": self.tariff.id,
            "source": self.tariff.source,
            "import_meters": list(self.import_meters),
            "export_meters": list(self.export_meters),
            "total_fen": self.total_fen,
            "bills": [{**_bill_json(one), "peak_at": at} for one, at in zip(self.bills, self.peak_at, strict=True)],
            "gas_price": None if self.gas_price is None else self.gas_price.id,
            "gas_fen": self.gas_fen,
            "gas": [
                {"month": one.month, "lines": [_line_json(line) for line in lines]}
                for one, lines in zip(self.bills, self.gas, strict=False)
            ],
            "problems": [problem.as_json() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Stated:
    """What no meter of the workspace tells: the power factor of the month, and the green power settled in it."""

    power_factor: float | None = None
    green_kwh: float | None = None


def read(context: Context, period: Period, stated: Stated = Stated()) -> Bills:
    """Return the bill of a month, or of each month of a year that has readings.

    ``stated`` belongs to one month and is refused for a year.

    Raises
    ------
    FaultyData
        The plant names no tariff or no meters, a month has no readings or gaps, or a month cannot be priced.
    """
    plant = context.workspace.plant
    tariff, terms = plant_tariff(plant, context.workspace.folder), plant_terms(plant)
    bought, sold = _meters(plant, IMPORTED), _meters(plant, EXPORTED)
    if not bought:
        raise FaultyData([_no_meters()])
    if period.month is None and stated != Stated():
        raise FaultyData([_one_month()])
    there = months_of(context)
    wanted = [one for one in period.months() if period.month is not None or _has(context, one, there, bought)]
    gas_price = plant_gas_price(plant, context.workspace.folder)
    gas: list[tuple[Line, ...]] = []
    found: list[Bill] = []
    moments: list[str] = []
    faults: list[Problem] = []
    for month in wanted:
        try:
            metered, grid = _metered(context, month, bought, sold)
            metered = _with_stated(metered, stated)
            one = bill(tariff, terms, grid, metered)
            burned = _gas_lines(context, month, gas_price) if gas_price is not None else ()
        except FaultyData as error:
            faults += error.problems
            continue
        found.append(one)
        gas.append(burned)
        moments.append(_moment(grid, one.peak_at_slot))
    if faults or not found:
        raise FaultyData(faults or [_nothing(period, there)])
    return Bills(period.label, tariff, tuple(found), bought, sold, tuple(moments), tuple(gas), gas_price)


def metered_month(context: Context, period: Period) -> tuple[Metered, Grid]:
    """Return what the settlement meters counted in a month, and its grid; raise `FaultyData` when it is not whole."""
    plant = context.workspace.plant
    return _metered(context, period, _meters(plant, IMPORTED), _meters(plant, EXPORTED))


def _metered(context: Context, period: Period, bought: tuple[str, ...], sold: tuple[str, ...]) -> tuple[Metered, Grid]:
    there = months_of(context)
    if period.label not in there:
        raise FaultyData([_nothing(period, there)])
    month = meter_month(context, period.label)
    gaps = {name: gap for name in (*bought, *sold) if (gap := _missing(month, name))}
    grid = Grid.of_period(period, month.interval_minutes, context.workspace.plant.time_zone)
    if gaps:
        raise FaultyData([_gap(period, name, count, _moment(grid, first)) for name, (count, first) in gaps.items()])
    exported: Integers | None = energy_wh(month, sold) if sold else None
    return Metered(energy_wh(month, bought), exported), grid


def _has(context: Context, period: Period, there: list[str], meters: tuple[str, ...]) -> bool:
    """Whether a month has any reading of the meters (the closing reading of a register alone opens the month after)."""
    if period.label not in there:
        return False
    month = meter_month(context, period.label)
    rows = [month.row(name) for name in meters if name in month.meter_ids]
    return bool((month.state[rows] != MISSING).any())


def _with_stated(metered: Metered, stated: Stated) -> Metered:
    factor = None if stated.power_factor is None else Decimal(str(stated.power_factor))
    return replace(metered, power_factor=factor, green_wh=round((stated.green_kwh or 0.0) * 1000))


def peak_so_far_kw(context: Context, period: Period) -> float:
    """Return the highest mean import of an interval of a month as far as it has been read; 0 before any reading."""
    plant = context.workspace.plant
    bought = _meters(plant, IMPORTED)
    if period.label not in months_of(context) or not bought:
        return 0.0
    month = meter_month(context, period.label)
    known = [name for name in bought if name in month.meter_ids]
    whole = ~(month.state[[month.row(name) for name in known]] == MISSING).any(axis=0)
    energy = energy_wh(month, known)[whole] if known else np.zeros(0, dtype=np.int64)
    return float(energy.max(initial=0)) * 60.0 / month.interval_minutes / 1000.0


def _missing(month: MeterMonth, name: str) -> tuple[int, int] | None:
    """Return how many slots of a meter are missing and the first of them."""
    if name not in month.meter_ids:
        return month.grid.slots, 0
    empty = month.state[month.row(name)] == MISSING
    return (int(empty.sum()), int(np.argmax(empty))) if empty.any() else None


def _meters(plant: Plant, kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for use in plant.sources if use.kind == kind for name in use.meters))


def _moment(grid: Grid, slot: int) -> str:
    day = int(grid.day_of[slot]) + 1
    return f"{grid.months[int(grid.month_of[slot])]}-{day:02d} {clock(int(grid.minute_of_day[slot]))}"


def _bill_json(one: Bill) -> Mapping[str, object]:
    return {
        "month": one.month,
        "priced_by": one.priced_by,
        "price_status": one.status,
        "total_fen": one.total_fen,
        "energy_fen": one.energy_fen,
        "peak_kw": round(one.peak_kw, 3),
        "lines": [_line_json(line) for line in one.lines],
        "parts_of_energy_fen": [
            {"part": part, "title": {"zh": part_title(part).zh, "en": part_title(part).en}, "amount_fen": amount}
            for part, amount in one.parts_fen.items()
        ],
    }


def _line_json(line: Line) -> Mapping[str, object]:
    return {
        "code": line.code,
        "title": {"zh": line.title.zh, "en": line.title.en},
        "quantity": float(line.quantity),
        "unit": line.unit,
        "price": float(line.price),
        "price_unit": line.price_unit,
        "amount_fen": line.amount_fen,
        "note": None if line.note is None else {"zh": line.note.zh, "en": line.note.en},
    }


def _gas_lines(context: Context, period: Period, price: GasPrice) -> tuple[Line, ...]:
    """Return the gas bill of a month: what the meters of every gas-burning source counted."""
    plant = context.workspace.plant
    uses = [use for use in plant.sources if use.item == GAS and use.kind == BURNED]
    meters = tuple(dict.fromkeys(name for use in uses for name in use.meters))
    if not meters:
        return ()
    month = meter_month(context, period.label)
    normal = units.normal_volume_ratio(plant.accounting.gas_meter_celsius)
    volume = Decimal(0)
    for name in meters:
        gap = _missing(month, name)
        if gap is not None:
            grid = Grid.of_period(period, month.interval_minutes, plant.time_zone)
            raise FaultyData([_gap(period, name, gap[0], _moment(grid, gap[1]))])
        row = month.row(name)
        amount = Decimal(int(month.amount_milli[row].sum())) / 1000
        volume += _in_unit(amount, month.units[row], price.unit, normal)
    return gas_bill(price, volume)


def _in_unit(amount: Decimal, unit: str, wanted: str, nm3_per_m3: float) -> Decimal:
    """Return a volume in the unit it is billed in; m3 become Nm3 by the plant's choice of meter temperature."""
    dimension = units.parse(unit).dimension
    base = "Nm3" if dimension == "normal_volume" else "m3"
    amount *= Decimal(repr(units.ratio(unit, base)))
    if base == wanted:
        return amount
    ratio = Decimal(repr(nm3_per_m3))
    return amount * ratio if wanted == "Nm3" else amount / ratio


def _one_month() -> Problem:
    return Problem(
        "bill.one_month",
        Text("力率与绿电电量只能对一个月给出。", "A power factor and green power are stated for one month."),
        Text("请写 --period 2025-07。", "Write --period 2025-07."),
    )


def _no_meters() -> Problem:
    return Problem(
        "bill.no_meters",
        Text("没有按表计量的外购电, 无法由读数出账单。", "No purchased electricity is metered; a bill needs readings."),
        Text(f"请给 {IMPORTED} 排放源指定 meters。", f"Give the source of kind {IMPORTED} its meters."),
    )


def _nothing(period: Period, there: list[str]) -> Problem:
    listed = ", ".join(there) or "—"
    return Problem(
        "bill.no_readings",
        Text(f"{period.label} 没有读数。", f"{period.label} has no readings."),
        Text(f"有读数的月份: {listed}。", f"Months with readings: {listed}."),
    )


def _gap(period: Period, meter: str, count: int, first: str) -> Problem:
    return Problem(
        "bill.gap",
        Text(
            f"{period.label} 表 {meter} 缺 {count} 个时段, 自 {first} 起。",
            f"{period.label}: meter {meter} lacks {count} intervals, from {first} on.",
        ),
        Text(
            "请补录读数, 或先 zf close(按规则估补后封存)。",
            "Import the readings, or zf close the month (which fills by rule).",
        ),
    )
