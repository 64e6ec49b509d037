"""Those who repair are few: machine interference beside its exact solution, order of service, faults."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from zerofactory.errors import Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.line import Buffer, Failure, Line, Pool, Station, faults, serial
from zerofactory.optimisation.twin.production import simulate
from zerofactory.optimisation.twin.start import State
from zerofactory.optimisation.twin.trace import traced

DAY = 86_400.0


def shop(machines: int, repairers: int, up_s: float, down_s: float) -> Line:
    """Return machines that never run dry and share those who repair them."""
    failure = Failure(Spread("exponential", up_s), Spread("exponential", down_s), ("crew", 1))
    return Line((Station("m", Text("机床", "m"), Spread("fixed", 900.0), machines=machines, failure=failure),), pools=(Pool("crew", repairers),))  # fmt: skip


def at_work(machines: int, repairers: int, up_s: float, down_s: float) -> float:
    """Return the mean share of machines that work: the finite-source queue M/M/c//N (Palm 1947; Kleinrock 1975, section 3.8)."""
    weights = [1.0]
    for failed in range(1, machines + 1):
        weights.append(weights[-1] * (machines - failed + 1) / up_s * down_s / min(failed, repairers))
    return sum((machines - failed) * weight for failed, weight in enumerate(weights)) / sum(weights) / machines


def test_the_formula_gives_what_is_known() -> None:
    assert at_work(5, 5, 900.0, 100.0) == pytest.approx(0.9)  # enough repairers: each machine for itself
    assert at_work(2, 1, 1.0, 1.0) == pytest.approx((2 * 1 + 1 * 2) / (1 + 2 + 2) / 2)


@pytest.mark.parametrize(("machines", "repairers"), [(8, 1), (8, 2), (8, 8), (3, 1)])
def test_machine_interference_is_that_of_the_finite_source_queue(machines: int, repairers: int) -> None:
    line = shop(machines, repairers, 3600.0, 900.0)
    assert faults(line) == []
    shares = []
    for replication in range(8):
        run = simulate(line, 100 * DAY, DAY, 3, replication)
        shares.append(run.seconds[0, 5:, 4].sum() / run.seconds[0, 5:, :].sum())
    wanted = at_work(machines, repairers, 3600.0, 900.0)
    assert abs(np.mean(shares) - wanted) < 4.0 * float(np.std(shares, ddof=1)) / sqrt(len(shares))
    assert np.mean(shares) == pytest.approx(wanted, rel=0.02)


def fixed(up: dict[str, float], *, number: int = 1, many: int = 1) -> Line:
    """Return stations that fail after so much work and take ten minutes to repair."""
    stations = tuple(
        Station(name, Text("", name), Spread("fixed", 1e6), failure=Failure(Spread("fixed", up_s), Spread("fixed", 600.0), ("crew", number)))
        for name, up_s in up.items()
    )  # fmt: skip
    return Line(stations, pools=(Pool("crew", many),))


def spells(line: Line, horizon_s: float, state: State | None = None) -> dict[str, list[tuple[float, int]]]:
    """Return when each station entered a state."""
    _, seen = traced(line, horizon_s, 900.0, 0, 0, state)
    found: dict[str, list[tuple[float, int]]] = {one.id: [] for one in line.stations}
    for at, machine, state_, _ in seen.machines.tolist():
        found[line.stations[seen.station_of[machine]].id].append((round(at, 6), int(state_)))
    return found


def test_who_waited_longest_is_repaired_first() -> None:
    told = spells(fixed({"a": 1000.0, "b": 1100.0, "c": 1050.0}), 3000.0)
    working, failed = 4, 6
    assert [row for row in told["a"] if row[0] > 0][:2] == [(1000.0, failed), (1600.0, working)]
    assert [row for row in told["c"] if row[0] > 0][:2] == [(1050.0, failed), (2200.0, working)]
    assert [row for row in told["b"] if row[0] > 0][:2] == [(1100.0, failed), (2800.0, working)]


def test_a_repair_may_need_several() -> None:
    told = spells(fixed({"a": 1000.0, "b": 1100.0}, number=2, many=3), 3000.0)
    assert (2200.0, 4) in told["b"]  # one is free, two are needed
    told = spells(fixed({"a": 1000.0, "b": 1100.0}, number=2, many=4), 3000.0)
    assert (1700.0, 4) in told["b"]


def test_who_needs_more_is_not_passed_by_who_needs_less() -> None:
    alone = fixed({"a": 1000.0, "b": 1100.0, "c": 1200.0}, many=2)
    both = replace(alone.stations[1], failure=replace(alone.stations[1].failure, repairers=("crew", 2)))
    told = spells(replace(alone, stations=(alone.stations[0], both, alone.stations[2])), 4000.0)
    assert (2200.0, 4) in told["b"]  # from 1600 s on, when both are free
    assert (2800.0, 4) in told["c"]  # one was free when it failed, but another had waited longer


def test_a_line_may_begin_with_more_failures_than_repairers() -> None:
    told = spells(fixed({"a": 1e5, "b": 1e5}), 3000.0, State({}, {"a": "failed", "b": "failed"}))
    ends = sorted(at for rows in told.values() for at, state in rows if state == 4)
    assert ends == [600.0, 1200.0]


def test_lines_without_repairers_are_what_they_were() -> None:
    failure = Failure(Spread("exponential", 3600.0), Spread("exponential", 600.0))
    stations = (
        Station("a", Text("", "a"), Spread("exponential", 60.0), gives="b", failure=failure),
        Station("z", Text("", "z"), Spread("exponential", 55.0), takes=("b",), failure=failure),
    )
    plain = Line(stations, (Buffer("b", 4),))
    assert serial(plain) == [0, 1]
    plenty = tuple(Station(one.id, one.title, one.cycle, takes=one.takes, gives=one.gives, failure=Failure(failure.between, failure.repair, ("crew", 1))) for one in stations)  # fmt: skip
    crewed = Line(plenty, (Buffer("b", 4),), (Pool("crew", 2),))
    assert serial(crewed) is None
    one, other = simulate(plain, 5 * DAY, 900.0, 2, 0), simulate(crewed, 5 * DAY, 900.0, 2, 0)
    assert np.array_equal(one.seconds, other.seconds)  # two repairers for two machines: nobody ever waits
    assert np.array_equal(one.counts, other.counts)


def test_repairers_that_are_not_there_are_told() -> None:
    failure = Failure(Spread("fixed", 100.0), Spread("fixed", 10.0), ("crew", 2))
    lone = Line((Station("a", Text("", "a"), Spread("fixed", 1.0), failure=failure),), pools=(Pool("crew", 1),))
    assert [one.code for one in faults(lone)] == ["twin.repairers"]
    shared = Line((Station("a", Text("", "a"), Spread("fixed", 1.0), failure=failure, operators=("crew", 1)),), pools=(Pool("crew", 2),))  # fmt: skip
    (told,) = faults(shared)
    assert "操作员" in told.message.zh
