"""The metal balance of a route, its costs and its check: hand-made cases, conservation, planted faults."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.errors import FaultyData, NotFound
from zerofactory.optimisation.routes.balance import body_of
from zerofactory.optimisation.routes.check import check
from zerofactory.optimisation.routes.cost import annuity_fraction, costed, crossings
from zerofactory.optimisation.routes.load import (
    assumptions,
    numbers,
    of_part,
    packaged,
    read_assumptions,
    read_own,
    read_route,
    with_number,
)
from zerofactory.optimisation.routes.route import Route

CASTING = "integrated_casting"
SHARES = st.floats(min_value=0.3, max_value=1.0)


def test_remelted_metal_is_bought_once() -> None:
    """60 kg through machining (98.5 %), casting (65 % of the shot), melting (97 %), by hand, returns going round."""
    body = body_of(packaged()[CASTING])
    formed = 60.0 / 0.999
    machined_in = formed / (0.985 * 0.985)
    shot = machined_in / (0.85 * 0.65)
    charged = shot / 0.97
    returned = shot - machined_in
    assert body.metals[0].charged_kg == pytest.approx(charged)
    assert body.metals[0].new_kg == pytest.approx(charged - returned)
    gas = body.quantity("stationary_combustion", "natural_gas")
    assert gas == pytest.approx(0.08 * charged), "what comes back is melted again"


def test_stamped_metal_by_hand() -> None:
    body = body_of(packaged()["stamped_steel"])
    started = 1.0 / 0.998
    for metal, net in zip(body.metals, (60.0, 25.7), strict=True):
        assert metal.new_kg == pytest.approx(net * started / 0.98 / 0.56)
        assert metal.utilisation_fraction == pytest.approx(0.998 * 0.98 * 0.56)
        assert metal.new_kg == pytest.approx(metal.net_kg + metal.sold_kg)


@given(melting=SHARES, casting=SHARES, good=SHARES, machining=SHARES, recovered=SHARES)
def test_metal_is_conserved_whatever_the_yields(
    melting: float, casting: float, good: float, machining: float, recovered: float
) -> None:
    route = packaged()[CASTING]
    for path, value in (
        ("branches[casting].steps[melt].mass_yield_fraction", melting),
        ("branches[casting].steps[cast].mass_yield_fraction", casting),
        ("branches[casting].steps[cast].good_fraction", good),
        ("branches[casting].steps[machine].mass_yield_fraction", machining),
        ("branches[casting].remelt_recovery_fraction", recovered),
    ):
        route = with_number(route, path, value)
    body = body_of(route)
    metal = body.metals[0]
    assert metal.new_kg == pytest.approx(metal.net_kg + metal.sold_kg + metal.lost_kg, rel=1e-12)
    assert check(body, costed(body, assumptions(), 100_000), assumptions()) == ()


@pytest.mark.parametrize("route", packaged().values(), ids=lambda one: one.id)
@pytest.mark.parametrize("volume", [1, 12_345, 300_000])
def test_every_route_passes_its_check_and_cites_every_number(route: Route, volume: int) -> None:
    body = body_of(route)
    assert check(body, costed(body, assumptions(), volume), assumptions()) == ()
    for path, number in numbers(route):
        assert len(number.source) > 8, path
        assert number.unit, path
    priced = {one.input.price for one in body.takings} - {None}
    assert priced <= set(assumptions().prices)


def test_check_catches_planted_faults() -> None:
    body, shared = body_of(packaged()[CASTING]), assumptions()
    money = costed(body, shared, 200_000)
    less = replace(body, metals=(replace(body.metals[0], new_kg=body.metals[0].new_kg * 0.99),))
    assert {one.code for one in check(less, money, shared)} == {"metal", "mass"}
    fewer = replace(money, stations=(replace(money.stations[0], number=1.0), *money.stations[1:]))
    assert [one.code for one in check(body, fewer, shared)] == ["stations"]
    more = replace(
        money, stations=(replace(money.stations[0], number=money.stations[0].number + 1), *money.stations[1:])
    )
    assert [one.code for one in check(body, more, shared)] == ["stations"]


def test_stations_come_in_whole_numbers_unless_shared() -> None:
    shared = assumptions()
    casting = body_of(packaged()[CASTING])
    parts = next(worked.passing.parts for worked in casting.steps if worked.step.id == "cast")
    able = 4800 * 3600 * 0.75 / 120.0  # castings a year of one cell
    volume = int(able * 2 / parts)
    assert costed(casting, shared, volume).stations[0].number == 2
    assert costed(casting, shared, volume + 2).stations[0].number == 3
    stamped = costed(body_of(packaged()["stamped_steel"]), shared, volume).stations[0]
    assert stamped.number != round(stamped.number)


def test_cost_adds_up_by_hand() -> None:
    body, shared = body_of(packaged()[CASTING]), assumptions()
    money = costed(body, shared, 100_000)
    metal = body.metals[0]
    assert money.cny_per_year["metal"] == pytest.approx(100_000 * 21.0 * metal.new_kg)
    assert money.cny_per_year["scrap"] == pytest.approx(-100_000 * 15.0 * metal.sold_kg)
    cast = next(worked.passing.parts for worked in body.steps if worked.step.id == "cast")
    sets = max(2, -(-cast * 100_000 * 6 // 100_000))
    assert money.tooling_cny == pytest.approx(sets * 13e6)
    assert money.cny_per_year["tooling"] == pytest.approx(sets * 13e6 * annuity_fraction(0.08, 6))
    assert money.cny_per_body == pytest.approx(sum(money.cny_per_year.values()) / 100_000)


def test_every_crossing_is_told() -> None:
    def stepped(volume: int) -> float:
        return 100.0 + 1e6 * (1 + volume // 10_000) / volume  # one more machine every 10 000

    found = crossings(stepped, lambda _: 215.0, ("a", "b"), tuple(range(5_000, 40_000, 500)))
    for one in found:
        cheaper_before = "a" if stepped(one.volume - 1) < 215.0 else "b"
        cheaper_after = "a" if stepped(one.volume) < 215.0 else "b"
        assert cheaper_before != cheaper_after == one.cheaper
    assert [one.cheaper for one in found][:3] == ["a", "b", "a"]


def test_faults_come_all_at_once_with_their_keys() -> None:
    text = """
id = "odd"
part = "rear_floor"
title = { zh = "怪", en = "odd" }
description = { zh = "怪", en = "odd" }
[[branches]]
id = "m"
title = { zh = "料", en = "metal" }
metal = { source_kind = "purchased_goods", item = "steel", per = "kg_in", amount = { value = 1, unit = "kg", source = "definition", status = "verified" } }
net_kg = { value = 10, low = 12, unit = "kg", source = "assumed here", status = "assumption" }
parts = { value = 2, unit = "1", source = "assumed here", status = "assumption" }
[branches.scrap]
price = "scrap_steel"
primary = { source_kind = "purchased_goods", item = "steel", per = "kg_out", amount = { value = 1, unit = "kg", source = "definition", status = "verified" } }
recycled = { source_kind = "purchased_goods", item = "steel", per = "kg_out", amount = { value = 1, unit = "kg", source = "definition", status = "verified" } }
recovery_fraction = { value = 0.9, unit = "fraction", source = "assumed here", status = "assumption" }
[[branches.steps]]
id = "press"
title = { zh = "压", en = "press" }
shop = "stamping"
fate = "remelted"
good_fraction = { value = 1.2, unit = "fraction", source = "assumed here", status = "assumption" }
inputs = [{ source_kind = "purchased_electricity", item = "electricity", per = "joint", amount = { value = -1, unit = "kWh", source = "assumed here", status = "assumption" } }]
"""
    with pytest.raises(FaultyData) as caught:
        read_route(text + "[[joining]]\nid = 'w'\n", "own.toml")
    assert {problem.column for problem in caught.value.problems} >= {"joining.w.title", "joining.w.shop"}
    with pytest.raises(FaultyData) as caught:
        read_route(text.replace('id = "odd"', 'id = "odd"\ncolour = "red"') + "joining = []\n", "own.toml")
    read = text.replace("[[branches]]", "joining = []\n[[branches]]", 1)
    with pytest.raises(FaultyData) as caught:
        read_route(read, "own.toml")
    found = {problem.column for problem in caught.value.problems}
    assert found == {
        "branches[m].net_kg",
        "branches[m].steps[press].good_fraction.value",
        "branches[m].steps[press].inputs[electricity].amount.value",
        "branches[m].remelt_recovery_fraction",
        "branches[m].steps[press].mass_yield_fraction",
        "branches[m].steps[press].joints",
    }
    assert all(problem.file == "own.toml" and problem.message.zh and problem.hint for problem in caught.value.problems)


def test_own_file_overrules_and_refuses_what_it_does_not_know() -> None:
    routes, shared = read_own('[assumptions.prices.electricity]\nvalue = 1.0\nunit = "CNY/kWh"\nsource = "our contract"\nstatus = "verified"\n', "routes.toml")  # fmt: skip
    assert shared.prices["electricity"].value == 1.0
    assert shared.prices["natural_gas"] == assumptions().prices["natural_gas"]
    assert set(routes) == set(packaged())
    with pytest.raises(FaultyData):
        read_own("[assumption]\n", "routes.toml")
    with pytest.raises(FaultyData):
        read_own("not toml", "routes.toml")
    with pytest.raises(FaultyData):
        read_assumptions({"hours_per_year": {"value": 0.0 / 1, "unit": "h"}}, "routes.toml", assumptions())
    with pytest.raises(NotFound):
        of_part(packaged(), "roof")
