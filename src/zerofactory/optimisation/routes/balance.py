"""What one good body takes by a route: metal, energy and everything else, back along the steps.

For a step with yield y and share of good parts g, to send M kg of good metal on it takes

    in = M / (g · y),   trimmed = in · (1 − y),   rejected = in · y · (1 − g)

and to send P good parts on it starts P / g. Joining multiplies: an assembly that is scrapped takes its parts with it. Metal
that goes back to the melt comes out again by the branch's recovery ρ, so that new metal = in of the first step − ρ · returned
(material balance of a steady state, ISO 14051:2011, clause 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zerofactory.optimisation.routes.route import Branch, Equipment, Fate, Input, Per, Route, Step, Tooling


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes a step for one good body: kg in, kg of good metal out, parts started and bodies started."""

    kg_in: float
    kg_out: float
    parts: float
    bodies: float
    joints: float

    def count(self, per: Per) -> float:
        """Return how many of a thing pass: kg in, kg out (rejects included), parts, bodies, joints."""
        return {
            "kg_in": self.kg_in,
            "kg_out": self.kg_out,
            "part": self.parts,
            "body": self.bodies,
            "joint": self.joints,
        }[per]


@dataclass(frozen=True, slots=True)
class Worked:
    """One step of a route for one good body, and the metal that left it otherwise than in good parts."""

    branch: str
    step: Step
    passing: Passing
    scrap_kg: float

    @property
    def fate(self) -> Fate:
        """Where that metal goes."""
        return self.step.fate


@dataclass(frozen=True, slots=True)
class Metal:
    """The metal of a branch for one good body."""

    branch: Branch
    new_kg: float
    charged_kg: float
    net_kg: float
    sold_kg: float
    remelted_kg: float
    lost_kg: float

    @property
    def utilisation_fraction(self) -> float:
        """Metal in the body ÷ new metal bought."""
        return self.net_kg / self.new_kg


@dataclass(frozen=True, slots=True)
class Taking:
    """An amount of one input for one good body."""

    step: str
    input: Input
    quantity: float


@dataclass(frozen=True, slots=True)
class Body:
    """Everything one good body takes by a route."""

    route: Route
    steps: tuple[Worked, ...]
    metals: tuple[Metal, ...]
    takings: tuple[Taking, ...]

    @property
    def net_kg(self) -> float:
        """Metal in the body."""
        return sum(metal.net_kg for metal in self.metals)

    @property
    def new_kg(self) -> float:
        """Metal bought."""
        return sum(metal.new_kg for metal in self.metals)

    def quantity(self, source_kind: str, item: str | None = None) -> float:
        """Return how much is taken of a kind of source (and item), in its unit."""
        return sum(
            one.quantity
            for one in self.takings
            if one.input.source_kind == source_kind and item in (None, one.input.item)
        )

    def stations(self) -> Iterator[tuple[Worked, Equipment]]:
        """Yield the steps that stand on equipment."""
        for worked in self.steps:
            if worked.step.equipment is not None:
                yield worked, worked.step.equipment

    def tools(self) -> Iterator[tuple[Worked, Tooling]]:
        """Yield the steps that need tooling."""
        for worked in self.steps:
            if worked.step.tooling is not None:
                yield worked, worked.step.tooling


def body_of(route: Route) -> Body:
    """Return what one good body takes.

    >>> from zerofactory.optimisation.routes.load import packaged
    >>> body = body_of(packaged()["integrated_casting"])
    >>> round(body.net_kg, 1), round(body.new_kg, 1)
    (60.0, 65.4)
    """
    joined = _joined(route.joining)
    started = joined[0].passing.bodies if joined else 1.0
    steps: list[Worked] = []
    metals: list[Metal] = []
    for branch in route.branches:
        done = _branch(branch, started)
        steps += done
        metals.append(_metal(branch, done, started))
    steps += joined
    takings = [Taking(metal.branch.id, metal.branch.metal, metal.new_kg) for metal in metals]
    takings += [
        Taking(worked.step.id, one, one.amount.value * worked.passing.count(one.per))
        for worked in steps
        for one in worked.step.inputs
    ]
    return Body(route, tuple(steps), tuple(metals), tuple(takings))


def _joined(joining: Sequence[Step]) -> list[Worked]:
    """Return the joining steps, back from one good body."""
    found: list[Worked] = []
    out = 1.0
    for step in reversed(joining):
        started = out / step.good_fraction.value
        joints = started * (step.joints.value if step.joints else 0.0)
        found.append(Worked("", step, Passing(0.0, 0.0, started, started, joints), 0.0))
        out = started
    return found[::-1]


def _branch(branch: Branch, bodies: float) -> list[Worked]:
    """Return the steps of a branch, back from the metal and parts that joining takes."""
    found: list[Worked] = []
    kg, parts = branch.net_kg.value * bodies, branch.parts.value * bodies
    for step in reversed(branch.steps):
        good, share = step.good_fraction.value, step.mass_yield_fraction.value if step.mass_yield_fraction else 1.0
        kg_in, made = kg / (good * share), parts / good
        joints = bodies * (step.joints.value if step.joints else 0.0)
        found.append(Worked(branch.id, step, Passing(kg_in, kg_in * share, made, bodies / good, joints), kg_in - kg))
        kg, parts = kg_in, made
    return found[::-1]


def _metal(branch: Branch, steps: Sequence[Worked], bodies: float) -> Metal:
    charged = steps[0].passing.kg_in if steps else branch.net_kg.value * bodies
    by_fate = {fate: sum(one.scrap_kg for one in steps if one.fate == fate) for fate in ("sold", "remelted", "lost")}
    recovered = branch.remelt_recovery_fraction.value if branch.remelt_recovery_fraction else 1.0
    net = branch.net_kg.value
    scrapped = net * (bodies - 1.0)
    return Metal(
        branch,
        new_kg=charged - recovered * by_fate["remelted"],
        charged_kg=charged,
        net_kg=net,
        sold_kg=by_fate["sold"] + scrapped,
        remelted_kg=recovered * by_fate["remelted"],
        lost_kg=by_fate["lost"] + (1.0 - recovered) * by_fate["remelted"],
    )
