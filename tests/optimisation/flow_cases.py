"""Small flow shops and their best plans by trying every one."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations, product

import numpy as np

from zerofactory.errors import Text
from zerofactory.optimisation.scheduling.flow_plan import measures
from zerofactory.optimisation.scheduling.flow_shop import Aim, FlowPlan, FlowShop, Lot, Stage, Task, Unit, Visit
from zerofactory.optimisation.scheduling.problem import RestState, Signals, Window

IDLE, OFF = RestState("idle", 40.0), RestState("off", 0.0, leave_ticks=2, leave_kw=60.0)


def signals(slots: int, seed: int, *, onsite: bool = True) -> Signals:
    rng = np.random.default_rng(seed)
    sun = rng.uniform(0.0, 120.0, slots) if onsite else None
    return Signals(
        1, rng.uniform(0.2, 1.2, slots), rng.uniform(100.0, 900.0, slots), sun, rng.uniform(0.0, 60.0, slots)
    )


def unit(name: str, **given: object) -> Unit:
    return Unit(name, Text(name, name), **given)  # type: ignore[arg-type]


def stage(name: str, *units: Unit, **given: object) -> Stage:
    return Stage(name, Text(name, name), units or (unit(f"{name}1"),), **given)  # type: ignore[arg-type]


def shop(stages: int, lots: int, slots: int, seed: int, *, rests: bool = False, aim: Aim | None = None) -> FlowShop:
    """Return a random shop of one line a stage."""
    rng = np.random.default_rng(1000 + seed)
    own = (IDLE, OFF) if rests else ()
    lines = tuple(
        stage(f"s{m}", unit(f"s{m}u", rests=own, starts_from="off" if rests else None)) for m in range(stages)
    )
    made = tuple(
        Lot(f"L{j}", tuple(Task(tuple(rng.uniform(20.0, 200.0, int(rng.integers(1, 4))))) for _ in range(stages)))
        for j in range(lots)
    )
    return FlowShop(lines, made, signals(slots, seed), aim or Aim())


def starts_of(durations: list[int], slots: int) -> list[tuple[int, ...]]:
    """Return every way to place tasks of these lengths one behind the other in so many slots."""
    idle, count = slots - sum(durations), len(durations)
    found = []
    for gaps in combinations(range(idle + count), count):
        before = [0, *np.cumsum(durations)[:-1].tolist()]
        found.append(tuple(place - k + before[k] for k, place in enumerate(gaps)))
    return found


def every_plan(problem: FlowShop) -> list[FlowPlan]:
    """Return every plan of a shop with one line a stage that keeps release, passages, shifts and the end."""
    plans = []
    for order in permutations(problem.lots):
        lines = []
        for m in range(len(problem.stages)):
            lines.append(starts_of([lot.tasks[m].slots for lot in order], problem.slots))
        for chosen in product(*lines):
            if all(
                first[k] + order[k].tasks[m].slots <= second[k]
                for m, (first, second) in enumerate(pairwise(chosen))
                for k in range(len(order))
            ):
                plans += _with_rests(problem, order, chosen)
    return plans


def _with_rests(problem: FlowShop, order: tuple[Lot, ...], chosen: tuple[tuple[int, ...], ...]) -> list[FlowPlan]:
    names = [visit for m in range(len(problem.stages)) for visit in [(m, k) for k in range(len(order))]]
    choices = []
    for m, k in names:
        rests = problem.stages[m].units[0].rests
        first = problem.stages[m].units[0].starts_from
        free = chosen[m][k - 1] + order[k - 1].tasks[m].slots if k else 0
        fitting = [one.name for one in rests if chosen[m][k] - one.leave_ticks >= free and (k or one.name == first)]
        choices.append(fitting if rests else [""])
    found = []
    for rests in product(*choices):
        visits = tuple(
            Visit(order[k].id, problem.stages[m].id, problem.stages[m].units[0].id, chosen[m][k], chosen[m][k] + order[k].tasks[m].slots, rest)
            for (m, k), rest in zip(names, rests, strict=True)
        )  # fmt: skip
        found.append(FlowPlan(tuple(lot.id for lot in order), visits))
    return found


def best_by_trying(problem: FlowShop) -> float:
    """Return the least objective of all plans."""
    return min(measures(problem, plan).objective for plan in every_plan(problem))


def car_line(slots: int = 60) -> FlowShop:
    """Return a small line with everything: two paint lines, colours, shifts, a store, a passage, a longest wait, rests, due dates."""
    press = stage("press", unit("press1", rests=(IDLE, OFF), starts_from="off", windows=(Window(0, 40),)), store_lots=3)
    colours = {(a, b): 1 for a in ("red", "blue") for b in ("red", "blue") if a != b}
    paint = stage(
        "paint", unit("paint1", rests=(IDLE, OFF), starts_from="off"), unit("paint2", rests=(IDLE, OFF), starts_from="off"),
        setup_slots=colours, setup_cny=dict.fromkeys(colours, 50.0), setup_gco2e=dict.fromkeys(colours, 9000.0), setup_kw=30.0,
        passage_slots=2, longest_wait_slots=6,
    )  # fmt: skip
    final = stage("final", unit("final1", rests=(IDLE, OFF), starts_from="off"))
    lots = tuple(
        Lot(f"L{k}", (Task((90.0, 90.0)), Task((150.0, 140.0, 140.0), "red" if (k // 2) % 2 else "blue"), Task((60.0, 60.0))), due_slot=30 + 3 * k, pieces=10.0, variant="ab"[k // 4])
        for k in range(8)
    )  # fmt: skip
    return FlowShop((press, paint, final), lots, signals(slots, 5), Aim(1.0, 100.0, 50_000.0))
