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
from zerofactory.runs.kept import Kept, basis_of
from zerofactory.runs.product_files import read_products

MONTHS = 12
_KEPT = Kept(16)  # plants whose offer is kept
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


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A product whose footprint of a year cannot be declared, and every reason."""

    product: str
    period: str
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"product": self.product, "period": self.period, "problems": [one.as_json() for one in self.problems]}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a plant offers its customers, and what it cannot offer and why."""

    footprints: list[dict[str, Any]]
    left_out: tuple[LeftOut, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the offer in short: each footprint by id, and what is left out with its reasons."""
        names = ("id", "productIds", "productNameCompany", "status", "created")
        items = [
            {name: one.get(name) for name in names} | {"period_start": one["pcf"]["referencePeriodStart"]}
            for one in self.footprints
        ]
        return {"items": items, "left_out": [one.as_json() for one in self.left_out]}


def offered(context: Context) -> list[dict[str, Any]]:
    """Return the footprints on offer as PACT 3.0 JSON; `offer` also tells which products are left out and why."""
    return offer(context).footprints


def offer(context: Context) -> Offer:
    """Return what is on offer and what is left out; kept until the book or the plant's files change."""
    return _KEPT.get(basis_of(context), lambda: _offer(context))


def _offer(context: Context) -> Offer:
    seals = context.workspace.seals().to_dicts()
    months: dict[str, list[dict[str, Any]]] = {}
    for seal in seals:
        months.setdefault(seal["period"][:4], []).append(seal)
    years = sorted(year for year, own in months.items() if len(own) == MONTHS)
    products = sorted(read_products(context.workspace.folder, context.workspace.plant).profiles)
    made, left_out = [], []
    for year in years:
        sealed = _moment(context, months[year])
        for product in products:
            try:
                made.append(_one(context, product, Period.parse(year), sealed))
            except FaultyData as fault:
                left_out.append(LeftOut(product, year, tuple(fault.problems)))
    return Offer(made, tuple(left_out))


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
        fault(name, f"没有参数“{name}”。", f"There is no parameter '{name}'.")
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
                problems.append(fault(name, f"“{single[name]}”不是时间。", f"'{single[name]}' is not a moment."))
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


def fault(name: str, zh: str, en: str) -> Problem:
    """Return a problem with one criterion, and the criteria there are."""
    hint = Text(f"可用: {', '.join((*MULTIPLE, *SINGLE))}", f"Known: {', '.join((*MULTIPLE, *SINGLE))}")
    return Problem("pact.parameter", Text(zh, en), hint, column=name)
