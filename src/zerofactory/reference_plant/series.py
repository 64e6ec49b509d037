"""What flows through every meter in each quarter hour, in whole thousandths of the meter's amount unit.

    consumers (per vehicle × shape) ─► shop totals (sum of what is below + loss) ─► supply = grid import + sun − export

`tables/series.csv` says for each meter how it is made; the tree is that of `plant.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from zerofactory.reference_plant import shapes
from zerofactory.reference_plant.shapes import Real, Whole

MILLI = 1000
PARTS = 1_000_000
STANDBY_VARIABILITY = 0.1  # standby load hardly varies


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the amounts of one meter are made (one row of `series.csv` and the meter's entry in `plant.toml`).

    ``role``: ``leaf`` a consumer, ``sum`` of the meters below it plus a loss, ``pv``, ``import_1``, ``import_2``,
    ``export``, ``contract`` a station elsewhere (``shape`` wind or sun). ``digits`` and ``first_reading`` say what the display shows.
    """

    meter: str
    role: str
    per_vehicle: float
    capacity_kwp: float
    shape: str
    pattern: str
    standby_fraction: float
    weather: str
    weather_fraction: float
    variability_fraction: float
    loss_fraction: float
    digits: int
    first_reading: int


@lru_cache(maxsize=1)
def plant_text() -> str:
    """Return the text of the plant's `factory.toml`."""
    return (files("zerofactory.reference_plant") / "plant.toml").read_text(encoding="utf-8")


def recipes() -> tuple[Recipe, ...]:
    """Return the recipe of every real meter, in the order of the table."""
    zero: dict[str, Any] = dict.fromkeys(("per_vehicle", "capacity_kwp", "standby_fraction", "loss_fraction"), 0.0)
    zero |= {"weather_fraction": 0.0, "variability_fraction": 0.0, "first_reading": 0, "shape": "", "pattern": ""}
    zero["weather"] = "none"
    rows = shapes.table("series").iter_rows(named=True)
    return tuple(
        Recipe(**{name: zero[name] if value is None else value for name, value in row.items()}) for row in rows
    )


def amounts(meters: Mapping[str, Mapping[str, Any]]) -> dict[str, Whole]:
    """Return the quarter-hourly amounts of every real meter in thousandths of its amount unit.

    Parameters
    ----------
    meters : mapping of meter id to its table in `plant.toml`
    """
    made = recipes()
    found = {recipe.meter: consumer(recipe) for recipe in made if recipe.role == "leaf"}
    found |= {recipe.meter: _sun(recipe) for recipe in made if recipe.role == "pv"}
    elsewhere = {recipe.meter: _station(recipe) for recipe in made if recipe.role == "contract"}
    losses = {recipe.meter: recipe.loss_fraction for recipe in made if recipe.role == "sum"}
    below: dict[str, list[str]] = {}
    for meter in losses | found:
        below.setdefault(meters[meter].get("parent", ""), []).append(meter)
    for meter in losses:
        _total(meter, below, losses, found)
    return found | _grid(made, meters, found) | elsewhere


def consumer(recipe: Recipe) -> Whole:
    """Return the amounts of one consumer: standby all the time, and the running part by shift, shape, weather, chance.

    w = s · c0 + (1 − s) · run · shape · output · (1 − f + f · need) · c1, scaled so that the year is
    per_vehicle × vehicles; s standby share, f weather share, c chance around 1.
    """
    varied = shapes.chance(recipe.meter) - 1.0
    run = shapes.running(recipe.pattern) * shapes.load_shape(recipe.shape)
    if recipe.pattern.endswith("_shift"):
        run = run * shapes.output_ratio()
    need = shapes.weather_need(recipe.weather)
    run = run * (1.0 - recipe.weather_fraction + recipe.weather_fraction * need)
    run = run * (1.0 + recipe.variability_fraction * varied)
    idle = recipe.standby_fraction * (1.0 + min(recipe.variability_fraction, STANDBY_VARIABILITY) * varied)
    weight = np.rint((idle + (1.0 - recipe.standby_fraction) * run) * PARTS).astype(np.int64)
    year = recipe.per_vehicle * int(shapes.vehicles().sum()) * MILLI
    amount: Whole = np.rint(weight * (year / int(weight.sum()))).astype(np.int64)
    return amount


def _sun(recipe: Recipe) -> Whole:
    """Return the amounts of one PV plant in Wh: W per kWp × kWp × 1/4 h."""
    power: Real = shapes.sun_power() * recipe.capacity_kwp
    return np.rint(np.maximum(power, 0.0) * 0.25).astype(np.int64)


def _station(recipe: Recipe) -> Whole:
    """Return the amounts of a power station elsewhere in Wh: W per kW × kW × 1/4 h."""
    return shapes.generation_power(recipe.shape) * round(recipe.capacity_kwp) // 4


def _with_loss(amount: Whole, fraction: float) -> Whole:
    lost: Whole = amount * round(fraction * PARTS) // PARTS
    return amount + lost


def _total(meter: str, below: dict[str, list[str]], losses: Mapping[str, float], found: dict[str, Whole]) -> Whole:
    """Return (and keep) the sum of the meters below one, plus its loss."""
    if meter not in found:
        total = np.zeros(shapes.SLOTS, dtype=np.int64)
        for child in below[meter]:
            total = total + _total(child, below, losses, found)
        found[meter] = _with_loss(total, losses[meter])
    return found[meter]


def _grid(
    made: tuple[Recipe, ...], meters: Mapping[str, Mapping[str, Any]], found: Mapping[str, Whole]
) -> dict[str, Whole]:
    """Return import on both incomers and export: what the plant uses, less the sun, taken from or given to the grid."""
    given = shapes.parameters()
    shops = [name for name in found if meters[name].get("parent") == "V-SUPPLY"]
    used = _with_loss(_sum(found, shops), given["transformer_loss_fraction"])
    net = used - _sum(found, [recipe.meter for recipe in made if recipe.role == "pv"])
    bought = np.maximum(net, 0)
    first = bought * round(given["incomer_1_fraction"] * MILLI) // MILLI
    parts = {"import_1": first, "import_2": bought - first, "export": np.maximum(-net, 0)}
    return {recipe.meter: parts[recipe.role] for recipe in made if recipe.role in parts}


def _sum(found: Mapping[str, Whole], names: list[str]) -> Whole:
    total: Whole = np.sum([found[name] for name in names], axis=0, dtype=np.int64)
    return total
