"""What is to be scheduled: jobs of operations, machines with modes, set-ups, shifts and rest states, and what is wanted.

Time is whole ticks from the start of the horizon; ``tick_s`` says how long a tick is. An operation runs in one of its modes
without a break, inside one window of its machine's calendar, its set-up directly before it. Energy of a machine:

    work      the mode's power over its duration, as given (constant or in steps)
    set-up    the machine's set-up power
    rest      between two pieces of work the machine is in one of its rest states (idle, standby, off); a state takes ticks to
              enter and to leave and draws its own power then, so a short gap cannot be spent in a deep state
    edges     before its first and after its last work a machine is off; the first start draws the leaving ramp of ``starts_from``

Energy-conscious turning off and on: Mouzon, Yildirim and Twomey 2007, doi 10.1080/00207540701450013. Flexible job shop with
modes: Brandimarte 1993, doi 10.1007/BF02023073. Emissions are counted on what the grid gives: max(0, load − on-site) × intensity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Text

Floats = NDArray[np.float64]
Measure = Literal["makespan_ticks", "tardiness_ticks", "cost_cny", "carbon_gco2e", "changes"]
MEASURES: tuple[Measure, ...] = ("makespan_ticks", "tardiness_ticks", "cost_cny", "carbon_gco2e", "changes")
MEASURE_TITLES: Mapping[Measure, Text] = {
    "makespan_ticks": Text("完工时间", "makespan"),
    "tardiness_ticks": Text("加权拖期", "weighted tardiness"),
    "cost_cny": Text("电费", "cost of electricity"),
    "carbon_gco2e": Text("碳排放", "carbon"),
    "changes": Text("改动的工序数", "operations changed"),
}
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of a power profile."""

    ticks: int
    power_kw: float


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to do an operation: on which machine, how long, at what power.

    Parameters
    ----------
    power_kw : constant power; where ``steps`` are given they hold instead (their ticks add up to the duration).
    name : a speed or a recipe, where a machine offers several.
    """

    machine: str
    duration_ticks: int
    power_kw: float = 0.0
    steps: tuple[Step, ...] = ()
    name: str = ""

    def powers_kw(self) -> Floats:
        """Return the power in each tick of the operation.

        Examples
        --------
        >>> Mode("oven", 3, steps=(Step(1, 80.0), Step(2, 30.0))).powers_kw().tolist()
        [80.0, 30.0, 30.0]
        """
        if not self.steps:
            return np.full(self.duration_ticks, self.power_kw)
        return np.repeat([step.power_kw for step in self.steps], [step.ticks for step in self.steps])


@dataclass(frozen=True, slots=True)
class Operation:
    """One piece of work; ``family`` (a paint colour, a die) decides set-ups; it starts no earlier than its own release."""

    id: str
    modes: tuple[Mode, ...]
    family: str = ""
    release_tick: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """An order: operations in their order, when it may start, when it is wanted, how dear a tick of lateness is.

    ``chained`` false leaves the order of its operations to `ScheduleProblem.links`. ``due_is_hard`` makes lateness a fault.
    """

    id: str
    operations: tuple[Operation, ...]
    release_tick: int = 0
    due_tick: int | None = None
    weight: float = 1.0
    due_is_hard: bool = False
    chained: bool = True
    title: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """``after`` starts no earlier than ``least_ticks`` and, where given, no later than ``most_ticks`` after ``before`` ends."""

    before: str
    after: str
    least_ticks: int = 0
    most_ticks: int | None = None


@dataclass(frozen=True, slots=True)
class RestState:
    """How a machine waits: power while resting, and the time and power it takes to get into the state and out of it."""

    name: str
    power_kw: float
    enter_ticks: int = 0
    enter_kw: float = 0.0
    leave_ticks: int = 0
    leave_kw: float = 0.0

    @property
    def least_ticks(self) -> int:
        """The shortest gap that can be spent in this state."""
        return self.enter_ticks + self.leave_ticks


@dataclass(frozen=True, slots=True)
class Window:
    """Ticks [first, last) in which a machine may work."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine.

    Parameters
    ----------
    windows : its shifts, in order, apart from each other; none means always.
    setup_ticks : (family before, family after) → ticks; a pair that is absent needs none.
    first_family : what the machine is set up for at the start; None: no set-up before the first operation.
    rests : states of waiting, e.g. idle, standby, off; none means that waiting draws no power.
    starts_from : the rest state it is in before its first work (its leaving ramp is drawn); None: no ramp.
    """

    id: str
    windows: tuple[Window, ...] = ()
    setup_ticks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    setup_kw: float = 0.0
    first_family: str | None = None
    rests: tuple[RestState, ...] = ()
    starts_from: str | None = None
    title: str = ""
    place: str = "site"

    def setup(self, before: str | None, after: str) -> int:
        """Return the ticks of set-up between two families; the first operation follows `first_family`."""
        known = self.first_family if before is None else before
        return 0 if known is None else self.setup_ticks.get((known, after), 0)

    def start_ramp(self) -> RestState | None:
        """Return the rest state the machine starts from, if it has a ramp."""
        return next((rest for rest in self.rests if rest.name == self.starts_from), None)


@dataclass(frozen=True, slots=True)
class Buffer:
    """A store between operations: a part is in it from the end of ``before`` to the start of ``after``."""

    id: str
    capacity: int
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """What electricity costs and emits, in intervals of ``interval_ticks`` from the start of the horizon.

    Parameters
    ----------
    onsite_kw : on-site generation left for these machines. export_cny_per_kwh is what surplus earns.
    other_kw : load of everything else at the meter: it uses the on-site power first and counts toward the demand.
    demand_cny_per_kw : paid once for the highest mean power of an interval beyond ``paid_kw`` (what the month has reached).
    """

    interval_ticks: int
    price_cny_per_kwh: Floats
    intensity_gco2e_per_kwh: Floats
    onsite_kw: Floats | None = None
    other_kw: Floats | None = None
    export_cny_per_kwh: float = 0.0
    demand_cny_per_kw: float = 0.0
    paid_kw: float = 0.0

    @property
    def count(self) -> int:
        """How many intervals."""
        return len(self.price_cny_per_kwh)

    @property
    def is_linear(self) -> bool:
        """Whether cost and carbon are sums over operations: no on-site power and no demand charge."""
        return self.onsite_kw is None and self.demand_cny_per_kw == 0.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted: the least weighted sum of measures, each under its limit (epsilon constraint).

    Examples
    --------
    >>> Goal.of("carbon_gco2e", makespan_ticks=480).limits
    {'makespan_ticks': 480}
    """

    weights: Mapping[Measure, float] = field(default_factory=lambda: {"makespan_ticks": 1.0})
    limits: Mapping[Measure, float] = field(default_factory=dict)

    @classmethod
    def of(cls, measure: Measure, **limits: float) -> Goal:
        """Return the goal of one measure under limits of others."""
        return cls({measure: 1.0}, limits)  # type: ignore[arg-type]

    @property
    def needs_energy(self) -> bool:
        """Whether cost or carbon is part of it."""
        return bool({"cost_cny", "carbon_gco2e"} & {*(m for m, w in self.weights.items() if w), *self.limits})


@dataclass(frozen=True, eq=False)
class ScheduleProblem:
    """The whole problem; see `faults.faults` for what can be wrong with one.

    ``before`` (operation → mode, start) is the schedule that re-planning should stay near; ``fixed`` is frozen.
    Both hold (mode, start). ``origin`` says in which file and row a machine, job or operation stands, for faults.
    """

    machines: tuple[Machine, ...]
    jobs: tuple[Job, ...]
    links: tuple[Link, ...] = ()
    buffers: tuple[Buffer, ...] = ()
    goal: Goal = field(default_factory=Goal)
    signals: Signals | None = None
    horizon_ticks: int | None = None
    power_limit_kw: float | None = None
    start: datetime = EPOCH
    tick_s: int = 60
    fixed: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    before: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    name: str = ""
    origin: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Every operation by id."""
        return {one.id: one for job in self.jobs for one in job.operations}

    @cached_property
    def job_of(self) -> Mapping[str, Job]:
        """The job of every operation."""
        return {one.id: job for job in self.jobs for one in job.operations}

    @cached_property
    def machine(self) -> Mapping[str, Machine]:
        """Every machine by id."""
        return {one.id: one for one in self.machines}

    @cached_property
    def all_links(self) -> tuple[Link, ...]:
        """Links given and those of chained jobs."""
        chains = [
            Link(first.id, second.id)
            for job in self.jobs
            if job.chained
            for first, second in zip(job.operations, job.operations[1:], strict=False)
        ]
        return (*chains, *self.links)

    def release(self, operation: str) -> int:
        """Return the tick before which an operation may not start: its own release or that of its job."""
        return max(0, self.job_of[operation].release_tick, self.operations[operation].release_tick)

    @property
    def tick_hours(self) -> float:
        """Length of a tick in hours."""
        return self.tick_s / HOUR_S

    @cached_property
    def horizon(self) -> int:
        """Ticks in which everything must end: as given, else a bound in which any order fits."""
        if self.horizon_ticks is not None:
            return self.horizon_ticks
        work = sum(max((mode.duration_ticks for mode in one.modes), default=0) for one in self.operations.values())
        lags = sum(link.least_ticks for link in self.all_links)
        setups = max((max(m.setup_ticks.values(), default=0) for m in self.machines), default=0) * len(self.operations)
        release = max((self.release(name) for name in self.operations), default=0)
        shifts = max((window.last for m in self.machines for window in m.windows), default=0)
        return max(release + work + lags + setups, shifts)
