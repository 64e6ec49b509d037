"""What `runs` hands to the evaluation: the plant, the records and activities of a period, and what people have agreed about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from zerofactory.accounting.significance import Assessment
from zerofactory.factors.model import FactorBook
from zerofactory.site.model import Plant


@dataclass(frozen=True, slots=True)
class Year:
    """Emissions of scopes 1 and 2 (location-based) and output of another year."""

    year: int
    emissions_gco2e: int
    vehicles: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """The tables of one period.

    Parameters
    ----------
    records, activities : the standing rows of the months of the period, all scopes.
    months_closed, months_wanted : how many months are sealed, and how many the period has.
    matched_wh : electricity matched hour by hour; None where it is not metered by interval.
    covered_wh : grid electricity that qualifying contracts and certificates cover by the month; None: by the documents alone.
    programme_gco2e : CO2 of grid electricity under the China programme (non-fossil supply at zero); None where not metered.
    significance : the test of the indirect categories; None where it could not be made.
    base, previous : the base year as it was fixed, and the year before, where there are any.
    verification : level of the statement in force (0 none, 1 limited, 2 reasonable).
    products_footprint : kinds of product with a bill of materials in the workspace.
    functions : numbers of the functions of the energy-carbon centre that the book shows in use.
    credits : tonnes retired for the period and the age in years of the oldest; None where no registry was imported.
    """

    period: str
    plant: Plant
    factor_book: FactorBook
    records: pl.DataFrame
    activities: pl.DataFrame
    months_closed: int
    months_wanted: int
    matched_wh: int | None = None
    covered_wh: int | None = None
    programme_gco2e: int | None = None
    significance: Assessment | None = None
    base: Year | None = None
    previous: Year | None = None
    verification: int = 0
    products_footprint: int | None = None
    functions: frozenset[str] = frozenset()
    credits: tuple[float, float] | None = None

    @property
    def year(self) -> int:
        """The calendar year of the period."""
        return int(self.period[:4])


def details_of(plant: Plant, row: Mapping[str, object]) -> dict[str, object]:
    """Return the particulars of an activity: those of its source, and its own before them."""
    own = json.loads(str(row["detail"] or "{}"))
    source = next((use for use in plant.sources if use.id == row["source_id"]), None)
    return {**(source.detail if source else {}), **own}
