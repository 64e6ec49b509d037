"""A schedule: which operation runs when in which mode, what machines do between, and what that takes, costs and emits.

SCHEDULE is a row for every stretch of work, set-up, ramp and rest; LOAD is the same energy by place and interval. Cost and
carbon are what the schedule adds at the meter:

    bought = max(0, own + other − on-site),   sold = max(0, on-site − own − other)
    cost   = Σ bought·price − Σ sold·export + demand·max(0, highest mean power − paid),  less the same without own load
    carbon = Σ bought·intensity,                                                         less the same without own load
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from zerofactory.errors import Text
from zerofactory.metering.grid import microseconds
from zerofactory.metering.profile import LOAD, SITE
from zerofactory.optimisation.scheduling.problem import (
    Floats,
    Machine,
    Measure,
    Mode,
    RestState,
    ScheduleProblem,
    Signals,
)
from zerofactory.tables import Column, TableSchema

if TYPE_CHECKING:
    import polars as pl

ACTIVITIES_OF_A_MACHINE = ("work", "setup", "ramp", "rest")
ACTIVITY_TITLES: Mapping[str, Text] = {
    "work": Text("加工", "work"),
    "setup": Text("换型", "set-up"),
    "ramp": Text("启停", "ramp"),
    "rest": Text("待机", "rest"),
}

SCHEDULE = TableSchema(
    name="schedule",
    title=Text("排产计划", "Schedule"),
    columns=(
        Column("machine", "text", Text("设备", "machine")),
        Column("started_at", "moment", Text("起点", "start")),
        Column("ended_at", "moment", Text("终点", "end")),
        Column("activity", "text", Text("活动", "activity"), choices=ACTIVITIES_OF_A_MACHINE),
        Column("job", "text", Text("工单", "job"), nullable=True),
        Column("operation", "text", Text("工序", "operation"), nullable=True),
        Column("family", "text", Text("族(颜色、模具)", "family (colour, die)"), nullable=True),
        Column("mode", "text", Text("方式", "mode"), nullable=True),
        Column("state", "text", Text("状态", "state"), nullable=True),
        Column("energy_wh", "integer", Text("电能", "energy"), unit="Wh", minimum=0),
    ),
    key=("machine", "started_at", "activity"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """One operation placed: the index of its mode and the tick it starts at."""

    operation: str
    mode: int
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What a machine does over ticks [first, last), and its power in each of them."""

    machine: str
    activity: str
    first: int
    last: int
    powers_kw: Floats
    operation: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What a schedule comes to."""

    makespan_ticks: int
    tardiness_ticks: float
    cost_cny: float
    carbon_gco2e: float
    changes: int
    energy_kwh: float
    peak_kw: float
    late_jobs: tuple[str, ...]

    def value(self, measure: str) -> float:
        """Return a measure by name."""
        return float(getattr(self, measure))

    def weighted(self, weights: Mapping[Measure, float]) -> float:
        """Return the weighted sum of a goal."""
        return sum(weight * self.value(name) for name, weight in weights.items() if weight)


@dataclass(frozen=True, eq=False)
class Schedule:
    """Every operation placed; ``rests`` names the state of each gap by (machine, tick at which the gap begins)."""

    problem: ScheduleProblem
    tasks: tuple[Task, ...]
    rests: Mapping[tuple[str, int], str]

    @cached_property
    def task(self) -> Mapping[str, Task]:
        """Every task by operation."""
        return {one.operation: one for one in self.tasks}

    def mode(self, task: Task) -> Mode:
        """Return the mode of a task."""
        return self.problem.operations[task.operation].modes[task.mode]

    def end(self, task: Task) -> int:
        """Return the tick a task ends at."""
        return task.start + self.mode(task).duration_ticks

    @cached_property
    def by_machine(self) -> Mapping[str, tuple[Task, ...]]:
        """Tasks of each machine in order of time."""
        found: dict[str, list[Task]] = {machine.id: [] for machine in self.problem.machines}
        for task in sorted(self.tasks, key=lambda one: (one.start, one.operation)):
            found[self.mode(task).machine].append(task)
        return {name: tuple(tasks) for name, tasks in found.items()}

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """What every machine does, in order of machine and time."""
        return tuple(one for machine in self.problem.machines for one in _stretches(self, machine))

    @cached_property
    def machine_kw(self) -> Mapping[str, Floats]:
        """Power of each machine in each tick, from tick 0 to the last stretch of all."""
        ticks = max((one.last for one in self.stretches), default=0)
        powers = {machine.id: np.zeros(max(ticks, 0)) for machine in self.problem.machines}
        for one in self.stretches:
            cut = max(0, -one.first)  # what begins before tick 0 is a finding of the check
            powers[one.machine][one.first + cut : max(one.last, 0)] += one.powers_kw[cut:]
        return powers

    @cached_property
    def measures(self) -> Measures:
        """Makespan, tardiness, cost, carbon, energy and peak."""
        own_kw = np.sum(list(self.machine_kw.values()), axis=0)
        cost, carbon, peak = spent(self.problem, np.asarray(own_kw))
        late = {}
        for job in self.problem.jobs:
            if job.due_tick is not None and job.operations:
                end = max(self.end(self.task[one.id]) for one in job.operations)
                late[job.id] = max(0, end - job.due_tick) * job.weight
        return Measures(
            max((self.end(task) for task in self.tasks), default=0),
            float(sum(late.values())),
            cost,
            carbon,
            changes(self.problem, self.tasks),
            float(np.sum(own_kw)) * self.problem.tick_hours,
            peak,
            tuple(name for name, ticks in late.items() if ticks > 0),
        )

    def at(self, tick: int) -> datetime:
        """Return the moment of a tick."""
        return self.problem.start + timedelta(seconds=tick * self.problem.tick_s)

    def rows(self) -> pl.DataFrame:
        """Return rows of SCHEDULE."""
        rows: list[dict[str, object]] = []
        for one in self.stretches:
            job = self.problem.job_of[one.operation] if one.operation else None
            task = self.task[one.operation] if one.operation else None
            rows.append(
                {
                    "machine": one.machine,
                    "started_at": self.at(one.first),
                    "ended_at": self.at(one.last),
                    "activity": one.activity,
                    "job": job.id if job else None,
                    "operation": one.operation,
                    "family": self.problem.operations[one.operation].family or None if one.operation else None,
                    "mode": self.mode(task).name or None if task else None,
                    "state": one.state,
                    "energy_wh": round(float(one.powers_kw.sum()) * self.problem.tick_hours * 1000.0),
                }
            )
        return SCHEDULE.frame(rows)

    def load(self, known_at: datetime, minutes: int, levels: Mapping[str, str] | None = None) -> pl.DataFrame:
        """Return rows of LOAD (planned): the energy of each place by interval, whole Wh that add up to the total.

        Parameters
        ----------
        levels : place → meter, shop or site; a place that is not named is a shop, ``site`` the site.
        """
        import polars as pl

        step = minutes * 60 // self.problem.tick_s
        named = {SITE: "site", **(levels or {})}
        frames = [LOAD.empty()]
        places = dict.fromkeys(machine.place for machine in self.problem.machines)
        for place in places:
            own = [self.machine_kw[one.id] for one in self.problem.machines if one.place == place]
            kwh = by_interval(np.asarray(sum(own)), step) * self.problem.tick_hours
            whole = np.diff(np.rint(np.cumsum(kwh) * 1000.0).astype(np.int64), prepend=np.int64(0))
            starts = microseconds(self.problem.start) + np.arange(len(whole), dtype=np.int64) * (minutes * 60_000_000)
            frame = pl.DataFrame({"started_at": starts, "energy_wh": whole})
            frames.append(
                frame.select(
                    pl.lit(place).alias("place"),
                    pl.lit(named.get(place, "shop")).alias("level"),
                    pl.lit("electricity").alias("carrier"),
                    pl.col("started_at").cast(pl.Datetime("us", "UTC")),
                    pl.lit(minutes, pl.Int64).alias("minutes"),
                    "energy_wh",
                    pl.lit("planned").alias("kind"),
                    pl.lit(known_at).cast(pl.Datetime("us", "UTC")).alias("known_at"),
                )
            )
        return pl.concat(frames)


def complete(problem: ScheduleProblem, tasks: Sequence[Task]) -> Schedule:
    """Return the schedule of placed operations, each gap spent in the state that is cheapest for the goal."""
    tasks = tuple(sorted(tasks, key=lambda one: (one.start, one.operation)))
    bare = Schedule(problem, tasks, {})
    price = tick_price(problem)
    rests: dict[tuple[str, int], str] = {}
    for machine in problem.machines:
        if machine.rests:
            for first, last in gaps(bare, machine):
                rests[machine.id, first] = best_rest(machine, first, last, price).name
    return Schedule(problem, tasks, rests)


def tick_price(problem: ScheduleProblem) -> Floats:
    """Return what a kWh in each tick weighs in the goal (1 where energy is not part of it), beyond the horizon the last."""
    signals, goal = problem.signals, problem.goal
    if signals is None or not goal.needs_energy:
        return np.ones(problem.horizon + 1)
    wanted = {name: float(goal.weights.get(name, 0.0)) for name in ("cost_cny", "carbon_gco2e")}
    if not any(wanted.values()):
        wanted = {name: float(name in goal.limits) for name in wanted}
    own = wanted["cost_cny"] * signals.price_cny_per_kwh + wanted["carbon_gco2e"] * signals.intensity_gco2e_per_kwh
    ticks = np.repeat(own, signals.interval_ticks)
    return np.pad(ticks, (0, max(0, problem.horizon + 1 - len(ticks))), mode="edge")


def best_rest(machine: Machine, first: int, last: int, price: Floats) -> RestState:
    """Return the state in which a gap is spent at the least price; the first of equals."""
    fitting = [rest for rest in machine.rests if rest.least_ticks <= last - first]
    local = price[min(first, len(price) - 1) : last]
    local = np.pad(local, (0, last - first - len(local)), mode="edge") if len(local) < last - first else local
    return min(fitting, key=lambda rest: float(rest_powers_kw(rest, last - first) @ local))


def rest_powers_kw(rest: RestState, ticks: int) -> Floats:
    """Return the power in each tick of a gap spent in a state."""
    power = np.full(ticks, rest.power_kw)
    power[: rest.enter_ticks] = rest.enter_kw
    if rest.leave_ticks:
        power[ticks - rest.leave_ticks :] = rest.leave_kw
    return power


def gaps(schedule: Schedule, machine: Machine) -> list[tuple[int, int]]:
    """Return the ticks between pieces of work (set-ups are work) of a machine."""
    found, before, family = [], None, None
    for task in schedule.by_machine[machine.id]:
        own = schedule.problem.operations[task.operation].family
        begins = task.start - machine.setup(family, own)
        if before is not None and begins > before:
            found.append((before, begins))
        before, family = schedule.end(task), own
    return found


def _stretches(schedule: Schedule, machine: Machine) -> list[Stretch]:
    found: list[Stretch] = []
    before: int | None = None
    family: str | None = None
    states = {rest.name: rest for rest in machine.rests}
    for task in schedule.by_machine[machine.id]:
        own = schedule.problem.operations[task.operation].family
        ticks = machine.setup(family, own)
        begins = task.start - ticks
        if before is None:
            ramp = machine.start_ramp()
            if ramp is not None and ramp.leave_ticks:
                power = np.full(ramp.leave_ticks, ramp.leave_kw)
                found.append(Stretch(machine.id, "ramp", begins - ramp.leave_ticks, begins, power, None, ramp.name))
        elif begins > before and (machine.id, before) in schedule.rests:
            found += _rest(machine.id, states[schedule.rests[machine.id, before]], before, begins)
        if ticks:
            power = np.full(ticks, machine.setup_kw)
            found.append(Stretch(machine.id, "setup", begins, task.start, power, task.operation))
        mode = schedule.mode(task)
        before, family = task.start + mode.duration_ticks, own
        found.append(Stretch(machine.id, "work", task.start, before, mode.powers_kw(), task.operation))
    return found


def _rest(machine: str, rest: RestState, first: int, last: int) -> list[Stretch]:
    power = rest_powers_kw(rest, last - first)
    borders = [first, first + rest.enter_ticks, last - rest.leave_ticks, last]
    kinds = ("ramp", "rest", "ramp")
    return [
        Stretch(machine, kind, a, b, power[a - first : b - first], None, rest.name)
        for kind, a, b in zip(kinds, borders, borders[1:], strict=False)
        if b > a
    ]


def by_interval(per_tick: Floats, ticks: int, count: int | None = None) -> Floats:
    """Return sums over intervals of so many ticks, padded with zeros to ``count`` intervals.

    Examples
    --------
    >>> by_interval(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [3.0, 3.0]
    """
    need = -(-len(per_tick) // ticks) if count is None else max(count, -(-len(per_tick) // ticks))
    padded = np.pad(per_tick, (0, need * ticks - len(per_tick)))
    sums: Floats = padded.reshape(need, ticks).sum(axis=1)
    return sums


def spent(problem: ScheduleProblem, own_kw: Floats) -> tuple[float, float, float]:
    """Return cost (CNY), carbon (gCO2e) and peak (kW, mean of an interval) that a load of these machines adds."""
    signals = problem.signals
    if signals is None:
        return 0.0, 0.0, float(own_kw.max(initial=0.0))
    own = by_interval(own_kw, signals.interval_ticks, signals.count)[: signals.count] / signals.interval_ticks
    with_own, without = (
        at_meter(signals, own, problem.tick_hours),
        at_meter(signals, np.zeros_like(own), problem.tick_hours),
    )
    return with_own[0] - without[0], with_own[1] - without[1], float(own.max(initial=0.0))


def at_meter(signals: Signals, own_kw: Floats, tick_hours: float) -> tuple[float, float]:
    """Return cost and carbon of everything behind the meter, given the machines' mean power by interval."""
    nothing = np.zeros(signals.count)
    other = nothing if signals.other_kw is None else signals.other_kw
    onsite = nothing if signals.onsite_kw is None else signals.onsite_kw
    net = own_kw + other - onsite
    bought, sold = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    hours = tick_hours * signals.interval_ticks
    demand = signals.demand_cny_per_kw * max(0.0, float(bought.max(initial=0.0)) - signals.paid_kw)
    cost = float(bought @ signals.price_cny_per_kwh - sold.sum() * signals.export_cny_per_kwh) * hours + demand
    return cost, float(bought @ signals.intensity_gco2e_per_kwh) * hours


def changes(problem: ScheduleProblem, tasks: Sequence[Task]) -> int:
    """Return how many operations lie elsewhere or at another time than in the schedule before."""
    count = 0
    for task in tasks:
        was = problem.before.get(task.operation)
        count += was is not None and was != (task.mode, task.start)
    return count
