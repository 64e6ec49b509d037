"""Intensities: emissions per vehicle, per 万元 of output, per tce of energy.

Intensity = emissions / denominator (GB/T 36132-2025 Annex B; 工信部联节〔2026〕13号: 单位能耗碳排放 = CO2 / tce). A denominator
that was not booked gives no intensity; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from zerofactory import units
from zerofactory.accounting.inventory import Inventory
from zerofactory.errors import Text


@dataclass(frozen=True, slots=True)
class Intensity:
    """``value`` = ``emissions_gco2e`` / ``denominator``, in the unit named."""

    key: str
    title: Text
    value: float
    unit: str
    emissions_gco2e: int
    denominator: float
    denominator_unit: str


def intensities(
    inventory: Inventory, activities: pl.DataFrame, energy_tce: float | None = None
) -> tuple[Intensity, ...]:
    """Return the intensities of an inventory for which a denominator is known.

    Parameters
    ----------
    inventory : the total that is divided.
    activities : ACTIVITIES frame of the same period, with production_output and economic_output.
    energy_tce : comprehensive energy consumption (see `energy`).
    """
    vehicles = _amount(activities, "production_output", "vehicle")
    output = _amount(activities, "economic_output", "万元", "output_value")
    added = _amount(activities, "economic_output", "万元", "value_added")
    found = (
        ("per_vehicle", Text("单车碳排放", "emissions per vehicle"), vehicles, "vehicle", "kgCO2e", 1e3),
        (
            "per_output_value",
            Text("万元产值碳排放", "emissions per 10 000 yuan of output"),
            output,
            "万元",
            "tCO2e",
            1e6,
        ),
        (
            "per_value_added",
            Text("万元增加值碳排放", "emissions per 10 000 yuan of value added"),
            added,
            "万元",
            "tCO2e",
            1e6,
        ),
        ("per_energy", Text("单位能耗碳排放", "emissions per tce"), energy_tce or 0.0, "tce", "tCO2e", 1e6),
    )
    return tuple(
        Intensity(
            key, title, inventory.total_gco2e / grams / amount, f"{mass}/{unit}", inventory.total_gco2e, amount, unit
        )
        for key, title, amount, unit, mass, grams in found
        if amount > 0
    )


def _amount(activities: pl.DataFrame, kind: str, unit: str, item: str | None = None) -> float:
    """Return the amount booked in units of one dimension, 0 when none was."""
    rows = activities.filter(pl.col("source_kind") == kind)
    if item is not None:
        rows = rows.filter(pl.col("item") == item)
    symbols = units.symbols_of(units.parse(unit).dimension)
    sums = (
        rows.filter(pl.col("unit").is_in(list(symbols)))
        .group_by("unit")
        .agg(pl.col("quantity").sort().sum())
        .sort("unit")
    )
    return sum(units.convert(quantity, given, unit) for given, quantity in sums.iter_rows())
