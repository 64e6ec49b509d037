"""What the excess of an alarm costs: kWh, CNY by the plant's tariff, and gCO2e by the factors of closing (location-based).

An excess becomes an activity of the source that its meter feeds and goes through the one `quantify`, so that an alarm and the
book use the same factor. Compressed air and cooling become electricity first (`monitoring/conversions.csv`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files

import numpy as np
import polars as pl

from zerofactory import units
from zerofactory.accounting.energy import energy_consumption
from zerofactory.accounting.quantify import quantify
from zerofactory.errors import FaultyData, NotFound, Text
from zerofactory.metering.activity_table import ACTIVITIES, canonical
from zerofactory.monitoring.alarm import NOTHING, Found, Price
from zerofactory.monitoring.booking import COUNTED
from zerofactory.monitoring.live import Prices
from zerofactory.monitoring.rule import INSPECTION
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.live_price import prices
from zerofactory.site.model import Plant, SourceUse

KINDS: Mapping[str, tuple[str, ...]] = {
    "electricity": ("purchased_electricity",),
    "heat": ("purchased_heat",),
    "steam": ("purchased_heat",),
    "co2": ("weld_shielding_gas",),
    "shielding_gas": ("weld_shielding_gas",),
}
FUELS = ("stationary_combustion", "mobile_combustion")
KWH_PER_TCE = 29.3076e6 / 3600.0
DEMAND_RULE = "peak_demand"
NO_ENERGY = Text("数的是件, 不是能量", "counts parts, no energy")


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a carrier that no source books becomes electricity."""

    energy_kwh_per_unit: float
    title: Text
    status: str


@lru_cache(maxsize=1)
def conversions() -> Mapping[tuple[str, str], Conversion]:
    """Return the conversions by carrier and unit."""
    text = (files("zerofactory.monitoring") / "conversions.csv").read_text(encoding="utf-8")
    return {
        (row["carrier"], row["unit"]): Conversion(float(row["energy_kwh_per_unit"]), Text(row["zh"], row["en"]), row["status"])
        for row in csv.DictReader(text.splitlines())
    }  # fmt: skip


def priced(context: Context, found: Sequence[Found]) -> list[Found]:
    """Return episodes with their price; a figure that cannot be told is empty and says why."""
    plant = context.workspace.plant
    asked = [_ask(one, plant) for one in found]
    rows = [row for _, row, _ in asked if row is not None]
    activities = ACTIVITIES.frame(
        [{**row, "activity_id": str(place)} for place, (_, row, _) in enumerate(asked) if row is not None]
    )
    grams, energy = _quantified(context, activities) if rows else ({}, {})
    charges: dict[str, Prices] = {}
    made = []
    for place, (one, (as_electricity, row, why)) in enumerate(zip(found, asked, strict=True)):
        sign = 1 if one.amount_milli >= 0 else -1
        kwh = _kwh(one, as_electricity, energy.get(str(place)))
        price = Price(
            None if kwh is None else round(kwh * 1000.0),
            None,
            None if str(place) not in grams else sign * grams[str(place)],
            why,
        )
        if row is not None and str(place) not in grams:
            price = replace(price, lacking=_also(price.lacking, Text("缺排放因子", "no factor could be chosen")))
        cost, reason = _cost(context, one, kwh if as_electricity or one.carrier == "electricity" else None, charges)
        made.append(replace(one, price=replace(price, cost_cny=cost, lacking=_also(price.lacking, reason))))
    return made


def _ask(one: Found, plant: Plant) -> tuple[bool, dict[str, object] | None, Text]:
    """Return whether it counts as electricity, the activity of the excess (None: none can be told), and what to say."""
    amount, unit, carrier = abs(one.amount_milli) / 1000.0, one.unit, one.carrier
    if carrier == INSPECTION:
        return False, None, NO_ENERGY
    turned = conversions().get((carrier, _energy_unit(carrier, unit)))
    why = NOTHING
    if turned is not None:
        amount = amount * (units.ratio(unit, "kWh") if carrier == "cooling" else 1.0) * turned.energy_kwh_per_unit
        unit, carrier, why = "kWh", "electricity", turned.title
    source = _source(one.meter, carrier, one.shop, plant)
    if source is None:
        return turned is not None, None, Text("该能源品种没有排放源", "the carrier feeds no source")
    try:
        wanted = units.parse(source.unit or unit).symbol
        amount *= units.ratio(unit, wanted)
    except (units.WrongDimension, NotFound):
        wanted = units.parse(unit).symbol
    row: dict[str, object] = {
        "source_id": source.id, "source_kind": source.kind, "shop": one.shop or source.shop or "other",
        "period": Period.containing(one.started_at, plant.time_zone).label, "started_at": one.started_at,
        "ended_at": one.ended_at, "item": source.item, "quantity": amount, "unit": wanted, "tier": "metered",
        "estimated_fraction": 0.0, "detail": canonical(source.detail),
    }  # fmt: skip
    return turned is not None, row, why


def _energy_unit(carrier: str, unit: str) -> str:
    return "kWh" if carrier == "cooling" and units.parse(unit).dimension == "energy" else unit


def _source(meter: str, carrier: str, shop: str | None, plant: Plant) -> SourceUse | None:
    """Return the source a meter feeds: by name, by a meter above or below it, else the first of its carrier (its shop before others)."""
    parents = {one.id: one.parent for one in plant.meters}
    own = {meter, *_above(meter, parents), *(name for name in parents if meter in _above(name, parents))}
    carriers = {one.id: one.carrier for one in plant.meters}
    suited = [
        source
        for source in plant.sources
        if source.kind in KINDS.get(carrier, FUELS) and (source.item in (carrier, None) or carrier in KINDS)
        and all(carriers[name] == carrier for name in source.meters)
    ]  # fmt: skip
    for chosen in (
        [source for source in suited if meter in source.meters],
        [source for source in suited if own & set(source.meters)],
        [source for source in suited if shop is not None and source.shop == shop],
        [source for source in suited if source.meters] or suited,
    ):
        if chosen:
            return chosen[0]
    return None


def _above(meter: str, parents: Mapping[str, str | None]) -> list[str]:
    found, at = [], parents.get(meter)
    while at is not None:
        found.append(at)
        at = parents.get(at)
    return found


def _quantified(context: Context, activities: pl.DataFrame) -> tuple[dict[str, int], dict[str, float]]:
    """Return grams and kWh by activity."""
    plant, book = context.workspace.plant, context.workspace.factor_book
    made = quantify(activities, plant, book, known_at=context.today)
    counted = made.records.filter(COUNTED).group_by("activity_id").agg(pl.col("emissions_gco2e").sum())
    energy = {}
    for row in activities.partition_by("activity_id"):
        if units.parse(row["unit"][0]).dimension != "energy":
            used = energy_consumption(row, plant, book, known_at=context.today)
            if used.lines and not used.problems:
                energy[row["activity_id"][0]] = used.total_tce * KWH_PER_TCE
    return dict(counted.iter_rows()), energy


def _kwh(one: Found, as_electricity: bool, by_fuel: float | None) -> float | None:
    """Return the signed energy of an excess in kWh, None where it is no energy."""
    sign = 1.0 if one.amount_milli >= 0 else -1.0
    if as_electricity:
        turned = conversions()[one.carrier, _energy_unit(one.carrier, one.unit)]
        ratio = units.ratio(one.unit, "kWh") if one.carrier == "cooling" else 1.0
        return one.amount_milli / 1000.0 * ratio * turned.energy_kwh_per_unit
    if units.parse(one.unit).dimension == "energy":
        return one.amount_milli / 1000.0 * units.ratio(one.unit, "kWh")
    return None if by_fuel is None else sign * by_fuel


def _cost(
    context: Context, one: Found, electric_kwh: float | None, charges: dict[str, Prices]
) -> tuple[float | None, Text]:
    if one.carrier == INSPECTION:
        return None, NOTHING
    if one.rule == DEMAND_RULE:
        return _demand_cost(context, one)
    carrier = one.carrier if electric_kwh is None else "electricity"
    price, unit, reason = _mean_price(context, one, carrier, charges)
    if price is None:
        return None, reason
    if electric_kwh is not None:
        return round(electric_kwh * price, 2), NOTHING
    amount = one.amount_milli / 1000.0
    given, wanted = units.parse(one.unit), units.parse(unit)
    if (given.dimension, wanted.dimension) == ("normal_volume", "volume"):
        normal = units.ratio(one.unit, "Nm3") / units.normal_volume_ratio(
            context.workspace.plant.accounting.gas_meter_celsius
        )
        return round(amount * normal * units.ratio("m3", unit) * price, 2), NOTHING
    if given.dimension != wanted.dimension:
        return None, Text("价格与用量单位不同", "price and amount differ in unit")
    return round(amount * units.ratio(one.unit, unit) * price, 2), NOTHING


def _mean_price(
    context: Context, one: Found, carrier: str, charges: dict[str, Prices]
) -> tuple[float | None, str, Text]:
    """Return the mean price over an episode (its months joined) and its unit; None and why where there is none."""
    zone = context.workspace.plant.time_zone
    period, means, weights, unit = Period.containing(one.started_at, zone), [], [], ""
    while period.start(zone) < one.ended_at:
        if period.label not in charges:
            charges[period.label] = prices(context, period)
        known = charges[period.label].cny_per_unit
        if carrier not in known:
            no_price = Text("没有该能源的价格", "no price of this carrier")
            return None, "", charges[period.label].reason if carrier == "electricity" else no_price
        unit, given = known[carrier]
        begin, end = period.start(zone), period.end(zone)
        step = (end - begin) / len(given)
        first = max(int((one.started_at - begin) / step), 0)
        last = max(min(int((one.ended_at - begin) / step), len(given)), first + 1)
        means.append(float(np.mean(given[first:last])))
        weights.append(last - first)
        period = Period.containing(end + timedelta(hours=1), zone)
    return float(np.average(means, weights=weights)), unit, NOTHING


def _demand_cost(context: Context, one: Found) -> tuple[float | None, Text]:
    """Return the basic charge of the demand above the contract, for one month."""
    from zerofactory.assets.grid import Grid
    from zerofactory.assets.tariff import demand_price_cny_per_kw_month
    from zerofactory.runs.energy_tariff import plant_tariff

    plant = context.workspace.plant
    over_kw = max((one.value_per_hour or 0.0) - (one.limit_per_hour or 0.0), 0.0)
    try:
        tariff = plant_tariff(plant, context.workspace.folder)
        price = demand_price_cny_per_kw_month(tariff, Grid(one.started_at, 60, 1, plant.time_zone))
    except (FaultyData, NotFound):
        return None, Text("没有需量电价", "no price of demand")
    return round(over_kw * float(price[0]), 2), NOTHING


def _also(one: Text, other: Text) -> Text:
    if not one.zh or not other.zh:
        return one if one.zh else other
    return Text(f"{one.zh}; {other.zh}", f"{one.en}; {other.en}")
