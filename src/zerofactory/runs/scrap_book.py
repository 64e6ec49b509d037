"""What scrap is in the book: what documents hold already is compared and the difference told; only what none holds is offered for booking.

Energy is on the meters and never offered. Metal that is bought by delivery holds what was scrapped; metal booked by the bill of good
vehicles does not, and is offered. Scrap and waste are offered for months without a weighbridge document of their source.
"""

from __future__ import annotations

import csv
import io
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from zerofactory import units
from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import sources
from zerofactory.errors import FaultyData, errors_of, refuse
from zerofactory.metering.activity import from_form
from zerofactory.optimisation.quality.loss import REMELTED, RETURNED, SOLD, Loss, totals
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.scrap_file import Given
from zerofactory.store.schema import ACTIVITIES

State = Literal["held", "booked", "ours", "to_book"]
HEADER = ("source", "start", "end", "quantity", "unit", "tier", "document", "note")
DOCUMENT = "SCRAP"
NOTE = "由缺陷件数推算 / from counted defects"
ENDS = 1e-6


@dataclass(frozen=True, slots=True)
class Line:
    """One source in one month.

    Parameters
    ----------
    kind : purchase, scrap, lost or waste.
    state : ``held``: by deliveries, the metal scrapped is part of them; ``booked``: a document of another hand holds it; ``ours``: booked
        from counts before; ``to_book``: nothing holds it.
    counted_kg, booked_kg : from the counts, and of the documents.
    """

    source: str
    kind: str
    period: str
    counted_kg: float
    booked_kg: float
    state: State

    @property
    def difference_kg(self) -> float:
        """What the documents hold beside: other scrap, or (below zero) what they miss."""
        return self.booked_kg - self.counted_kg

    @property
    def contradicts(self) -> bool:
        """Whether more was counted than the documents hold."""
        return self.state != "to_book" and self.difference_kg < -ENDS * max(1.0, self.counted_kg)

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "source": self.source, "kind": self.kind, "period": self.period, "counted_kg": self.counted_kg, "booked_kg": self.booked_kg,
            "difference_kg": self.difference_kg, "state": self.state, "contradicts": self.contradicts,
        }  # fmt: skip


@dataclass(frozen=True)
class Reconciled:
    """Every source of the materials, the form of documents of what no document holds, and the grams it comes to."""

    lines: tuple[Line, ...]
    form_csv: str
    gco2e: int
    sealed: tuple[str, ...]

    @property
    def to_book(self) -> tuple[Line, ...]:
        """What is offered for booking."""
        return tuple(one for one in self.lines if one.state == "to_book")

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"lines": [one.as_json() for one in self.lines], "to_book": len(self.to_book), "to_book_gco2e": self.gco2e, "sealed_months": list(self.sealed)}  # fmt: skip


def reconcile(context: Context, given: Given, period: Period, losses: Sequence[tuple[date, Loss]]) -> Reconciled:
    """Return the materials of losses beside the documents of their sources, month by month."""
    months = [month.label for month in period.months()]
    lines: list[Line] = []
    for month in months:
        loss = totals([one for day, one in losses if f"{day:%Y-%m}" == month])
        for (source, kind, by_delivery), kg in amounts(given, loss).items():
            booked, ours = _booked(context, source, month)
            held: State = "held" if by_delivery else "ours" if ours else "booked" if booked else "to_book"
            lines.append(Line(source, kind, month, kg, booked, held))
    form = _form([one for one in lines if one.state == "to_book"])
    sealed = set(context.workspace.seals()["period"])
    return Reconciled(tuple(lines), form, grams(context, form), tuple(one for one in months if one in sealed))


def amounts(given: Given, loss: Loss) -> dict[tuple[str, str, bool], float]:
    """Return the kilograms of a loss by source, kind, and whether deliveries hold them.

    Scrap that is sold or returned leaves whole, melting loss is the mill's; of scrap that is melted again what comes back is recovered and the dross lost.
    """
    found: dict[tuple[str, str, bool], float] = {}

    def put(source: str | None, kind: str, kg: float, *, by_delivery: bool = False) -> None:
        if source is not None and kg > 0.0:
            found[source, kind, by_delivery] = found.get((source, kind, by_delivery), 0.0) + kg

    scrap = loss.scrap_kg
    for one in given.form.materials:
        booked, kg = one.booked, scrap.get(one.id, 0.0)
        put(
            booked.purchase,
            "purchase",
            loss.bought_kg.get(one.id, 0.0),
            by_delivery=booked.purchase_counts == "deliveries",
        )
        leaves_whole = one.fate in (SOLD, RETURNED)
        recovered = kg if leaves_whole else loss.recovered_kg.get(one.id, 0.0)
        lost = 0.0 if leaves_whole else loss.lost_kg.get(one.id, 0.0)
        put(booked.scrap, "scrap", recovered)
        put(booked.lost, "lost", lost)
        put(booked.waste, "waste", lost if one.fate == REMELTED else kg)
    return found


def grams(context: Context, form: str) -> int:
    """Return what a form of documents comes to in gCO2e, by the plant's own factors and the function that closes months."""
    if form.count("\n") < 2:
        return 0
    frame = pl.read_csv(io.BytesIO(form.encode()), infer_schema_length=0)
    plant = context.workspace.plant
    activities, problems = from_form(frame, plant, sources(), None)
    if errors_of(problems):
        raise FaultyData(problems)
    found = quantify(activities, plant, context.workspace.factor_book)
    refuse(found.problems)
    return int(found.records.filter(pl.col("regime").is_in(["any", "location"]))["emissions_gco2e"].sum())


def _booked(context: Context, source: str, month: str) -> tuple[float, bool]:
    """Return the kilograms that documents of a source hold in a month, and whether they are all our own."""
    rows = context.workspace.journal.active(ACTIVITIES, {"period": month, "source_id": source})
    kg, own = 0.0, []
    for amount, unit, document in rows.select("quantity", "unit", "document").iter_rows():
        if units.parse(unit).dimension == "mass":
            kg += units.convert(amount, unit, "kg")
            own.append(str(document or "").startswith(f"{DOCUMENT}-"))
    return kg, bool(own) and all(own)


def _form(lines: Sequence[Line]) -> str:
    """Return a document form as `zf import` takes it: one row a source and month; lines of one source are added."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADER, lineterminator="\n")
    writer.writeheader()
    sums: dict[tuple[str, str], float] = {}
    for one in lines:
        sums[one.source, one.period] = sums.get((one.source, one.period), 0.0) + one.counted_kg
    for (source, period), kg in sums.items():
        year, month = (int(part) for part in period.split("-"))
        row: Mapping[str, str] = {
            "source": source, "start": f"{period}-01", "end": f"{period}-{monthrange(year, month)[1]:02d}", "quantity": f"{kg:.3f}", "unit": "kg",
            "tier": "estimated", "document": f"{DOCUMENT}-{period}-{source}", "note": NOTE,
        }  # fmt: skip
        writer.writerow(row)
    return stream.getvalue()
