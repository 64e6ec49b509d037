"""The fleet of a workspace: rounds nearby with windows and range, charging at the dock under tariff and photovoltaics, forklifts and AGVs.

The loads of dock and vehicles leave as LOAD (planned); the stays of trucks also as the envelope that a charger of energy.toml takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from zerofactory.assets.grid import Floats, Grid
from zerofactory.assets.kinds.ev_charger import Session, envelope
from zerofactory.assets.tariff import demand_price_cny_per_kw_month, price_cny_per_kwh
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.metering.interval import MISSING
from zerofactory.metering.profile import LOAD
from zerofactory.notation import text_of
from zerofactory.optimisation.logistics.dock import DockPlan, DockProblem, Stay, dock_findings, dock_problems, plan_dock
from zerofactory.optimisation.logistics.evrptw_file import read_instance
from zerofactory.optimisation.logistics.in_plant import (
    InPlant,
    InPlantPlan,
    in_plant_findings,
    in_plant_problems,
    size_fleet,
)
from zerofactory.optimisation.logistics.network import Carbon, Fleet
from zerofactory.optimisation.logistics.route_problem import Place, Recharge, Rounds, RouteProblem, Truck, in_the_plane
from zerofactory.optimisation.logistics.routing import Effort, plan_rounds
from zerofactory.optimisation.logistics.vehicle import VehicleKind, vehicle_kind
from zerofactory.optimisation.solving.conflict import Conflict
from zerofactory.periods import Period, zone
from zerofactory.runs import logistics_book, logistics_file
from zerofactory.runs.context import Context
from zerofactory.runs.energy_tariff import plant_tariff
from zerofactory.runs.logistics_book import desk_of
from zerofactory.runs.logistics_file import DockEntry, InPlantEntry, LogisticsFile, RoundsEntry
from zerofactory.runs.profile import amounts, months_of

STEP_MINUTES = 15
HOURS = 36
DOCK = "logistics-dock"
DAYS_PER_YEAR = 365.0
DIESEL_OF = {"battery_18t": "diesel_18t", "battery_49t": "diesel_49t"}
GENERATION = "on_site_renewable"
YEARS = (1990, 2100)


@dataclass(frozen=True)
class Asked:
    """What is asked: the day (None: the last with a whole day after it), how long to search, another file, a price of carbon."""

    day: date | None = None
    effort: Effort = field(default_factory=lambda: Effort(seconds=10.0))
    file: Path | None = None
    carbon_price_cny_per_t: float = 0.0


@dataclass(frozen=True, eq=False)
class Driven:
    """Rounds by one kind of vehicle: the problem, the answer, energy and grams of a day, fuel or power cost of a day."""

    problem: RouteProblem
    rounds: Rounds
    kind: VehicleKind
    energy: float
    emissions_g: float
    cost_cny: float


@dataclass(frozen=True, eq=False)
class FleetResult:
    """Everything of a day: rounds electric and by diesel, the dock, forklifts and AGVs, and the loads."""

    day: date | None
    electric: Driven | None
    diesel: Driven | None
    dock: tuple[DockProblem, DockPlan] | None
    conflict: Conflict | None
    in_plant: tuple[tuple[InPlant, InPlantPlan], ...]
    grid: Grid | None
    loads: pl.DataFrame
    envelope: pl.DataFrame
    in_plant_g_per_kwh: float
    notes: tuple[Text, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        from zerofactory.runs.logistics_fleet_json import fleet_json

        return fleet_json(self)


def instance(path: Path, recharge: Recharge, effort: Effort) -> FleetResult:
    """Return checked rounds of a published instance file; it needs no workspace."""
    problem = read_instance(text_of(path.read_bytes(), path.name), recharge, path.name)
    found = plan_rounds(problem, effort)
    kind = vehicle_kind("battery_18t")
    driven = Driven(problem, found, kind, found.distance_km * problem.truck.kwh_per_km, 0.0, found.cost_cny)
    return FleetResult(None, driven, None, None, None, (), None, LOAD.empty(), pl.DataFrame(), 0.0, ())


def run(context: Context, asked: Asked) -> FleetResult:
    """Return the fleet's day; nothing is written.

    Raises
    ------
    FaultyData
        Faults of file, stops, stays or fleets, all told before a solver starts; or a plan failed its check.
    """
    file = logistics_file.read(context, asked.file)
    desk = desk_of(context, file.logistics)
    priced = file.dock is not None or bool(file.in_plant)
    day = asked.day or (_last_day(context) if priced else Period.parse(file.logistics.period).first_day)
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise FaultyData([_strange_day(day)])
    period = Period(day.year, day.month)
    names = {*(DIESEL_OF.values()), *(DIESEL_OF), *([file.rounds.vehicle] if file.rounds else [])}
    carbon = logistics_book.carbon(desk, [Fleet(vehicle_kind(name)) for name in sorted(names)], period)
    grid = _grid(context, day)
    place = _Place(context, file, grid, carbon)
    electric = diesel = None
    if file.rounds is not None:
        electric = _drive(place, file.rounds, file.rounds.vehicle, asked.effort)
        other = DIESEL_OF.get(file.rounds.vehicle)
        diesel = None if other is None else _drive(place, file.rounds, other, asked.effort)
    docked = _dock(place, file.dock, electric, asked) if file.dock is not None and electric is not None else None
    conflict = docked if isinstance(docked, Conflict) else None
    dock = None if docked is None or isinstance(docked, Conflict) else docked
    vehicles = tuple(_sized(entry, place) for entry in file.in_plant)
    loads = _loads(context, grid, dock, vehicles)
    stays = _envelope(file.dock, dock, grid) if file.dock is not None and dock is not None else pl.DataFrame()
    return FleetResult(
        day,
        electric,
        diesel,
        dock,
        conflict,
        vehicles,
        grid,
        loads,
        stays,
        carbon.per_use_g["battery_18t"],
        _notes(dock),
    )


@dataclass(frozen=True)
class _Place:
    """What every part needs: the workspace, its file, the intervals and the factors."""

    context: Context
    file: LogisticsFile
    grid: Grid
    carbon: Carbon


def _grid(context: Context, day: date) -> Grid:
    plant = context.workspace.plant
    start = datetime(day.year, day.month, day.day, tzinfo=zone(plant.time_zone))
    return Grid(start, STEP_MINUTES, HOURS * 60 // STEP_MINUTES, plant.time_zone)


def _last_day(context: Context) -> date:
    """Return the last working day that has a whole day of readings after it; raise `FaultyData` when there are none."""
    there, bought = months_of(context), _meters(context, "purchased_electricity")
    if not there or not bought:
        hint = Text("请先导入读数, 或用 --day 指定。", "Import readings first, or name a day with --day.")
        raise FaultyData([Problem("logistics.no_readings", Text("没有读数。", "There are no readings."), hint)])
    measured = amounts(context, bought, there[-2:]).months
    day = Period.parse(measured[-1]).next_first_day - timedelta(days=3)
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return day


def _meters(context: Context, kind: str) -> list[str]:
    """Return the meters of a kind of source, each once."""
    return list(
        dict.fromkeys(meter for use in context.workspace.plant.sources if use.kind == kind for meter in use.meters)
    )


def _drive(place: _Place, entry: RoundsEntry, vehicle: str, effort: Effort) -> Driven:
    kind = _own_kind(place.file, vehicle)
    problem = rounds_problem(entry, kind)
    found = plan_rounds(problem, effort)
    use = kind["use_empty_per_km"] + 0.5 * (kind["use_full_per_km"] - kind["use_empty_per_km"])
    energy = found.distance_km * (kind["use_full_per_km"] if kind.energy == "electricity" else use)
    return Driven(
        problem, found, kind, energy, energy * place.carbon.per_use_g[kind.id], energy * kind["price_cny_per_use"]
    )


def _own_kind(file: LogisticsFile, name: str) -> VehicleKind:
    kind = vehicle_kind(name)
    own = next((dict(one.parameters) for one in file.vehicles if one.kind == name), {})
    return kind.with_figures(own, logistics_file.NAME) if own else kind


def rounds_problem(entry: RoundsEntry, kind: VehicleKind) -> RouteProblem:
    """Return the rounds of a file as a problem; range is counted at the use of a full load, on the safe side."""
    if kind.is_service:
        raise FaultyData(
            [
                NotFound(
                    Text("可自行安排线路的车型", "vehicle that drives rounds"), kind.id, tuple(DIESEL_OF)
                ).as_problem()
            ]
        )
    first, last = _minute(entry.first), _minute(entry.last)
    stops = tuple(
        Place(s.id, s.x_km, s.y_km, s.load_kg, float(_minute(s.opens)), float(_minute(s.closes)), s.service_min)
        for s in entry.stops
    )
    stations = tuple(Place(c.id, c.x_km, c.y_km, 0.0, first, last) for c in entry.chargers)
    electric = kind.energy == "electricity"
    truck = Truck(
        payload_kg=kind["payload_t"] * 1000.0,
        battery_kwh=kind["battery_kwh"] if electric else 1e9,
        kwh_per_km=kind["use_full_per_km"] if electric else 0.0,
        charge_kw=kind["charge_kw"] if electric else 1e9,
        speed_km_per_h=kind["speed_km_per_h"],
        fixed_cny=kind["fixed_cny_per_year"] / DAYS_PER_YEAR,
        cny_per_km=kind["use_full_per_km"] * kind["price_cny_per_use"] + kind["other_cny_per_km"],
        count=entry.count,
        recharge=entry.recharge,
    )
    return in_the_plane(
        Place("plant", 0.0, 0.0, 0.0, first, last), stops, stations if electric else (), truck, entry.daf
    )


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _dock(place: _Place, entry: DockEntry, electric: Driven, asked: Asked) -> tuple[DockProblem, DockPlan] | Conflict:
    """Return the charging of the trucks that came home, from then until they leave the next morning."""
    context, grid = place.context, place.grid
    tariff = plant_tariff(context.workspace.plant, context.workspace.folder)
    load, made = _measured(context, grid)
    surplus = np.maximum(made - load, 0.0)
    leaves = (24 * 60 + int(electric.problem.depot.ready_min)) // STEP_MINUTES
    stays = []
    for number, one in enumerate(electric.rounds.rounds, 1):
        home = one.visits[-1]
        need = electric.problem.truck.battery_kwh - home.battery_kwh
        first = -(-int(np.ceil(home.arrives_min)) // STEP_MINUTES)
        if need > 0:
            stays.append(
                Stay(
                    f"truck-{number}",
                    first,
                    min(leaves, grid.length),
                    need,
                    min(entry.charger_kw, electric.kind["charge_kw"]),
                )
            )
    export = float(tariff.export_cny_per_kwh) if tariff.export_cny_per_kwh is not None else 0.0
    problem = DockProblem(
        grid.step_hours, tuple(stays), entry.chargers, entry.limit_kw, entry.efficiency_fraction,
        price_cny_per_kwh(tariff, grid), surplus, np.maximum(load - made, 0.0), place.carbon.per_use_g[electric.kind.id], export,
        float(demand_price_cny_per_kw_month(tariff, grid)[0]), _peak(context, grid), asked.carbon_price_cny_per_t,
    )  # fmt: skip
    refuse(dock_problems(problem))
    found = plan_dock(problem)
    if isinstance(found, Conflict):
        return found
    faults = dock_findings(problem, found)
    if faults:
        raise FaultyData(faults)
    return problem, found


def _measured(context: Context, grid: Grid) -> tuple[Floats, Floats]:
    """Return the plant's load and its own generation in kW by interval, as measured (missing intervals as the last known)."""
    kinds = ("purchased_electricity", GENERATION)
    series = [
        _kw(context, grid, found) if found else np.zeros(grid.length)
        for found in (_meters(context, kind) for kind in kinds)
    ]
    return series[0] + series[1], series[1]


def _kw(context: Context, grid: Grid, meters: list[str]) -> Floats:
    there = [month for month in grid.months if month in months_of(context)]
    if not there:
        raise FaultyData([_not_measured(grid)])
    found = amounts(context, meters, there)
    first = int((grid.start - found.start).total_seconds() // 60) // found.minutes
    per = grid.step_minutes // found.minutes if grid.step_minutes >= found.minutes else 1
    places = np.clip(first + np.arange(grid.length * per), 0, len(found.amount_milli) - 1)
    amount = (
        np.where(found.state[places] == MISSING, 0, found.amount_milli[places]).reshape(grid.length, per).sum(axis=1)
    )
    rate: Floats = amount / 1000.0 / grid.step_hours
    return rate


def _peak(context: Context, grid: Grid) -> float:
    """Return the highest demand of the month before the day, as measured."""
    bought = _meters(context, "purchased_electricity")
    if not bought:
        return 0.0
    found = amounts(context, bought, [grid.months[0]])
    until = max(0, int((grid.start - found.start).total_seconds() // 60) // found.minutes)
    return float(found.amount_milli[:until].max(initial=0)) / 1000.0 * 60.0 / found.minutes


def _not_measured(grid: Grid) -> Problem:
    day = grid.start.date().isoformat()
    return Problem(
        "logistics.not_measured",
        Text(
            f"{day} 没有读数, 不知道厂里的负荷与需量。",
            f"There are no readings of {day}: load and demand of the plant are not known.",
        ),
        Text("请用 --day 指定有读数的日子。", "Name a day that was measured with --day."),
    )


def _strange_day(day: date) -> Problem:
    message = Text(
        f"日期 {day.isoformat()} 不在 {YEARS[0]}–{YEARS[1]} 年内。",
        f"The day {day.isoformat()} is not within {YEARS[0]}-{YEARS[1]}.",
    )
    return Problem("logistics.day", message, Text("请核对日期。", "Check the day."))


def _sized(entry: InPlantEntry, place: _Place) -> tuple[InPlant, InPlantPlan]:
    fleet = InPlant(
        entry.id, entry.name.text, entry.moves_per_hour, entry.cycle_s, entry.availability_fraction, entry.working_kw, entry.battery_kwh,
        entry.reserve_fraction, entry.charge_kw, entry.chargers, entry.efficiency_fraction, entry.cny_per_vehicle_year,
        0.0, entry.swap, entry.swap_s,
    )  # fmt: skip
    refuse(in_plant_problems(fleet))
    plant = place.context.workspace.plant
    day = replace(place.grid, length=24 * 60 // STEP_MINUTES)
    found = size_fleet(fleet, price_cny_per_kwh(plant_tariff(plant, place.context.workspace.folder), day))
    if found is None:
        message = Text(f"“{fleet.title.zh}”没有可行的车队。", f"No fleet does for '{fleet.title.en}'.")
        raise FaultyData(
            [
                Problem(
                    "logistics.in_plant_none",
                    message,
                    Text("请增加充电位。", "Add chargers."),
                    file=logistics_file.NAME,
                )
            ]
        )
    faults = in_plant_findings(fleet, found)
    if faults:
        raise FaultyData(faults)
    return fleet, found


def _loads(
    context: Context,
    grid: Grid,
    dock: tuple[DockProblem, DockPlan] | None,
    vehicles: tuple[tuple[InPlant, InPlantPlan], ...],
) -> pl.DataFrame:
    """Return rows of LOAD: the dock over its hours, each fleet over the day."""
    series: dict[str, Floats] = {} if dock is None else {DOCK: dock[1].load_kw}
    series |= {fleet.id: plan.charge_kw for fleet, plan in vehicles}
    frames = [LOAD.empty()]
    for name, power in series.items():
        starts = [grid.start + timedelta(minutes=STEP_MINUTES * n) for n in range(len(power))]
        frames.append(
            LOAD.frame(
                [
                    {
                        "place": name, "level": "meter", "carrier": "electricity", "started_at": start, "minutes": STEP_MINUTES,
                        "energy_wh": round(float(kw) * grid.step_hours * 1000.0), "kind": "planned", "known_at": context.now,
                    }
                    for start, kw in zip(starts, power, strict=True)
                ]
            )
        )  # fmt: skip
    return pl.concat(frames)


def _envelope(entry: DockEntry, dock: tuple[DockProblem, DockPlan] | None, grid: Grid) -> pl.DataFrame:
    """Return the stays as the envelope that an asset ``ev_charger`` of energy.toml takes: columns by interval.

    It reaches from two months before to the month after, without trucks but on this day: a dispatcher learns from whole months.
    """
    if dock is None:
        return pl.DataFrame()
    step, day = timedelta(minutes=STEP_MINUTES), grid.start.date()
    first = (day.replace(day=1) - timedelta(days=45)).replace(day=1)
    last = (day.replace(day=1) + timedelta(days=70)).replace(day=1)
    begins, ends = (datetime(one.year, one.month, 1, tzinfo=grid.start.tzinfo) for one in (first, last))
    wide = Grid(begins, STEP_MINUTES, (ends - begins) // step, grid.time_zone)
    stays = [
        Session(grid.start + one.first * step, grid.start + one.last * step, one.need_kwh, one.power_kw, one.need_kwh)
        for one in dock[0].stays
    ]
    found, problems = envelope(stays, wide, entry.efficiency_fraction)
    refuse(problems)
    started = [(begins + n * step).isoformat() for n in range(wide.length)]
    return pl.DataFrame({"time": started, **found.series()})


def _notes(dock: tuple[DockProblem, DockPlan] | None) -> tuple[Text, ...]:
    if dock is None or float(dock[0].surplus_kw.max(initial=0.0)) > 0.0:
        return ()
    return (
        Text(
            "这些时段光伏没有余电(负荷始终大于发电): 月台多用一度, 厂里就多买一度, 只按电价与需量安排。",
            "Photovoltaics leave no surplus in these hours: a kilowatt-hour more at the dock is one more bought; price and demand decide.",
        ),
    )


def loads_by_place(result: FleetResult) -> Mapping[str, float]:
    """Return kilowatt-hours of each place."""
    sums = result.loads.group_by("place", maintain_order=True).agg(pl.col("energy_wh").sum())
    return {str(name): float(energy) / 1000.0 for name, energy in sums.iter_rows()}


def write(context: Context, result: FleetResult, folder: Path) -> list[Path]:
    """Write the files of a fleet's day, record the run, and return them: JSON, LOAD, the envelope for energy.toml."""
    from zerofactory.runs import logistics_files

    files = [logistics_files.write_json(folder, "fleet.json", result.as_json())]
    files.append(logistics_files.write_frame(folder, "load.parquet", result.loads))
    if result.envelope.height:
        files.append(logistics_files.write_text(folder, "dock-envelope.csv", result.envelope.write_csv()))
    day = "" if result.day is None else result.day.isoformat()
    energy = {name: round(kwh, 3) for name, kwh in loads_by_place(result).items()}
    logistics_files.record(context, "logistics_fleet", {"day": day}, {"energy_kwh": energy}, files)
    return files
