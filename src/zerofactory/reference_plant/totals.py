"""The year of the reference plant per vehicle, beside the published and expert bands (`tables/bands.csv`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zerofactory.errors import Text
from zerofactory.reference_plant import documents, series, shapes

SHOPS = {"stamping": "E-ST", "body": "E-BD", "paint": "E-PT", "assembly": "E-AS", "utilities": "E-UT"}
FOUR_SHOPS = ("stamping", "body", "paint", "assembly")
CELLS = ("E-BT-CEL", "E-BT-DRY", "E-BT-FRM")
PACKS = ("E-BT-PK1", "E-BT-PK2", "E-BT-EOL")
COMPRESSORS = ("E-UT-CA1", "E-UT-CA2", "E-UT-CA3", "E-UT-CA4")
KWH_PER_GJ = 1000 / 3.6


@dataclass(frozen=True, slots=True)
class Band:
    """One quantity of the plant beside its band. ``low`` and ``high`` are None where only one value is published."""

    id: str
    title: Text
    value: float
    unit: str
    low: float | None
    high: float | None
    published: float
    source: str

    @property
    def inside(self) -> bool:
        """Whether the value lies in the band; true where there is none."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)


@dataclass(frozen=True, slots=True)
class Intensity:
    """Factors for the CO2 of a vehicle, handed in by whoever resolves them: kg per kWh, per Nm3 and per GJ."""

    electricity: float
    gas: float
    heat: float


def year_amounts() -> dict[str, float]:
    """Return what every real meter counted in the year, in its amount unit."""
    meters = {meter["id"]: meter for meter in tomllib.loads(series.plant_text())["meters"]}
    return {meter: int(amount.sum()) / series.MILLI for meter, amount in series.amounts(meters).items()}


def per_vehicle() -> dict[str, float]:
    """Return what every real meter counted in the year per vehicle, in its amount unit."""
    made = int(shapes.vehicles().sum())
    return {meter: amount / made for meter, amount in year_amounts().items()}


def shop_energy(used: Mapping[str, float]) -> dict[str, float]:
    """Return final energy in kWh per vehicle by shop: electricity, natural gas (net calorific value), heat and steam."""
    given = shapes.parameters()
    gas = {"paint": used["G-PT"], "utilities": used["G-BO-1"] + used["G-BO-2"]}
    heat = _heat_kwh(used)
    return {
        shop: used[meter] + gas.get(shop, 0.0) * given["gas_kwh_per_nm3"] + heat.get(shop, 0.0)
        for shop, meter in SHOPS.items()
    }


def co2_by_shop(used: Mapping[str, float], factors: Intensity) -> dict[str, float]:
    """Return kg CO2 per vehicle of electricity (used, location-based), gas, heat and steam in the vehicle plant."""
    gas = {"paint": used["G-PT"], "utilities": used["G-BO-1"] + used["G-BO-2"] + _documented("gas-canteen")}
    heat = {shop: energy / KWH_PER_GJ for shop, energy in _heat_kwh(used).items()}
    return {
        shop: used[meter] * factors.electricity + gas.get(shop, 0.0) * factors.gas + heat.get(shop, 0.0) * factors.heat
        for shop, meter in SHOPS.items()
    }


def _heat_kwh(used: Mapping[str, float]) -> dict[str, float]:
    """Return purchased heat and steam in kWh per vehicle by shop."""
    steam = _documented("steam") * shapes.parameters()["steam_gj_per_t"] * KWH_PER_GJ
    return {"body": used["H-BD"], "assembly": used["H-AS"], "utilities": used["H-OF"], "paint": steam}


def bands(factors: Intensity) -> tuple[Band, ...]:
    """Return every banded quantity of the plant.

    "Vehicle plant" is the four shops and utilities; powertrain, battery and casting have bands of their own.
    """
    used = per_vehicle()
    values = _electricity(used) | _media(used) | _shares(used, factors)
    rows = {row["id"]: row for row in shapes.table("bands").iter_rows(named=True)}
    alone = tuple(_band(rows[name], value, rows[name]["low"], rows[name]["high"]) for name, value in values.items())
    return (*alone, *_between(used, factors, rows))


def _band(row: Mapping[str, Any], value: float, low: float | None, high: float | None) -> Band:
    title = Text(row["name_zh"], row["name_en"])
    return Band(row["id"], title, value, row["unit"], low, high, row["value"], row["source"])


def _between(used: Mapping[str, float], factors: Intensity, rows: Mapping[str, Mapping[str, Any]]) -> tuple[Band, Band]:
    """Return the two quantities whose band is spanned by two published values.

    The paint shop's share of the four shops' energy lies between the two values of the literature, CO2 per vehicle of
    the vehicle plant between the figures of two makers.
    """
    energy, tonnes = shop_energy(used), sum(co2_by_shop(used, factors).values()) / 1000
    share = energy["paint"] / sum(energy[shop] for shop in FOUR_SHOPS) * 100
    low_share, high_share = rows["paint.share.energy_low"], rows["paint.share.energy_max"]
    low_co2, high_co2 = rows["vw.co2.2013"], rows["bmw.co2.2015"]
    return (
        _band(high_share, share, low_share["value"], high_share["value"]),
        _band(high_co2, tonnes, low_co2["value"] / 1000, high_co2["value"]),
    )


def _electricity(used: Mapping[str, float]) -> dict[str, float]:
    given = shapes.parameters()
    pack_kwh = given["battery_electric_fraction"] * given["pack_kwh_battery_electric"]
    pack_kwh += given["plug_in_fraction"] * given["pack_kwh_plug_in"]
    cell_kwh = given["cells_gwh"] * 1_000_000 / int(shapes.vehicles().sum())
    tonnes = given["aluminium_kg_per_vehicle"] / 1000
    shops = {f"expert.{shop}.elec": used[meter] for shop, meter in SHOPS.items()}
    return shops | {
        "expert.plant.elec": sum(shops.values()),
        "expert.engine.elec": used["E-PW"] / given["engines_per_vehicle"],
        "expert.pack.elec": sum(used[meter] for meter in PACKS) / pack_kwh,
        "expert.cell.energy": sum(used[meter] for meter in CELLS) / cell_kwh,
        "expert.casting.elec": used["E-DC"] / tonnes,
        "expert.comp_air": sum(used[meter] for meter in COMPRESSORS) / used["A-00"],
    }


def _media(used: Mapping[str, float]) -> dict[str, float]:
    given = shapes.parameters()
    mixed = _documented("weld-mixed") * given["mixed_gas_co2_kg_per_kg"]
    return {
        "expert.paint.gas": used["G-PT"],
        "expert.plant.gas": used["G-00"] + _documented("gas-canteen"),
        "expert.casting.melt_gas": used["G-DC"] / (given["aluminium_kg_per_vehicle"] / 1000),
        "expert.plant.water": used["W-00"],
        "expert.weld.co2gas": _documented("weld-co2") + mixed,
    }


def _shares(used: Mapping[str, float], factors: Intensity) -> dict[str, float]:
    energy, emitted = shop_energy(used), co2_by_shop(used, factors)
    plant = sum(energy.values())
    gas = used["G-PT"] + used["G-BO-1"] + used["G-BO-2"] + _documented("gas-canteen")
    shares = {f"expert.share.{shop}": energy[shop] / plant * 100 for shop in SHOPS}
    return shares | {
        "paint.share.gas": used["G-PT"] / gas * 100,
        "paint.share.co2": emitted["paint"] / sum(emitted.values()) * 100,
    }


def _documented(source: str) -> float:
    """Return the year's documented amount of a source per vehicle, in the unit of its documents."""
    total = sum(documents.amount_of(row) for row in documents.year_rows() if row["source"] == source)
    return float(total) / int(shapes.vehicles().sum())
