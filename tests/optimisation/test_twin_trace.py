"""The trace of a run and its start from a state: the same run, every second told, hand-made cases; longer published lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.twin import trace as tracing
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.line import (  # fmt: skip
    FAILED,
    OFF,
    STANDBY,
    STATES,
    WORKING,
    Buffer,
    Failure,
    Line,
    Station,
    Window,
    serial,
)
from zerofactory.optimisation.twin.production import simulate
from zerofactory.optimisation.twin.serial import simulate as simulate_serial
from zerofactory.optimisation.twin.start import State
from zerofactory.optimisation.twin.trace import Trace, traced

HOUR = 3600.0


def row(cycles: list[Spread], room: int, **more: object) -> Line:
    """Return stations in a row with equal buffers."""
    last = len(cycles) - 1
    stations = tuple(
        Station(f"s{i}", Text(f"s{i}", f"s{i}"), one, takes=(f"b{i}",) if i else (), gives=f"b{i + 1}" if i < last else None, **more)  # type: ignore[arg-type]
        for i, one in enumerate(cycles)
    )  # fmt: skip
    return Line(stations, tuple(Buffer(f"b{i + 1}", room, direct=room == 0) for i in range(last)))


def busy_line() -> Line:
    """Return a line with everything that changes a state: shifts, warm-up, standby, failures, set-ups, rework, two machines."""
    failure = Failure(Spread("exponential", 1800.0), Spread("lognormal", 300.0, shape=0.5))
    stations = (
        Station("cut", Text("切", "cut"), Spread("uniform", low_s=40.0, high_s=80.0), gives="cut", failure=failure, setup_s=30.0),
        Station("press", Text("压", "press"), Spread("exponential", 100.0), takes=("cut",), gives="pressed", machines=2, standby_after_s=120.0, wake_s=20.0),
        Station("paint", Text("涂", "paint"), Spread("fixed", 55.0), takes=("pressed",), rework="again", rework_fraction=0.1, warm_up_s=900.0, scrap_fraction=0.05),
        Station("mend", Text("修", "mend"), Spread("fixed", 400.0), takes=("again",)),
    )  # fmt: skip
    buffers = (Buffer("cut", 5), Buffer("pressed", 3, travel_s=60.0), Buffer("again", 4))
    return Line(stations, buffers, windows=(Window(HOUR, 9 * HOUR), Window(10 * HOUR, 14 * HOUR)), mix=("a", "a", "b"))


def seconds_of(found: Trace, machines: int) -> np.ndarray:
    """Return seconds by machine and state from the trace alone."""
    told = np.zeros((machines, len(STATES)))
    for k in range(machines):
        rows = found.machines[found.machines["machine"] == k]
        ends = np.append(rows["at_s"][1:], found.horizon_s)
        np.add.at(told[k], rows["state"], ends - rows["at_s"])
    return told


def test_the_trace_tells_every_second_of_the_very_run() -> None:
    line = busy_line()
    plain = simulate(line, 15 * HOUR, 900.0, seed=5)
    run, found = traced(line, 15 * HOUR, 900.0, seed=5)
    assert (plain.seconds == run.seconds).all()
    assert (plain.counts == run.counts).all()
    told = seconds_of(found, len(found.station_of))
    by_station = np.array([told[[k for k, s in enumerate(found.station_of) if s == place]].sum(axis=0) for place in range(4)])  # fmt: skip
    assert by_station == pytest.approx(run.seconds.sum(axis=1), abs=1e-6)
    assert (by_station[:, STANDBY] > 0).any()
    assert len(found.finished) == run.output.sum()
    assert [int((found.finished["family"] == place).sum()) for place in range(2)] == run.finished.sum(axis=0).tolist()


def test_levels_go_up_and_down_by_one_between_nothing_and_full() -> None:
    line = busy_line()
    _, found = traced(line, 15 * HOUR, seed=2)
    for place, buffer in enumerate(line.buffers):
        held = found.levels["held"][found.levels["buffer"] == place]
        assert held.min() >= 0
        assert held.max() <= buffer.capacity
        assert set(np.abs(np.diff(held))) == {1}
    assert (np.diff(found.levels["at_s"]) >= 0).all()


def test_a_trace_longer_than_one_piece_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    line = row([Spread("exponential", 1.0)] * 3, 2)
    _, whole = traced(line, 4 * HOUR, seed=1)
    monkeypatch.setattr(tracing, "CHUNK", 5000)
    _, parts = traced(line, 4 * HOUR, seed=1)
    assert len(whole.machines) > 20_000
    assert (whole.machines == parts.machines).all()
    assert (whole.levels == parts.levels).all()


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_ROWS", 1000)
    with pytest.raises(FaultyData) as caught:
        traced(row([Spread("fixed", 1.0)] * 2, 2), 4 * HOUR)
    assert [one.code for one in caught.value.problems] == ["twin.trace"]


def test_a_full_buffer_before_a_line_without_supply_is_worked_off() -> None:
    """Seven pieces wait, the station before is broken for good: seven leave, a minute apart, from a minute on."""
    never = Failure(Spread("exponential", 1e12), Spread("fixed", 1e9))
    line = row([Spread("fixed", 60.0)] * 2, 10)
    line = replace(line, stations=(replace(line.stations[0], failure=never), line.stations[1]))
    run, found = traced(line, HOUR, state=State({"b1": 7}, {"s0": "failed"}))
    assert run.output.sum() == 7
    assert found.finished["at_s"].tolist() == [60.0 * (i + 1) for i in range(7)]
    assert found.levels["held"].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert run.seconds[0, :, FAILED].sum() == HOUR


def test_a_piece_in_work_is_finished_early_and_outside_the_shift() -> None:
    """The second station is in the middle of a piece before the shift begins: it finishes that one within its cycle, then is off."""
    line = replace(row([Spread("fixed", 600.0)] * 2, 3), windows=(Window(2 * HOUR, 3 * HOUR),))
    run, found = traced(line, 3 * HOUR, state=State({}, {"s1": "working"}))
    first = float(found.finished["at_s"][0])
    assert 0.0 < first < 600.0
    assert run.seconds[1, :8, WORKING].sum() == pytest.approx(first)
    assert run.seconds[1, :8, OFF].sum() == pytest.approx(2 * HOUR - first)


def test_what_is_left_of_a_repair_without_memory_is_a_whole_one() -> None:
    """Mean time until the first piece of a broken machine: the repair's mean and what was left of the piece, half on average."""
    failure = Failure(Spread("exponential", 1e9), Spread("exponential", 500.0))
    line = row([Spread("fixed", 100.0)], 1, failure=failure)
    first = [float(traced(line, 50 * HOUR, 50 * HOUR, 3, r, State({}, {"s0": "failed"}))[1].finished["at_s"][0]) for r in range(400)]  # fmt: skip
    error = np.std(first, ddof=1) / len(first) ** 0.5
    assert abs(np.mean(first) - 550.0) < 3 * error


def test_faults_of_a_state_come_all_at_once() -> None:
    line = row([Spread("fixed", 60.0)] * 2, 3)
    with pytest.raises(FaultyData) as caught:
        simulate(line, HOUR, state=State({"b1": 4, "b9": 1}, {"s7": "idle", "s0": "asleep"}))
    assert [one.code for one in caught.value.problems] == ["twin.level", "twin.unknown", "twin.unknown", "twin.state"]


def exact_rate(rates: list[float], room: int) -> float:
    """Return the throughput of exponential stations in a row, blocked after service, by solving the whole chain.

    A state counts, for each station but the first, the pieces that the station before has done and it has not: at most
    ``room`` in the buffer, one in its machine, one that blocks the station before; one less while it is blocked itself.
    """
    count = len(rates)

    def working(state: tuple[int, ...]) -> list[bool]:
        blocked = [False] * count
        for m in range(count - 2, -1, -1):
            blocked[m] = state[m] >= room + 2 - blocked[m + 1]
        return [not blocked[m] and (m == 0 or state[m - 1] > 0) for m in range(count)]

    states = [tuple(0 for _ in range(count - 1))]
    rows = []
    for state in states:
        for m, works in enumerate(working(state)):
            if works:
                after = tuple(held + (link == m) - (link == m - 1) for link, held in enumerate(state))
                if after not in states:
                    states.append(after)
                rows.append((states.index(state), states.index(after), rates[m], m == count - 1))
    flow, out = np.zeros((len(states), len(states))), np.zeros(len(states))
    for before, then, speed, leaves in rows:
        flow[before, then] += speed
        flow[before, before] -= speed
        out[before] += speed * leaves
    system = np.vstack([flow.T, np.ones(len(states))])
    return float(np.linalg.lstsq(system, np.append(np.zeros(len(states)), 1.0), rcond=None)[0] @ out)


@pytest.mark.parametrize(
    ("stations", "room", "published"), [(2, 0, 2 / 3), (3, 0, 22 / 39), (4, 0, 0.5148), (3, 1, 0.6705), (4, 1, 0.6312)]
)
def test_lines_published_by_hunt_and_by_hillier_and_boling(stations: int, room: int, published: float) -> None:
    """Equal exponential stations (Hunt 1956, doi 10.1287/opre.4.6.674, table of maximum use without queues: 2/3, 22/39, 0.5148;
    Hillier and Boling 1967, doi 10.1287/opre.15.2.286, one place between): the chain solved here, and both cores."""
    exact = exact_rate([1.0] * stations, room)
    assert exact == pytest.approx(published, abs=6e-5)
    line = row([Spread("exponential", 1.0)] * stations, room)
    order = serial(line)
    assert order is not None
    by_recursion = [simulate_serial(line, list(order), 100_000, 2_000, 11, r).rate_per_s for r in range(8)]
    assert abs(np.mean(by_recursion) - exact) <= 3.5 * np.std(by_recursion, ddof=1) / 8**0.5
    by_events = [simulate(line, 102_000.0, 1_000.0, 11, r).output[2:].mean() / 1_000.0 for r in range(8)]
    assert abs(np.mean(by_events) - exact) <= 3.5 * np.std(by_events, ddof=1) / 8**0.5


def test_direct_hand_over_by_hand() -> None:
    """The first works 10 s, the second 25 s, nothing between: a piece leaves every 25 s from 35 s on, the first blocks 15 s each."""
    line = row([Spread("fixed", 10.0), Spread("fixed", 25.0)], 0)
    run, found = traced(line, 1000.0, 1000.0)
    assert found.finished["at_s"].tolist() == [35.0 + 25.0 * i for i in range(39)]
    assert run.seconds[0, 0, STATES.index("blocked")] == pytest.approx(39 * 15.0 - 5.0, abs=15.0)
    assert run.seconds[1, 0, STATES.index("idle")] == 10.0


def test_nobody_hands_a_piece_to_a_closed_or_broken_machine() -> None:
    """What is handed over directly lies nowhere between: it is in one machine or in the other."""
    failure = Failure(Spread("exponential", 400.0), Spread("exponential", 100.0))
    line = row([Spread("exponential", 20.0)] * 3, 0, failure=failure)
    line = replace(
        line, windows=(Window(0.0, 2000.0), Window(3000.0, 6000.0)), own_windows={"s1": (Window(500.0, 5000.0),)}
    )
    run, found = traced(line, 8000.0, 100.0, seed=4)
    for place in range(2):
        rows = found.levels[found.levels["buffer"] == place]
        assert rows["held"].tolist() == [1, 0] * (len(rows) // 2)
        assert (rows["at_s"][::2] == rows["at_s"][1::2]).all()
    made = [run.count("made", f"s{i}") for i in range(3)]
    assert made[0] >= made[1] >= made[2] >= made[0] - 4
    assert made[2] > 50


def test_faults_of_a_direct_hand_over() -> None:
    line = row([Spread("fixed", 10.0)] * 2, 0)
    odd = replace(line, buffers=(replace(line.buffers[0], travel_s=5.0),))
    with pytest.raises(FaultyData) as caught:
        simulate(odd, 100.0)
    assert [one.code for one in caught.value.problems] == ["twin.direct"]
    with pytest.raises(FaultyData) as caught:
        simulate(replace(line, blocks_before=True), 100.0)
    assert "twin.direct" in [one.code for one in caught.value.problems]
