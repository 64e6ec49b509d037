"""Where energy and carbon of a month flow: from each kind of source to each shop, as booked, or as far as read while it is open."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from zerofactory.accounting.energy import energy_consumption
from zerofactory.accounting.item import item_title
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import sources
from zerofactory.errors import Text
from zerofactory.metering.activity import from_meters
from zerofactory.monitoring.booking import COUNTED
from zerofactory.runs.budget import KWH_PER_TCE
from zerofactory.runs.context import Context
from zerofactory.runs.profile import meter_month
from zerofactory.store.schema import ACTIVITIES, RECORDS

BURNT = ("stationary_combustion", "mobile_combustion")
KWH_PER_MWH = 1000.0


@dataclass(frozen=True, slots=True)
class Flows:
    """A month's flows as (source, shop, amount): energy in MWh, electricity at its equivalent value; scopes 1 and 2, location-based."""

    period: str
    energy_mwh: tuple[tuple[Text, str, float], ...]
    emissions_gco2e: tuple[tuple[Text, str, int], ...]


def flows(context: Context, label: str) -> Flows:
    """Return the flows of a month; what is exported or stands apart of the total is no flow into a shop."""
    journal, plant = context.workspace.journal, context.workspace.plant
    closed = label in set(context.workspace.seals()["period"])
    if closed:
        activities = journal.active(ACTIVITIES, {"period": label}).drop("reverses")
        records = journal.active(RECORDS, {"period": label, "scope": [1, 2]})
    else:
        metered = from_meters(meter_month(context, label), plant)
        documents = journal.active(ACTIVITIES, {"period": label}, brought_by="import").drop("reverses")
        activities = pl.concat([metered, documents.select(metered.columns)])
        records = quantify(activities, plant, context.workspace.factor_book, known_at=context.today).records
    return Flows(label, _energy(context, activities), _carbon(records.filter(COUNTED)))


def _energy(context: Context, activities: pl.DataFrame) -> tuple[tuple[Text, str, float], ...]:
    workspace = context.workspace
    found = []
    for (shop,), rows in sorted(activities.partition_by("shop", as_dict=True).items(), key=lambda pair: str(pair[0])):
        energy = energy_consumption(rows, workspace.plant, workspace.factor_book, known_at=context.today)
        found += [
            (_title(line.source_kind, line.item), str(shop), line.energy_tce * KWH_PER_TCE / KWH_PER_MWH)
            for line in energy.lines
            if line.energy_tce > 0.0
        ]
    return tuple(found)


def _carbon(records: pl.DataFrame) -> tuple[tuple[Text, str, int], ...]:
    cells = records.group_by("source_kind", "item", "shop").agg(pl.col("emissions_gco2e").sum())
    rows = cells.sort("source_kind", "item", "shop", nulls_last=True).iter_rows()
    return tuple((_title(kind, item), shop, int(grams)) for kind, item, shop, grams in rows if grams > 0)


def _title(kind: str, item: str | None) -> Text:
    return item_title(item) if item and kind in BURNT else sources()[kind].title
