"""Tabu search for the makespan of flexible job shops: arrays for the compiled loop, several starts, threads side by side.

It keeps links with least waits, releases, set-ups by family and modes. Calendars, longest waits, buffers and power limits are
not part of its graph: for such problems its order of operations is only a hint (`order_of`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.scheduling.problem import ScheduleProblem
from zerofactory.optimisation.scheduling.schedule import Task
from zerofactory.optimisation.scheduling.tabu_kernel import (
    BEST,
    BIG,
    NONE,
    RANDOM,
    Memory,
    Shop,
    State,
    evaluate,
    search,
)

Ints = NDArray[np.int64]
CHUNK = 2000  # iterations between two looks at the clock
PATIENCE = 3000  # iterations without a better answer before a search is shaken
SHAKE = 15  # random moves by which it is shaken


@dataclass(slots=True)
class _Search:
    """One thread's search."""

    state: State
    best: State
    memory: Memory


class Tabu:
    """Searches on one problem that can go on where they stopped.

    Parameters
    ----------
    problem : ScheduleProblem
        Without fault. threads : searches side by side, each with its own seed.
    """

    def __init__(self, problem: ScheduleProblem, threads: int = 1, seed: int = 1) -> None:
        self.problem = problem
        self.shop = arrays(problem)
        self.names = list(problem.operations)
        self._searches: list[_Search] = []
        self._threads, self._seed = threads, seed
        self.iterations = 0

    @property
    def best_ticks(self) -> int:
        """The least makespan found."""
        return min((int(one.memory.counts[BEST]) for one in self._searches), default=BIG)

    def begin(self, starts: Sequence[Sequence[Task]]) -> None:
        """Give each thread a schedule to begin from (its order of operations)."""
        for number in range(self._threads):
            state = self._state(starts[number % len(starts)])
            memory = _memory(len(self.names), int(self.shop.setup.shape[0]), self._seed + 7919 * number)
            evaluate(self.shop, state, memory)
            best = State(*(part.copy() for part in state))
            memory.counts[BEST] = memory.counts[4]
            self._searches.append(_Search(state, best, memory))

    def run(self, seconds: float, iterations: int, bound: int = 0) -> int:
        """Search until the time, the iterations of each thread or the bound are reached; return the best makespan."""
        limit = time.perf_counter() + seconds
        with ThreadPoolExecutor(self._threads) as pool:
            jobs = [pool.submit(self._one, one, (limit, iterations, bound)) for one in self._searches]
            self.iterations += sum(job.result() for job in jobs)
        return self.best_ticks

    def _one(self, one: _Search, limits: tuple[float, int, int]) -> int:
        until, iterations, bound = limits
        done = 0
        while done < iterations and time.perf_counter() < until and int(one.memory.counts[BEST]) > bound:
            chunk = min(CHUNK if done else 50, iterations - done)
            given = np.array([chunk, bound, PATIENCE, SHAKE], dtype=np.int64)
            search(self.shop, one.state, one.best, one.memory, given)
            done += chunk
        return done

    def tell(self, tasks: Sequence[Task], makespan: int) -> None:
        """Let the worst thread go on from an answer found elsewhere, when it is better than its own."""
        worst = max(self._searches, key=lambda one: int(one.memory.counts[BEST]))
        if makespan < int(worst.memory.counts[BEST]):
            for mine, given in zip(worst.state, self._state(tasks), strict=True):
                mine[:] = given
            worst.memory.tabu[:] = 0

    def tasks(self) -> tuple[Task, ...]:
        """Return the best schedule found: every operation at its earliest start."""
        one = min(self._searches, key=lambda each: int(each.memory.counts[BEST]))
        memory = _memory(len(self.names), int(self.shop.setup.shape[0]), 1)
        evaluate(self.shop, one.best, memory)
        first = self.shop.mode_at
        return tuple(
            Task(name, int(one.best.mode[v] - first[v]), int(memory.head[v])) for v, name in enumerate(self.names)
        )

    def _state(self, tasks: Sequence[Task]) -> State:
        number = {name: v for v, name in enumerate(self.names)}
        count = len(self.names)
        mode, ticks, left, right = (np.full(count, NONE, dtype=np.int64) for _ in range(4))
        first = np.full(len(self.problem.machines), NONE, dtype=np.int64)
        last = first.copy()
        for task in sorted(tasks, key=lambda one: one.start):
            v = number[task.operation]
            mode[v] = self.shop.mode_at[v] + task.mode
            ticks[v] = self.shop.mode_ticks[mode[v]]
            k = int(self.shop.mode_machine[mode[v]])
            if last[k] == NONE:
                first[k] = v
            else:
                left[v], right[last[k]] = last[k], v
            last[k] = v
        return State(mode, ticks, left, right, first)


def _memory(count: int, machines: int, seed: int) -> Memory:
    scratch = [np.zeros(count, dtype=np.int64) for _ in range(6)]  # order, place, heads and tails, with and without
    counters = np.zeros(5, dtype=np.int64)
    counters[BEST], counters[RANDOM] = BIG, seed % 2147483646 + 1
    order, place, head, tail, head_without, tail_without = scratch
    tabu = np.zeros((count, machines), dtype=np.int64)
    return Memory(tabu, order, place, head, tail, head_without, tail_without, counters)


def arrays(problem: ScheduleProblem) -> Shop:
    """Return the arrays of a problem."""
    number = {name: v for v, name in enumerate(problem.operations)}
    machines = {machine.id: k for k, machine in enumerate(problem.machines)}
    families = {name: f for f, name in enumerate(dict.fromkeys(one.family for one in problem.operations.values()))}
    modes = [[(machines[m.machine], m.duration_ticks) for m in one.modes] for one in problem.operations.values()]
    before: list[list[tuple[int, int]]] = [[] for _ in number]
    after: list[list[tuple[int, int]]] = [[] for _ in number]
    for link in problem.all_links:
        a, b = number[link.before], number[link.after]
        before[b].append((a, link.least_ticks))
        after[a].append((b, link.least_ticks))
    setup = np.zeros((len(machines), len(families) + 1, len(families)), dtype=np.int64)
    for k, machine in enumerate(problem.machines):
        for name, column in families.items():
            setup[k, -1, column] = machine.setup(None, name)
            for other, row in families.items():
                setup[k, row, column] = machine.setup(other, name)
    release = np.array([problem.release(name) for name in number], dtype=np.int64)
    kept = np.array([int(setup.any())], dtype=np.int64)
    family = np.array([families[one.family] for one in problem.operations.values()], dtype=np.int64)
    return Shop(*_flat(modes), *_flat(before), *_flat(after), release, family, setup, kept)


def _flat(lists: list[list[tuple[int, int]]]) -> tuple[Ints, Ints, Ints]:
    at = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
    pairs = np.array([pair for one in lists for pair in one], dtype=np.int64).reshape(-1, 2)
    return at, np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def plain_bound(problem: ScheduleProblem) -> int:
    """Return a makespan that no schedule can beat: longest chain, and work confined to each machine.

    Examples
    --------
    >>> from zerofactory.optimisation.scheduling.fjs import parse
    >>> plain_bound(parse("2 1\\n1 1 1 4\\n1 1 1 3\\n"))
    7
    """
    from zerofactory.optimisation.scheduling.faults import spans

    found = spans(problem)
    least = {name: min(mode.duration_ticks for mode in one.modes) for name, one in problem.operations.items()}
    chain = max(found[name].first + least[name] for name in least)
    work: dict[str, int] = {}
    every = 0
    for name, one in problem.operations.items():
        every += least[name]
        names = {mode.machine for mode in one.modes}
        if len(names) == 1:
            work[next(iter(names))] = work.get(next(iter(names)), 0) + least[name]
    return max([chain, -(-every // max(1, len(problem.machines))), *work.values()])
