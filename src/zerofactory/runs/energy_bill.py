"""The electricity bill of past months, from the readings of the settlement meters and the plant's tariff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zerofactory.assets.bill import Bill, Metered, bill, part_title
from zerofactory.assets.grid import Grid, Integers
from zerofactory.assets.tariff import CARRIED, Tariff, carried_problem, clock
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MISSING, MeterMonth
from zerofactory.metering.profile import energy_wh
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.energy_tariff import plant_tariff, plant_terms
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.site.model import Plant

IMPORTED, EXPORTED = "purchased_electricity", "exported_electricity"


@dataclass(frozen=True, slots=True)
class Bills:
    """The bills of the months of a period under one tariff."""

    period: str
    tariff: Tariff
    bills: tuple[Bill, ...]
    import_meters: tuple[str, ...]
    export_meters: tuple[str, ...]
    peak_at: tuple[str, ...]

    @property
    def total_fen(self) -> int:
        """The sum of the bills."""
        return sum(one.total_fen for one in self.bills)

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
            "problems": [problem.as_json() for problem in self.problems],
        }


def read(context: Context, period: Period) -> Bills:
    """Return the bill of a month, or of each month of a year that has readings.

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
    there = months_of(context)
    wanted = [one for one in period.months() if one.label in there or period.month is not None]
    found: list[Bill] = []
    moments: list[str] = []
    faults: list[Problem] = []
    for month in wanted:
        try:
            metered, grid = _metered(context, month, bought, sold)
            one = bill(tariff, terms, grid, metered)
        except FaultyData as error:
            faults += error.problems
            continue
        found.append(one)
        moments.append(_moment(grid, one.peak_at_slot))
    if faults or not found:
        raise FaultyData(faults or [_nothing(period, there)])
    return Bills(period.label, tariff, tuple(found), bought, sold, tuple(moments))


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
        "lines": [
            {
                "code": line.code,
                "title": {"zh": line.title.zh, "en": line.title.en},
                "quantity": float(line.quantity),
                "unit": line.unit,
                "price": float(line.price),
                "price_unit": line.price_unit,
                "amount_fen": line.amount_fen,
                "note": None if line.note is None else {"zh": line.note.zh, "en": line.note.en},
            }
            for line in one.lines
        ],
        "parts_of_energy_fen": [
            {"part": part, "title": {"zh": part_title(part).zh, "en": part_title(part).en}, "amount_fen": amount}
            for part, amount in one.parts_fen.items()
        ],
    }


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
