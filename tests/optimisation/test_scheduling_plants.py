"""Orders shared among plants: the best of all ways on small groups, clashes named, planted violations caught."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from zerofactory.errors import FaultyData
from zerofactory.optimisation.scheduling.plants import (
    Carriage,
    Making,
    Plant,
    Share,
    SharedOrder,
    Sharing,
    check,
    faults,
    figures,
    share,
    ways,
)


def group(seed: int, **given: object) -> Sharing:
    """Return two plants, two periods, two orders of two lots."""
    rng = np.random.default_rng(seed)
    plants = tuple(
        Plant(name, (10.0, 10.0), tuple(rng.uniform(0.4, 1.0, 2)), tuple(rng.uniform(100.0, 900.0, 2)), float(rng.uniform(0.0, 4000.0)))
        for name in "PQ"
    )  # fmt: skip
    orders = (SharedOrder("A", "car", "east", 2, 10.0, 1), SharedOrder("B", "van", "west", 2, 10.0, int(seed % 2)))
    making = {(p, o): Making(float(rng.uniform(500.0, 900.0)), 0.4) for p in "PQ" for o in ("car", "van")}
    carriage = {(p, m): Carriage(float(rng.uniform(0.0, 300.0)), float(rng.uniform(0.0, 1e5))) for p in "PQ" for m in ("east", "west")}  # fmt: skip
    return Sharing(plants, orders, making, carriage, **given)  # type: ignore[arg-type]


def best_by_trying(problem: Sharing) -> float:
    """Return the least objective over every way to place every lot."""
    lots = [(order, n) for order in problem.orders for n in range(order.lots)]
    least = np.inf
    for chosen in product(*(ways(problem, order) for order, _ in lots)):
        shares = tuple(Share(order.id, plant.id, t, 1) for (order, _), (plant, t) in zip(lots, chosen, strict=True))
        used: dict[tuple[str, int], float] = {}
        for (order, _), (plant, t) in zip(lots, chosen, strict=True):
            hours = order.pieces_per_lot * problem.making[plant.id, order.product].hours
            used[plant.id, t] = used.get((plant.id, t), 0.0) + hours
        if max(used.values()) > 10.0:
            continue
        cny, grams, _ = figures(problem, shares)
        least = min(least, grams / 1e6 if problem.least_carbon else cny + problem.carbon_price_cny_per_t * grams / 1e6)
    return float(least)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("price", [0.0, 800.0])
def test_the_share_is_as_good_as_the_best_of_all_ways(seed: int, price: float) -> None:
    problem = group(seed, carbon_price_cny_per_t=price)
    found = share(problem)
    assert found.objective == pytest.approx(best_by_trying(problem), rel=1e-7)
    assert found.gap < 1e-6
    assert not check(problem, found)


@pytest.mark.parametrize("seed", range(3))
def test_least_carbon_is_the_least_of_all_ways(seed: int) -> None:
    problem = group(seed, least_carbon=True)
    found = share(problem)
    assert found.emissions_t == pytest.approx(best_by_trying(problem), rel=1e-6)
    assert found.emissions_t <= share(group(seed)).emissions_t * (1 + 1e-9)


def test_a_cap_is_kept_and_costs() -> None:
    free = share(group(1))
    low = share(group(1, least_carbon=True)).emissions_t
    middle = 0.5 * (free.emissions_t + low)
    capped = share(group(1, carbon_cap_t=middle))
    assert capped.emissions_t <= middle * (1 + 1e-9)
    assert capped.cost_cny >= free.cost_cny
    with pytest.raises(FaultyData, match="clash"):
        share(group(1, carbon_cap_t=0.5 * low))


def test_what_nobody_can_make_and_too_little_capacity_are_named() -> None:
    problem = group(2)
    assert [one.code for one in faults(replace(problem, making={}))] == ["plants.nobody", "plants.nobody"]
    many = replace(problem.orders[0], lots=20)
    (told,) = faults(replace(problem, orders=(many,)))
    assert told.code == "plants.capacity"
    assert "80 hours" in told.message.en
    assert "40" in told.message.en
    far = {pair: replace(route, periods=5) for pair, route in problem.carriage.items()}
    assert {one.code for one in faults(replace(problem, carriage=far))} == {"plants.nobody"}
    odd = replace(problem.plants[0], hours=(1.0,))
    assert {one.code for one in faults(replace(problem, plants=(odd, problem.plants[1])))} == {"plants.length"}


def test_planted_violations_are_caught() -> None:
    problem = group(3)
    found = share(problem)

    def codes(shares: tuple[Share, ...]) -> set[str]:
        return {one.code for one in check(problem, replace(found, shares=shares))}

    assert "plants.check_demand" in codes(found.shares[1:])
    assert "plants.check_hours" in codes((Share("A", "P", 1, 2), Share("B", "P", 1, 2)))
    assert "plants.check_due" in codes(tuple(replace(one, period=7) for one in found.shares))
    assert [one.code for one in check(problem, replace(found, objective=found.objective * 1.1))] == [
        "plants.check_figure"
    ]
    assert "plants.check_cap" in {one.code for one in check(replace(problem, carbon_cap_t=0.001), found)}
