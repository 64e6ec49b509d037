"""What a plan of a flow shop draws, costs and emits, and its rows of SCHEDULE and LOAD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.metering.grid import Integers, microseconds
from zerofactory.metering.profile import LOAD
from zerofactory.optimisation.scheduling.flow_shop import Floats, FlowPlan, FlowShop, SequenceRule, Stage, Unit, Visit
from zerofactory.optimisation.scheduling.schedule import SCHEDULE

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

WH = 1000.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of what a unit does: work, set-up, ramp (warming up) or rest, over [first, last), and its power by slot."""

    unit: str
    activity: str
    first: int
    last: int
    power_kw: tuple[float, ...]
    lot: str | None = None
    family: str | None = None
    rest: str | None = None


@dataclass(frozen=True, slots=True)
class FlowMeasures:
    """What a plan comes to; cost and emissions are what it adds at the meter, set-ups included."""

    makespan_slots: int
    tardiness_slots: float
    late: tuple[str, ...]
    energy_kwh: float
    grid_kwh: float
    cost_cny: float
    carbon_gco2e: float
    setups: int
    setup_cny: float
    setup_gco2e: float
    peak_kw: float
    spread: float
    broken_rules: int
    objective: float

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in self.__slots__
        }


def pieces(problem: FlowShop, plan: FlowPlan) -> tuple[Piece, ...]:
    """Return everything every unit does, in order of stage, unit and time."""
    found: list[Piece] = []
    for place, stage in enumerate(problem.stages):
        for unit in stage.units:
            before: Visit | None = None
            for visit in (one for one in plan.visits if one.stage == stage.id and one.unit == unit.id):
                found += _pieces(problem, (place, stage, unit), before, visit)
                before = visit
    return tuple(found)


def _pieces(problem: FlowShop, where: tuple[int, Stage, Unit], before: Visit | None, visit: Visit) -> list[Piece]:
    place, stage, unit = where
    lots = {lot.id: lot for lot in problem.lots}
    task = lots[visit.lot].tasks[place]
    found, until = [], visit.start_slot
    if before is not None:
        slots = stage.setup_slots.get((lots[before.lot].tasks[place].family, task.family), 0)
        until -= slots
        if slots:
            found.append(Piece(unit.id, "setup", until, visit.start_slot, (stage.setup_kw,) * slots, visit.lot, task.family))  # fmt: skip
    rest = next((one for one in unit.rests if one.name == visit.rest), None)
    if rest is not None:
        ramp = until - rest.leave_ticks
        if rest.leave_ticks:
            found.insert(0, Piece(unit.id, "ramp", ramp, until, (rest.leave_kw,) * rest.leave_ticks, rest=rest.name))
        if before is not None and ramp > before.end_slot:
            waiting = (rest.power_kw,) * (ramp - before.end_slot)
            found.insert(0, Piece(unit.id, "rest", before.end_slot, ramp, waiting, rest=rest.name))
    if task.slots:
        found.append(Piece(unit.id, "work", visit.start_slot, visit.end_slot, task.power_kw, visit.lot, task.family))
    return found


def unit_kw(problem: FlowShop, plan: FlowPlan) -> dict[str, Floats]:
    """Return the power of every unit in each slot."""
    powers = {unit.id: np.zeros(problem.slots) for stage in problem.stages for unit in stage.units}
    for piece in pieces(problem, plan):
        powers[piece.unit][piece.first : piece.last] += piece.power_kw
    return powers


def measures(problem: FlowShop, plan: FlowPlan) -> FlowMeasures:
    """Return what a plan comes to."""
    load = np.sum(list(unit_kw(problem, plan).values()), axis=0)
    hours = problem.slot_hours
    grid = np.maximum(0.0, load - problem.spare_kw) - np.maximum(0.0, -problem.spare_kw)
    price, intensity = problem.by_slot(problem.signals.price_cny_per_kwh), problem.by_slot(problem.signals.intensity_gco2e_per_kwh)  # fmt: skip
    setups, cny, gco2e = _setups(problem, plan)
    ends = {visit.lot: visit.end_slot for visit in plan.visits if visit.stage == problem.stages[-1].id}
    late = {lot.id: max(0, ends[lot.id] - lot.due_slot) for lot in problem.lots if lot.due_slot is not None}
    tardiness = sum(lot.weight * late.get(lot.id, 0) for lot in problem.lots)
    cost, carbon = float((grid * price).sum()) * hours + cny, float((grid * intensity).sum()) * hours + gco2e
    uneven, broken, aim = spread(problem, plan), broken_rules(problem, plan), problem.aim
    makespan = max(ends.values(), default=0)
    objective = aim.carbon * carbon + aim.cost * cost + aim.tardiness * tardiness + aim.makespan * makespan + aim.spread * uneven + aim.rule * broken  # fmt: skip
    return FlowMeasures(
        makespan, tardiness, tuple(name for name, slots in late.items() if slots), float(load.sum()) * hours,
        float(grid.sum()) * hours, cost, carbon, setups, cny, gco2e, float(load.max(initial=0.0)), uneven, broken, objective,
    )  # fmt: skip


def _setups(problem: FlowShop, plan: FlowPlan) -> tuple[int, float, float]:
    """Return how many changes of family there are, what they cost and what they emit besides their power."""
    lots = {lot.id: lot for lot in problem.lots}
    count, cny, gco2e = 0, 0.0, 0.0
    for place, stage in enumerate(problem.stages):
        for unit in stage.units:
            families = [lots[one.lot].tasks[place].family for one in plan.visits if one.unit == unit.id and one.stage == stage.id]  # fmt: skip
            for pair in pairwise(families):
                count += pair[0] != pair[1]
                cny += stage.setup_cny.get(pair, 0.0)
                gco2e += stage.setup_gco2e.get(pair, 0.0)
    return count, cny, gco2e


def spread(problem: FlowShop, plan: FlowPlan) -> float:
    """Return how unevenly variants are spread: the sum over positions of (made so far − share of what is made)².

    Miltenburg 1989, doi 10.1287/mnsc.35.2.192, problem for variant quantities; pieces for single vehicles.
    """
    lots = {lot.id: lot for lot in problem.lots}
    total = sum(lot.pieces for lot in problem.lots)
    share: dict[str, float] = {}
    for lot in problem.lots:
        share[lot.variant] = share.get(lot.variant, 0.0) + lot.pieces / total
    made, done, uneven = dict.fromkeys(share, 0.0), 0.0, 0.0
    for name in plan.order:
        made[lots[name].variant] += lots[name].pieces
        done += lots[name].pieces
        uneven += sum((made[variant] - done * share[variant]) ** 2 for variant in share)
    return uneven


def broken_rules(problem: FlowShop, plan: FlowPlan) -> int:
    """Return how many windows of a rule hold too many lots with its option."""
    return sum(len(broken(problem, plan, rule)) for rule in problem.rules)


def broken(problem: FlowShop, plan: FlowPlan, rule: SequenceRule) -> list[int]:
    """Return the positions at which a rule is broken: counting back ``among`` lots there are more than ``most``."""
    lots = {lot.id: lot for lot in problem.lots}
    flags = [rule.option in lots[name].options for name in plan.order]
    return [k for k in range(len(flags)) if sum(flags[max(0, k - rule.among + 1) : k + 1]) > rule.most]


def schedule_rows(problem: FlowShop, plan: FlowPlan) -> pl.DataFrame:
    """Return the rows of SCHEDULE."""
    slot = timedelta(minutes=problem.slot_minutes)
    rows: list[dict[str, object]] = [
        {
            "machine": one.unit, "started_at": problem.start + one.first * slot, "ended_at": problem.start + one.last * slot,
            "activity": one.activity, "job": one.lot, "operation": f"{one.lot}/{one.unit}" if one.lot else None,
            "family": one.family, "mode": None, "state": one.rest,
            "energy_wh": round(sum(one.power_kw) * problem.slot_hours * WH),
        }
        for one in pieces(problem, plan)
    ]  # fmt: skip
    return SCHEDULE.frame(rows)


def load_rows(problem: FlowShop, powers: Mapping[str, Floats] | FlowPlan, known_at: datetime) -> pl.DataFrame:
    """Return the planned load of every place of the units as rows of LOAD."""
    import polars as pl

    by_unit = unit_kw(problem, powers) if isinstance(powers, FlowPlan) else powers
    places: dict[str, Floats] = {}
    for stage in problem.stages:
        for unit in stage.units:
            places[unit.place] = places.get(unit.place, np.zeros(problem.slots)) + by_unit[unit.id]
    step_us = problem.slot_minutes * 60_000_000
    starts = microseconds(problem.start) + np.arange(problem.slots, dtype=np.int64) * step_us
    frames = [LOAD.empty(), *(_load(problem, name, (starts, power), known_at) for name, power in places.items())]
    return pl.concat(frames)


def _load(problem: FlowShop, name: str, series: tuple[Integers, Floats], known_at: datetime) -> pl.DataFrame:
    import polars as pl

    starts, power = series
    level = "site" if name == "site" else "shop"
    energy = np.rint(power * problem.slot_hours * WH).astype(np.int64)
    return pl.DataFrame({"started_at": starts, "energy_wh": energy}).select(
        pl.lit(name).alias("place"), pl.lit(level).alias("level"), pl.lit("electricity").alias("carrier"),
        pl.col("started_at").cast(pl.Datetime("us", "UTC")), pl.lit(problem.slot_minutes, pl.Int64).alias("minutes"),
        "energy_wh", pl.lit("planned").alias("kind"), pl.lit(known_at).cast(pl.Datetime("us", "UTC")).alias("known_at"),
    )  # fmt: skip


def as_orders(plan: FlowPlan) -> Sequence[dict[str, object]]:
    """Return the visits as plain JSON values."""
    return [
        {
            "lot": v.lot,
            "stage": v.stage,
            "unit": v.unit,
            "start_slot": v.start_slot,
            "end_slot": v.end_slot,
            "rest": v.rest,
        }
        for v in plan.visits
    ]
