"""Forklifts and AGVs: how many are needed, with how many batteries, and when they charge.

    working[t] = ⌈moves[t] × cycle ÷ (3600 × availability)⌉                   vehicles at work (a move takes its cycle)
    fleet ≥ working[t] + charging[t]                                         charging in place
    energy[t+1] = energy[t] − busy[t] · kW · h + η · charge[t] · h           over the whole fleet, the same after a day
    reserve · capacity ≤ energy[t] ≤ capacity

With battery swaps vehicles need not stand: batteries of a pool charge, each change costs time, and the pool is sized beside the fleet.
Fleet and pool are whole; cost of fleet, pool and electricity is least. A simulation of single vehicles then has to carry out the plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zerofactory.errors import Problem, Text
from zerofactory.optimisation.solving.linear import Draft, Floats, LinearProgram
from zerofactory.optimisation.solving.result import SolveReport
from zerofactory.optimisation.solving.solver import Options, solve

GAP = 1e-6
SECONDS = 20.0
DAYS_PER_YEAR = 365.0
TIE_CNY = 1e-3  # a battery costs at least this a day, so that none is counted that is not needed


@dataclass(frozen=True, slots=True)
class InPlant:
    """A fleet: moves an hour over the day, one vehicle's cycle, battery, charging; ``swap_s`` only where batteries are changed."""

    id: str
    title: Text
    moves_per_hour: tuple[float, ...]
    cycle_s: float
    availability: float
    working_kw: float
    battery_kwh: float
    reserve: float
    charge_kw: float
    chargers: int
    efficiency: float
    vehicle_cny_per_year: float
    battery_cny_per_year: float = 0.0
    is_swapped: bool = False
    swap_s: float = 0.0

    @property
    def usable_kwh(self) -> float:
        """Energy of a battery above its reserve."""
        return self.battery_kwh * (1.0 - self.reserve)


@dataclass(frozen=True, slots=True, eq=False)
class InPlantPlan:
    """Vehicles, batteries, and by interval: at work, charging power of the fleet, energy in all batteries at the start."""

    vehicles: int
    batteries: int
    working: Floats
    charge_kw: Floats
    energy_kwh: Floats
    cost_cny_per_day: float
    energy_cny_per_day: float
    lowest_fraction: float
    report: SolveReport


def busy(fleet: InPlant, steps_per_hour: int = 1) -> Floats:
    """Return the vehicles at work in each interval of a day, as a mean: moves × cycle ÷ 3600, longer by the battery changes.

    Examples
    --------
    120 moves an hour of 180 s each keep six vehicles busy:

    >>> lift = InPlant("l", Text("叉", "lift"), (120.0,) * 24, 180.0, 1.0, 6.0, 24.0, 0.2, 12.0, 8, 0.92, 36000.0)
    >>> float(busy(lift)[0])
    6.0
    """
    longer = 1.0
    if fleet.is_swapped:
        longer += fleet.swap_s / 3600.0 * fleet.working_kw / fleet.usable_kwh
    moves = np.repeat(np.asarray(fleet.moves_per_hour, dtype=np.float64), steps_per_hour)
    result: Floats = moves * fleet.cycle_s / 3600.0 * longer
    return result


def at_work(fleet: InPlant, steps_per_hour: int = 1) -> Floats:
    """Return how many vehicles must be at hand in each interval: the busy ones, more by those out of order, whole."""
    result: Floats = np.ceil(busy(fleet, steps_per_hour) / fleet.availability - 1e-9)
    return result


def in_plant_problems(fleet: InPlant) -> list[Problem]:
    """Return what cannot be: a move that empties a battery, chargers too few for a day's energy."""
    found = []
    if fleet.working_kw * fleet.cycle_s / 3600.0 > fleet.usable_kwh:
        found.append(
            _fault(
                fleet,
                f"一次搬运耗电 {fleet.working_kw * fleet.cycle_s / 3600:.2f} kWh 超过电池可用 {fleet.usable_kwh:.2f} kWh。",
                f"One move takes {fleet.working_kw * fleet.cycle_s / 3600:.2f} kWh, more than the battery's {fleet.usable_kwh:.2f}.",
            )
        )
    daily, most = (
        float(busy(fleet).sum()) * fleet.working_kw,
        24.0 * fleet.chargers * fleet.charge_kw * fleet.efficiency,
    )
    if daily > most:
        found.append(
            _fault(
                fleet,
                f"每天用电 {daily:,.0f} kWh, {fleet.chargers} 个充电位最多充 {most:,.0f} kWh。",
                f"A day takes {daily:,.0f} kWh; {fleet.chargers} chargers give {most:,.0f} at most.",
            )
        )
    return found


def size_fleet(fleet: InPlant, price_cny_per_kwh: Floats) -> InPlantPlan | None:
    """Return the cheapest fleet that single vehicles can carry out; None when none is found.

    Parameters
    ----------
    price_cny_per_kwh : by interval of one day, its length a multiple of 24.
    """
    steps = len(price_cny_per_kwh) // 24
    working = at_work(fleet, steps)
    least = (int(working.max()), 0)
    for _ in range(12):
        found = solve(_program(fleet, price_cny_per_kwh, least), Options(gap_fraction=GAP, time_limit_s=SECONDS))
        if not found.report.status.has_answer:
            return None
        vehicles, batteries = (round(float(found.value(name)[0])) for name in ("vehicles", "batteries"))
        charge = np.maximum(found.value("charge"), 0.0)
        energy = found.value("energy")
        lowest = simulate(fleet, (vehicles, batteries), charge, float(energy[0]))
        if lowest >= -1e-9:
            h = 24.0 / len(price_cny_per_kwh)
            bill = float((charge * price_cny_per_kwh).sum() * h)
            fixed = (vehicles * fleet.vehicle_cny_per_year + batteries * fleet.battery_cny_per_year) / DAYS_PER_YEAR
            return InPlantPlan(vehicles, batteries, working, charge, energy, fixed + bill, bill, lowest, found.report)
        least = (vehicles, batteries + 1) if fleet.is_swapped else (vehicles + 1, 0)
    return None


def _program(fleet: InPlant, price: Floats, least: tuple[int, int]) -> LinearProgram:
    length = len(price)
    h, steps = 24.0 / length, length // 24
    work, draft = at_work(fleet, steps), Draft()
    whole = 10_000.0
    vehicles = draft.add_columns(
        "vehicles", 1, least[0], whole, fleet.vehicle_cny_per_year / DAYS_PER_YEAR, integer=True
    )
    most = whole if fleet.is_swapped else 0.0
    daily = max(fleet.battery_cny_per_year / DAYS_PER_YEAR, TIE_CNY)
    batteries = draft.add_columns("batteries", 1, least[1], most, daily, integer=True)
    charge = draft.add_columns("charge", length, upper=fleet.chargers * fleet.charge_kw, cost=price * h)
    energy = draft.add_columns("energy", length)
    ahead = np.roll(energy.places, -1)
    balance = draft.add_rows("balance", length, "=", -busy(fleet, steps) * fleet.working_kw * h)
    draft.put(balance, ahead, 1.0)
    draft.put(balance, energy, -1.0)
    draft.put(balance, charge, -fleet.efficiency * h)
    pool = batteries if fleet.is_swapped else vehicles
    for name, sense, share in (("full", "<=", 1.0), ("reserve", ">=", fleet.reserve)):
        row = draft.add_rows(name, length, sense, 0.0)  # type: ignore[arg-type]
        draft.put(row, energy, 1.0)
        draft.put(row, pool, -share * fleet.battery_kwh)
    stand = draft.add_rows("stand", length, "<=", -work)
    draft.put(stand, charge, 1.0 / fleet.charge_kw)
    draft.put(stand, pool, -1.0)
    return draft.finish()


def simulate(fleet: InPlant, counts: tuple[int, int], charge_kw: Floats, start_kwh: float) -> float:
    """Return the lowest charge any single battery comes to over two days, as a share above empty; below zero: it cannot be done.

    The fullest batteries work, the emptiest of the others charge first, each at no more than one charger's power; within an interval
    they change places, so that together they take what the plan gives.
    """
    vehicles, batteries = counts
    count = batteries if fleet.is_swapped else vehicles
    length = len(charge_kw)
    h, steps = 24.0 / length, length // 24
    work, load = at_work(fleet, steps).astype(int), busy(fleet, steps)
    charge = np.full(count, min(start_kwh / count, fleet.battery_kwh))
    lowest = math.inf
    for t in (*range(length), *range(length)):
        order = np.argsort(-charge, kind="stable")
        out, rest = order[: work[t]], order[work[t] :]
        if len(out):
            charge[out] -= load[t] * fleet.working_kw * h / len(out)
        left = charge_kw[t] * h * fleet.efficiency
        for one in rest[::-1]:
            given = min(left, fleet.charge_kw * h * fleet.efficiency, fleet.battery_kwh - charge[one])
            charge[one] += given
            left -= given
        lowest = min(lowest, float(charge.min()))
    return lowest / fleet.battery_kwh


def in_plant_findings(fleet: InPlant, plan: InPlantPlan) -> list[Problem]:
    """Return every breach of a plan, from its numbers alone: vehicles at hand, chargers, balance over the day, single batteries."""
    found, length = [], len(plan.charge_kw)
    h, steps = 24.0 / length, length // 24
    need = np.ceil(np.repeat(fleet.moves_per_hour, steps) * fleet.cycle_s / 3600.0 / fleet.availability - 1e-9)
    pool = plan.batteries if fleet.is_swapped else plan.vehicles
    if need.max() > plan.vehicles:
        found.append(
            _fault(
                fleet,
                f"需要 {need.max():.0f} 辆, 只有 {plan.vehicles}。",
                f"{need.max():.0f} vehicles are needed, {plan.vehicles} there.",
            )
        )
    if (plan.working + plan.charge_kw / fleet.charge_kw > pool + 1e-6).any() or (
        plan.charge_kw > fleet.chargers * fleet.charge_kw + 1e-6
    ).any():
        found.append(
            _fault(
                fleet,
                "充电的车辆、电池或桩多于所有。",
                "More vehicles, batteries or chargers are in use than there are.",
            )
        )
    spent = plan.energy_kwh - busy(fleet, steps) * fleet.working_kw * h + plan.charge_kw * fleet.efficiency * h
    if not np.allclose(spent, np.roll(plan.energy_kwh, -1), atol=1e-5 * max(1.0, pool * fleet.battery_kwh)):
        found.append(_fault(fleet, "电量不平衡。", "The energy does not balance."))
    low, high = fleet.reserve * fleet.battery_kwh * pool, fleet.battery_kwh * pool
    if (plan.energy_kwh < low - 1e-4).any() or (plan.energy_kwh > high + 1e-4).any():
        found.append(_fault(fleet, "电量越过保留或容量。", "The energy leaves its bounds."))
    if simulate(fleet, (plan.vehicles, plan.batteries), plan.charge_kw, float(plan.energy_kwh[0])) < -1e-9:
        found.append(_fault(fleet, "有单个电池用空。", "A single battery runs empty."))
    return found


def _fault(fleet: InPlant, zh: str, en: str) -> Problem:
    return Problem(
        "logistics.in_plant",
        Text(f"“{fleet.title.zh}”: {zh}", f"'{fleet.title.en}': {en}"),
        Text("请增加充电位或电池, 或核对参数。", "Add chargers or batteries, or check the figures."),
    )
