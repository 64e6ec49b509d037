"""The twin: exact results of two machines, machine cycles a second of both cores beside SimPy, a year of the reference plant."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import simpy

from zerofactory.errors import Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.line import Buffer, Failure, Line, Station, serial
from zerofactory.optimisation.twin.production import simulate
from zerofactory.optimisation.twin.serial import simulate as simulate_serial
from zerofactory.runs import init, twin_file
from zerofactory.runs.context import open_context

EXACT_GERSHWIN = 0.856175
DAY = 86_400.0
CYCLE, BETWEEN, REPAIR, ROOM = 60.0, 6000.0, 600.0, 20


def chain(stations: int, cycle: Spread, failure: Failure, room: int) -> Line:
    """Return a serial line of equal stations."""
    made = tuple(
        Station(
            f"s{i}", Text(f"s{i}", f"s{i}"), cycle, takes=(f"b{i}",) if i else (),
            gives=f"b{i + 1}" if i < stations - 1 else None, failure=failure,
        )
        for i in range(stations)
    )  # fmt: skip
    return Line(made, tuple(Buffer(f"b{i}", room) for i in range(1, stations)))


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of the quickest of three goes, the first (which may compile) apart."""
    work()
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def in_simpy(minutes: float) -> int:
    """Return the machine cycles of the same four-station line in SimPy."""
    env, random = simpy.Environment(), np.random.default_rng(1)
    stores = [simpy.Store(env, ROOM) for _ in range(3)]
    done = [0]

    def machine(place: int):  # type: ignore[no-untyped-def]
        left = random.exponential(BETWEEN)
        while True:
            if place:
                yield stores[place - 1].get()
            work = CYCLE
            while left <= work:
                yield env.timeout(left)
                work -= left
                yield env.timeout(random.exponential(REPAIR))
                left = random.exponential(BETWEEN)
            yield env.timeout(work)
            left -= work
            done[0] += 1
            if place < 3:
                yield stores[place].put(1)

    for place in range(4):
        env.process(machine(place))
    env.run(until=minutes * 60)
    return done[0]


PUBLISHED = ((2, 0, 2 / 3), (3, 0, 22 / 39), (4, 0, 0.5148), (3, 1, 0.6705), (4, 1, 0.6312))
"""Stations, places between, throughput of equal exponential stations (Hunt 1956; Hillier and Boling 1967)."""


def published_lines() -> None:
    """Print published throughputs beside what both cores simulate."""
    for stations, room, exact in PUBLISHED:
        last = stations - 1
        line = Line(
            tuple(
                Station(f"s{i}", Text(f"s{i}", f"s{i}"), Spread("exponential", 1.0), takes=(f"b{i}",) if i else (), gives=f"b{i + 1}" if i < last else None)
                for i in range(stations)
            ),
            tuple(Buffer(f"b{i + 1}", room, direct=room == 0) for i in range(last)),
        )  # fmt: skip
        order = list(serial(line) or ())
        recursion = [simulate_serial(line, order, 500_000, 5_000, 1, r).rate_per_s for r in range(8)]
        events = [float(simulate(line, 500_000.0, 10_000.0, 1, r).output[1:].mean()) / 10_000.0 for r in range(8)]
        told = ", ".join(
            f"{name} {np.mean(found):.4f} ± {np.std(found, ddof=1) / 8**0.5:.4f}"
            for name, found in (("recursion", recursion), ("events", events))
        )
        print(f"{stations} exponential stations, {room} between, published {exact:.4f}: {told}")


def run() -> None:
    """Print the figures."""
    geometric = Failure(Spread("geometric", 100.0), Spread("geometric", 10.0))
    two = replace(chain(2, Spread("fixed", 1.0), geometric, 10), blocks_before=True)
    order = list(serial(two) or ())
    rates = [simulate_serial(two, order, 5_000_000, 10_000, 1, r).rate_per_s for r in range(8)]
    error = float(np.std(rates, ddof=1) / 8**0.5)
    mean = float(np.mean(rates))
    print(f"two machines, exact Markov chain {EXACT_GERSHWIN}: simulated {mean:.6f}, {(mean - EXACT_GERSHWIN) / error:+.2f} standard errors ({error:.6f})")  # fmt: skip
    published_lines()
    failure = Failure(Spread("exponential", BETWEEN), Spread("exponential", REPAIR))
    four = chain(4, Spread("fixed", CYCLE), failure, ROOM)
    order = list(serial(four) or ())
    seconds = timed(lambda: simulate_serial(four, order, 5_000_000, 0))
    print(f"serial recursion: {20e6 / seconds / 1e6:.1f} M machine cycles a second")
    horizon = 60 * DAY
    cycles = simulate(four, horizon, DAY).machine_cycles
    events = cycles / timed(lambda: simulate(four, horizon, DAY))
    begun = time.perf_counter()
    theirs = in_simpy(20_000.0) / (time.perf_counter() - begun)
    print(
        f"event core: {events / 1e6:.2f} M machine cycles a second; SimPy {theirs / 1e6:.3f} M: {events / theirs:.0f}x"
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "plant"
        init.run(place, example="car-plant")
        context = open_context(place)
        twin = twin_file.read(context)
        year = replace(twin.line, windows=twin_file.windows(context.workspace.plant, date(2025, 1, 1), 365))
        simulate(year, DAY, 900.0)
        begun = time.perf_counter()
        found = simulate(year, 365 * DAY, 900.0)
        seconds = time.perf_counter() - begun
    print(f"a year of the reference plant in quarter hours: {seconds:.1f} s, {found.machine_cycles:,} machine cycles, {int(found.output.sum()):,} vehicles")  # fmt: skip


if __name__ == "__main__":
    run()
