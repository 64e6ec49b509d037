"""A plain serial line as a recursion: when each piece starts, is done and leaves, station by station (compiled).

    S_m(i) = max(D_{m−1}(i), D_m(i−1))                                start
    C_m(i) = S_m(i) + cycle + repairs                                 done; machines fail by the time they have worked
    D_m(i) = max(C_m(i), D_{m+1}(i − b_m − 1))                        leaves; blocked while the buffer of b_m is full

and where machines do not start while the buffer after them is full, S_m(i) ≥ D_{m+1}(i − b_m) instead of waiting with the
finished piece, the piece in work at m+1 counted in b_m (Buzacott and Shanthikumar 1993, Stochastic Models of Manufacturing
Systems, chapter 5; Gershwin 1994, Manufacturing Systems Engineering, chapter 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zerofactory.optimisation.twin.draw import Spread, duration, streams, uniform
from zerofactory.optimisation.twin.line import Line

Floats = NDArray[np.float64]
NEVER = Spread("fixed", 1e300)
NONE_S = Spread("fixed", 0.0)
WORKED, STARVED, STUCK, DOWN = range(4)


class Stations(NamedTuple):
    """The stations as arrays, in the order of the line: codes of their spreads, room after each, seeds of their streams."""

    kind: Any  # station × (cycle, between, repair)
    first: Any  # the first parameter of each
    second: Any
    third: Any
    room: Any  # pieces the buffer after the station holds; the last has room for all
    seeds: Any  # station × (cycle, between, repair)
    before: bool


@dataclass(frozen=True)
class SerialRun:
    """What came of it, after the pieces of the start were left out.

    ``rate_per_s`` pieces a second; ``seconds`` by station × (worked, starved, blocked, failed) between the first and the last
    piece that counts, each as the station itself passed them.
    """

    pieces: int
    span_s: float
    seconds: Floats

    @property
    def rate_per_s(self) -> float:
        """Pieces a second."""
        return self.pieces / self.span_s


def arrays(line: Line, order: list[int], seed: int, replication: int) -> Stations:
    """Return the stations of a serial line as the recursion takes them."""
    stations = [line.stations[place] for place in order]
    spreads = [
        (one.cycle, *((one.failure.between, one.failure.repair) if one.failure else (NEVER, NONE_S)))
        for one in stations
    ]
    codes = [[one.coded() for one in row] for row in spreads]
    room = {buffer.id: buffer.room for buffer in line.buffers}
    names = [one.id for one in stations]
    return Stations(
        np.array([[one[0] for one in row] for row in codes], dtype=np.int64),
        np.array([[one[1] for one in row] for row in codes], dtype=np.float64),
        np.array([[one[2] for one in row] for row in codes], dtype=np.float64),
        np.array([[one[3] for one in row] for row in codes], dtype=np.float64),
        np.array([room[one.gives] if one.gives else 0 for one in stations], dtype=np.int64),
        np.stack([streams(seed, replication, names, what) for what in ("cycle", "between", "repair")], axis=1),
        line.blocks_before,
    )


def simulate(line: Line, order: list[int], pieces: int, warm_up: int, seed: int = 0, replication: int = 0) -> SerialRun:
    """Return a run of so many pieces after ``warm_up`` more."""
    given = arrays(line, order, seed, replication)
    seconds, span = _run(given, warm_up, pieces)
    return SerialRun(pieces, float(span), seconds)


@njit(cache=True, nogil=True)
def _run(s: Stations, warm_up: int, pieces: int) -> tuple[Floats, float]:
    count = len(s.room)
    memory = s.room.max() + 2
    left = np.zeros((count, memory))  # when a piece left a station, round and round
    last = np.zeros(count)
    until = np.empty(count)
    drawn = np.zeros((count, 2), dtype=np.int64)
    seconds = np.zeros((count, 4))
    for m in range(count):
        until[m] = duration(s.kind[m, 1], s.first[m, 1], s.second[m, 1], s.third[m, 1], uniform(s.seeds[m, 1], 0))
        drawn[m, 0] = 1
    begun = 0.0
    for i in range(warm_up + pieces):
        counts = i >= warm_up
        if i == warm_up:
            begun = last[count - 1]
        arrived = 0.0
        for m in range(count):
            free = last[m]
            start = arrived if arrived > free else free
            room = s.room[m]
            gate = 0.0
            if m < count - 1:
                back = i - room if s.before else i - room - 1
                gate = left[m + 1, back % memory] if back >= 0 else 0.0
            waited = 0.0
            if s.before and gate > start:
                waited = gate - start
                start = gate
            work = duration(s.kind[m, 0], s.first[m, 0], s.second[m, 0], s.third[m, 0], uniform(s.seeds[m, 0], i))
            repairs = 0.0
            if until[m] <= work:
                repairs = _repairs(s, m, work, until, drawn)
            else:
                until[m] -= work
            done = start + work + repairs
            leaves = done
            if not s.before and gate > done:
                leaves = gate
            if counts:
                seconds[m, WORKED] += work
                seconds[m, DOWN] += repairs
                seconds[m, STARVED] += start - waited - free
                seconds[m, STUCK] += leaves - done + waited
            left[m, i % memory] = leaves
            last[m] = leaves
            arrived = leaves
    return seconds, last[count - 1] - begun


@njit(cache=True, nogil=True)
def _repairs(s: Stations, m: int, work: float, until: Floats, drawn: Any) -> float:
    """Return the repairs within a piece; several where the machine fails again before it is done."""
    total, still = 0.0, work
    while until[m] <= still:
        still -= until[m]
        total += duration(
            s.kind[m, 2], s.first[m, 2], s.second[m, 2], s.third[m, 2], uniform(s.seeds[m, 2], drawn[m, 1])
        )
        drawn[m, 1] += 1
        until[m] = duration(
            s.kind[m, 1], s.first[m, 1], s.second[m, 1], s.third[m, 1], uniform(s.seeds[m, 1], drawn[m, 0])
        )
        drawn[m, 0] += 1
    until[m] -= still
    return total
