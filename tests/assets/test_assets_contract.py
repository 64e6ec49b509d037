"""One contract over every kind of asset: sources, titles, units, worked example; physics and linear part agree."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.assets.conftest import conditions_of, example_values, solve_alone

from zerofactory import units
from zerofactory.assets.asset import (
    STATUSES,
    Asset,
    At,
    Conditions,
    assets,
    input_problems,
    simulate,
    values_of,
    with_defaults,
)
from zerofactory.assets.block import (
    CARRIERS,
    AssetBlock,
    bound_violation,
    flow_of,
    over,
    row_violation,
    slots_of,
)
from zerofactory.assets.grid import Grid
from zerofactory.discover import discover

KINDS = assets()
EXTRA_UNITS = {"1", "text", "choice", "degree", "kVA", "kPa", "°C", "m/s"}
TOLERANCE = 1e-6
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
EXPECTED = {
    "battery", "chiller", "combined_heat_power", "compressed_air", "direct_line", "electric_boiler", "electrolyser", "ev_charger",
    "flexible_load", "furnace", "gas_boiler", "gas_supply", "green_power_contract", "grid_connection", "heat_pump", "paint_oven",
    "photovoltaic", "thermal_oxidiser", "thermal_storage", "waste_heat_recovery", "wind_turbine",
}  # fmt: skip


def test_every_kind_of_the_plan_is_there() -> None:
    assert set(KINDS) >= EXPECTED
    assert discover("zerofactory.assets.kinds", "ASSET").keys() == KINDS.keys()


def _known_unit(unit: str) -> bool:
    return all(part in EXTRA_UNITS or units.parse(part) for part in unit.replace("·", "/").split("/"))


@each_kind
def test_it_says_where_it_is_from(kind: Asset) -> None:
    assert kind.title.zh != kind.title.en
    assert kind.title.zh
    assert len(kind.reference) > 20
    assert kind.example.citation
    assert kind.parameters
    for parameter in kind.parameters:
        assert parameter.source, parameter.name
        assert parameter.status in STATUSES
        assert parameter.title.zh
        assert parameter.title.en
        assert _known_unit(parameter.unit), (parameter.name, parameter.unit)
        low, high = parameter.minimum, parameter.maximum
        assert low is None or high is None or low < high
        if isinstance(parameter.default, float):
            assert low is None or parameter.default >= low, parameter.name
            assert high is None or parameter.default <= high, parameter.name
        if parameter.choices and parameter.default is not None:
            assert parameter.default in parameter.choices
    for wanted in kind.inputs:
        assert wanted.title.zh
        assert _known_unit(wanted.unit), (wanted.name, wanted.unit)


@each_kind
def test_names_carry_their_unit(kind: Asset) -> None:
    spelled = {
        "fraction": "_fraction",
        "kW": "_kw",
        "kWh": "_kwh",
        "a": "_years",
        "h": "_hours",
        "K": "_kelvin",
        "degC": "_celsius",
    }
    for parameter in kind.parameters:
        if parameter.unit in spelled:
            assert parameter.name.endswith(spelled[parameter.unit]), parameter.name


@each_kind
def test_its_worked_example_reproduces(kind: Asset) -> None:
    values, problems = values_of(kind, kind.example.given)
    assert values is not None, problems
    state = {**kind.start(values), **kind.example.state}
    done = kind.step(values, state, kind.example.action, At(kind.example.hours, kind.example.series))
    for name, expected in kind.example.expected.items():
        assert done.values[name] == pytest.approx(expected, rel=1e-8, abs=1e-9), name


@each_kind
@pytest.mark.parametrize("sized", [False, True])
def test_its_block_is_sound(kind: Asset, sized: bool, two_days: Grid) -> None:
    values = example_values(kind, sized=sized)
    block = kind.block(values, with_defaults(kind, conditions_of(kind, values, two_days, 1, sized=sized)))
    names = [variable.name for variable in block.variables]
    assert len(names) == len(set(names))
    assert {term.variable for row in block.rows for term in row.terms} <= set(names)
    assert {flow.carrier for flow in block.flows} | {one.carrier for one in block.given} <= set(CARRIERS)
    assert set(kind.actions) | {state for state in kind.states if not state.startswith("start_")} <= set(names)
    assert [size.variable for size in block.sizes] == ([kind.size] if sized and kind.size else [])
    for emission in block.emissions:
        assert emission.variable in names
        assert units.parse(emission.unit)
    for row in block.rows:
        assert over(row.bound, two_days.length if row.per == "interval" else np.size(row.bound)).dtype == np.float64


def _fill(
    block: AssetBlock, solved: dict[str, np.ndarray], done: dict[str, np.ndarray], grid: Grid
) -> dict[str, np.ndarray]:
    filled = {**solved, **done}
    if "peak_kw" in solved:
        filled["peak_kw"] = np.asarray([done["import_kw"][grid.month_of == m].max() for m in range(len(grid.months))])
    assert {variable.name for variable in block.variables} == set(filled)
    return filled


def _all_hold(block: AssetBlock, grid: Grid, values: dict[str, np.ndarray]) -> None:
    scale = max(1.0, *(float(np.abs(value).max()) for value in values.values()))
    assert bound_violation(block, grid, values) <= TOLERANCE * scale
    for row in block.rows:
        assert row_violation(block, row, grid, values) <= TOLERANCE * scale, row.name


@each_kind
@pytest.mark.parametrize("seed", range(4))
def test_physics_repeats_what_the_linear_part_allows(kind: Asset, seed: int, two_days: Grid) -> None:
    """A corner of the linear part, handed to the physics as wishes, comes back as it is."""
    values = example_values(kind)
    conditions = with_defaults(kind, conditions_of(kind, values, two_days, seed))
    block = kind.block(values, conditions)
    solved = solve_alone(block, two_days, seed)
    done = dict(simulate(kind, values, conditions, {name: solved[name] for name in kind.actions}))
    for name in kind.actions:
        assert done[name] == pytest.approx(solved[name], abs=TOLERANCE * 1e3, rel=1e-6), name
    _all_hold(block, two_days, _fill(block, solved, done, two_days))


@each_kind
@pytest.mark.parametrize("seed", range(4))
def test_physics_of_any_wish_stays_within_the_linear_part(kind: Asset, seed: int, two_days: Grid) -> None:
    values = example_values(kind)
    conditions = with_defaults(kind, conditions_of(kind, values, two_days, seed))
    block = kind.block(values, conditions)
    rng = np.random.default_rng(100 + seed)
    ranges = {name: min(float(over(block.variable(name).upper, two_days.length).max()), 2e3) for name in kind.actions}
    wishes = {name: rng.uniform(-0.2, 1.5, two_days.length) * max(top, 1e-3) for name, top in ranges.items()}
    done = dict(simulate(kind, values, conditions, wishes))
    rest = {v.name: over(v.lower, slots_of(v.length, two_days)) for v in block.variables if v.name not in done}
    _all_hold(block, two_days, _fill(block, rest, done, two_days))


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.size], ids=lambda kind: kind.id)
@pytest.mark.parametrize("seed", range(2))
def test_a_size_that_is_decided_means_the_same_as_one_installed(kind: Asset, seed: int, two_days: Grid) -> None:
    assert kind.size is not None
    values = example_values(kind, sized=True)
    conditions = with_defaults(kind, conditions_of(kind, values, two_days, seed, sized=True))
    block = kind.block(values, conditions)
    solved = solve_alone(block, two_days, seed)
    size = float(solved[kind.size][0])
    fixed = kind.block(
        values.with_values(**{kind.size: size}), Conditions(two_days, conditions.series, conditions.monthly)
    )
    own = {name: value for name, value in solved.items() if name != kind.size}
    assert bound_violation(fixed, two_days, own) <= TOLERANCE * max(size, 1.0)
    for row in fixed.rows:
        assert row_violation(fixed, row, two_days, own) <= TOLERANCE * max(size, 1.0), row.name


ENERGY_KWH = {"electricity": 1.0, "heat_high": 1.0, "heat_low": 1.0, "hydrogen": 33.33, "natural_gas": 10.8142}
STORED_KWH = {"stored_kwh": 1.0, "given_kwh": 1.0, "stored_kg": 33.33}
CONSERVING = (
    "battery", "thermal_storage", "gas_boiler", "electric_boiler", "combined_heat_power", "electrolyser", "ev_charger", "paint_oven",
    "thermal_oxidiser", "furnace", "compressed_air",
)  # fmt: skip


@pytest.mark.parametrize("name", CONSERVING)
@hypothesis_settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_energy_comes_from_nothing(name: str, seed: int) -> None:
    """What a converter or store gives is at most what it got and what it lost from its contents, in kWh."""
    kind = KINDS[name]
    grid = Grid(datetime(2025, 6, 9, 16, tzinfo=UTC), 60, 36)
    values = example_values(kind)
    conditions = with_defaults(kind, conditions_of(kind, values, grid, seed))
    block = kind.block(values, conditions)
    rng = np.random.default_rng(seed)
    wishes = {
        one: rng.uniform(0, 1.2, grid.length) * min(float(over(block.variable(one).upper, grid.length).max()), 1e3)
        for one in kind.actions
    }
    done = dict(simulate(kind, values, conditions, wishes))
    net = sum(
        factor * flow_of(block, carrier, grid, done).sum() * grid.step_hours for carrier, factor in ENERGY_KWH.items()
    )
    for state, factor in STORED_KWH.items():
        if state in kind.states:
            net += factor * (done[state][-1] - kind.start(values)[state])
    assert net <= 1e-6


@each_kind
def test_unknown_and_impossible_parameters_are_all_named_at_once(kind: Asset) -> None:
    first = next(one for one in kind.parameters if one.minimum is not None and not one.choices)
    values, problems = values_of(kind, {**kind.example.given, first.name: (first.minimum or 0.0) - 1.0, "colour": 1.0})
    assert values is None
    assert {problem.column for problem in problems} >= {first.name, "colour"}
    assert all(problem.message.zh and problem.message.en and problem.hint.zh for problem in problems)


@each_kind
def test_faults_of_series_are_named_before_anything_is_built(kind: Asset, two_days: Grid) -> None:
    values = example_values(kind)
    needed = [one for one in kind.inputs if one.default is None and not one.monthly and one.when is None]
    bare = input_problems(kind, values, Conditions(two_days, {}, {"demand_price_cny_per_kw_month": 1.0}))
    assert {problem.column for problem in bare} >= {one.name for one in needed if not one.unless}
    if needed:
        short = Conditions(two_days, {needed[0].name: np.zeros(3)}, {"demand_price_cny_per_kw_month": 1.0})
        assert "assets.series_length" in {problem.code for problem in input_problems(kind, values, short)}
        holed = np.ones(two_days.length)
        holed[5] = np.nan
        found = input_problems(kind, values, Conditions(two_days, {needed[0].name: holed}, {}))
        assert any(problem.code == "assets.series_hole" and "6" in problem.message.en for problem in found)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.size], ids=lambda kind: kind.id)
def test_a_size_to_be_decided_needs_its_limit_and_price(kind: Asset) -> None:
    assert kind.size is not None
    noun, _, unit = kind.size.rpartition("_")
    given = {name: value for name, value in kind.example.given.items() if name != kind.size}
    values, problems = values_of(kind, given, sized=True)
    assert values is None
    assert f"{noun}_maximum_{unit}" in {problem.column for problem in problems}
    values, problems = values_of(kind, given)
    assert values is None
    assert [problem.column for problem in problems] == [kind.size]
