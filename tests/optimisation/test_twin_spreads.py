"""Spreads of durations: quantiles beside scipy's, and lines of Erlang stations beside their exact Markov chains."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from zerofactory.errors import Text
from zerofactory.optimisation.twin import serial as recursion
from zerofactory.optimisation.twin.draw import Kind, Spread, duration
from zerofactory.optimisation.twin.line import Buffer, Line, Station, faults, serial
from zerofactory.optimisation.twin.production import simulate

LEVELS = (1e-9, 1e-4, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0 - 1e-6)


def scale(sd: float, mean: float) -> stats.rv_continuous:
    return stats.truncnorm(-mean / sd, np.inf, loc=mean, scale=sd)


@pytest.mark.parametrize(
    ("spread", "told"),
    [
        *((Spread("gamma", 60.0, k), stats.gamma(k, scale=60.0 / k)) for k in (0.05, 0.3, 0.7, 1.0, 1.5, 2.0, 9.0, 80.0, 1000.0)),
        *((Spread("normal", 60.0, sd_s=sd), scale(sd, 60.0)) for sd in (1.0, 20.0, 60.0, 300.0)),
        *((Spread("triangular", low_s=20.0, mode_s=mode, high_s=90.0), stats.triang((mode - 20.0) / 70.0, 20.0, 70.0)) for mode in (20.0, 50.0, 90.0)),
    ],
)  # fmt: skip
def test_quantiles_and_means_are_those_of_scipy(spread: Spread, told: stats.rv_continuous) -> None:
    least_s = 1e-6 if spread.kind == "normal" else 1e-12  # at its edge a normal spread is a small difference
    for u in LEVELS:
        assert duration(*spread.coded(), u) == pytest.approx(told.ppf(u), rel=2e-7, abs=least_s), u
    assert spread.average_s == pytest.approx(told.mean(), rel=1e-9)


def test_a_spread_of_no_width_is_its_middle() -> None:
    assert duration(*Spread("normal", 60.0).coded(), 0.3) == 60.0
    assert duration(*Spread("triangular", low_s=5.0, mode_s=5.0, high_s=5.0).coded(), 0.3) == 5.0
    assert Spread("normal", 60.0).average_s == 60.0


def line_of(spreads: list[Spread], room: int) -> Line:
    """Return stations in a row with buffers of one size, or direct hand-over for no room."""
    last = len(spreads) - 1
    stations = tuple(
        Station(f"m{n}", Text("", f"m{n}"), one, takes=(f"b{n - 1}",) if n else (), gives=f"b{n}" if n < last else None)
        for n, one in enumerate(spreads)
    )
    buffers = tuple(Buffer(f"b{n}", room, direct=True) if room == 0 else Buffer(f"b{n}", room) for n in range(last))
    return Line(stations, buffers)


def exact_rate(phases: tuple[int, ...], room: int) -> float:
    """Return the throughput of a line whose stations take Erlang times of mean 1, from its Markov chain.

    The state is, by station, the phase in work (0 when it has nothing or is stuck with a finished piece) and how many pieces
    wait in each buffer; the first station never runs dry, the last is never stuck.
    """
    count = len(phases)
    # a state: by station the phase 1…k, 0 starved, -1 stuck; by buffer the pieces

    def settled(work: list[int], held: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        moved = True
        while moved:
            moved = False
            for m in range(count):
                if m < count - 1 and work[m] == -1 and held[m] < room:
                    held[m] += 1
                    work[m], moved = (1 if m == 0 else 0), True
                if m < count - 1 and work[m] == -1 and work[m + 1] == 0 and held[m] == 0:  # straight into the next
                    work[m + 1], work[m], moved = 1, (1 if m == 0 else 0), True
                if m > 0 and work[m] == 0 and held[m - 1] > 0:
                    held[m - 1] -= 1
                    work[m], moved = 1, True
        return tuple(work), tuple(held)

    begin = settled([1] + [0] * (count - 1), [0] * (count - 1))
    places, todo, flows = {begin: 0}, [begin], []
    while todo:
        state = todo.pop()
        for m in range(count):
            work, held = list(state[0]), list(state[1])
            if work[m] <= 0:
                continue
            leaves = False
            if work[m] < phases[m]:
                work[m] += 1
            elif m == count - 1:
                work[m], leaves = 0, True
            else:
                work[m] = -1
            after = settled(work, held)
            if after not in places:
                places[after] = len(places)
                todo.append(after)
            flows.append((places[state], places[after], float(phases[m]), leaves))
    size = len(places)
    matrix = np.zeros((size, size))
    out = np.zeros(size)
    for source, sink, rate, leaves in flows:
        matrix[source, sink] += rate
        matrix[source, source] -= rate
        out[source] += rate * leaves
    balance = np.vstack([matrix.T[1:], np.ones(size)])
    held = np.linalg.solve(balance, np.eye(size)[:, -1])
    return float(held @ out)


def test_the_chain_itself_gives_the_published_exponential_line() -> None:
    assert exact_rate((1, 1, 1), 0) == pytest.approx(22 / 39, abs=1e-12)  # Hunt 1956, doi 10.1287/opre.4.6.674
    assert exact_rate((1, 1), 0) == pytest.approx(2 / 3, abs=1e-12)


CORES: tuple[Callable[[Line, int, int], float], ...] = (
    lambda line, pieces, seed: recursion.simulate(line, list(serial(line) or ()), pieces, 2000, seed).rate_per_s * 60.0,
    lambda line, pieces, seed: simulate(line, pieces * 60.0 * 1.5, 3600.0, seed, 0).count("finished") / (pieces * 1.5),
)


@pytest.mark.parametrize("core", CORES, ids=["recursion", "events"])
@pytest.mark.parametrize(("phases", "room"), [((2, 2), 0), ((4, 4), 1), ((2, 2, 2), 0), ((3, 1, 2), 1)])
def test_lines_of_erlang_stations_are_those_of_their_markov_chains(
    core: Callable[[Line, int, int], float], phases: tuple[int, ...], room: int
) -> None:
    line = line_of([Spread("gamma", 60.0, float(k)) for k in phases], room)
    assert faults(line) == []
    rates = np.array([core(line, 20_000, seed) for seed in range(8)])
    wanted = exact_rate(phases, room)
    assert abs(rates.mean() - wanted) < 4.0 * rates.std(ddof=1) / sqrt(len(rates))
    assert abs(rates.mean() - wanted) < 0.01 * wanted


def test_what_cannot_be_drawn_is_told() -> None:
    wrong = [
        Spread("triangular", low_s=10.0, mode_s=30.0, high_s=20.0),
        Spread("gamma", 60.0, 5000.0),
        Spread("normal", 60.0, sd_s=-1.0),
        Spread("normal"),
        Spread("gamma", 0.0, 2.0),
    ]
    told = faults(line_of(wrong, 1))
    assert [one.code for one in told] == ["twin.spread", "twin.spread", "twin.negative", "twin.spread", "twin.spread"]
    assert all(str(one.row or one.column).endswith(".cycle") for one in told)


def test_draws_are_as_many_as_levels_say() -> None:
    kinds: tuple[Kind, ...] = ("gamma", "normal", "triangular")
    for kind in kinds:
        one = Spread(kind, 60.0, 2.5, 10.0, 100.0, sd_s=12.0, mode_s=40.0)
        drawn = np.array([duration(*one.coded(), (n + 0.5) / 4000) for n in range(4000)])
        assert drawn.mean() == pytest.approx(one.average_s, rel=2e-3)
        assert np.all(np.diff(drawn) >= 0.0)
