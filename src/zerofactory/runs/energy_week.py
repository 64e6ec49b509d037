"""Seven days of an energy plan, interval by interval: what supplies a carrier, what takes it, and the load; for a page to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from zerofactory.assets.block import CARRIERS, flow_of
from zerofactory.assets.grid import Floats
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.periods import local_midnight, zone

DAYS = 7
SHOWN_SHARE = 1e-3  # of the largest flow: what is smaller is not drawn


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from ``first``: local starts of the intervals, flows by title (+ into the network), and the load, in ``unit``."""

    first: date
    carrier: Text
    unit: str
    starts: tuple[datetime, ...]
    flows: tuple[tuple[Text, tuple[float, ...]], ...]
    load: tuple[float, ...]


def mondays(plan: Plan) -> tuple[date, ...]:
    """Return the first days of the weeks that lie wholly in the plan."""
    grid = plan.problem.grid
    first = grid.start.astimezone(zone(grid.time_zone)).date()
    count = int(grid.length * grid.step_hours // (24 * DAYS))
    return tuple(first + timedelta(days=DAYS * number) for number in range(count))


def carriers(plan: Plan) -> Mapping[str, Text]:
    """Return the carriers of the plan with their titles, electricity first."""
    return {name: CARRIERS[name][1] for name in sorted(plan.problem.carriers, key=lambda one: one != "electricity")}


def week(plan: Plan, first: date, carrier: str = "electricity") -> Week:
    """Return the week of a carrier that begins on a day; raise `FaultyData` when it lies outside the plan."""
    grid = plan.problem.grid
    start = local_midnight(first, grid.time_zone)
    slot = int((start - grid.start) / timedelta(minutes=grid.step_minutes))
    count = DAYS * 24 * 60 // grid.step_minutes
    if not 0 <= slot <= grid.length - min(count, grid.length):
        message = Text(f"{first} 起的一周不在计划期内。", f"The week from {first} lies outside the plan.")
        raise FaultyData([Problem("energy.week", message, Text("请选别的一周。", "Choose another week."))])
    inside = slice(slot, min(slot + count, grid.length))
    unit, title = CARRIERS[carrier]
    place = zone(grid.time_zone)
    starts = tuple((start + timedelta(minutes=grid.step_minutes * n)).astimezone(place) for n in range(inside.stop - slot))  # fmt: skip
    parts = [(use.title, flow_of(use.block, carrier, grid, plan.values[use.id])[inside]) for use in plan.problem.uses]
    largest = max((float(np.abs(flow).max()) for _, flow in parts), default=0.0)
    shown = [(name, _plain(flow)) for name, flow in parts if np.abs(flow).max() > SHOWN_SHARE * largest]
    return Week(first, title, unit, starts, tuple(shown), _plain(plan.problem.load(carrier)[inside]))


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 1) for value in values)
