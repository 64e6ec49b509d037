"""A plan of carriage as documents: the very form that `zf import` takes, read and quantified by the code that will book it.

Electricity taken at the plant's own chargers is in the plant's meters (scope 2) and is left out here: nothing counts twice.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from zerofactory.accounting.catalogue import catalogue
from zerofactory.accounting.quantify import Quantified, quantify
from zerofactory.accounting.source import sources
from zerofactory.errors import Problem, Text, refuse
from zerofactory.factors.model import FactorBook
from zerofactory.metering.activity import from_form
from zerofactory.optimisation.logistics.chain import chains
from zerofactory.optimisation.logistics.network import Carbon, Fleet, NetworkPlan, NetworkProblem
from zerofactory.optimisation.logistics.vehicle import VehicleKind
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.logistics_file import Settings
from zerofactory.site.model import Plant

HUB = "hub_handling"
PROBE = 1_000_000.0
COLUMNS = (
    "source", "start", "end", "quantity", "unit", "item", "tier", "document", "note", "well_to_wheel", "fuel_per_km", "kwh_per_km",
    "kwh_per_kg", "kwh_per_t",
)  # fmt: skip
PROBED_KWH_PER_KG = 50.0
UNIT_OF = {"service": "t·km", "hub": "t"}
DETAIL_OF = {
    "hub": "kwh_per_t",
    "diesel": "fuel_per_km",
    "lng": "fuel_per_km",
    "hydrogen": "fuel_per_km",
    "electricity": "kwh_per_km",
}
Row = dict[str, str]


@dataclass(frozen=True)
class Desk:
    """Where plans of carriage are booked: the plant, its factors as known on a day, the two sources."""

    plant: Plant
    factors: FactorBook
    known_at: date
    settings: Settings

    def source(self, direction: str) -> str:
        """Return the source of a direction."""
        return self.settings.inbound_source if direction == "inbound" else self.settings.outbound_source


def desk_of(context: Context, settings: Settings) -> Desk:
    """Return where a workspace books carriage; raise `FaultyData` when a source is missing or of another kind."""
    plant = context.workspace.plant
    wanted = {settings.inbound_source: "upstream_transport", settings.outbound_source: "downstream_transport"}
    there = {use.id: use for use in plant.sources}
    refuse(
        _no_source(name, kind)
        for name, kind in wanted.items()
        if name not in there or there[name].kind != kind or there[name].item
    )
    return Desk(plant, context.workspace.factor_book, context.today, settings)


def carbon(desk: Desk, fleets: Sequence[Fleet], period: Period) -> Carbon:
    """Return the grams per unit that the accounts would book, by asking them for a large round quantity of each item."""
    rows = {fleet.kind.item: _probe(desk, fleet.kind, period) for fleet in fleets}
    rows[HUB] = _row(desk, ("inbound", HUB, period), {"quantity": _number(PROBE), "unit": "t", "kwh_per_t": "1"})
    grams = grams_by_item(book(desk, list(rows.values())))
    per_use: dict[str, float] = {}
    per_tkm: dict[str, float] = {}
    for fleet in fleets:
        kind = fleet.kind
        scale = kind["kwh_per_kg"] / PROBED_KWH_PER_KG if kind.energy == "hydrogen" else 1.0
        (per_tkm if kind.is_service else per_use)[kind.id] = grams[kind.item] / PROBE * scale
    return Carbon(per_use, per_tkm, grams[HUB] / PROBE)


def _probe(desk: Desk, kind: VehicleKind, period: Period) -> Row:
    place = ("inbound", kind.item, period)
    if kind.is_service:
        return _row(desk, place, {"quantity": _number(PROBE), "unit": "t·km"})
    more = {"quantity": _number(PROBE), "unit": "vehicle·km", DETAIL_OF[kind.energy]: "1"}
    if kind.energy == "hydrogen":
        more["kwh_per_kg"] = _number(PROBED_KWH_PER_KG)
    return _row(desk, place, more)


@dataclass
class _Sum:
    """What one item comes to in one direction: quantity, energy bought, electrolysis, the legs."""

    quantity: float = 0.0
    energy: float = 0.0
    electrolysis_kwh: float = 0.0
    legs: list[str] = field(default_factory=list)

    def add(self, amounts: tuple[float, float, float], leg: str) -> None:
        """Add quantity, energy and electrolysis of an element."""
        self.quantity += amounts[0]
        self.energy += amounts[1]
        self.electrolysis_kwh += amounts[2]
        self.legs.append(leg)


def rows_of(desk: Desk, problem: NetworkProblem, plan: NetworkPlan, period: Period) -> list[Row]:
    """Return the documents of a year's plan, for the share of the year that a period is: a row a direction and item.

    Kilometres and energy of the elements are added up; emissions are linear in them, so the sum is theirs to the gram.
    """
    year = Period(period.year)
    part = (period.next_first_day - period.first_day) / (year.next_first_day - year.first_day)
    found, shares = chains(problem, plan), _outbound_shares(problem, plan)
    sums: dict[tuple[str, str], _Sum] = {}
    for one in found.elements:
        fleet = problem.fleet(one.vehicle)
        kind, out = fleet.kind, shares.get(one.leg, 0.0)
        bought = one.use * (1.0 - fleet.plant_share if kind.energy == "electricity" else 1.0)
        made = bought * kind["kwh_per_kg"] if kind.energy == "hydrogen" else 0.0
        amounts = (one.driven_tkm, 0.0, 0.0) if kind.is_service else (one.vehicle_km, bought, made)
        for direction, share in (("inbound", 1.0 - out), ("outbound", out)):
            if share > 0.0:
                sums.setdefault((direction, kind.item), _Sum()).add(
                    (amounts[0] * share, amounts[1] * share, amounts[2] * share), one.leg
                )
    for hub in found.hubs:
        out = shares.get(hub.node, 0.0)
        for direction, share in (("inbound", 1.0 - out), ("outbound", out)):
            if share > 0.0:
                sums.setdefault((direction, HUB), _Sum()).add(
                    (hub.tonnes * share, hub.energy_kwh * share, 0.0), hub.node
                )
    energies = {fleet.kind.item: fleet.kind.energy for fleet in problem.fleets}
    rows = [
        _sum_row(desk, (direction, item, period), total, (energies.get(item, "hub"), part))
        for (direction, item), total in sorted(sums.items())
    ]
    return [row for row in rows if row is not None]


def _sum_row(desk: Desk, place: tuple[str, str, Period], total: _Sum, how: tuple[str, float]) -> Row | None:
    energy, part = how
    more = {"quantity": _number(total.quantity * part), "unit": UNIT_OF.get(energy, "vehicle·km")}
    if energy != "service":
        if total.quantity <= 0.0 or total.energy <= 0.0:
            return None
        more[DETAIL_OF[energy]] = _number(total.energy / total.quantity)
    if energy == "hydrogen":
        more["kwh_per_kg"] = _number(total.electrolysis_kwh / total.energy)
    note = (
        "ISO 14083; 厂内充电计入范围二 charging at the plant is in scope 2" if energy == "electricity" else "ISO 14083"
    )
    direction, item, period = place
    document = f"LOG-{period.label}-{direction}-{item}"
    return _row(
        desk, place, more | {"document": document, "note": f"{note}: {' '.join(dict.fromkeys(total.legs))}"[:400]}
    )


def _outbound_shares(problem: NetworkProblem, plan: NetworkPlan) -> dict[str, float]:
    """Return the share of outbound tonnes on each leg and into each node; a leg driven only empty counts as inbound."""
    legs = {leg.id: leg for leg in problem.legs}
    outbound = {flow.id for flow in problem.flows if flow.direction == "outbound"}
    whole: dict[str, float] = {}
    out: dict[str, float] = {}
    for one in plan.carried:
        leg = legs[one.leg]
        for place in (one.leg, leg.end):
            whole[place] = whole.get(place, 0.0) + one.tonnes
            out[place] = out.get(place, 0.0) + (one.tonnes if one.flow in outbound else 0.0)
    return {place: out[place] / tonnes for place, tonnes in whole.items() if tonnes > 0.0}


def _row(desk: Desk, place: tuple[str, str, Period], more: Mapping[str, str]) -> Row:
    direction, item, period = place
    whole = "yes" if has_upstream(item) else "no"
    fixed = {
        "source": desk.source(direction), "start": period.first_day.isoformat(), "end": last_day(period).isoformat(), "item": item,
        "tier": "estimated", "well_to_wheel": whole,
    }  # fmt: skip
    return dict.fromkeys(COLUMNS, "") | fixed | dict(more)


def has_upstream(item: str) -> bool:
    """Whether the factor sets know the upstream of an item's energy; if not, its figure is tank to wheel and says so."""
    entry = next(one for one in catalogue("carriage") if one.item == item)
    return entry.more["drive"] != "fuel" or bool(entry.more["upstream_factor"])


def book(desk: Desk, rows: Sequence[Row]) -> Quantified:
    """Return the records of documents; raise `FaultyData` with every fault of form or factor."""
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(COLUMNS, pl.String)).with_columns(
        pl.when(pl.col(name) == "").then(None).otherwise(pl.col(name)).alias(name) for name in COLUMNS
    )
    activities, problems = from_form(frame, desk.plant, sources())
    refuse(problems)
    found = quantify(activities, desk.plant, desk.factors, known_at=desk.known_at)
    refuse(found.problems)
    return Quantified(_itemised(found.records, activities), found.problems, found.resolutions)


def _itemised(records: pl.DataFrame, activities: pl.DataFrame) -> pl.DataFrame:
    """Return records with the item of their activity."""
    items = activities.select("activity_id", pl.col("item").alias("carried_by"))
    return records.join(items, on="activity_id", how="left", maintain_order="left")


def grams_by_item(found: Quantified) -> dict[str, float]:
    """Return the grams of each item, what stands apart from the total left out."""
    counted = found.records.filter(pl.col("regime").is_in(["any", "location"]) & pl.col("kyoto") & ~pl.col("biogenic"))
    sums = counted.group_by("carried_by", maintain_order=True).agg(pl.col("emissions_gco2e").sum())
    return {str(name): float(grams) for name, grams in sums.iter_rows()}


def as_csv(rows: Sequence[Row]) -> str:
    """Return documents as a CSV file that `zf import` takes as it is."""
    used = [name for name in COLUMNS if any(row[name] for row in rows)]
    out = io.StringIO()
    writer = csv.DictWriter(out, used, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _number(value: float) -> str:
    return f"{value:.9g}"


def last_day(period: Period) -> date:
    """Return the last day of a period."""
    return period.next_first_day - timedelta(days=1)


def _no_source(name: str, kind: str) -> Problem:
    snippet = f'[[sources]] id = "{name}" kind = "{kind}" name = {{ zh = "…", en = "…" }} shop = "…"'
    return Problem(
        "logistics.no_source",
        Text(
            f"没有可入账的排放源“{name}”({kind}, 不写 item)。",
            f"There is no source '{name}' to book to ({kind}, without item).",
        ),
        Text(f"请在 factory.toml 加: {snippet}", f"Add to factory.toml: {snippet}"),
        file="factory.toml",
    )
