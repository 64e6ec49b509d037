"""What a plan of cutting or mixing saves: kilograms, tonnes of CO2e by route with the band, money; and what it is in the book.

Saved mass = good mass ÷ present utilisation − mass put in. Tonnes = saved mass × factor of the route (standards, 5: Δm × EF_route,
the band 0.5–2.1 kg/kg beside). In the book the plan is a form of documents, quantified by the same `quantify` as every other, beside
the form of the present practice: the difference is what the inventory will show once the plan's documents are imported.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from zerofactory.accounting.quantify import quantify
from zerofactory.accounting.source import sources
from zerofactory.errors import FaultyData, Problem, Text, errors_of, refuse
from zerofactory.metering.activity import from_form
from zerofactory.optimisation.material.cuts import Masses
from zerofactory.optimisation.material.metal import Route, routes
from zerofactory.runs.context import Context
from zerofactory.runs.material_file import Booking, Money, Practice
from zerofactory.runs.material_problem import kilograms_per_kilogram

HEADER = ("source", "start", "end", "quantity", "unit", "route", "recycled_fraction", "tier", "document", "note")
NOTES = {
    "plan": "用料方案, 毛重; 边角料另记 / plan of material, gross; scrap booked apart",
    "before": "现行做法, 毛重; 边角料另记 / present practice, gross; scrap booked apart",
}


@dataclass(frozen=True, slots=True)
class RouteSaving:
    """What the mass saved avoids if it had come by a route."""

    route: Route
    kgco2e_per_kg: float
    saved_kgco2e: float


@dataclass(frozen=True, slots=True)
class Booked:
    """The forms of documents of the plan and of the present practice, and the grams the same quantify makes of each."""

    plan_csv: str
    before_csv: str
    plan_gco2e: int
    before_gco2e: int

    @property
    def saved_gco2e(self) -> int:
        """How much less the inventory shows with the plan."""
        return self.before_gco2e - self.plan_gco2e


@dataclass(frozen=True, slots=True)
class Saving:
    """Against the present practice; all for the same good parts."""

    before_kg: float
    put_in_kg: float
    before_utilisation_fraction: float
    evidence: Text
    money_cny: float
    money_source: Text
    routes: tuple[RouteSaving, ...]
    booked: Booked | None = None

    @property
    def saved_kg(self) -> float:
        """Metal not put in."""
        return self.before_kg - self.put_in_kg

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        booked = self.booked
        return {
            "before_kg": self.before_kg, "put_in_kg": self.put_in_kg, "saved_kg": self.saved_kg,
            "before_utilisation_fraction": self.before_utilisation_fraction, "evidence": {"zh": self.evidence.zh, "en": self.evidence.en},
            "money_cny": self.money_cny, "money_source": {"zh": self.money_source.zh, "en": self.money_source.en},
            "routes": [
                {"id": one.route.id, "use": one.route.use, "title": {"zh": one.route.title.zh, "en": one.route.title.en}, "factor": one.route.factor, "kgco2e_per_kg": one.kgco2e_per_kg, "saved_tco2e": one.saved_kgco2e / 1000}
                for one in self.routes
            ],
            "book": None if booked is None else {"before_gco2e": booked.before_gco2e, "plan_gco2e": booked.plan_gco2e, "saved_gco2e": booked.saved_gco2e},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Before:
    """The present practice in kg put in, and how it is known."""

    put_in_kg: float
    evidence: Text


def before_of(practice: Practice | None, masses: Masses) -> Before | None:
    """Return what the present practice would put in for the same good parts."""
    if practice is None:
        return None
    return Before(masses.good_kg / practice.utilisation_fraction, practice.evidence.text)


def saving(context: Context, form: Any, masses: Masses, before: Before | None, price: float | None) -> Saving | None:
    """Return the saving of a plan of cutting, None where no present practice is stated.

    Parameters
    ----------
    form : the file's form (metal, money, book).
    price : of the metal where the tables say it, in CNY/kg.
    """
    if before is None:
        return None
    saved = before.put_in_kg - masses.put_in_kg
    money: Money | None = form.money
    buys = price if price else (money.metal_cny_per_kg if money else 0.0)
    sells = money.scrap_cny_per_kg if money else 0.0
    source = money.source.text if money else Text("未给价格", "no prices given")
    # what is put in less is scrap less, as the good parts are the same: it is not bought, and not sold as scrap
    found = tuple(
        RouteSaving(route, factor, factor * saved)
        for route in routes(form.metal)
        for factor in [kilograms_per_kilogram(context.workspace.factor_book, route.factor)]
    )
    share = masses.good_kg / before.put_in_kg if before.put_in_kg else 0.0
    booked = None if form.book is None else _booked_cuts(context, form.book, masses, before)
    return Saving(
        before.put_in_kg, masses.put_in_kg, share, before.evidence, saved * (buys - sells), source, found, booked
    )


def _booked_cuts(context: Context, book: Booking, masses: Masses, before: Before) -> Booked:
    plan = {
        book.metal: masses.put_in_kg,
        book.put_in: masses.put_in_kg,
        book.output: masses.good_kg,
        book.scrap: masses.all_scrap_kg,
    }
    old_scrap = before.put_in_kg - masses.good_kg
    old = {
        book.metal: before.put_in_kg,
        book.put_in: before.put_in_kg,
        book.output: masses.good_kg,
        book.scrap: old_scrap,
    }
    return booked(context, book, _lines(plan), _lines(old))  # fmt: skip


def _lines(amounts: Mapping[str | None, float]) -> list[dict[str, object]]:
    return [{"source": name, "quantity": mass} for name, mass in amounts.items() if name is not None and mass > 0]


def booked(
    context: Context, book: Booking, plan: Sequence[Mapping[str, object]], before: Sequence[Mapping[str, object]]
) -> Booked:
    """Return the two forms of documents and what each is in the book; refuse sources the plant does not have."""
    forms = {name: _form(lines, book, name) for name, lines in (("plan", plan), ("before", before))}
    grams = {name: _grams(context, text) for name, text in forms.items()}
    return Booked(forms["plan"], forms["before"], grams["plan"], grams["before"])


def _form(lines: Sequence[Mapping[str, object]], book: Booking, which: str) -> str:
    """Return a document form as `zf import` takes it: one row a source, of one day, each with a document number of its own."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADER, lineterminator="\n")
    writer.writeheader()
    for number, line in enumerate(lines, start=1):
        mass_kg = float(line["quantity"])  # type: ignore[arg-type]
        writer.writerow(
            {
                **{name: line.get(name, "") for name in ("source", "route", "recycled_fraction")}, "start": book.day.isoformat(),
                "end": book.day.isoformat(), "quantity": f"{mass_kg:.3f}", "unit": "kg", "tier": "estimated",
                "document": f"{book.document}-{which}-{number}", "note": NOTES[which],
            }
        )  # fmt: skip
    return stream.getvalue()


def _grams(context: Context, text: str) -> int:
    """Return what the documents come to in gCO2e, by the plant's own factors."""
    frame = pl.read_csv(io.BytesIO(text.encode()), infer_schema_length=0)
    plant = context.workspace.plant
    activities, problems = from_form(frame, plant, sources(), None)
    if errors_of(problems):
        hint = Text("请核对文件 [book] 中的排放源。", "See the sources in [book] of the file.")
        raise FaultyData(
            [Problem(one.code, one.message, hint if not one.hint.zh else one.hint, column="book") for one in problems]
        )
    found = quantify(activities, plant, context.workspace.factor_book)
    refuse(found.problems)
    counted = found.records.filter(pl.col("regime").is_in(["any", "location"]))
    return int(counted["emissions_gco2e"].sum())
