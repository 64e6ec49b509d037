"""A line of stages that lots pass in one order: flow shop, hybrid flow shop, car line.

    stages      each with one or more units (lines) working side by side; a unit has shifts and rest states
    lots        one task a stage: power in each slot, a family that decides set-ups (a paint colour, a die)
    between     a store of so many lots, a passage that takes slots, a longest wait (a body must not rest before the oven)
    order       the same at every stage (permutation); a task of no slots still keeps its place in it

Emissions are counted on what the grid gives, max(0, load − on-site) × intensity: the carbon-aware permutation flow shop of
Mencaroni, Leyman, Raa, De Vuyst and Claeys 2025, doi 10.1016/j.jclepro.2025.146787. What the lines add to the rest of the
plant is the difference with and without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Text
from zerofactory.optimisation.scheduling.problem import EPOCH, RestState, Signals, Window

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unit:
    """One line of a stage.

    Parameters
    ----------
    rests : how it waits; the first must need no time to leave (idle). None: waiting draws nothing.
    starts_from : the rest it is in at the start; its leaving (warming up) is drawn. None: ready.
    windows : its shifts in slots; none means always. Set-ups and warming up may lie outside them.
    """

    id: str
    title: Text
    rests: tuple[RestState, ...] = ()
    starts_from: str | None = None
    windows: tuple[Window, ...] = ()
    place: str = "site"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage and what lies behind it.

    Parameters
    ----------
    setup_slots, setup_cost : (family before, family after) → slots, and what the change costs in the unit of the objective's
        money (purged paint, say); pairs that are absent need neither.
    setup_cny : the same in CNY.
    store_lots : lots that may wait behind the stage; None: any number. passage_slots: from here to the next stage.
    longest_wait_slots : after the passage; None: any.
    """

    id: str
    title: Text
    units: tuple[Unit, ...]
    setup_slots: Mapping[tuple[str, str], int] = field(default_factory=dict)
    setup_cny: Mapping[tuple[str, str], float] = field(default_factory=dict)
    setup_gco2e: Mapping[tuple[str, str], float] = field(default_factory=dict)
    setup_kw: float = 0.0
    store_lots: int | None = None
    passage_slots: int = 0
    longest_wait_slots: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A lot's work at a stage: the power in each slot (none: it passes without work), family, units that can do it (none: all)."""

    power_kw: tuple[float, ...]
    family: str = ""
    units: tuple[str, ...] = ()

    @property
    def slots(self) -> int:
        """How long it takes."""
        return len(self.power_kw)


@dataclass(frozen=True, slots=True)
class Lot:
    """Vehicles (or parts) that go together.

    Parameters
    ----------
    due_slot : the slot by whose start it is wanted; ``weight`` is how dear a slot of lateness is beside others.
    deadline_slot : as due_slot, but not to be missed.
    options : for rules of the sequence (most m in any n lots).
    entry : the stage (from 0) at which it comes in; the stages before are done and its tasks there empty.
    """

    id: str
    tasks: tuple[Task, ...]
    release_slot: int = 0
    due_slot: int | None = None
    deadline_slot: int | None = None
    weight: float = 1.0
    pieces: float = 1.0
    variant: str = ""
    options: tuple[str, ...] = ()
    entry: int = 0


@dataclass(frozen=True, slots=True)
class SequenceRule:
    """In any ``among`` lots in a row at most ``most`` have the option (a long operation at a station, say)."""

    option: str
    most: int
    among: int


@dataclass(frozen=True, slots=True)
class Aim:
    """Weights of what is to be least; each in its own unit.

    ``carbon`` per gCO2e, ``cost`` per CNY, ``tardiness`` per slot and lot weight, ``makespan`` per slot, ``spread`` per unit of
    the levelling sum (pieces²), ``rule`` per broken rule.
    """

    carbon: float = 1.0
    cost: float = 0.0
    tardiness: float = 0.0
    makespan: float = 0.0
    spread: float = 0.0
    rule: float = 0.0


@dataclass(frozen=True, eq=False)
class FlowShop:
    """The whole problem; `flow_faults.faults` names what can be wrong with one. The horizon is as long as the signals."""

    stages: tuple[Stage, ...]
    lots: tuple[Lot, ...]
    signals: Signals
    aim: Aim = field(default_factory=Aim)
    rules: tuple[SequenceRule, ...] = ()
    start: datetime = EPOCH
    slot_minutes: int = 15
    name: str = ""
    file: str | None = None

    @cached_property
    def slots(self) -> int:
        """How many slots there are."""
        return self.signals.count * self.signals.interval_ticks

    @property
    def slot_hours(self) -> float:
        """Length of a slot in hours."""
        return self.slot_minutes / 60.0

    @cached_property
    def spare_kw(self) -> Floats:
        """On-site power less the load of everything else; below zero the plant already draws from the grid."""
        zero = np.zeros(self.signals.count)
        onsite = zero if self.signals.onsite_kw is None else self.signals.onsite_kw
        other = zero if self.signals.other_kw is None else self.signals.other_kw
        return self.by_slot(onsite - other)

    def by_slot(self, series: Floats) -> Floats:
        """Return a series of signal intervals by slot."""
        return np.repeat(np.asarray(series, dtype=np.float64), self.signals.interval_ticks)

    @cached_property
    def weight(self) -> Floats:
        """What a kilowatt from the grid over a slot adds to the objective."""
        price, intensity = self.signals.price_cny_per_kwh, self.signals.intensity_gco2e_per_kwh
        return self.by_slot(self.aim.carbon * intensity + self.aim.cost * price) * self.slot_hours

    def setup(self, stage: Stage, before: str, after: str) -> float:
        """Return what a set-up adds to the objective besides its power."""
        pair = before, after
        return self.aim.cost * stage.setup_cny.get(pair, 0.0) + self.aim.carbon * stage.setup_gco2e.get(pair, 0.0)


@dataclass(frozen=True, slots=True)
class Visit:
    """A lot at a stage: which unit, which slots, and the rest of the unit before it ('' none)."""

    lot: str
    stage: str
    unit: str
    start_slot: int
    end_slot: int
    rest: str = ""


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """The order of the lots and every visit."""

    order: tuple[str, ...]
    visits: tuple[Visit, ...]

    def end_slot(self) -> int:
        """Return the slot in which everything is done."""
        return max((visit.end_slot for visit in self.visits), default=0)
