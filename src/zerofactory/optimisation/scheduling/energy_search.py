"""The exact search over starts, modes, order and rest states, for any goal: arrays, threads and cooling.

It keeps calendars, links with least and longest waits, set-ups, spans, frozen operations and limits. Buffers and a power limit
are not looked at inside: schedules that break them are refused by the caller's check.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from zerofactory.optimisation.scheduling.energy_kernel import (
    NONE,
    Aim,
    Choice,
    Floats,
    Ints,
    Meter,
    Plant,
    anneal,
    value,
)
from zerofactory.optimisation.scheduling.faults import spans
from zerofactory.optimisation.scheduling.problem import MEASURES, ScheduleProblem, Signals
from zerofactory.optimisation.scheduling.schedule import Task, at_meter, tick_price
from zerofactory.optimisation.scheduling.tabu import arrays

CHUNK = 20_000  # moves between two looks at the clock
WARM, WARMEST, COLD = 0.6, 0.1, 1e-6  # first temperature: of the goal an operation has on average; of the goal; last
NO_LIMIT = 1e300
RUNS = 4  # times a search is cooled, each from the best


@dataclass(slots=True)
class _Run:
    """One thread's search: where it is, its best, their values, its random state."""

    now: Choice
    best: Choice
    values: Floats
    state: Ints


class EnergySearch:
    """Simulated annealing from given schedules, on as many threads as are given."""

    def __init__(self, problem: ScheduleProblem, threads: int = 1, seed: int = 1) -> None:
        self.problem = problem
        self.names = list(problem.operations)
        self.given = (_plant(problem), _meter(problem), _aim(problem))
        self._threads, self._seed = threads, seed
        self._runs: list[_Run] = []

    def begin(self, starts: Sequence[Sequence[Task]]) -> None:
        """Give each thread a schedule to begin from."""
        plant, meter, aim = self.given
        for number in range(self._threads):
            now = self._choice(starts[number % len(starts)])
            load, late = np.zeros(len(meter.price)), np.zeros(len(aim.due))
            first = float(value(plant, now, meter, aim, load, late))
            best = Choice(*(part.copy() for part in now))
            state = np.array([(self._seed + 7919 * number) % 2147483646 + 1], dtype=np.int64)
            self._runs.append(_Run(now, best, np.array([first, first]), state))

    def run(self, seconds: float, moves: int | None = None) -> float:
        """Search for so long, or for so many moves of each thread; return the least goal found."""
        with ThreadPoolExecutor(self._threads) as pool:
            for job in [pool.submit(self._one, one, seconds, moves) for one in self._runs]:
                job.result()
        return min(float(one.values[1]) for one in self._runs)

    def _one(self, one: _Run, seconds: float, moves: int | None) -> None:
        begun = time.perf_counter()
        scale = max(abs(float(one.values[1])), 1e-9)
        done, total = 0, 0.0
        while total < 1.0:
            part = (total * RUNS) % 1.0
            first = min(WARMEST, WARM / len(self.names)) / (1.0 + int(total * RUNS) // 2)
            warm = scale * first * (COLD / first) ** part
            if part < 1.0 / RUNS / 4 and done:
                for mine, own in zip(one.now, one.best, strict=True):
                    mine[:] = own
                one.values[0] = one.values[1]
            chunk = CHUNK if moves is None else min(CHUNK, moves - done)
            chunk = 100 if not done else chunk
            anneal(self.given, one.now, one.best, one.values, one.state, np.array([warm, warm * 0.9, float(chunk)]))
            done += chunk
            total = done / moves if moves is not None else (time.perf_counter() - begun) / max(seconds, 1e-9)

    def tasks(self) -> tuple[Task, ...]:
        """Return the best schedule found."""
        one = min(self._runs, key=lambda each: float(each.values[1]))
        first = self.given[0].mode_at
        return tuple(
            Task(name, int(one.best.mode[v] - first[v]), int(one.best.start[v])) for v, name in enumerate(self.names)
        )

    def _choice(self, tasks: Sequence[Task]) -> Choice:
        number = {name: v for v, name in enumerate(self.names)}
        count = len(self.names)
        mode, start, left, right = (np.full(count, NONE, dtype=np.int64) for _ in range(4))
        first = np.full(len(self.problem.machines), NONE, dtype=np.int64)
        last = first.copy()
        for task in sorted(tasks, key=lambda one: one.start):
            v = number[task.operation]
            mode[v], start[v] = self.given[0].mode_at[v] + task.mode, task.start
            k = int(self.given[0].mode_machine[mode[v]])
            if last[k] == NONE:
                first[k] = v
            else:
                left[v], right[last[k]] = last[k], v
            last[k] = v
        return Choice(mode, start, left, right, first)


def _plant(problem: ScheduleProblem) -> Plant:
    shop, number = arrays(problem), {name: v for v, name in enumerate(problem.operations)}
    span = spans(problem)
    steps = []
    for one in problem.operations.values():
        for mode in one.modes:
            steps.append([(s.ticks, s.power_kw) for s in mode.steps] or [(mode.duration_ticks, mode.power_kw)])
    most_before: list[int] = []
    most_after: list[int] = []
    for most, side in ((most_before, "after"), (most_after, "before")):
        lists: list[list[int]] = [[] for _ in number]
        for link in problem.all_links:
            lists[number[getattr(link, side)]].append(NONE if link.most_ticks is None else link.most_ticks)
        most += [value for one in lists for value in one]
    earliest = np.array([span[name].first for name in number], dtype=np.int64)
    latest = np.array([span[name].last for name in number], dtype=np.int64)
    for name, (mode_index, at) in problem.fixed.items():
        v = number[name]
        earliest[v] = at
        latest[v] = at + problem.operations[name].modes[mode_index].duration_ticks
    ramps = [machine.start_ramp() for machine in problem.machines]
    windows = [[(w.first, w.last) for w in machine.windows] for machine in problem.machines]
    rests = [(r.power_kw, r.enter_ticks, r.enter_kw, r.leave_ticks, r.leave_kw) for m in problem.machines for r in m.rests]  # fmt: skip
    return Plant(
        shop.mode_at, shop.mode_machine, shop.mode_ticks,
        _at([len(one) for one in steps]), _whole([t for one in steps for t, _ in one]), np.array([kw for one in steps for _, kw in one], dtype=np.float64),
        shop.before_at, shop.before, shop.before_wait, _whole(most_before),
        shop.after_at, shop.after, shop.after_wait, _whole(most_after),
        earliest, latest, shop.family, shop.setup, np.array([m.setup_kw for m in problem.machines], dtype=np.float64),
        _at([len(one) for one in windows]), _whole([a for one in windows for a, _ in one]), _whole([b for one in windows for _, b in one]),
        _at([len(m.rests) for m in problem.machines]), np.array(rests, dtype=np.float64).reshape(-1, 5),
        np.array([(r.leave_ticks, r.leave_kw) if r else (0.0, 0.0) for r in ramps], dtype=np.float64).reshape(-1, 2),
    )  # fmt: skip


def _meter(problem: ScheduleProblem) -> Meter:
    signals = problem.signals or Signals(problem.horizon + 1, np.zeros(1), np.zeros(1))
    nothing = np.zeros(signals.count)
    other = nothing if signals.other_kw is None else signals.other_kw
    onsite = nothing if signals.onsite_kw is None else signals.onsite_kw
    running = np.concatenate([[0.0], np.cumsum(tick_price(problem))])
    figures = (float(signals.interval_ticks), problem.tick_hours, signals.export_cny_per_kwh, signals.demand_cny_per_kw, signals.paid_kw)  # fmt: skip
    return Meter(
        np.asarray(signals.price_cny_per_kwh, dtype=np.float64),
        np.asarray(signals.intensity_gco2e_per_kwh, dtype=np.float64),
        np.asarray(other - onsite, dtype=np.float64),
        running,
        np.array(figures),
        np.array(at_meter(signals, nothing, problem.tick_hours)),
    )


def _aim(problem: ScheduleProblem) -> Aim:
    goal, jobs = problem.goal, {job.id: j for j, job in enumerate(problem.jobs)}
    shop_modes = arrays(problem).mode_at
    before_mode, before_start = (np.full(len(problem.operations), NONE, dtype=np.int64) for _ in range(2))
    for v, name in enumerate(problem.operations):
        if name in problem.before:
            before_mode[v], before_start[v] = shop_modes[v] + problem.before[name][0], problem.before[name][1]
    return Aim(
        np.array([float(goal.weights.get(name, 0.0)) for name in MEASURES]),
        np.array([float(goal.limits.get(name, NO_LIMIT)) for name in MEASURES]),
        _whole([jobs[job.id] for job in problem.job_of.values()]),
        _whole([NONE if job.due_tick is None else job.due_tick for job in problem.jobs]),
        np.array([job.weight for job in problem.jobs], dtype=np.float64),
        before_mode,
        before_start,
    )


def _at(counts: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _whole(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
