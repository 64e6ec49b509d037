"""Streams: the plant's yearly activities, one for each source, shop, item, unit and particulars; and back to ACTIVITIES.

A plan changes the amounts of streams and adds streams; what a year of it emits is what `quantify` makes of the rows that
`frame` returns. Nothing else counts tonnes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from zerofactory.metering.activity_table import ACTIVITIES, canonical, digest
from zerofactory.site.model import Plant

CONTRACT = "green_power_contract"
ELECTRICITY = "purchased_electricity"
ON_SITE = "on_site_renewable"
OF_ONE_YEAR = ("serials", "vintage_year")
RUNS_OUT = "_valid_to"
DERIVED_KIND = "fuel_and_energy_upstream"
FIXED_KINDS = (CONTRACT, ON_SITE, "tree_removal", "exported_electricity")
"""Kinds that do not grow with the output of the plant."""


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """What makes two activities of a year add up."""

    source_id: str
    source_kind: str
    shop: str
    item: str | None
    unit: str
    detail: str
    tier: str

    @property
    def particulars(self) -> dict[str, str | float]:
        """The particulars as a mapping."""
        found: dict[str, str | float] = json.loads(self.detail)
        return found

    @property
    def grows(self) -> bool:
        """Whether its amount follows the output of the plant."""
        return self.source_kind not in FIXED_KINDS


def streams_of(activities: pl.DataFrame) -> dict[Stream, float]:
    """Return the streams of a year of ACTIVITIES and their amounts, sorted; what closing derives by itself is left out.

    Serial numbers and the year of generation of a contract belong to one year and are dropped; `frame` sets them anew.
    """
    found: dict[Stream, float] = {}
    for row in activities.sort("activity_id").iter_rows(named=True):
        detail = json.loads(row["detail"])
        if row["source_kind"] == DERIVED_KIND and detail.get("derived") == "yes":
            continue
        kept = {name: value for name, value in detail.items() if name not in OF_ONE_YEAR}
        stream = Stream(
            row["source_id"],
            row["source_kind"],
            row["shop"],
            row["item"],
            row["unit"],
            canonical(kept),
            row["tier"],
        )
        found[stream] = found.get(stream, 0.0) + float(row["quantity"])
    return dict(sorted(found.items(), key=lambda pair: _sort_key(pair[0])))


def _sort_key(stream: Stream) -> tuple[str, ...]:
    return (stream.source_id, stream.shop, stream.item or "", stream.unit, stream.detail, stream.tier)


def frame(
    amounts: Mapping[Stream, float], year: int, bounds: tuple[datetime, datetime], derived_for: str | None = None
) -> pl.DataFrame:
    """Return the ACTIVITIES of a planned year, one row a stream with an amount.

    What is stated for a time (a supplier's footprint) is taken to be renewed unchanged: the plan knows nothing better.

    Parameters
    ----------
    amounts : stream → amount of the year.
    bounds : first instant of the year and of the next, in UTC.
    derived_for : label that tells two plans of a year apart in the ids.
    """
    rows = [_row(stream, amount, year, bounds, derived_for or "") for stream, amount in amounts.items() if amount]
    return ACTIVITIES.frame(rows)


def _row(stream: Stream, amount: float, year: int, bounds: tuple[datetime, datetime], label: str) -> dict[str, object]:
    detail = stream.particulars
    if stream.source_kind == CONTRACT:
        detail["vintage_year"] = float(year)
    detail |= {name: f"{year}-12-31" for name in detail if name.endswith(RUNS_OUT)}
    text = canonical(detail)
    return {
        "activity_id": digest("plan", label, year, *_sort_key(stream), stream.source_kind),
        "source_id": stream.source_id,
        "source_kind": stream.source_kind,
        "shop": stream.shop,
        "period": f"{year:04d}-01",
        "started_at": bounds[0],
        "ended_at": bounds[1],
        "item": stream.item,
        "quantity": amount,
        "unit": stream.unit,
        "tier": stream.tier,
        "estimated_fraction": 0.0,
        "evidence": None,
        "detail": text,
        "document": f"plan-{year}",
        "note": None,
    }


def shop_kind(plant: Plant, shop: str) -> str:
    """Return the kind of a shop of the plant, ``other`` when it is not listed."""
    return next((one.kind for one in plant.shops if one.id == shop), "other")


def total(amounts: Mapping[Stream, float], kinds: Sequence[str]) -> float:
    """Return the sum of the amounts of some kinds of source, in the unit they share."""
    return sum(amount for stream, amount in amounts.items() if stream.source_kind in kinds)
