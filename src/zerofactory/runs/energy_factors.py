"""The factors of a plan: what a unit of each item emits, asked of the very function that will book it (`quantify`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from zerofactory.accounting.quantify import Quantified, quantify
from zerofactory.errors import FaultyData, NotFound, Problem, Text, refuse
from zerofactory.factors.model import FactorBook, Unresolved
from zerofactory.metering.activity_table import ACTIVITIES, canonical, digest
from zerofactory.optimisation.energy.plan import Quantity
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.energy_file import EnergyFile
from zerofactory.site.model import Plant, SourceUse

PURCHASED, COMBUSTION, EXPORTED, RENEWABLE = (
    "purchased_electricity",
    "stationary_combustion",
    "exported_electricity",
    "on_site_renewable",
)
CONTRACT = "green_power_contract"
ZERO = (EXPORTED, RENEWABLE, CONTRACT)
PROBE = 1_000_000.0
LOCATION, ANY = "location", "any"


@dataclass(frozen=True)
class Factored:
    """Grams of CO2e per unit by (kind of source, item); residual mix; the source that books each asset."""

    gco2e_per_unit: Mapping[tuple[str, str], float]
    residual_gco2e_per_kwh: float | None


@dataclass(frozen=True)
class Booking:
    """How a plan is booked: the plant, its factors as known on a day, and which source books each asset."""

    plant: Plant
    factors: FactorBook
    known_at: date
    source_of: Mapping[str, str]

    def source(self, asset: str, kind: str, item: str) -> SourceUse | None:
        """Return the source that books an asset: the one named for it, else the first of its kind and item."""
        named = self.source_of.get(asset)
        if named is not None:
            return self.plant.source(named)
        fitting = [one for one in self.plant.sources if one.kind == kind and one.item in (None, item)]
        return fitting[0] if fitting else None


def booking_of(context: Context, file: EnergyFile, known_at: date | None = None) -> Booking:
    """Return how plans of a workspace are booked."""
    workspace = context.workspace
    named = {entry.id: entry.source for entry in file.assets if entry.source is not None}
    named |= {entry.id: entry.source for entry in file.supplies}
    return Booking(workspace.plant, workspace.factor_book, known_at or context.today, named)


def activities(booking: Booking, quantities: Sequence[Quantity]) -> tuple[list[dict[str, object]], list[Problem]]:
    """Return rows of ACTIVITIES of a plan, one a source, item and month, and a problem for each asset no source books.

    Quantities are whole thousandths of their unit, as meters count; contracts are claims and are not booked here.
    """
    rows: dict[tuple[str, str, str], dict[str, object]] = {}
    problems: dict[str, Problem] = {}
    for one in quantities:
        if one.source == CONTRACT:
            continue
        use = booking.source(one.asset, one.source, one.item)
        if use is None:
            if one.source not in (RENEWABLE, EXPORTED):
                problems[one.asset] = _no_source(one)
            continue
        key = (use.id, one.item, one.month)
        row = rows.setdefault(key, _row(booking.plant, use, one))
        row["quantity"] = float(row["quantity"]) + one.quantity  # type: ignore[arg-type]
    made = []
    for row in rows.values():
        row["quantity"] = round(float(row["quantity"]) * 1000.0) / 1000.0  # type: ignore[arg-type]
        content = {name: value for name, value in row.items() if name not in ("activity_id", "started_at", "ended_at")}
        made.append(row | {"activity_id": digest(canonical(content))})
    return made, list(problems.values())


def _row(plant: Plant, use: SourceUse, one: Quantity) -> dict[str, object]:
    period = Period.parse(one.month)
    shops = [meter.shop for meter in plant.meters if meter.id in use.meters]
    return {
        "activity_id": "",
        "source_id": use.id,
        "source_kind": use.kind,
        "shop": use.shop or next((shop for shop in shops if shop), None) or "other",
        "period": one.month,
        "started_at": period.start(plant.time_zone),
        "ended_at": period.end(plant.time_zone),
        "item": use.item or one.item,
        "quantity": 0.0,
        "unit": one.unit,
        "tier": "metered",
        "estimated_fraction": 0.0,
        "evidence": None,
        "detail": canonical(use.detail),
        "document": None,
        "note": "planned",
    }


def book(booking: Booking, quantities: Sequence[Quantity]) -> Quantified:
    """Return the planned records of a plan.

    Raises
    ------
    FaultyData
        An asset emits and no source of the plant books it, or a factor cannot be decided.
    """
    rows, problems = activities(booking, quantities)
    refuse(problems)
    found = quantify(ACTIVITIES.frame(rows), booking.plant, booking.factors, known_at=booking.known_at)
    refuse(found.problems)
    return found


def tonnes(quantified: Quantified, electricity: str = LOCATION) -> float:
    """Return tonnes of CO2e of records under one view of electricity: every other record counts in any view."""
    return sum(by_kind(quantified, electricity).values())


def by_kind(quantified: Quantified, electricity: str = LOCATION) -> dict[str, float]:
    """Return tonnes by kind of source; what stands apart from the total (exports, biogenic CO2) is left out."""
    import polars as pl

    counted = quantified.records.filter(
        pl.col("regime").is_in([ANY, electricity])
        & pl.col("kyoto")
        & ~pl.col("biogenic")
        & (pl.col("source_kind") != EXPORTED)
    )
    sums = counted.group_by("source_kind", maintain_order=True).agg(pl.col("emissions_gco2e").sum())
    return {str(kind): int(grams) / 1e6 for kind, grams in sums.iter_rows()}


def factors_of(booking: Booking, file_assets: Sequence[tuple[str, str, str, str]], month: str) -> Factored:
    """Return the grams per unit that the accounts would book, by asking them for a large round quantity.

    Parameters
    ----------
    file_assets : (asset, kind of source, item, unit) of everything that may emit.
    month : the month whose factors hold.
    """
    found: dict[tuple[str, str], float] = {}
    for asset, kind, item, unit in file_assets:
        if kind in ZERO or (kind, item) in found:
            continue
        probe = Quantity(asset, kind, item, month, PROBE, unit)
        found[kind, item] = tonnes(book(booking, [probe])) * 1e6 / PROBE
    return Factored(found, _residual(booking, month))


def _residual(booking: Booking, month: str) -> float | None:
    """Return the residual mix in grams per kWh, None where the plant has none."""
    from zerofactory.factors.resolve import Scope, find

    plant = booking.plant
    scope = Scope(
        region=plant.region,
        on=Period.parse(month).first_day,
        known_at=booking.known_at,
        grid_level=plant.accounting.grid_level,
        accepted=plant.accounting.accepted,
        pins={pin.role: (pin.factor, pin.reason) for pin in plant.accounting.pin if pin.source is None},
    )
    try:
        return find(booking.factors, "grid.residual", scope, item="electricity").factor.value * 1000.0
    except (Unresolved, NotFound, FaultyData):
        return None


def _no_source(one: Quantity) -> Problem:
    return Problem(
        "energy.no_source",
        Text(
            f"设备“{one.asset}”的“{one.item}”没有排放源入账。",
            f"No emission source books '{one.item}' of asset '{one.asset}'.",
        ),
        Text(
            f"请在 factory.toml 加一个 {one.source} 排放源, 或在 energy.toml 写 source。",
            f"Add a source of kind {one.source} to factory.toml, or name one with source in energy.toml.",
        ),
        file="energy.toml",
    )
