"""Freight: tonne-kilometres by how they are moved."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import polars as pl

from zerofactory import units
from zerofactory.evaluation.amount import Amount
from zerofactory.evaluation.book import Book, details_of

KINDS = ("upstream_transport", "downstream_transport")
_ROAD = ("truck", "van")
_LOW = ("rail", "ship")


@lru_cache(maxsize=1)
def _electric() -> frozenset[str]:
    """Return the means of carriage that run on electricity (`accounting/carriage.csv`, column drive)."""
    text = (files("zerofactory.accounting") / "carriage.csv").read_text(encoding="utf-8")
    return frozenset(row["item"] for row in csv.DictReader(text.splitlines()) if row["drive"] == "electric")


def freight(book: Book) -> dict[str, Amount]:
    """Return freight in t·km by how it is moved, and the road trips that are known by vehicle-kilometre only.

    Where there are no such trips their load counts as 0; where there are, their mean load has to be attested.
    """
    moved: list[tuple[str, float]] = []
    trips: list[tuple[str, float]] = []
    rows = book.activities.filter(pl.col("source_kind").is_in(KINDS)).sort("activity_id")
    for row in rows.to_dicts():
        quantity, unit = float(str(row["quantity"])), str(row["unit"])
        dimension = units.parse(unit).dimension
        distance_km = details_of(book.plant, row).get("distance_km")
        if dimension == "freight":
            moved.append((str(row["item"]), units.convert(quantity, unit, "t·km")))
        elif dimension == "mass" and distance_km not in (None, ""):
            moved.append((str(row["item"]), units.convert(quantity, unit, "t") * float(str(distance_km))))
        elif dimension == "vehicle_distance":
            trips.append((str(row["item"]), units.convert(quantity, unit, "vehicle·km")))
    if not moved and not trips:
        return {}
    by_road = _sum(trips, _ROAD)
    found = {
        "freight": _sum(moved, _ROAD),
        "freight_electric": _sum(moved, _ROAD, electric=True),
        "freight_all": _sum(moved, ("",)),
        "freight_low_carbon": Amount(_sum(moved, _LOW).value + _sum(moved, _ROAD, electric=True).value, {}, KINDS),
        "freight_trips": by_road,
        "freight_trips_electric": _sum(trips, _ROAD, electric=True),
    }
    return found if by_road.value else {**found, "freight_load": Amount(0.0)}


def _sum(moved: Sequence[tuple[str, float]], prefixes: tuple[str, ...], electric: bool = False) -> Amount:
    own = [x for name, x in moved if name.startswith(prefixes) and (not electric or name in _electric())]
    return Amount(math.fsum(own), {}, KINDS)
