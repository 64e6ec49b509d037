"""From quality.toml to pieces with their losses, and what a loss weighs: grams by the factors of the accounts, CNY by the prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.factors.model import FactorBook
from zerofactory.metering.activity_table import canonical
from zerofactory.optimisation.quality.loss import (
    DISPOSED,
    REMELTED,
    RETURNED,
    SOLD,
    Added,
    Loss,
    Material,
    Part,
    Rework,
    Step,
)
from zerofactory.optimisation.quality.recovery import rate_of
from zerofactory.optimisation.twin.line import Station
from zerofactory.runs.context import Context
from zerofactory.runs.emitted import ELECTRICITY, Item, World
from zerofactory.runs.scrap_file import GUIDE, NAME, AddedEntry, Draw, Figure, Given, MaterialEntry, central
from zerofactory.runs.twin_file import read as read_twin
from zerofactory.site.model import Plant

GAS = ("stationary_combustion", "natural_gas")
SECONDS = 3600.0
MINUTES = 60.0
PERCENT = 100.0


@dataclass(frozen=True)
class Plan:
    """The pieces of a plant in numbers."""

    materials: Mapping[str, Material]
    parts: Mapping[str, Part]
    reworks: Mapping[str, Rework]


@dataclass(frozen=True, slots=True)
class Worth:
    """What losses weigh: grams of CO2e by kind, those that sold scrap spares others (told apart, never netted), and CNY by kind."""

    gco2e: Mapping[str, float]
    avoided_gco2e: float
    cny: Mapping[str, float]

    @property
    def kgco2e(self) -> float:
        """All kinds."""
        return sum(self.gco2e.values()) / 1000.0

    @property
    def total_cny(self) -> float:
        """All kinds, sold scrap taken off."""
        return sum(self.cny.values())


@dataclass(frozen=True)
class Weights:
    """Grams and CNY of a unit of everything a loss is made of."""

    bought_gco2e: Mapping[str, float]
    waste_gco2e: Mapping[str, float]
    avoided_gco2e: Mapping[str, float]
    kwh_gco2e: Mapping[str, float]
    nm3_gco2e: Mapping[str, float]
    bought_cny: Mapping[str, float]
    scrap_cny: Mapping[str, float]
    fates: Mapping[str, str]
    kwh_cny: float
    nm3_cny: float
    minute_cny: float
    disposal_cny: float

    def worth(self, loss: Loss) -> Worth:
        """Return what a loss weighs."""
        scrap = loss.scrap_kg
        leaves = {
            name: loss.lost_kg.get(name, 0.0) if self.fates[name] == REMELTED else kg for name, kg in scrap.items()
        }
        paid = {name: kg for name, kg in scrap.items() if self.fates[name] in (SOLD, RETURNED)}
        thrown = sum(kg for name, kg in leaves.items() if name not in paid)
        billed = {
            name: loss.put_in_kg.get(name, 0.0) if self.fates[name] == RETURNED else kg
            for name, kg in loss.bought_kg.items()
        }
        gco2e = {
            "material": _dot(loss.bought_kg, self.bought_gco2e),
            "energy": _dot(loss.electricity_kwh, self.kwh_gco2e) + _dot(loss.natural_gas_nm3, self.nm3_gco2e),
            "waste": _dot(leaves, self.waste_gco2e),
        }
        cny = {
            "material": _dot(billed, self.bought_cny),
            "scrap_sold": -_dot(paid, self.scrap_cny),
            "energy": loss.kwh * self.kwh_cny + loss.nm3 * self.nm3_cny,
            "labour": loss.minutes * self.minute_cny,
            "disposal": thrown * self.disposal_cny,
        }
        recovered = {name: kg for name, kg in loss.recovered_kg.items() if self.fates[name] == SOLD}
        return Worth(gco2e, _dot(recovered, self.avoided_gco2e), cny)


def plan_of(context: Context, given: Given, draw: Draw = central, twin: Mapping[str, Station] | None = None) -> Plan:
    """Return the pieces, each number as ``draw`` takes it; energy that the file leaves out is the twin's.

    Raises
    ------
    FaultyData
        A station whose energy neither the file nor the twin says.
    """
    stations = twin_stations(context) if twin is None else twin
    materials = {one.id: _material(one, context.workspace.factor_book, draw) for one in given.form.materials}
    problems: list[Problem] = []
    parts = {}
    for part in given.form.parts:
        steps = []
        for step in part.steps:
            path = f"parts[{part.id}].steps[{step.station}]"
            station = stations.get(step.station)
            if step.electricity is None and station is None:
                problems.append(_no_energy(f"{path}.electricity", step.station))
            kwh = (
                draw(f"{path}.electricity", step.electricity) if step.electricity else per_piece(station, "electricity")
            )
            nm3 = (
                draw(f"{path}.natural_gas", step.natural_gas) if step.natural_gas else per_piece(station, "natural_gas")
            )
            added = tuple(_added(one, path, draw) for one in step.added)
            steps.append(Step(step.station, step.shop or part.shop, added, kwh, nm3))
        parts[part.id] = Part(part.id, tuple(steps), part.per_vehicle)
    if problems:
        raise FaultyData(problems)
    reworks = {}
    for one in given.form.reworks:
        path = f"reworks[{one.id}]"
        reworks[one.id] = Rework(
            one.id, one.shop, draw(f"{path}.minutes", one.minutes),
            draw(f"{path}.electricity", one.electricity) if one.electricity else 0.0,
            draw(f"{path}.natural_gas", one.natural_gas) if one.natural_gas else 0.0,
            tuple(_added(added, path, draw) for added in one.added),
        )  # fmt: skip
    return Plan(materials, parts, reworks)


def twin_stations(context: Context) -> Mapping[str, Station]:
    """Return the stations of the twin by id and by line, none where the plant has no twin.toml."""
    try:
        line = read_twin(context).line
    except FaultyData as fault:
        if any(one.code == "twin_file.missing" for one in fault.problems):
            return {}
        raise
    return {name: one for one in line.stations for name in (one.id, one.line) if name is not None}


def per_piece(station: Station | None, carrier: str) -> float:
    """Return what one piece takes at a station of the twin: power while working · mean cycle ÷ 3600, and what each piece takes beside.

    >>> from zerofactory.optimisation.twin.draw import Spread
    >>> from zerofactory.optimisation.twin.line import Draw
    >>> press = Station("press", Text("压机", "press"), Spread("fixed", 36.0), draws={"electricity": Draw({"working": 500.0})})
    >>> per_piece(press, "electricity")
    5.0
    """
    draw = None if station is None else station.draws.get(carrier)
    if station is None or draw is None:
        return 0.0
    return draw.power.get("working", 0.0) * station.cycle.average_s / SECONDS + draw.per_piece


def recovery_of(one: MaterialEntry, book: FactorBook, draw: Draw = central) -> float:
    """Return the share of a material's scrap that comes back: the file's, else that of its metal (perhaps a published factor's)."""
    if one.fate == DISPOSED:
        return 0.0
    if one.recovery is not None:
        return draw(f"materials[{one.id}].recovery", one.recovery)
    rate = rate_of(str(one.metal), REMELTED if one.fate == REMELTED else SOLD)
    if rate.fraction is None:
        return book.factor(rate.factor).value / PERCENT
    known = Figure.model_construct(value=rate.fraction, unit="fraction", source=rate.source, status="placeholder", low=rate.low, high=rate.high)  # fmt: skip
    return draw(f"recovery[{rate.metal}/{rate.route}]", known)


def purchase(one: MaterialEntry, plant: Plant) -> tuple[str, Mapping[str, object], str]:
    """Return what buying a material is to the accounts: item, particulars and shop; those of the source that buys it come first."""
    source = next((use for use in plant.sources if use.id == one.booked.purchase), None)
    if source is None or source.item is None:
        return str(one.item), dict(one.detail), "other"
    return source.item, dict(source.detail), source.shop or "other"


def weights_of(context: Context, given: Given, year: int, draw: Draw = central) -> Weights:
    """Return the weights of a year's factors; raise `FaultyData` with every factor that cannot be decided."""
    form, plant = given.form, context.workspace.plant
    world = World(plant, context.workspace.factor_book, year)
    shops = sorted(
        {step.shop or part.shop for part in form.parts for step in part.steps} | {one.shop for one in form.reworks}
    )
    wanted: dict[tuple[str, str], Item] = {}
    for one in form.materials:
        item, detail, shop = purchase(one, plant)
        wanted["bought", one.id] = Item("purchased_goods", item, "kg", canonical(detail), shop)
        if one.waste is not None:
            wanted["waste", one.id] = Item(
                "waste_by_route", one.waste.item, "kg", canonical(dict(one.waste.detail)), shop
            )
        if one.credit is not None:
            more = canonical({**one.credit.detail, "recovered_fraction": 1.0})
            wanted["avoided", one.id] = Item("recycling_credit", one.credit.item, "kg", more, shop)
    for shop in shops:
        wanted["kwh", shop] = Item(ELECTRICITY, "electricity", "kWh", "{}", shop)
        wanted["nm3", shop] = Item(*GAS, "Nm3", "{}", shop)
    grams = world.per_unit(wanted.values())

    def of(kind: str) -> dict[str, float]:
        return {name: grams[item].total_gco2e for (which, name), item in wanted.items() if which == kind}

    fates = {one.id: one.fate for one in form.materials}
    bare = Weights(of("bought"), of("waste"), of("avoided"), of("kwh"), of("nm3"), {}, {}, fates, 0.0, 0.0, 0.0, 0.0)
    return priced(bare, given, draw)


def priced(weights: Weights, given: Given, draw: Draw) -> Weights:
    """Return the weights with the prices of the file, each as ``draw`` takes it; factors stay."""
    form, prices = given.form, given.form.prices
    return replace(
        weights,
        bought_cny={one.id: draw(f"materials[{one.id}].price", one.price) for one in form.materials},
        scrap_cny={one.id: draw(f"materials[{one.id}].scrap_price", one.scrap_price) for one in form.materials},
        kwh_cny=draw("prices.electricity", prices.electricity),
        nm3_cny=draw("prices.natural_gas", prices.natural_gas),
        minute_cny=draw("prices.labour", prices.labour) / MINUTES,
        disposal_cny=draw("prices.disposal", prices.disposal) if prices.disposal else 0.0,
    )


def _material(one: MaterialEntry, book: FactorBook, draw: Draw) -> Material:
    path = f"materials[{one.id}]"
    return Material(
        one.id, one.fate, recovery_of(one, book, draw),
        draw(f"{path}.remelt_electricity", one.remelt_electricity) if one.remelt_electricity else 0.0,
        draw(f"{path}.remelt_natural_gas", one.remelt_natural_gas) if one.remelt_natural_gas else 0.0,
    )  # fmt: skip


def _added(one: AddedEntry, path: str, draw: Draw) -> Added:
    where = f"{path}.added[{one.material}]"
    share = draw(f"{where}.share_kept", one.share_kept) if one.share_kept else 1.0
    return Added(one.material, draw(f"{where}.mass", one.mass), share)


def _no_energy(path: str, station: str) -> Problem:
    message = Text(f"“{station}”没有写用电, 孪生里也没有这个工位。", f"'{station}' states no electricity, and the twin has no such station.")  # fmt: skip
    return Problem("scrap_file.no_energy", message, GUIDE, file=NAME, column=path)


def _dot(amounts: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(amount * weights.get(name, 0.0) for name, amount in amounts.items())
