"""Schedules of a workspace: solve, judge a given one, re-plan after a breakdown; beside it the schedule without energy in mind.

What a plan draws goes to the accounts as planned activities (`quantify`), like everything that looks ahead: the kilowatt-hours it
adds at the meter are booked by month, before and after, so that the carbon saved is in the same book. The hourly view (intensity
by interval) stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from zerofactory.accounting.quantify import Quantified
from zerofactory.assets.grid import Floats, Grid
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.optimisation.energy.plan import Quantity
from zerofactory.optimisation.scheduling.check import Check, check
from zerofactory.optimisation.scheduling.faults import refuse_faulty
from zerofactory.optimisation.scheduling.front import Point, front
from zerofactory.optimisation.scheduling.problem import Goal, Measure, ScheduleProblem, Signals
from zerofactory.optimisation.scheduling.replan import Breakdown, Change, replan
from zerofactory.optimisation.scheduling.schedule import Schedule, Task, by_interval, complete
from zerofactory.optimisation.scheduling.solve import Answer, Options, Stage, solve
from zerofactory.periods import zone
from zerofactory.runs import energy_factors, line_signals
from zerofactory.runs.context import Context
from zerofactory.runs.schedule_file import Loaded
from zerofactory.runs.series_file import read as read_series

SHORT: Mapping[str, Measure] = {
    "makespan": "makespan_ticks",
    "tardiness": "tardiness_ticks",
    "cost": "cost_cny",
    "carbon": "carbon_gco2e",
}
INTERVAL_MINUTES = 15
NAIVE_SHARE = 0.15  # of the time, for the schedule that knows no energy


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Parameters
    ----------
    goals : name → weight: makespan, tardiness, cost, carbon. limits : name → ``480`` (in the measure's unit; time in minutes),
        or ``+5%`` over the schedule without energy in mind.
    front : two names, for the front of both; ``points`` of it.
    demand_cny_per_kw : what a kilowatt of new peak costs (paid once); None takes no demand charge.
    """

    goals: Mapping[str, float] = field(default_factory=lambda: {"makespan": 1.0})
    limits: Mapping[str, str] = field(default_factory=dict)
    front: tuple[str, str] | None = None
    points: int = 5
    demand_cny_per_kw: float = 0.0
    options: Options = field(default_factory=Options)


@dataclass(frozen=True)
class Booked:
    """What a schedule adds at the meter: kWh bought, grams as the accounts book them (None: no signals, nothing to book)."""

    bought_kwh: float
    booked_gco2e: int
    quantified: Quantified


@dataclass(frozen=True)
class Result:
    """The answer, the schedule without energy in mind, what both book, the front, what is to be said."""

    loaded: Loaded
    answer: Answer
    naive: Answer | None
    booked: Booked | None
    naive_booked: Booked | None
    front: tuple[Point, ...] = ()
    notes: tuple[Text, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        from zerofactory.runs.schedule_json import as_json

        return as_json(self)


def run(context: Context, loaded: Loaded, asked: Asked, told: Callable[[Stage], None] | None = None) -> Result:
    """Return the best schedule, its bound and gap, beside the one that looks at time alone.

    Raises
    ------
    FaultyData
        The problem, a goal or a limit has faults; they are all told before solving.
    """
    weights = {_measure(name): weight for name, weight in asked.goals.items()}
    names = {*weights, *(_measure(name) for name in asked.limits), *(_measure(name) for name in asked.front or ())}
    needs = bool(names & {"cost_cny", "carbon_gco2e"})
    problem, notes = with_signals(context, loaded, needs, asked.demand_cny_per_kw)
    refuse_faulty(replace(problem, goal=Goal(weights)))
    naive = _naive(problem, asked.options) if problem.signals is not None else None
    limits = {_measure(name): _limit(name, text, problem, naive) for name, text in asked.limits.items()}
    goal = Goal(weights, limits)
    starts = [naive.schedule.tasks] if naive is not None and naive.schedule is not None else []
    points: tuple[Point, ...] = ()
    if asked.front is not None:
        pair = (_measure(asked.front[0]), _measure(asked.front[1]))
        points = front(replace(problem, goal=goal), pair, asked.points, asked.options)
        answer = points[-1].answer if points else solve(replace(problem, goal=goal), asked.options, starts, told)
    else:
        answer = solve(replace(problem, goal=goal), asked.options, starts, told)
    new = answer.schedule
    return Result(
        loaded, answer, naive,
        None if new is None else booked(context, new),
        None if naive is None or naive.schedule is None else booked(context, naive.schedule),
        points, notes,
    )  # fmt: skip


def _naive(problem: ScheduleProblem, options: Options) -> Answer:
    """Return the schedule that looks at time alone: lateness where there are due dates, else makespan."""
    goal = Goal({"tardiness_ticks": 100.0, "makespan_ticks": 1.0}) if _has_dues(problem) else Goal()
    return solve(replace(problem, goal=goal), replace(options, seconds=max(1.0, options.seconds * NAIVE_SHARE)))


def _has_dues(problem: ScheduleProblem) -> bool:
    return any(job.due_tick is not None for job in problem.jobs)


def judge(context: Context, loaded: Loaded, rows: pl.DataFrame) -> tuple[Schedule, Check, Booked | None]:
    """Return a given schedule (rows of SCHEDULE) judged by the independent check, and what it books."""
    problem, _ = with_signals(context, loaded, needs=False)
    refuse_faulty(problem)
    schedule = complete(problem, tasks_of(problem, rows))
    return schedule, check(schedule), booked(context, schedule)


def again(context: Context, loaded: Loaded, rows: pl.DataFrame, change: Change, asked: Asked) -> Result:
    """Return a schedule re-planned after a breakdown, beside the one before."""
    weights = {_measure(name): weight for name, weight in asked.goals.items()}
    needs = bool({*weights} & {"cost_cny", "carbon_gco2e"})
    problem, notes = with_signals(context, loaded, needs, asked.demand_cny_per_kw)
    problem = replace(problem, goal=Goal(weights))
    refuse_faulty(problem)
    tasks = tasks_of(problem, rows)
    _, answer = replan(problem, tasks, change, asked.options)
    new = answer.schedule
    return Result(loaded, answer, None, None if new is None else booked(context, new), None, (), notes)


def breakdown(problem: ScheduleProblem, text: str) -> Breakdown:
    """Return a breakdown written as ``machine=2025-07-10T08:00/2025-07-10T12:00``.

    Raises
    ------
    FaultyData, NotFound
        The text is no breakdown, or there is no such machine.
    """
    name, _, span = text.partition("=")
    if name not in problem.machine:
        raise NotFound(Text("设备", "machine"), name, tuple(problem.machine))
    first, _, last = span.partition("/")
    return Breakdown(name, tick_of(problem, first), tick_of(problem, last, up=True))


def change_of(problem: ScheduleProblem, at: str, down: Sequence[str], freeze_minutes: float, stay: float) -> Change:
    """Return what happened, from the words of a command: when it is known, breakdowns, how long plans keep, what a change weighs."""
    frozen = int(freeze_minutes * 60 // problem.tick_s)
    return Change(tick_of(problem, at), tuple(breakdown(problem, one) for one in down), frozen, stay)


def tick_of(problem: ScheduleProblem, text: str, up: bool = False) -> int:
    """Return the tick of a moment on the clock of the problem; raise `FaultyData` when it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        message = Text(f"“{text}”不是时刻。", f"'{text}' is no moment.")
        raise FaultyData([Problem("schedule.moment", message, Text("例如 2025-07-10T14:00。", "For example 2025-07-10T14:00."))]) from None  # fmt: skip
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=problem.start.tzinfo)
    offset = aware - problem.start
    step = timedelta(seconds=problem.tick_s)
    return -(-offset // step) if up else offset // step


def tasks_of(problem: ScheduleProblem, rows: pl.DataFrame) -> tuple[Task, ...]:
    """Return the tasks that rows of SCHEDULE describe; raise `FaultyData` with every row that fits no mode."""
    found, problems = [], []
    step = timedelta(seconds=problem.tick_s)
    for number, row in enumerate(rows.iter_rows(named=True), start=2):
        if row["activity"] != "work":
            continue
        operation = problem.operations.get(row["operation"])
        offset = row["started_at"] - problem.start
        length = row["ended_at"] - row["started_at"]
        fitting = [] if operation is None else [
            index for index, mode in enumerate(operation.modes)
            if mode.machine == row["machine"] and mode.duration_ticks * step == length and (mode.name or None) == row["mode"]
        ]  # fmt: skip
        if operation is None or not fitting or offset % step:
            message = Text(f"工序“{row['operation']}”没有这样的方式(设备、时长、方式)或起点不在格上。", f"Operation '{row['operation']}' has no such mode (machine, duration, mode), or does not start on a tick.")  # fmt: skip
            problems.append(Problem("schedule.row", message, Text("", ""), row=number, column="operation"))
            continue
        found.append(Task(operation.id, fitting[0], offset // step))
    refuse(problems)
    return tuple(found)


def with_signals(
    context: Context, loaded: Loaded, needs: bool, demand_cny_per_kw: float = 0.0
) -> tuple[ScheduleProblem, tuple[Text, ...]]:
    """Return the problem with the signals its file names, or those of the workspace where it has a tariff and readings.

    Abstract problems (.fjs) have no time of day and get none; ``needs`` makes their absence a fault.
    """
    problem = loaded.problem
    if problem.horizon_ticks is None:
        return problem, ()
    if loaded.signals is not None and loaded.folder is not None:
        signals = _own_signals(context, loaded, problem)
        return replace(problem, signals=replace(signals, demand_cny_per_kw=demand_cny_per_kw)), ()
    plant = context.workspace.plant
    minutes = INTERVAL_MINUTES
    length = -(-problem.horizon_ticks * problem.tick_s // (minutes * 60))
    grid = Grid(problem.start, minutes, length, plant.time_zone)
    shops = tuple(shop for shop in dict.fromkeys(machine.place for machine in problem.machines) if shop != "site")
    try:
        background = line_signals.signals_of(context, shops, grid)
    except (FaultyData, NotFound):
        if needs:
            raise
        return problem, (Text("没有电价或一周前的读数: 不计电费与碳。", "No tariff or no readings of the week before: cost and carbon are not counted."),)  # fmt: skip
    other = background.signals.other_kw
    paid = 0.0 if other is None else float(other.max(initial=0.0))
    signals = replace(
        background.signals,
        interval_ticks=minutes * 60 // problem.tick_s,
        demand_cny_per_kw=demand_cny_per_kw,
        paid_kw=paid,
    )
    return replace(problem, signals=signals), background.notes


def _own_signals(context: Context, loaded: Loaded, problem: ScheduleProblem) -> Signals:
    assert loaded.folder is not None  # noqa: S101  # the caller looked
    assert loaded.signals is not None  # noqa: S101
    path = loaded.folder / loaded.signals
    zone_name = context.workspace.plant.time_zone
    minutes = problem.tick_s // 60
    series: dict[str, Floats] = {}
    for name in ("price_cny_per_kwh", "intensity_gco2e_per_kwh", "onsite_kw", "other_kw"):
        try:
            given = read_series(path, name, zone_name)
        except FaultyData:
            if name in ("price_cny_per_kwh", "intensity_gco2e_per_kwh"):
                raise
            continue
        minutes = given.minutes
        offset = (problem.start - given.start) // timedelta(minutes=given.minutes)
        series[name] = np.asarray(given.values[max(0, offset) :], dtype=np.float64)
    return Signals(minutes * 60 // problem.tick_s, series["price_cny_per_kwh"], series["intensity_gco2e_per_kwh"], series.get("onsite_kw"), series.get("other_kw"))  # fmt: skip


def booked(context: Context, schedule: Schedule) -> Booked | None:
    """Return what a schedule adds at the meter as planned records of the accounts, month by month."""
    problem = schedule.problem
    if problem.signals is None:
        return None
    bought = bought_kwh(schedule)
    minutes = problem.signals.interval_ticks * problem.tick_s // 60
    months: dict[str, float] = {}
    place = zone(context.workspace.plant.time_zone)
    for number, amount in enumerate(bought.tolist()):
        label = f"{(problem.start + timedelta(minutes=minutes * number)).astimezone(place):%Y-%m}"
        months[label] = months.get(label, 0.0) + amount
    booking = line_signals.booking_of(context)
    quantities = [Quantity("schedule", energy_factors.PURCHASED, "electricity", month, amount, "kWh") for month, amount in months.items()]  # fmt: skip
    found = energy_factors.book(booking, quantities)
    grams = round(energy_factors.tonnes(found) * 1e6)
    return Booked(float(bought.sum()), grams, found)


def bought_kwh(schedule: Schedule) -> Floats:
    """Return what the schedule adds to the purchase in each interval."""
    problem, signals = schedule.problem, schedule.problem.signals
    assert signals is not None  # noqa: S101  # the caller looked
    own_kw = np.sum(list(schedule.machine_kw.values()), axis=0)
    own = by_interval(own_kw, signals.interval_ticks, signals.count)[: signals.count] / signals.interval_ticks
    nothing = np.zeros(signals.count)
    other = nothing if signals.other_kw is None else signals.other_kw
    sun = nothing if signals.onsite_kw is None else signals.onsite_kw
    added = np.maximum(0.0, own + other - sun) - np.maximum(0.0, other - sun)
    kwh: Floats = added * signals.interval_ticks * problem.tick_hours
    return kwh


def _measure(name: str) -> Measure:
    found = SHORT.get(name)
    if found is None:
        raise NotFound(Text("目标", "goal"), name, tuple(SHORT))
    return found


def _limit(name: str, text: str, problem: ScheduleProblem, naive: Answer | None) -> float:
    """Return a limit in the measure's unit: minutes become ticks, kg become grams, ``+5%`` is over the schedule in time."""
    measure = _measure(name)
    share = text.strip().endswith("%")
    try:
        number = float(text.strip().removesuffix("%"))
    except ValueError:
        message = Text(f"“{text}”不是限值。", f"'{text}' is no limit.")
        hint = Text("例如 makespan=480(分钟)、cost=12000(元)、carbon=900(kg)、makespan=+5%。", "For example makespan=480 (min), cost=12000 (CNY), carbon=900 (kg), makespan=+5%.")  # fmt: skip
        raise FaultyData([Problem("schedule.limit", message, hint)]) from None
    if share:
        if naive is None or naive.schedule is None:
            message = Text(
                "没有可比的基准排产, 不能写百分比。", "There is no schedule to compare with: a percentage says nothing."
            )
            raise FaultyData([Problem("schedule.limit_share", message, Text("请写数值。", "Write a figure."))])
        return naive.schedule.measures.value(measure) * (1.0 + number / 100.0)
    per = {"makespan_ticks": 60.0 / problem.tick_s, "tardiness_ticks": 60.0 / problem.tick_s, "carbon_gco2e": 1000.0}
    return number * per.get(measure, 1.0)


def told_measures(schedule: Schedule) -> dict[str, object]:
    """Return the measures of a schedule in units people read: minutes, CNY, kg."""
    found = schedule.measures
    minutes = schedule.problem.tick_s / 60.0
    return {
        "makespan_minutes": found.makespan_ticks * minutes,
        "tardiness_minutes": found.tardiness_ticks * minutes,
        "late_jobs": list(found.late_jobs),
        "cost_cny": round(found.cost_cny, 2),
        "carbon_kgco2e": round(found.carbon_gco2e / 1000.0, 3),
        "energy_kwh": round(found.energy_kwh, 3),
        "peak_kw": round(found.peak_kw, 3),
        "changes": found.changes,
    }
