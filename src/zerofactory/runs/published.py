"""The footprints that the plant offers to its customers: each product, each year closed whole, cradle to gate, as PACT 3.0.

What stands here follows from the book alone: the same book gives the same footprints with the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.periods import Period
from zerofactory.reporting.exchange.declare import Declaration, pact_of
from zerofactory.runs import footprint as run
from zerofactory.runs.context import Context
from zerofactory.runs.product_files import read_products

MONTHS = 12
MULTIPLE = ("productId", "companyId", "geography", "classification")
SINGLE = ("validOn", "validAfter", "validBefore", "status")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer asks for: any of the values of each criterion, and every criterion (PACT 3.0, "Filtering")."""

    any_of: Mapping[str, Sequence[str]]
    valid_on: datetime | None = None
    valid_after: datetime | None = None
    valid_before: datetime | None = None
    status: str | None = None


def offered(context: Context) -> list[dict[str, Any]]:
    """Return the footprints on offer as PACT 3.0 JSON; a product whose footprint cannot be declared is left out."""
    seals = context.workspace.seals().to_dicts()
    months: dict[str, list[dict[str, Any]]] = {}
    for seal in seals:
        months.setdefault(seal["period"][:4], []).append(seal)
    years = sorted(year for year, own in months.items() if len(own) == MONTHS)
    products = sorted(read_products(context.workspace.folder, context.workspace.plant).profiles)
    made = []
    for year in years:
        sealed = _moment(context, months[year])
        for product in products:
            try:
                made.append(_one(context, product, Period.parse(year), sealed))
            except FaultyData:
                continue
    return made


def _moment(context: Context, seals: Sequence[dict[str, Any]]) -> datetime:
    """Return when the newest of some seals was booked."""
    entries = {entry.seq: entry.at for entry in context.workspace.journal.entries()}
    return max(datetime.fromisoformat(entries[seal["booked_as"]]) for seal in seals).astimezone(UTC)


def _one(context: Context, product: str, period: Period, created: datetime) -> dict[str, Any]:
    shown = run.show(context, product, period)
    plant = context.workspace.plant
    start, end = period.start(plant.time_zone), period.end(plant.time_zone)
    said = Declaration(plant, shown.profile, start, end, created, context.workspace.factor_book)
    return pact_of(shown.footprint, said).as_json()


def wanted(multiple: Mapping[str, Sequence[str]], single: Mapping[str, str]) -> Wanted:
    """Return what a query asks for; raise `FaultyData` with every parameter that is unknown or is no moment."""
    problems = [
        _fault(name, f"没有参数“{name}”。", f"There is no parameter '{name}'.")
        for name in (*multiple, *single)
        if name not in (*MULTIPLE, *SINGLE) and not name.startswith("x-")
    ]
    moments: dict[str, datetime] = {}
    for name in ("validOn", "validAfter", "validBefore"):
        if name in single:
            try:
                found = datetime.fromisoformat(single[name].replace(" ", "+"))
                moments[name] = found if found.tzinfo else found.replace(tzinfo=UTC)
            except ValueError:
                problems.append(_fault(name, f"“{single[name]}”不是时间。", f"'{single[name]}' is not a moment."))
    if problems:
        raise FaultyData(problems)
    own = {name: [value.casefold() for value in multiple[name]] for name in MULTIPLE if name in multiple}
    return Wanted(
        own, moments.get("validOn"), moments.get("validAfter"), moments.get("validBefore"), single.get("status")
    )


def matches(found: Mapping[str, Any], asked: Wanted) -> bool:
    """Return whether a footprint meets every criterion.

    Validity runs from ``validityPeriodStart``, else the end of the reference period, for three years unless said otherwise
    (PACT Methodology 3.0, validity period).
    """
    pcf = found["pcf"]
    values = {
        "productId": found["productIds"],
        "companyId": found["companyIds"],
        "classification": found.get("productClassifications", []),
        "geography": [
            pcf[n]
            for n in ("geographyRegionOrSubregion", "geographyCountry", "geographyCountrySubdivision")
            if n in pcf
        ],
    }
    for name, allowed in asked.any_of.items():
        if not {str(value).casefold() for value in values[name]} & set(allowed):
            return False
    if asked.status is not None and str(found["status"]).casefold() != asked.status.casefold():
        return False
    start, end = validity(found)
    return (
        (asked.valid_on is None or start <= asked.valid_on <= end)
        and (asked.valid_after is None or start > asked.valid_after)
        and (asked.valid_before is None or end < asked.valid_before)
    )


def validity(found: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return from when to when a footprint is valid."""
    start = datetime.fromisoformat(found.get("validityPeriodStart") or found["pcf"]["referencePeriodEnd"])
    if "validityPeriodEnd" in found:
        return start, datetime.fromisoformat(found["validityPeriodEnd"])
    leap = start.month == 2 and start.day == 29
    return start, start.replace(year=start.year + 3, day=28 if leap else start.day)


def _fault(name: str, zh: str, en: str) -> Problem:
    hint = Text(f"可用: {', '.join((*MULTIPLE, *SINGLE))}", f"Known: {', '.join((*MULTIPLE, *SINGLE))}")
    return Problem("pact.parameter", Text(zh, en), hint, column=name)
