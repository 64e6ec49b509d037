"""From a workspace to a problem of energy: loads and yields from readings, prices from the tariff, factors from the accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from zerofactory import units
from zerofactory.accounting.origins import PowerBook, power_book
from zerofactory.assets import tariff as tariffs
from zerofactory.assets.asset import Conditions
from zerofactory.assets.block import CARRIERS, AssetBlock, Emission, Flow, Variable
from zerofactory.assets.grid import Floats, Grid
from zerofactory.assets.tariff import Tariff
from zerofactory.assets.weather_year import weather_year
from zerofactory.errors import FaultyData, NotFound, Problem, Text, errors_of
from zerofactory.metering.interval import MISSING, MeterMonth
from zerofactory.optimisation.energy.problem import EnergyProblem, Goals, Use, use_of
from zerofactory.periods import Period, Span
from zerofactory.runs.context import Context
from zerofactory.runs.energy_factors import Booking, factors_of
from zerofactory.runs.energy_file import REFERENCE_PLANT, AssetEntry, EnergyFile, LoadEntry, Series, SupplyEntry
from zerofactory.runs.energy_tariff import plant_tariff
from zerofactory.runs.profile import meter_month, months_of
from zerofactory.runs.series_file import read as read_series
from zerofactory.store.schema import ACTIVITIES, CLAIMS

EXISTING_CONTRACTS = "contracts"
WEATHER_FILE = "weather.csv"
LATE_HOURS = 2  # collectors book each quarter of an hour, registers with their next reading
AMOUNT = {"kW": "kWh", "Nm3/h": "Nm3", "kg/h": "kg", "L/h": "L"}


@dataclass(frozen=True)
class Readings:
    """The measured year: every meter's amounts on one grid, read once a month.

    Meters count in their own units; `rate` gives mean power or flow on the problem's grid.
    """

    grid: Grid
    months: tuple[MeterMonth, ...]
    known: int | None = None

    def rate(self, meters: Sequence[str], unit: str) -> Floats:
        """Return the mean rate of the sum of meters in each interval: kW, Nm3/h …; not-a-number where one is missing.

        Raises
        ------
        NotFound, WrongDimension
            A meter does not exist or counts something else.
        """
        total = np.concatenate([self._month(month, meters, AMOUNT[unit]) for month in self.months])
        per_interval = self.grid.step_minutes // self.months[0].interval_minutes
        rate: Floats = total.reshape(-1, per_interval).sum(axis=1) / self.grid.step_hours
        return as_known(rate, self.known, self.grid.step_minutes)

    @staticmethod
    def _month(month: MeterMonth, meters: Sequence[str], unit: str) -> Floats:
        total = np.zeros(month.amount_milli.shape[1])
        for name in meters:
            row = month.row(name)
            amount = month.amount_milli[row] * (units.ratio(month.units[row], unit) / 1000.0)
            total += np.where(month.state[row] == MISSING, np.nan, amount)
        return total


def as_known(series: Floats, known: int | None, step_minutes: int) -> Floats:
    """Return a series as it is known at a moment: from there on the week before again.

    The newest readings are still on their way when a plan is made: up to `LATE_HOURS` before the moment are filled in the
    same way; a longer gap stays not-a-number, and is a fault.

    Examples
    --------
    >>> week = 7 * 24
    >>> measured = np.concatenate([np.arange(week + 3.0), np.full(5, np.nan)])
    >>> [float(value) for value in as_known(measured, week + 4, 60)[-6:]]
    [170.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    if known is None:
        return series
    week, late = 7 * 1440 // step_minutes, LATE_HOURS * 60 // step_minutes
    seen = np.flatnonzero(np.isfinite(series[:known]))
    first = int(seen[-1]) + 1 if len(seen) and known - int(seen[-1]) - 1 <= late else known
    places = np.arange(len(series))
    while first >= week and places.max() >= first:
        places = np.where(places >= first, places - week, places)
    return series[places]


@dataclass(frozen=True)
class Setting:
    """What a problem is made from: the workspace, its energy file, a period and a step.

    ``known_until``: nothing measured from this moment on is used; the week before stands in its place (see `as_known`).
    """

    context: Context
    file: EnergyFile
    period: Period | Span
    step_minutes: int
    known_until: datetime | None = None

    @cached_property
    def grid(self) -> Grid:
        """The intervals."""
        return Grid.of_period(self.period, self.step_minutes, self.context.workspace.plant.time_zone)

    @cached_property
    def known(self) -> int | None:
        """The number of intervals that are known; None when all of them count."""
        if self.known_until is None:
            return None
        return min(self.grid.length, (self.known_until - self.grid.start) // timedelta(minutes=self.step_minutes))

    @cached_property
    def readings(self) -> Readings:
        """The measured year."""
        there = months_of(self.context)
        lacking = [month.label for month in self.period.months() if month.label not in there]
        if lacking:
            raise FaultyData([_no_readings(lacking, there)])
        months = tuple(meter_month(self.context, month.label) for month in self.period.months())
        coarse = max(month.interval_minutes for month in months)
        if self.step_minutes % coarse:
            raise FaultyData([_too_fine(self.step_minutes, coarse)])
        return Readings(self.grid, months, self.known)

    @cached_property
    def tariff(self) -> Tariff:
        """The tariff of the plant."""
        found = plant_tariff(self.context.workspace.plant, self.context.workspace.folder)
        problems = tariffs.tariff_problems(found, self.grid)
        if errors_of(problems):
            raise FaultyData(problems)
        return found

    @cached_property
    def book(self) -> PowerBook:
        """The book of electricity as metered, with the contracts of the period."""
        journal = self.context.workspace.journal
        labels = [month.label for month in self.period.months()]
        activities = journal.active(ACTIVITIES, {"period": labels}).drop("reverses")
        claims = journal.active(CLAIMS).drop("reverses")
        return power_book(self.readings.months, self.context.workspace.plant, activities, claims)


def make(setting: Setting, goals: Goals, booking: Booking) -> EnergyProblem:
    """Return the problem.

    Raises
    ------
    FaultyData
        Parameters, series, meters or the tariff have faults; all of them at once.
    """
    problems: list[Problem] = []
    uses: list[Use] = []
    for entry in setting.file.assets:
        use, faults = _use(setting, entry)
        problems += [fault.at(file="energy.toml", column=entry.id) for fault in faults]
        uses += [use] if use is not None else []
    uses += [_supply(setting.grid, entry) for entry in setting.file.supplies]
    contracts = _contracts(setting)
    uses += [contracts] if contracts is not None else []
    if problems:
        raise FaultyData(problems)
    loads = _loads(setting, {use.id: use for use in uses})
    emitting = [(use.id, one.source, one.item, one.unit) for use in uses for one in use.block.emissions]
    factored = factors_of(booking, emitting, setting.grid.months[0])
    roof = goals.roof_area_m2 if goals.roof_area_m2 is not None else setting.file.energy.roof_area_m2
    return EnergyProblem(
        setting.grid,
        tuple(uses),
        loads,
        factored.gco2e_per_unit,
        factored.residual_gco2e_per_kwh,
        replace(goals, roof_area_m2=roof),
        setting.file.energy.discount_fraction,
        setting.file.energy.surplus,
        roof_m2_per_unit=setting.file.energy.roof_m2_per_unit,
        sells_own_only=True,
    )


def _use(setting: Setting, entry: AssetEntry) -> tuple[Use | None, list[Problem]]:
    series: dict[str, float | Floats] = {}
    problems: list[Problem] = []
    for name, given in entry.series.items():
        try:
            series[name] = given if isinstance(given, float) else _series(setting, given)
        except FaultyData as error:
            problems += error.problems
    monthly: dict[str, Floats] = {}
    if entry.kind == "grid_connection":
        series = {**_prices(setting), **series}
        monthly = {
            "demand_price_cny_per_kw_month": tariffs.demand_price_cny_per_kw_month(setting.tariff, setting.grid),
            "capacity_price_cny_per_kva_month": tariffs.capacity_price_cny_per_kva_month(setting.tariff, setting.grid),
        }
    if problems:
        return None, problems
    conditions = Conditions(setting.grid, series, monthly, sized=entry.candidate)
    title = Text(entry.name.zh, entry.name.en) if entry.name else None
    return use_of(entry.id, entry.kind, entry.parameters, conditions, title)


def _prices(setting: Setting) -> dict[str, Floats]:
    """Return what the tariff charges and pays; without a price for surplus nothing is paid for it."""
    paid = setting.tariff.export_cny_per_kwh
    return {
        "import_price_cny_per_kwh": tariffs.price_cny_per_kwh(setting.tariff, setting.grid),
        "export_price_cny_per_kwh": np.full(setting.grid.length, 0.0 if paid is None else float(paid)),
    }


def _series(setting: Setting, given: Series) -> Floats:
    if given.weather is not None:
        return _weather(setting, given.weather, given.place)
    if given.csv is not None:
        return _from_csv(setting, given.csv, given.column or "value") / given.per
    return setting.readings.rate(given.meters, "kW") / given.per


def _weather(setting: Setting, column: str, place: str | None) -> Floats:
    """Return a weather series: of a packaged place, of the workspace's ``weather.csv``, else of the reference plant's own year."""
    if place is not None:
        found = weather_year(place).on(setting.grid)
        if column not in found:
            raise NotFound(Text("气象序列", "series of the weather"), column, tuple(found))
        return found[column]
    folder, plant = setting.context.workspace.folder, setting.context.workspace.plant
    if not (folder / WEATHER_FILE).is_file() and plant.id == REFERENCE_PLANT and column == "ambient_celsius" and setting.period.year == 2025:  # fmt: skip
        from zerofactory.reference_plant.shapes import temperature_fortieths

        grid = setting.grid
        first = (grid.start - Period(2025).start(grid.time_zone)) // timedelta(minutes=15)
        quarters = temperature_fortieths()[first : first + grid.length * grid.step_minutes // 15] / 40.0
        means: Floats = quarters.reshape(grid.length, -1).mean(axis=1)
        return means
    return _from_csv(setting, WEATHER_FILE, column)


def _from_csv(setting: Setting, name: str, column: str) -> Floats:
    """Return a column of a CSV of the workspace on the problem's grid; intervals it does not reach are not numbers."""
    grid = setting.grid
    path = setting.context.workspace.folder / name
    given = read_series(path, column, grid.time_zone)
    if given.minutes > grid.step_minutes:
        values = np.repeat(given.values, given.minutes // grid.step_minutes)
        step = grid.step_minutes
    else:
        values, step = given.values, given.minutes
    offset = round((grid.start - given.start).total_seconds() / 60.0 / step)
    count = grid.length * grid.step_minutes // step
    places = np.arange(offset, offset + count)
    inside = (places >= 0) & (places < len(values))
    picked = np.full(count, np.nan)
    picked[inside] = values[places[inside]]
    meant: Floats = picked.reshape(grid.length, -1).mean(axis=1)
    return as_known(meant, setting.known, grid.step_minutes)


def _supply(grid: Grid, entry: SupplyEntry) -> Use:
    """Return something bought per unit of a carrier as an asset."""
    variable = Variable("bought", upper=entry.limit_per_hour, cost_cny=entry.price_cny_per_unit * grid.step_hours, unit=CARRIERS[entry.carrier][0])  # fmt: skip
    block = AssetBlock(
        entry.id,
        (variable,),
        flows=(Flow(entry.carrier, "bought"),),
        emissions=(Emission("bought", entry.source_kind, entry.item, entry.quantity_per_unit, entry.unit),),
    )
    return Use(entry.id, Text(entry.name.zh, entry.name.en), block)


def _contracts(setting: Setting) -> Use | None:
    """Return the contracts the plant has: what they deliver by interval, already paid; None without a known profile."""
    known = [one.profile_wh for one in setting.book.supplies if one.profile_wh is not None and not one.failed]
    if not known:
        return None
    total = np.sum(np.stack(known), axis=0, dtype=np.float64) / 1000.0
    rate = total.reshape(setting.grid.length, -1).sum(axis=1) / setting.grid.step_hours
    given: Mapping[str, float | str] = {"capacity_kw": float(rate.max()), "premium_cny_per_kwh": 0.0}
    conditions = Conditions(setting.grid, {"yield_kw_per_kw": rate / max(float(rate.max()), 1e-9)})
    title = Text("现有绿电合同", "green-power contracts in force")
    use, problems = use_of(EXISTING_CONTRACTS, "green_power_contract", given, conditions, title)
    if use is None:
        raise FaultyData(problems)
    return use


def _loads(setting: Setting, uses: Mapping[str, Use]) -> dict[str, Floats]:
    loads: dict[str, Floats] = {}
    for entry in setting.file.loads:
        amount = _load(setting, entry, uses)
        loads[entry.carrier] = loads[entry.carrier] + amount if entry.carrier in loads else amount
    return loads


def _load(setting: Setting, entry: LoadEntry, uses: Mapping[str, Use]) -> Floats:
    readings = setting.readings
    if entry.as_output_of is None:
        unit = CARRIERS[entry.carrier][0] if entry.factor == 1.0 else _unit_of(setting, entry.meters[0])
        return entry.factor * (readings.rate(entry.meters, unit) - readings.rate(entry.minus, unit))
    use = uses.get(entry.as_output_of)
    flows = {flow.carrier: flow for flow in use.block.flows} if use is not None else {}
    taken = [flow for flow in flows.values() if np.max(flow.coefficient) < 0]
    if entry.carrier not in flows or len(taken) != 1:
        raise FaultyData([_no_output(entry)])
    into = readings.rate(entry.meters, CARRIERS[taken[0].carrier][0]) - readings.rate(entry.minus, CARRIERS[taken[0].carrier][0])  # fmt: skip
    made: Floats = into * np.asarray(flows[entry.carrier].coefficient) / -np.asarray(taken[0].coefficient)
    return made


def _unit_of(setting: Setting, meter: str) -> str:
    """Return the rate in which a meter's own amounts are taken before the factor of a load."""
    symbol = setting.context.workspace.plant.meter(meter).amount_unit
    return {amount: rate for rate, amount in AMOUNT.items()}.get(symbol, "kW")


def _no_readings(lacking: Sequence[str], there: Sequence[str]) -> Problem:
    return Problem(
        "energy.missing_months",
        Text(f"这些月份没有读数: {', '.join(lacking)}。", f"These months have no readings: {', '.join(lacking)}."),
        Text(f"有读数的月份: {', '.join(there) or '—'}。", f"Months with readings: {', '.join(there) or '—'}."),
    )


def _too_fine(step: int, coarse: int) -> Problem:
    return Problem(
        "energy.step",
        Text(
            f"读数间隔 {coarse} 分钟, 步长不能是 {step} 分钟。",
            f"Readings of {coarse} minutes cannot give steps of {step}.",
        ),
        Text("请用读数间隔的整倍数。", "Use a multiple of the interval of the readings."),
    )


def _no_output(entry: LoadEntry) -> Problem:
    return Problem(
        "energy.as_output_of",
        Text(
            f"“{entry.as_output_of}”不是把一种能源变成“{entry.carrier}”的设备。",
            f"'{entry.as_output_of}' is no asset that turns one carrier into '{entry.carrier}'.",
        ),
        Text("请写一台现有设备的编号。", "Name an asset that stands."),
        file="energy.toml",
        column="loads.as_output_of",
    )
