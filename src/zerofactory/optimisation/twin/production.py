"""Simulate a line: arrays from the description, one run of the event core, and what came of it by station and interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import FaultyData, Problem, Text, refuse
from zerofactory.optimisation.twin import events, records, tally
from zerofactory.optimisation.twin.draw import streams
from zerofactory.optimisation.twin.heap import Queue, push, queue
from zerofactory.optimisation.twin.line import IDLE, STATES, Buffer, Line, Window, faults, serial
from zerofactory.optimisation.twin.records import NOBODY, World
from zerofactory.optimisation.twin.serial import NEVER, NONE_S
from zerofactory.optimisation.twin.start import State, set_out

Floats = NDArray[np.float64]
COUNTS = ("made", "scrapped", "reworked", "finished", "failures", "setups")
PURPOSES = ("cycle", "between", "repair", "judged")
ALWAYS = (Window(0.0, inf),)
MOST_TIMES = 1e9
"""Cycles or failures of one station in one run: minutes of computing; more is a slip of the unit, not a line."""


@dataclass(frozen=True)
class Run:
    """What one run came to.

    Parameters
    ----------
    seconds : machine-seconds by station × interval × state (`line.STATES`).
    counts : by station × interval × what is counted (`COUNTS`).
    finished : pieces by interval × family.
    passage_s : mean time of a finished piece in the line.
    machine_cycles, events : how many there were.
    """

    line: Line
    step_s: float
    horizon_s: float
    seed: int
    replication: int
    seconds: Floats
    counts: NDArray[np.int64]
    finished: NDArray[np.int64]
    passage_s: float
    machine_cycles: int
    events: int

    def count(self, what: str, station: str | None = None, first: int = 0) -> int:
        """Return a count over all intervals from ``first`` on, at one station or all."""
        rows = self.counts[:, first:, COUNTS.index(what)]
        return int(rows.sum() if station is None else rows[self.line.place(station)].sum())

    @property
    def output(self) -> NDArray[np.int64]:
        """Finished pieces by interval."""
        made: NDArray[np.int64] = self.finished.sum(axis=1)
        return made


def simulate(
    line: Line,
    horizon_s: float,
    step_s: float = 900.0,
    seed: int = 0,
    replication: int = 0,
    state: State | None = None,
) -> Run:
    """Return a run over ``horizon_s`` seconds, in intervals of ``step_s``, from an empty line or from a state of it.

    Raises
    ------
    FaultyData
        The line or the state has faults, or the line stood still for good: every piece waits for another.
    """
    world = opened(line, horizon_s, step_s, seed, replication)
    waiting = begin(world)
    if state is not None:
        set_out(world, waiting, line, state)
    events.run(world, waiting, float(horizon_s))
    return ended(world, line, seed, replication)


def opened(line: Line, horizon_s: float, step_s: float, seed: int, replication: int) -> World:
    """Return a line without faults at the beginning of a run; raise `FaultyData` with all that it has."""
    problems = faults(line)
    if line.blocks_before and serial(line) is None:
        problems.append(_only_serial())
    refuse(problems or list(_too_much(line, horizon_s)))
    return arrays(line, horizon_s, step_s, seed, replication)


def ended(world: World, line: Line, seed: int, replication: int) -> Run:
    """Return what a run came to at its end; raise `FaultyData` where it stood still for good."""
    clock, states = world.clock[0], len(STATES)
    events.settle(world, float(clock["horizon_s"]))
    _refuse_standstill(world, line)
    return Run(
        line, float(clock["step_s"]), float(clock["horizon_s"]), seed, replication,
        seconds=world.tally[:, :, :states], counts=np.rint(world.tally[:, :, states:]).astype(np.int64),
        finished=np.rint(world.finished).astype(np.int64), passage_s=float(clock["passage_s"] / max(clock["passed"], 1)),
        machine_cycles=int(clock["cycles"]), events=int(clock["events"]),
    )  # fmt: skip


def arrays(line: Line, horizon_s: float, step_s: float, seed: int, replication: int) -> World:
    """Return an empty line at the beginning, as the event core takes it."""
    lists: list[int] = []
    numbers: list[float] = []
    families = list(dict.fromkeys(line.mix))
    stations = np.zeros(len(line.stations), dtype=records.STATION)
    buffers = np.zeros(len(line.buffers), dtype=records.BUFFER)
    names = [one.id for one in line.stations]
    for row, place in zip(stations, range(len(names)), strict=True):
        _station(row, line, place, lists, numbers)
        numbers += [line.stations[place].cycle_factors.get(family, 1.0) for family in families]
        row["factors"] = len(numbers) - len(families)
    given = _streams(line, seed, replication, numbers)
    slots = 0
    for row, buffer in zip(buffers, line.buffers, strict=True):
        slots = _buffer(row, line, buffer, lists, slots)
    ends = np.cumsum([one.machines for one in line.stations])
    stations["first_machine"], stations["end_machine"] = ends - [one.machines for one in line.stations], ends
    machines = np.zeros(int(ends[-1]), dtype=records.MACHINE)
    machines["station"] = np.repeat(np.arange(len(names)), [one.machines for one in line.stations])
    machines["piece"] = machines["target"] = machines["last"] = NOBODY
    intervals = max(int(np.ceil(horizon_s / step_s)), 1)
    clock = np.zeros(1, dtype=records.CLOCK)
    clock["step_s"], clock["horizon_s"], clock["mix"] = step_s, horizon_s, len(lists)
    lists += [families.index(one) for one in line.mix]
    clock["end_mix"] = len(lists)
    lists += [0] * (len(names) + 1)  # the stack
    return World(
        stations, given, machines, buffers, np.zeros(max(slots, 1), dtype=records.SLOT),
        np.array([one.number for one in line.pools] or [0], dtype=np.int64), np.array(lists, dtype=np.int64),
        np.array(numbers, dtype=np.float64), np.zeros((len(names), intervals, len(STATES) + len(COUNTS))),
        np.zeros((intervals, len(families))), clock, np.zeros(0, dtype=records.SEEN),
    )  # fmt: skip


def _station(row: Any, line: Line, place: int, lists: list[int], numbers: list[float]) -> None:
    """Fill the record of a station; its lists and numbers are added to the common ones."""
    one = line.stations[place]
    buffers, pools = [buffer.id for buffer in line.buffers], [pool.id for pool in line.pools]
    row["takes"] = len(lists)
    lists += [buffers.index(name) for name in one.takes]
    row["end_takes"] = len(lists)
    row["gives"], row["rework"] = (NOBODY if name is None else buffers.index(name) for name in (one.gives, one.rework))
    row["scrap"], row["scrap_or_rework"] = one.scrap_fraction, one.scrap_fraction + one.rework_fraction
    row["setup_s"], row["patience_s"], row["wake_s"], row["warm_up_s"] = one.setup_s, one.standby_after_s, one.wake_s, one.warm_up_s  # fmt: skip
    row["pool"], row["operators"] = (NOBODY, 0) if one.operators is None else (pools.index(one.operators[0]), one.operators[1])  # fmt: skip
    crew = one.failure.repairers if one.failure is not None else None
    row["ticking"] = one.failure is not None and one.failure.clock == "open"
    row["crew"], row["repairers"] = (NOBODY, 0) if crew is None else (pools.index(crew[0]), crew[1])
    row["window"] = len(numbers)
    for window in line.own_windows.get(one.id, line.windows) or ALWAYS:
        numbers += [window.start_s, window.end_s]
    row["end_window"] = len(numbers)


def _streams(line: Line, seed: int, replication: int, numbers: list[float]) -> NDArray[Any]:
    """Return the streams of all stations; observed durations are added to the common numbers."""
    found = np.zeros(len(line.stations) * len(PURPOSES), dtype=records.STREAM)
    names = [one.id for one in line.stations]
    found["seed"] = np.stack([streams(seed, replication, names, what) for what in PURPOSES], axis=1).ravel()
    for place, one in enumerate(line.stations):
        between, repair = (one.failure.between, one.failure.repair) if one.failure else (NEVER, NONE_S)
        for what, spread in enumerate((one.cycle, between, repair)):
            row = found[place * len(PURPOSES) + what]
            row["kind"], row["first"], row["second"], row["third"] = spread.coded()
            row["observed"] = len(numbers)
            numbers += spread.values_s
            row["end"] = len(numbers)
    return found


def _buffer(row: Any, line: Line, one: Buffer, lists: list[int], slots: int) -> int:
    """Fill the record of a buffer; return how many slots are taken after it."""
    places = 1 if one.direct else one.capacity
    row["room"], row["slots"], row["travel_s"], row["direct"] = places, slots, one.travel_s, one.direct
    row["before"] = line.blocks_before
    row["vehicles"] = NOBODY if one.vehicles is None else [pool.id for pool in line.pools].index(one.vehicles)
    row["takers"] = len(lists)
    lists += [place for place, station in enumerate(line.stations) if one.id in station.takes]
    row["end_takers"] = row["givers"] = len(lists)
    lists += [place for place, station in enumerate(line.stations) if one.id in (station.gives, station.rework)]
    row["end_givers"] = len(lists)
    return slots + places


def begin(world: World) -> Queue:
    """Return the events that are known at the beginning: the first shift of each station, and when each machine first fails."""
    waiting = queue(
        4 * len(world.stations)
        + 2 * len(world.machines)
        + int(world.buffers["room"].sum())
        + int(world.pools.sum())
        + 16
    )
    for row in world.machines:
        row["until_s"] = tally.drawn(world, int(row["station"]), tally.BETWEEN)
    for s, row in enumerate(world.stations):
        window = int(row["window"])
        if world.numbers[window] <= 0.0:
            world.machines["state"][row["first_machine"] : row["end_machine"]] = IDLE
            push(waiting, 0.0, tally.OPENS, s, window)
        else:
            events.call(world, waiting, s, window, 0.0)
    return waiting


def _too_much(line: Line, horizon_s: float) -> Iterator[Problem]:
    """Yield a fault for each station with cycles or failures so short that a run of it would not end."""
    for one in line.stations:
        times = {"cycle": one.cycle.average_s} | ({} if one.failure is None else {"failure.between": one.failure.between.average_s})  # fmt: skip
        for name, average_s in times.items():
            if one.machines * horizon_s > MOST_TIMES * average_s:
                yield Problem(
                    "twin.too_much",
                    Text(f"平均 {average_s:g} 秒一次, 要算 {horizon_s:g} 秒、{one.machines} 台: 太多了。", f"One every {average_s:g} s on average, over {horizon_s:g} s and {one.machines} machines: too much."),
                    Text("请核对单位(秒), 或少算几天。", "Check the unit (seconds), or run fewer days."),
                    column=f"stations.{one.id}.{name}",
                )  # fmt: skip


def _only_serial() -> Problem:
    return Problem(
        "twin.blocks_before",
        Text("blocks_before 只用于简单串行线。", "blocks_before is for plain serial lines only."),
        Text("请去掉, 或把线写成一台一工位的串行线。", "Leave it out, or make the line a plain serial one."),
        column="blocks_before",
    )  # fmt: skip


def _refuse_standstill(world: World, line: Line) -> None:
    """Raise `FaultyData` when stations wait for each other in a ring: nothing there can ever move again."""
    held: dict[int, int] = {}
    for s, row in enumerate(world.stations):
        own = world.machines[row["first_machine"] : row["end_machine"]]
        targets = own["target"][own["piece"] != NOBODY]
        full = [one for one in targets if one != NOBODY and world.buffers[one]["held"] >= world.buffers[one]["room"]]
        if len(full) == len(own):
            held[s] = int(full[0])
    shrinking = True
    while shrinking:
        free = [s for s, buffer in held.items() if not _takers(world, buffer) <= set(held)]
        shrinking = bool(free)
        held = {s: buffer for s, buffer in held.items() if s not in free}
    if held:
        names = ", ".join(line.stations[s].id for s in sorted(held))
        since = float(world.clock[0]["last_done"])
        raise FaultyData([Problem(
            "twin.standstill",
            Text(f"线在 {since:.0f} 秒后停死, 这些工位互相等待: {names}。", f"The line stands still from {since:.0f} s on; these stations wait for each other: {names}."),
            Text("返修回路的缓存太小, 请加大, 或把返修送到单独的工位。", "The buffers of a rework loop are too small: make them larger, or rework at a station of its own."),
        )])  # fmt: skip


def _takers(world: World, buffer: int) -> set[int]:
    row = world.buffers[buffer]
    return {int(one) for one in world.lists[row["takers"] : row["end_takers"]]}
