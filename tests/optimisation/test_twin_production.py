"""The twin of production: exact results of queueing theory, one core held against the other, conservation, faults."""

from __future__ import annotations

import heapq
from dataclasses import replace
from math import gamma

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from zerofactory.errors import FaultyData, Text
from zerofactory.optimisation.twin.draw import Spread, duration, stream, uniform
from zerofactory.optimisation.twin.energy import bottleneck, shares, usage
from zerofactory.optimisation.twin.line import (
    STATES,
    Buffer,
    Draw,
    Failure,
    Line,
    Pool,
    Station,
    Window,
    faults,
    serial,
)
from zerofactory.optimisation.twin.production import simulate
from zerofactory.optimisation.twin.serial import simulate as simulate_serial
from zerofactory.optimisation.twin.statistics import difference, interval, warm_up
from zerofactory.optimisation.twin.trace import traced

HOUR, DAY = 3600.0, 86400.0


def station(name: str, cycle: Spread, takes: tuple[str, ...] = (), gives: str | None = None, **more: object) -> Station:
    return Station(name, Text(name, name), cycle, takes=takes, gives=gives, **more)  # type: ignore[arg-type]


def chain(cycles: list[Spread], room: int, **more: object) -> Line:
    """Return a serial line with equal buffers."""
    last = len(cycles) - 1
    stations = tuple(
        station(f"s{i}", one, (f"b{i}",) if i else (), f"b{i + 1}" if i < last else None, **more)
        for i, one in enumerate(cycles)
    )
    return Line(stations, tuple(Buffer(f"b{i + 1}", room) for i in range(last)))


def rates(line: Line, pieces: int, runs: int = 8) -> list[float]:
    order = serial(line)
    assert order is not None
    return [simulate_serial(line, list(order), pieces, 2_000, seed=7, replication=r).rate_per_s for r in range(runs)]


def within(values: list[float], exact: float, errors: float = 3.0) -> bool:
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)
    return abs(mean - exact) <= errors * error


@pytest.mark.parametrize(("second", "room"), [(1.2, 3), (1.0, 5), (0.8, 1)])
def test_two_exponential_machines_against_the_markov_chain(second: float, room: int) -> None:
    """States 0 … room + 2 (pieces finished by the first and not by the second); p_n ∝ (μ₁/μ₂)ⁿ; rate μ₂(1 − p₀)."""
    line = chain([Spread("exponential", 1.0), Spread("exponential", 1.0 / second)], room)
    weights = np.array([second**-n for n in range(room + 3)])
    exact = second * (1.0 - weights[0] / weights.sum())
    assert within(rates(line, 400_000), exact)


def test_two_unreliable_machines_against_gershwins_chain() -> None:
    """Gershwin 1994, deterministic processing time: p = 0.01, r = 0.1, N = 10. The chain is solved here, E = 0.856175."""
    exact = gershwin(0.01, 0.1, 10)
    assert exact == pytest.approx(0.856175, abs=5e-7)
    failure = Failure(Spread("geometric", 100.0), Spread("geometric", 10.0))
    line = replace(chain([Spread("fixed", 1.0)] * 2, 10, failure=failure), blocks_before=True)
    assert within(rates(line, 500_000), exact)


@pytest.mark.parametrize(("stations", "room"), [(2, 4), (2, 1), (3, 4), (5, 3)])
def test_the_event_core_blocks_before_as_the_recursion_does(stations: int, room: int) -> None:
    """The same numbers, piece by piece: machines do not begin while the place after them is full (Gershwin 1994, chapter 3)."""
    failure = Failure(Spread("geometric", 10.0), Spread("geometric", 3.0))
    line = replace(chain([Spread("fixed", 1.0)] * stations, room, failure=failure), blocks_before=True)
    _, found = traced(line, 20_000.0, 20_000.0, seed=5)
    first, last = float(found.finished["at_s"][0]), float(found.finished["at_s"][-1])
    order = serial(line)
    assert order is not None
    assert first + simulate_serial(line, list(order), len(found.finished) - 1, 1, seed=5).span_s == pytest.approx(last)


def gershwin(p: float, r: float, room: int) -> float:
    """Return the production rate of two equal machines from the stationary distribution of the whole chain."""
    states = [(n, a, b) for n in range(room + 1) for a in (0, 1) for b in (0, 1)]
    place = {state: i for i, state in enumerate(states)}
    moves = np.zeros((len(states), len(states)))
    rate = np.zeros(len(states))

    def turns(up: int, works: bool) -> list[tuple[int, float]]:
        if not up:
            return [(1, r), (0, 1 - r)]
        return [(0, p), (1, 1 - p)] if works else [(1, 1.0)]

    for n, a, b in states:
        for a2, x in turns(a, n < room):
            for b2, y in turns(b, n > 0):
                one, two = a2 and n < room, b2 and n > 0
                moves[place[n, a, b], place[n + int(one) - int(two), a2, b2]] += x * y
                rate[place[n, a, b]] += x * y * bool(two)
    system = np.vstack([moves.T - np.eye(len(states)), np.ones(len(states))])
    found = np.linalg.lstsq(system, np.append(np.zeros(len(states)), 1.0), rcond=None)[0]
    return float(found @ rate)


def test_the_event_core_against_gershwins_chain() -> None:
    failure = Failure(Spread("geometric", 10.0), Spread("geometric", 3.0))
    line = replace(chain([Spread("fixed", 1.0)] * 2, 4, failure=failure), blocks_before=True)
    exact = gershwin(0.1, 1.0 / 3.0, 4)
    assert within([float(simulate(line, 40_000.0, 4_000.0, 1, r).output[1:].mean()) / 4_000.0 for r in range(8)], exact)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0])
def test_numbers_that_are_none_are_named(number: float) -> None:
    one = station("a", Spread("fixed", number), (), "x", setup_s=number)
    two = station("b", Spread("fixed", 1.0), ("x",), None, cycle_factors={"any": number, "other": 1.0})
    line = Line((one, two), (Buffer("x", 1, travel_s=number, vehicles="nobody"),))
    found = {problem.column: problem for problem in faults(line)}
    assert set(found) == {
        "stations.a.cycle",
        "stations.a.setup_s",
        "stations.b.cycle_factors",
        "stations.b.cycle_factors.any",
        "buffers.x.travel_s",
        "buffers.x.vehicles",
    }
    assert "nobody" in found["buffers.x.vehicles"].message.en


def test_a_line_without_an_exit_is_named() -> None:
    line = Line(
        (station("a", Spread("fixed", 1.0), (), "x"), station("b", Spread("fixed", 1.0), ("x",), "x")),
        (Buffer("x", 1),),
    )
    assert {problem.code for problem in faults(line)} == {"twin.exit"}
    assert {problem.code for problem in faults(Line(()))} == {"twin.empty"}


def test_a_rework_loop_that_chokes_is_told() -> None:
    line = Line(
        (
            station("a", Spread("fixed", 10.0), (), "x"),
            station("b", Spread("fixed", 60.0), ("x",), rework="x", rework_fraction=0.5),
        ),
        (Buffer("x", 2),),
    )
    with pytest.raises(FaultyData, match="wait for each other"):
        simulate(line, DAY)


@pytest.mark.parametrize(
    ("spread", "mean", "deviation"),
    [
        (Spread("exponential", 40.0), 40.0, 40.0),
        (Spread("weibull", 40.0, shape=2.0), 40.0, 40.0 * (gamma(2.0) / gamma(1.5) ** 2 - 1) ** 0.5),
        (Spread("lognormal", 40.0, shape=0.5), 40.0, 40.0 * (np.exp(0.25) - 1) ** 0.5),
        (Spread("uniform", low_s=10.0, high_s=70.0), 40.0, 60.0 / 12**0.5),
        (Spread("geometric", 40.0, step_s=4.0), 40.0, 4.0 * (0.9**0.5 / 0.1)),
    ],
)
def test_spreads_have_their_moments(spread: Spread, mean: float, deviation: float) -> None:
    coded = spread.coded()
    seed = np.uint64(stream(5, 0, spread.kind))
    values = np.array([duration(*coded, uniform(seed, n)) for n in range(40_000)])
    assert values.mean() == pytest.approx(mean, abs=4 * deviation / 200)
    assert values.std() == pytest.approx(deviation, rel=0.05)
    assert spread.average_s == pytest.approx(mean)


def test_numbers_are_uniform_and_streams_apart() -> None:
    seed = np.uint64(stream(1, 2, "press", "cycle"))
    values = np.sort([uniform(seed, n) for n in range(20_000)])
    gap = np.abs(values - (np.arange(20_000) + 0.5) / 20_000).max()
    assert gap < 1.63 / 20_000**0.5, "Kolmogorov, 1 %"
    assert stream(1, 2, "press", "cycle") != stream(1, 3, "press", "cycle") != stream(1, 2, "weld", "cycle")


def test_intervals_hold_what_they_promise() -> None:
    seed = np.uint64(stream(9, 0, "coverage"))
    place, held = 0, 0
    for _ in range(600):
        values = [float(uniform(seed, place + n)) for n in range(6)]
        place += 6
        found = interval(values, 0.9)
        held += found.low <= 0.5 <= found.high
    assert 0.86 < held / 600 < 0.94
    assert difference([3.0, 5.0], [1.0, 2.0]).mean == 2.5
    assert interval([4.0]).half == 0.0
    assert warm_up(np.concatenate([np.linspace(0, 9, 30), np.full(200, 10.0) + 0.1 * np.sin(np.arange(200))])) >= 25


def test_queue_orders_by_time_then_entry() -> None:
    from zerofactory.optimisation.twin.heap import pop, push, queue

    waiting, theirs = queue(600), []
    seed = np.uint64(4)
    for n in range(500):
        at = float(int(uniform(seed, n) * 40))
        push(waiting, at, n, n, n)
        heapq.heappush(theirs, (at, n))
    mine = [pop(waiting)[:2] for _ in range(500)]
    assert [(at, n) for at, n in mine] == [heapq.heappop(theirs) for _ in range(500)]


def test_the_core_is_called_from_anywhere() -> None:
    """Threads run replications at once: the core holds no lock and shares nothing."""
    from concurrent.futures import ThreadPoolExecutor

    line = chain([Spread("exponential", 60.0)] * 3, 5)

    def work(replication: int) -> list[int]:
        found: list[int] = simulate(line, DAY, 900.0, replication=replication).output.tolist()
        return found

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, range(8)))
    assert together == [work(r) for r in range(8)]


def test_a_spread_that_cannot_be_drawn_is_named() -> None:
    line = chain([Spread("weibull", 60.0, shape=1e-6), Spread("lognormal", 0.0, shape=0.5)], 2)
    assert [one.code for one in faults(line)] == ["twin.spread", "twin.spread"]


def test_assembly_takes_one_of_each() -> None:
    line = Line(
        (
            station("left", Spread("fixed", 50.0), (), "l"),
            station("right", Spread("fixed", 70.0), (), "r"),
            station("frame", Spread("fixed", 40.0), ("l", "r")),
        ),
        (Buffer("l", 5), Buffer("r", 5)),
    )
    run = simulate(line, DAY, 900.0)
    assert run.count("finished") == pytest.approx(DAY / 70.0, abs=2)
    assert bottleneck(run) == "right"


def test_common_numbers_stay_where_they_are() -> None:
    """A longer line leaves the draws of the stations before it where they were."""
    short = chain([Spread("exponential", 60.0)] * 2, 3)
    added = Line((*short.stations[:1], replace(short.stations[1], gives="b9"), station("new", Spread("fixed", 1.0), ("b9",))), (*short.buffers, Buffer("b9", 500)))  # fmt: skip
    one, two = simulate(short, DAY, 900.0), simulate(added, DAY, 900.0)
    assert one.counts[:2, :, 0].tolist() == two.counts[:2, :, 0].tolist()
    assert simulate(short, DAY, 900.0, seed=1).output.tolist() != one.output.tolist()


def test_energy_by_hand() -> None:
    """One machine, 60 s cycles, one shift of an hour: 100 kW at work, 5 kW off, half a kWh a piece, warm-up at 50 kW."""
    draws = {"electricity": Draw({"working": 100.0, "off": 5.0, "warm_up": 50.0}, 0.5)}
    line = Line(
        (station("one", Spread("fixed", 60.0), draws=draws, warm_up_s=600.0),), windows=(Window(HOUR, 2 * HOUR),)
    )
    run = simulate(line, 3 * HOUR, 900.0)
    found = usage(run)
    working = 100.0 + 0.5 * 60
    assert found.total("electricity") == pytest.approx(working + 50.0 / 6 + 5.0 * (2 - 1 / 6))
    assert found.wasted_total("electricity") == pytest.approx(50.0 / 6 + 5.0 * (2 - 1 / 6))
    assert found.per_piece("electricity") == pytest.approx(found.total("electricity") / 60)
    assert shares(run)[0].working == pytest.approx(1.0)


def test_event_core_against_simpy_piece_by_piece() -> None:
    """Two stations and a buffer of 2 in another tool, on the same numbers: the same pieces by the same minute."""
    spreads = [Spread("uniform", low_s=40.0, high_s=80.0), Spread("uniform", low_s=30.0, high_s=95.0)]
    line = chain(spreads, 2)
    run = simulate(line, DAY, 600.0, seed=11)
    seeds = [np.uint64(stream(11, 0, name, "cycle")) for name in ("s0", "s1")]
    env = simpy.Environment()
    store, finished = simpy.Store(env, capacity=2), []

    def cycle(which: int, piece: int) -> float:
        return float(duration(*spreads[which].coded(), uniform(seeds[which], piece)))

    def first():  # type: ignore[no-untyped-def]
        piece = 0
        while True:
            yield env.timeout(cycle(0, piece))
            yield store.put(piece)
            piece += 1

    def second():  # type: ignore[no-untyped-def]
        piece = 0
        while True:
            yield store.get()
            yield env.timeout(cycle(1, piece))
            finished.append(env.now)
            piece += 1

    env.process(first())
    env.process(second())
    env.run(until=DAY)
    theirs = np.bincount((np.array(finished) / 600.0).astype(int), minlength=144)
    assert run.output.tolist() == theirs.tolist()


def test_event_core_and_recursion_are_the_same_line() -> None:
    failure = Failure(Spread("weibull", 5400.0, shape=1.5), Spread("lognormal", 600.0, shape=0.6))
    line = chain([Spread("fixed", 60.0), Spread("uniform", low_s=50.0, high_s=66.0), Spread("exponential", 40.0)], 4, failure=failure)  # fmt: skip
    run = simulate(line, 30 * DAY, DAY, seed=3)
    pieces = int(run.output.sum())
    order = serial(line)
    assert order is not None
    same = simulate_serial(line, list(order), pieces - 1, 1, seed=3)
    assert run.horizon_s - 600.0 < same.span_s + 200.0 < run.horizon_s + 400.0
    seconds = run.seconds.sum(axis=1)
    for column, state in enumerate(("working", "idle", "blocked", "failed")):
        assert same.seconds[:, column] == pytest.approx(seconds[:, STATES.index(state)], rel=5e-3, abs=900.0)


def test_every_fault_is_named_at_once() -> None:
    line = Line(
        (
            station("a", Spread("fixed", -1.0), (), "x", scrap_fraction=1.2),
            station("a", Spread("empirical"), ("y",), "x", machines=0, operators=("men", 3)),
            station("c", Spread("fixed", 1.0), ("x",), "x", rework_fraction=0.1),
        ),
        (Buffer("x", 0),),
        (Pool("men", 1),),
    )
    codes = {problem.code for problem in faults(line, "twin.toml")}
    assert codes == {
        "twin.twice",
        "twin.capacity",
        "twin.negative",
        "twin.fraction",
        "twin.unknown",
        "twin.machines",
        "twin.operators",
        "twin.spread",
        "twin.rework",
    }
    assert all(one.file == "twin.toml" and one.message.zh and one.hint for one in faults(line, "twin.toml"))


@settings(max_examples=12)
@given(
    scrap=st.floats(0.0, 0.3),
    rework=st.floats(0.0, 0.3),
    machines=st.integers(1, 3),
    room=st.integers(1, 9),
    seed=st.integers(0, 1000),
)
def test_nothing_is_lost_and_every_second_is_told(scrap: float, rework: float, machines: int, room: int, seed: int) -> None:  # fmt: skip
    failure = Failure(Spread("exponential", 3000.0), Spread("exponential", 300.0))
    line = Line(
        (
            station("press", Spread("exponential", 50.0), (), "a", machines=machines, failure=failure, scrap_fraction=scrap),
            station("weld", Spread("fixed", 55.0), ("a",), "b", rework="mend", rework_fraction=rework, setup_s=20.0, standby_after_s=120.0, wake_s=15.0),
            station("bench", Spread("fixed", 200.0), ("mend",), "b"),
            station("paint", Spread("fixed", 45.0), ("b",), None, warm_up_s=600.0, operators=("men", 1)),
        ),
        (Buffer("a", room, 20.0, "cart"), Buffer("b", room, 30.0), Buffer("mend", 400)),
        (Pool("cart", 1), Pool("men", 1)),
        (Window(HOUR, 9 * HOUR), Window(10 * HOUR, 18 * HOUR)),
        mix=("x", "y", "y"),
    )  # fmt: skip
    run = simulate(line, DAY, 900.0, seed=seed)
    assert run.seconds.sum() == pytest.approx((machines + 3) * DAY)
    step = run.seconds.sum(axis=2)
    assert step == pytest.approx(np.array([[machines * 900.0]] + [[900.0]] * 3).repeat(96, axis=1))
    inside = run.count("made", "press") - run.count("scrapped", "press") - run.count("made", "weld")
    assert 0 <= inside <= room + machines + 1, (
        "between press and weld: the buffer, one in weld, those that wait in the press"
    )
    assert run.count("reworked", "weld") >= run.count("made", "bench")
    into_b = run.count("made", "weld") - run.count("reworked", "weld") + run.count("made", "bench")
    assert 0 <= into_b - run.count("made", "paint") <= room + 3
    assert run.count("finished") == int(run.output.sum()) == run.count("made", "paint")
    closed = [place for place in range(96) if place >= 74 or place < 4]
    paint = run.seconds[line.place("paint")]
    assert paint[76:, STATES.index("working")].sum() == 0
    assert paint[:, STATES.index("warm_up")].sum() == pytest.approx(1200.0), "before each of two shifts"
    assert len(closed) == 26


def test_vehicles_and_operators_limit_the_line() -> None:
    """Three buffers of one move a minute each and two vehicles of a minute there and back: two pieces of three."""
    base = chain([Spread("fixed", 60.0)] * 4, 20)
    line = replace(base, buffers=tuple(replace(one, travel_s=30.0, vehicles="agv") for one in base.buffers), pools=(Pool("agv", 2),))  # fmt: skip
    rate = simulate(line, 10 * DAY, DAY).output[2:].mean()
    assert rate == pytest.approx(960.0, rel=0.02)
    hands = replace(base, stations=tuple(replace(one, operators=("men", 1)) for one in base.stations), pools=(Pool("men", 2),))  # fmt: skip
    assert simulate(hands, 10 * DAY, DAY).output[2:].mean() == pytest.approx(720.0, rel=0.02)


@pytest.mark.parametrize("name", ["cycle", "failure.between"])
def test_times_so_short_that_a_run_would_not_end_are_told(name: str) -> None:
    short = Spread("exponential", 1e-300)
    cycle = short if name == "cycle" else Spread("fixed", 60.0)
    failure = Failure(short if name != "cycle" else Spread("fixed", 3600.0), Spread("fixed", 0.0), clock="open")
    line = Line((Station("m", Text("机床", "mill"), cycle, failure=failure),))
    with pytest.raises(FaultyData) as refused:
        simulate(line, 86_400.0)
    assert [(one.code, one.column) for one in refused.value.problems] == [("twin.too_much", f"stations.m.{name}")]
