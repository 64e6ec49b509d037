"""Line feeding: fewest departures as found by trying all, stock that never runs dry nor over, planted violations."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from zerofactory.errors import FaultyData
from zerofactory.optimisation.scheduling.feeding import (
    Box,
    Call,
    Delivery,
    Feeding,
    Part,
    Trains,
    boxes,
    check,
    faults,
    lazy,
    plan,
)

TRAINS = Trains(4, 30.0, 2, 10.0, 1.5, 0.4)


def day(lots: int = 8, lines: int = 2) -> Feeding:
    """Return a day of overlapping lots on several lines, one part in containers of ten and one kit."""
    calls = tuple(
        Call(f"L{k}", "ab"[k % 2], 20.0, 60.0 + 60.0 * (k // lines), 120.0 + 60.0 * (k // lines), f"line{k % lines}")
        for k in range(lots)
    )
    door = Part("door", "st1", {"a": 1.0, "b": 2.0}, 40, 5, 80.0)
    kit = Part("kit", "st2", {"a": 1.0}, 1, 3, 1.0, kitted=True)
    return Feeding((door, kit), calls, TRAINS, 14)


def feasible(listed: list[Box], chosen: tuple[int, ...], most: int) -> bool:
    """Tell by the earliest deadline first whether these departures carry everything."""
    waiting = list(listed)
    for departure in chosen:
        ready = sorted((box for box in waiting if box.first <= departure <= box.last), key=lambda box: box.last)
        for box in ready[:most]:
            waiting.remove(box)
    return not waiting


@pytest.mark.parametrize("seed", range(25))
def test_no_fewer_departures_would_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    departures, most = 7, int(rng.integers(1, 4))
    firsts = rng.integers(0, departures, int(rng.integers(2, 9)))
    listed = [Box("p", n, int(first), int(rng.integers(first, departures))) for n, first in enumerate(firsts)]
    ways = [size for size in range(departures + 1) for chosen in combinations(range(departures), size) if feasible(listed, chosen, most)]  # fmt: skip
    if not ways:
        pytest.skip("these containers cannot all be carried")
    found = lazy(listed, most)
    assert sorted(one.number for one in found) == list(range(len(listed)))
    assert all(listed[one.number].first <= one.departure <= listed[one.number].last for one in found)
    assert len({one.departure for one in found}) == min(ways)


def test_a_day_with_overlapping_lots_is_fed_and_checked() -> None:
    problem = day()
    found = plan(problem)
    assert not check(problem, found)
    taken = 4 * 20.0 * 1.0 + 4 * 20.0 * 2.0
    assert found.containers == -(-(taken - 80.0) // 40)
    assert found.kits == 4 - 1
    assert found.energy_kwh == pytest.approx(found.tours * 1.5 * 0.4)


def test_planted_violations_are_caught() -> None:
    problem = day()
    found = plan(problem)

    def codes(deliveries: list[Delivery]) -> set[str]:
        return {one.code for one in check(problem, replace(found, deliveries=tuple(deliveries)))}

    late = [replace(one, departure=12) if one.part == "door" else one for one in found.deliveries]
    assert "feeding.check_dry" in codes(late)
    early = [replace(one, departure=0) if one.part == "door" else one for one in found.deliveries]
    assert codes(early) == {"feeding.check_full"}
    assert codes([one for one in found.deliveries if one.part == "door"]) == {"feeding.check_kit"}
    assert "feeding.check_load" in codes([*found.deliveries, *(Delivery(3, "wheel", n) for n in range(9))])
    crowded = [replace(one, departure=0) if one.part == "kit" else one for one in found.deliveries]
    assert codes(crowded) == {"feeding.check_kits"}


def test_a_line_that_must_run_dry_is_named_with_the_container() -> None:
    problem = day()
    tight = replace(problem, parts=(replace(problem.parts[0], places=1, pieces=20, stock=0.0),))
    codes = {one.code for one in faults(tight)}
    assert codes == {"feeding.dry"}
    with pytest.raises(FaultyData, match="runs dry"):
        plan(tight)


def test_more_than_the_trains_carry_is_named_with_the_departures() -> None:
    problem = replace(day(), trains=replace(TRAINS, containers=1, trains=1), parts=(replace(day().parts[0], pieces=10, places=30),))  # fmt: skip
    assert boxes(problem)
    assert [one.code for one in faults(problem)] == ["feeding.overload"]
