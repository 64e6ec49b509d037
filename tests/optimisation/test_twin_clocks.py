"""Failures by the clock of the shift beside those by the clock of work: shares of time, an exact chain of two machines, shifts, set-ups."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from zerofactory.errors import Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.line import Buffer, Clock, Failure, Line, Station, Window, faults, serial
from zerofactory.optimisation.twin.production import Run, simulate
from zerofactory.optimisation.twin.trace import traced

DAY = 86_400.0
OFF, WARM_UP, IDLE, STANDBY, WORKING, BLOCKED, FAILED, SETUP = range(8)


def pair(up_s: float, down_s: float, cycles: tuple[float, float], room: int, clock: Clock) -> Line:
    """Return two machines of exponential times with a buffer between them."""
    failure = Failure(Spread("exponential", up_s), Spread("exponential", down_s), clock=clock)
    first, second = (Spread("exponential", one) for one in cycles)
    return Line(
        (
            Station("a", Text("", "a"), first, gives="b", failure=failure),
            Station("z", Text("", "z"), second, takes=("b",), failure=failure),
        ),
        (Buffer("b", room),),
    )


def chain(up_s: float, down_s: float, cycles: tuple[float, float], room: int) -> float:
    """Return the pieces a second of that line where both clocks always run, from its Markov chain.

    A state: (first: works, stuck), (second: has a piece or not), pieces in the buffer, and which of the two is out of order. A
    machine out of order neither works, hands on nor takes.
    """
    places: dict[tuple[bool, bool, int, bool, bool], int] = {}
    todo = [settled((False, False, 0, True, True), room)]
    places[todo[0]] = 0
    flows: list[tuple[int, int, float, bool]] = []
    while todo:
        state = todo.pop()
        stuck, busy, held, up, well = state
        moves = [(1 / (up_s if up else down_s), (stuck, busy, held, not up, well), False)]
        moves.append((1 / (up_s if well else down_s), (stuck, busy, held, up, not well), False))
        if up and not stuck:
            moves.append((1 / cycles[0], (True, busy, held, up, well), False))
        if well and busy:
            moves.append((1 / cycles[1], (stuck, False, held, up, well), True))
        for rate, after, leaves in moves:
            there = settled(after, room)
            if there not in places:
                places[there] = len(places)
                todo.append(there)
            flows.append((places[state], places[there], rate, leaves))
    size = len(places)
    matrix, out = np.zeros((size, size)), np.zeros(size)
    for source, sink, rate, leaves in flows:
        matrix[source, sink] += rate
        matrix[source, source] -= rate
        out[source] += rate * leaves
    shares = np.linalg.solve(np.vstack([matrix.T[1:], np.ones(size)]), np.eye(size)[:, -1])
    return float(shares @ out)


def settled(state: tuple[bool, bool, int, bool, bool], room: int) -> tuple[bool, bool, int, bool, bool]:
    """Let pieces move on that may: out of the first machine, into the second."""
    stuck, busy, held, up, well = state
    for _ in range(3):
        if well and not busy and held:
            busy, held = True, held - 1
        if up and stuck and held < room:
            stuck, held = False, held + 1
    return stuck, busy, held, up, well


def runs(line: Line, many: int = 8) -> list[Run]:
    return [simulate(line, 60 * DAY, DAY, 5, replication) for replication in range(many)]


@pytest.mark.parametrize(("cycles", "room"), [((60.0, 60.0), 2), ((50.0, 70.0), 5), ((80.0, 40.0), 1)])
def test_two_machines_are_those_of_their_markov_chain(cycles: tuple[float, float], room: int) -> None:
    line = pair(1800.0, 600.0, cycles, room, "open")
    assert faults(line) == []
    assert serial(line) is None
    rates = [one.count("finished", first=5) / (55 * DAY) for one in runs(line)]
    wanted = chain(1800.0, 600.0, cycles, room)
    assert abs(np.mean(rates) - wanted) < 4.0 * float(np.std(rates, ddof=1)) / sqrt(len(rates))
    assert np.mean(rates) == pytest.approx(wanted, rel=0.02)


def test_a_machine_that_waits_fails_by_the_one_clock_only() -> None:
    slow = (240.0, 60.0)  # the second works a quarter of the time
    shares = {}
    for clock in ("open", "working"):
        found = [one.seconds[1, 5:, FAILED].sum() / one.seconds[1, 5:].sum() for one in runs(pair(1800.0, 600.0, slow, 10, clock))]  # fmt: skip
        shares[clock] = float(np.mean(found))
    assert shares["open"] == pytest.approx(600 / 2400, rel=0.05)
    assert shares["working"] < 0.12


def lone(between_s: float, windows: tuple[Window, ...], cycle_s: float = 100.0, **more: object) -> Line:
    failure = Failure(Spread("fixed", between_s), Spread("fixed", 50.0), clock="open")
    return Line((Station("m", Text("", "m"), Spread("fixed", cycle_s), failure=failure, **more),), windows=windows)  # type: ignore[arg-type]


def story(line: Line, horizon_s: float) -> list[tuple[float, int]]:
    """Return when the only machine entered which state."""
    _, seen = traced(line, horizon_s, 900.0, 0, 0)
    return [(round(at, 6), int(state)) for at, _, state, _ in seen.machines.tolist() if at > 0.0]


def test_the_piece_goes_on_where_it_was() -> None:
    told = story(lone(250.0, ()), 500.0)
    assert told[:4] == [(100.0, IDLE), (100.0, WORKING), (200.0, IDLE), (200.0, WORKING)]
    assert told[4:7] == [(250.0, FAILED), (300.0, WORKING), (350.0, IDLE)]  # 50 s of the piece were left


def test_the_clock_stands_still_between_shifts() -> None:
    told = story(lone(450.0, (Window(0.0, 300.0), Window(1000.0, 2000.0))), 2000.0)
    assert (300.0, OFF) in told
    assert (1150.0, FAILED) in told  # 300 s of the first shift, 150 s of the second


def test_a_piece_begun_before_the_shift_closed_is_done_first() -> None:
    told = story(lone(1050.0, (Window(0.0, 990.0), Window(1000.0, 3000.0)), 400.0), 3000.0)
    assert (
        next(at for at, state in told if state == FAILED) == 1200.0
    )  # its time comes at 1060 s, in the middle of the piece
    assert [at for at, state in told if state == IDLE][:3] == [400.0, 800.0, 1200.0]


def test_a_run_is_the_same_with_and_without_a_clock_that_never_strikes() -> None:
    plain = Line((Station("m", Text("", "m"), Spread("exponential", 60.0)),))
    never = Failure(Spread("fixed", 1e12), Spread("fixed", 1.0), clock="open")
    ticking = Line((Station("m", Text("", "m"), Spread("exponential", 60.0), failure=never),))
    one, other = simulate(plain, DAY, 900.0, 1, 0), simulate(ticking, DAY, 900.0, 1, 0)
    assert np.array_equal(one.seconds, other.seconds)
    assert np.array_equal(one.counts, other.counts)
