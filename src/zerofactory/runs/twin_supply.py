"""PV and a battery behind the meter of a scenario: what is bought, sold and emitted less, by a stated rule, replication by replication.

    net[t]  = load[t] − yield[t]                      load: of the line, or of the whole plant as metered less the line's own meters
    grid[t] = net[t] + charge[t] − discharge[t]       bought where above zero, sold where below

Rule ``surplus``: the battery takes what the panels give beyond the load and gives it back as soon as the load exceeds them. Rule
``valley``: besides, it fills in the day's cheapest intervals from the grid and gives only in intervals dearer than the day's mean.
It never sells. The battery begins as full as it ended when the same days were run once before, so that nothing is had for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from zerofactory import units
from zerofactory.assets.asset import At, Conditions, Values, asset, values_of
from zerofactory.assets.grid import Grid
from zerofactory.assets.weather_year import places, weather_year
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.metering.interval import MISSING
from zerofactory.optimisation.twin.energy import Usage
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import ELECTRICITY, PROBE, Item, World
from zerofactory.runs.energy_tariff import plant_tariff
from zerofactory.runs.profile import amounts, months_of
from zerofactory.runs.twin import DAY_S, STEP_S, Simulated, energy_prices, factor_year, grid_of
from zerofactory.runs.twin_change import unknown

Floats = NDArray[np.float64]
HOURS = STEP_S / 3600.0
CARRIER = "electricity"
PURCHASED, EXPORTED, YIELD = "electricity_purchased", "electricity_exported", "electricity_pv"


class SupplyEntry(BaseModel):
    """What a scenario builds. ``pv`` and ``battery`` are parameters of those kinds of asset; ``place`` names the typical year."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    behind: Literal["line", "plant"]
    rule: Literal["surplus", "valley"] = "surplus"
    place: str | None = None
    pv: Mapping[str, float | str] = Field(default_factory=dict)
    battery: Mapping[str, float | str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Supply:
    """The checked supply: parameters of the two assets (None: not built), and on which load they hang."""

    entry: SupplyEntry
    pv: Values | None
    battery: Values | None


@dataclass(frozen=True, slots=True)
class Built:
    """A supply, what its panels yield and the load beside the line, in kWh of each interval."""

    supply: Supply
    yields: Floats
    rest: Floats


@dataclass(frozen=True, slots=True)
class Flows:
    """One replication by interval in kWh: taken from and given to the battery, the grid (negative: sold), and what was stored."""

    load: Floats
    given: Floats
    charge: Floats
    discharge: Floats
    stored: Floats

    @property
    def grid(self) -> Floats:
        """What is bought; below zero what is sold."""
        return self.load - self.given + self.charge - self.discharge


def supply_of(context: Context, entry: SupplyEntry) -> tuple[Supply | None, list[Problem]]:
    """Return the supply of a scenario, or every fault of it."""
    problems: list[Problem] = []
    found: dict[str, Values | None] = {"photovoltaic": None, "battery": None}
    for kind, name, given in (("photovoltaic", "pv", entry.pv), ("battery", "battery", entry.battery)):
        if given:
            found[kind], faults = values_of(asset(kind), given)
            problems += [replace(one, column=f"supply.{name}.{one.column}", file="scenario") for one in faults]
            size = asset(kind).size or ""
            if not faults and not float(given[size]):
                problems.append(_fault("supply_size", f"supply.{name}.{size}", "规模为零。", "Its size is zero.", ("请写正数, 或去掉。", "Write a number above zero, or leave it out.")))  # fmt: skip
    if not entry.pv and not entry.battery:
        problems.append(_fault("supply_empty", "supply", "既没有光伏也没有储能。", "There is neither PV nor a battery.", ("请写 pv 或 battery。", "Write pv or battery.")))  # fmt: skip
    if entry.pv and entry.place not in places():
        problems.append(unknown("supply.place", entry.place or "", "typical year", places(), "scenario"))
    if entry.rule == "valley" and context.workspace.plant.tariff is None:
        problems.append(_fault("supply_tariff", "supply.rule", "按谷价充电需要电价, 工厂没有指定。", "Filling in the valley needs a tariff, and the plant names none.", ("请在 factory.toml 写 [tariff], 或用 rule = \"surplus\"。", "Write [tariff] in factory.toml, or rule = \"surplus\".")))  # fmt: skip
    return (None if problems else Supply(entry, found["photovoltaic"], found["battery"])), problems


def flows_of(context: Context, simulated: Simulated, made: Built) -> tuple[Flows, ...]:
    """Return the flows of each replication by the rule of the supply, on the load it hangs on."""
    prices = energy_prices(context, simulated.first, simulated.asked, gas=False)
    cheap, dear = _bands(None if prices is None else prices.electricity, made)
    loads = (of_line(simulated, usage) + made.rest for usage in simulated.usages)
    return tuple(dispatched(made.supply, load, made.yields, cheap, dear) for load in loads)


def supplied(
    context: Context, simulated: Simulated, made: Built, every: Sequence[Flows]
) -> dict[str, tuple[float, ...]]:
    """Return the figures of each replication with the supply: bought, sold, yield, and cost and emissions changed by it.

    Emissions fall with what is bought, by the function that closes months; what is sold brings no deduction. Cost is by the
    tariff, without charges of a month.

    Parameters
    ----------
    every : the flows of each replication (`flows_of`).
    """
    prices = energy_prices(context, simulated.first, simulated.asked, gas=False)
    paid = _export_price(context)
    per_kwh = _kg_per_kwh(context, simulated)
    found: dict[str, list[float]] = {PURCHASED: [], EXPORTED: [], YIELD: [], "energy_cny": [], "kgco2e": []}
    for one, flows in enumerate(every):
        load = flows.load
        bought, sold = np.maximum(flows.grid, 0.0), np.maximum(-flows.grid, 0.0)
        before, sold_before = np.maximum(load, 0.0), np.maximum(-load, 0.0)
        found[PURCHASED].append(float(bought.sum()))
        found[EXPORTED].append(float(sold.sum()))
        found[YIELD].append(float(made.yields.sum()))
        found["kgco2e"].append(simulated.paired["kgco2e"][one] + float((bought - before).sum()) * per_kwh)
        if prices is not None and "energy_cny" in simulated.paired:
            more = float((bought - before) @ prices.electricity) - paid * float((sold - sold_before).sum())
            found["energy_cny"].append(simulated.paired["energy_cny"][one] + more)
    return {name: tuple(values) for name, values in found.items() if values}


def unsupplied(simulated: Simulated, made: Built) -> dict[str, tuple[float, ...]]:
    """Return what each replication buys and sells with nothing built."""
    loads = [of_line(simulated, usage) + made.rest for usage in simulated.usages]
    bought = tuple(float(np.maximum(load, 0.0).sum()) for load in loads)
    sold = tuple(float(np.maximum(-load, 0.0).sum()) for load in loads)
    return {PURCHASED: bought, EXPORTED: sold, YIELD: (0.0,) * len(loads)}


def dispatched(supply: Supply, load: Floats, given: Floats, cheap: NDArray[np.bool_], dear: NDArray[np.bool_]) -> Flows:
    """Return the flows of one replication by the rule; the physics of the battery is that of its kind of asset."""
    nothing = np.zeros(len(load))
    if supply.battery is None:
        return Flows(load, given, nothing, nothing, nothing)
    kind, values = asset("battery"), supply.battery
    state = dict(kind.start(values))
    flows = np.zeros((3, len(load)))
    for _ in range(2):
        for place, net in enumerate((load - given) / HOURS):
            wish = {"charge_kw": max(-net, 0.0), "discharge_kw": max(net, 0.0) if dear[place] else 0.0}
            if cheap[place]:
                wish = {"charge_kw": np.inf, "discharge_kw": 0.0}
            stepped = kind.step(values, state, wish, At(HOURS))
            state = dict(stepped.state)
            flows[:, place] = (
                stepped.values["charge_kw"] * HOURS,
                stepped.values["discharge_kw"] * HOURS,
                state["stored_kwh"],
            )
    return Flows(load, given, flows[0], flows[1], flows[2])


def built(context: Context, supply: Supply, own: Sequence[str], first: date, days: int, since_s: float = 0.0) -> Built:
    """Return the supply with what does not hang on the line: the yield of its panels and the load beside the line.

    The yield is that of the kind of asset in the weather of the typical year; the load beside the line is what the plant bought on
    those days less what the meters of the twin (``own``) counted.

    Raises
    ------
    FaultyData
        The plant has no readings of those days, or the typical year follows another clock.
    """
    grid = grid_of(context.workspace.plant, first, days, since_s)
    yields = rest = np.zeros(grid.length)
    if supply.pv is not None:
        series = weather_year(str(supply.entry.place)).on(grid)
        each = asset("photovoltaic").profile(supply.pv, Conditions(grid, series))["yield_kw_per_kw"]
        yields = np.asarray(each * supply.pv["peak_kw"] * HOURS, dtype=np.float64)
    if supply.entry.behind == "plant":
        rest = beside_line(context, grid, own)
    return Built(supply, yields, rest)


def beside_line(context: Context, grid: Grid, own: Sequence[str]) -> Floats:
    """Return what the plant bought in each interval less what the meters of the twin (``own``) counted, in kWh.

    Raises
    ------
    FaultyData
        The plant has no complete readings of those days.
    """
    bought = [meter for use in context.workspace.plant.sources if use.kind == ELECTRICITY for meter in use.meters]
    found: Floats = _counted(context, grid, bought) - _counted(context, grid, own)
    return found


def _no_readings(labels: Sequence[str]) -> Problem:
    there = ", ".join(labels) or "–"
    return _fault("supply_readings", "supply.behind", "全厂负荷需要这些天完整的读数。", "The load of the whole plant needs complete readings of those days.", (f"有读数的月份: {there}; 或用 behind = \"line\"。", f"Months with readings: {there}; or write behind = \"line\"."))  # fmt: skip


def _counted(context: Context, grid: Grid, meters: Sequence[str]) -> Floats:
    """Return the kWh of some meters in each interval of a grid."""
    if not meters:
        return np.zeros(grid.length)
    there, plant = months_of(context), context.workspace.plant
    days = (grid.start + timedelta(days=number) for number in range(int(grid.hours // 24)))
    labels = sorted({Period.containing(day, plant.time_zone).label for day in days})
    if any(label not in there for label in labels):
        raise FaultyData([_no_readings(there)])
    found = amounts(context, meters, labels)
    first = int((grid.start - found.start) / timedelta(minutes=found.minutes))
    count = grid.length * grid.step_minutes // found.minutes
    part, state = found.amount_milli[first : first + count], found.state[first : first + count]
    if len(part) < count or (state == MISSING).any():
        raise FaultyData([_no_readings(there)])
    kwh = part * (units.ratio(found.unit, "kWh") / 1000.0)
    if found.minutes > grid.step_minutes:
        share = found.minutes // grid.step_minutes
        return np.repeat(kwh / share, share)
    return np.asarray(kwh.reshape(grid.length, -1).sum(axis=1), dtype=np.float64)


def of_line(simulated: Simulated, one: Usage) -> Floats:
    """Return what the line and its utilities take in each interval, in kWh."""
    return one.by_interval(CARRIER)[simulated.skip :]


def _bands(price: Floats | None, made: Built) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return in which intervals the battery fills from the grid, and in which it may give."""
    if made.supply.entry.rule == "surplus" or price is None:
        return np.zeros(len(made.rest), dtype=np.bool_), np.ones(len(made.rest), dtype=np.bool_)
    days = price.reshape(-1, int(DAY_S / STEP_S))
    mean, least = days.mean(axis=1, keepdims=True), days.min(axis=1, keepdims=True)
    return ((days <= least) & (least < mean)).ravel(), (days > mean).ravel()


def _kg_per_kwh(context: Context, simulated: Simulated) -> float:
    world = World(context.workspace.plant, context.workspace.factor_book, factor_year(context, simulated.first))
    shop = simulated.twin.line.stations[0].shop or "other"
    grams = world.emitted({Item(ELECTRICITY, CARRIER, "kWh", "{}", shop): PROBE})
    return sum(grams.values()) / PROBE / 1000.0


def _export_price(context: Context) -> float:
    if context.workspace.plant.tariff is None:
        return 0.0
    return float(plant_tariff(context.workspace.plant, context.workspace.folder).export_cny_per_kwh or 0.0)


def _fault(code: str, column: str, zh: str, en: str, hint: tuple[str, str]) -> Problem:
    return Problem(f"twin.{code}", Text(zh, en), Text(*hint), file="scenario", column=column)
