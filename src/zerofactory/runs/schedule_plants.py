"""Orders shared among the plants of a group: group.toml → who makes what when, checked, beside the cheapest and the nearest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.factors.resolve import Scope, find
from zerofactory.notation import text_of, toml_of
from zerofactory.optimisation.scheduling.plants import (
    Carriage,
    Making,
    Plant,
    Shared,
    SharedOrder,
    Sharing,
    check,
    share,
)
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import REFERENCE_PLANT
from zerofactory.wording import problems_of

NAME = "group.toml"
GUIDE = Text("写法见 docs/how-to/schedule-line.md。", "See docs/how-to/schedule-line.md.")
STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)  # unknown keys are refused
OBJECTIVES: Mapping[str, Text] = {"cost": Text("费用", "cost"), "carbon": Text("碳排放", "carbon")}


class Name(BaseModel):
    """A name in two languages."""

    model_config = STRICT

    zh: str
    en: str


class PlantEntry(BaseModel):
    """A plant: region of its grid factor (or its own intensity), hours, prices by period."""

    model_config = STRICT

    id: str
    name: Name
    region: str
    hours: tuple[float, ...]
    price_cny_per_kwh: tuple[float, ...]
    intensity_gco2e_per_kwh: tuple[float, ...] | None = None
    open_cny: float = Field(default=0.0, ge=0.0)


class MakingEntry(BaseModel):
    """What a product takes, by plant; plants that are absent cannot make it."""

    model_config = STRICT

    product: str
    mass_t: float = Field(gt=0.0)
    energy_kwh: Mapping[str, float]
    vehicles_per_hour: Mapping[str, float]


class MarketEntry(BaseModel):
    """Distances to a market, by plant."""

    model_config = STRICT

    id: str
    name: Name
    km: Mapping[str, float]


class OrderEntry(BaseModel):
    """An order in lots."""

    model_config = STRICT

    id: str
    product: str
    market: str
    lots: int = Field(ge=1)
    pieces: float = Field(gt=0.0)
    due: str


class GroupFile(BaseModel):
    """The whole file."""

    model_config = STRICT

    status: str = "placeholder"
    periods: tuple[str, ...]
    carriage_factor: str
    carriage_cny_per_tkm: float = Field(ge=0.0)
    carriage_km_per_period: float = Field(gt=0.0)
    plants: tuple[PlantEntry, ...]
    making: tuple[MakingEntry, ...]
    markets: tuple[MarketEntry, ...]
    orders: tuple[OrderEntry, ...]


@dataclass(frozen=True, slots=True)
class SharedPlants:
    """The answer, and the same orders at least cost without any weight on carbon."""

    file: GroupFile
    problem: Sharing
    found: Shared
    cheapest: Shared

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "shares": [{"order": s.order, "plant": s.plant, "period": self.file.periods[s.period], "lots": s.lots} for s in self.found.shares],
            "cost_cny": self.found.cost_cny,
            "emissions_t": self.found.emissions_t,
            "energy_kwh": self.found.making_kwh,
            "bound": self.found.bound,
            "gap_fraction": self.found.gap,
            "cheapest": {"cost_cny": self.cheapest.cost_cny, "emissions_t": self.cheapest.emissions_t},
            "check_passed": True,
        }  # fmt: skip


def read(context: Context) -> GroupFile:
    """Return the group file of a workspace, or the packaged one of the reference plant; raise `FaultyData` with every fault."""
    path: Path = context.workspace.folder / NAME
    if path.is_file():
        text = text_of(path.read_bytes(), NAME)
    elif context.workspace.plant.id == REFERENCE_PLANT:
        text = (files("zerofactory.reference_plant") / NAME).read_text(encoding="utf-8")
    else:
        raise FaultyData([Problem("group_file.absent", Text(f"工作区里没有 {NAME}。", f"The workspace has no {NAME}."), GUIDE, file=NAME)])  # fmt: skip
    raw = toml_of(text, NAME, "group_file.unreadable")
    try:
        return GroupFile.model_validate(raw)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "group_file", GUIDE, NAME, raw)) from error


def run(
    context: Context, objective: str = "carbon", carbon_price_cny_per_t: float = 0.0, cap_t: float | None = None
) -> SharedPlants:
    """Return who makes what; raise `FaultyData` where the file or the limits clash."""
    if objective not in OBJECTIVES:
        raise NotFound(Text("目标", "objective"), objective, tuple(OBJECTIVES))
    file = read(context)
    problem = sharing(context, file)
    cheapest = share(problem)
    wanted = replace(problem, carbon_price_cny_per_t=carbon_price_cny_per_t, carbon_cap_t=cap_t, least_carbon=objective == "carbon")  # fmt: skip
    found = share(wanted)
    refuse([*check(problem, cheapest), *check(wanted, found)])
    return SharedPlants(file, wanted, found, cheapest)


def sharing(context: Context, file: GroupFile) -> Sharing:
    """Return the problem of a group file, with grid and transport factors from the factor book."""
    refuse(_names(file))
    book = context.workspace.factor_book
    per_tkm = book.factor(file.carriage_factor).value * 1000.0
    periods = len(file.periods)
    mass = {entry.product: entry.mass_t for entry in file.making}
    plants = tuple(
        Plant(one.id, one.hours, one.price_cny_per_kwh, one.intensity_gco2e_per_kwh or (_grid(context, one.region),) * periods, one.open_cny)
        for one in file.plants
    )  # fmt: skip
    making = {
        (plant, entry.product): Making(kwh, 1.0 / entry.vehicles_per_hour[plant])
        for entry in file.making
        for plant, kwh in entry.energy_kwh.items()
        if plant in entry.vehicles_per_hour
    }
    carriage = {
        (plant, market.id): Carriage(km * file.carriage_cny_per_tkm, km * per_tkm, math.ceil(km / file.carriage_km_per_period) - 1)
        for market in file.markets
        for plant, km in market.km.items()
    }  # fmt: skip
    orders = tuple(
        SharedOrder(
            one.id, one.product, one.market, one.lots, one.pieces, file.periods.index(one.due), mass[one.product]
        )
        for one in file.orders
    )
    return Sharing(plants, orders, making, carriage)


def _grid(context: Context, region: str) -> float:
    plant = context.workspace.plant
    scope = Scope(region, context.today, context.today, "province", accepted=plant.accounting.accepted)
    found = find(context.workspace.factor_book, "grid.average", scope, item="electricity")
    return found.factor.value * 1000.0


def _names(file: GroupFile) -> list[Problem]:
    """Return names that are used and not there."""
    found = []
    plants = {one.id for one in file.plants}
    known = {"product": {one.product for one in file.making}, "market": {one.id for one in file.markets}, "due": set(file.periods)}  # fmt: skip
    for order in file.orders:
        for column, choices in known.items():
            if getattr(order, column) not in choices:
                found.append(Problem("group_file.name", Text(f"订单“{order.id}”的 {column} 不存在。", f"The {column} of order '{order.id}' does not exist."), Text(f"可选: {', '.join(sorted(choices))}。", f"Choose one of: {', '.join(sorted(choices))}."), file=NAME, column=column))  # fmt: skip
    for name in {key for entry in file.making for key in entry.energy_kwh} | {key for market in file.markets for key in market.km}:  # fmt: skip
        if name not in plants:
            found.append(Problem("group_file.name", Text(f"没有工厂“{name}”。", f"There is no plant '{name}'."), Text(f"可选: {', '.join(sorted(plants))}。", f"Choose one of: {', '.join(sorted(plants))}."), file=NAME))  # fmt: skip
    return found
