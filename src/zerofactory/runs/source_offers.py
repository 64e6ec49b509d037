"""Sources a plant may choose from, shop by shop, each with the factor it would take today, or what is missing and the choices.

The offers are the sources that the reference plant has; every kind of ``accounting/sources`` may be chosen besides.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from zerofactory import units
from zerofactory.accounting.source import sources
from zerofactory.errors import FaultyData, Misuse, NotFound, Problem, Text
from zerofactory.runs.context import Context
from zerofactory.runs.factor import Answer, resolve_use
from zerofactory.site.model import Plant, SourceUse

SITE = "*site"
_ACCEPT = re.compile(r'\[\[accounting\.accept\]\] factor = "([^"]+)"')
_PIN = re.compile(r'\[\[accounting\.pin\]\] role = "([^"]+)"')
_CHOICE = re.compile(r"([a-z][\w+-]*(?:\.[\w+-]+)+) = [-\d.]")


@dataclass(frozen=True, slots=True)
class Offer:
    """One source that a shop may have. ``carrier`` names the meters that could give its quantity; empty: documents.

    ``note`` says which of its particulars are placeholders, to be replaced by the plant's own.
    """

    id: str
    shop: str | None
    kind: str
    item: str | None
    carrier: str
    name: Text
    detail: Mapping[str, str | float]
    used: bool
    note: Text | None = None
    factors: tuple[Answer, ...] = ()
    missing: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "id": self.id, "shop": self.shop, "kind": self.kind, "item": self.item, "carrier": self.carrier or None,
            "name": {"zh": self.name.zh, "en": self.name.en}, "detail": dict(self.detail), "used": self.used,
            "note": None if self.note is None else {"zh": self.note.zh, "en": self.note.en},
            "factors": [answer.as_json() for answer in self.factors], "missing": [one.as_json() for one in self.missing],
        }  # fmt: skip


def run(context: Context) -> list[Offer]:
    """Return what each shop of the plant may have, in the order of the shops; what concerns the whole site comes first."""
    plant = context.workspace.plant
    found = []
    for row in _rows():
        kinds = row["shop_kinds"].split()
        if kinds == [SITE]:
            found.append(_offer(context, row, None))
        else:
            found += [_offer(context, row, shop.id) for shop in plant.shops if shop.kind in kinds]
    order = [None, *(shop.id for shop in plant.shops)]
    return sorted(found, key=lambda offer: order.index(offer.shop))


def of_entry(context: Context, entry: Mapping[str, Any]) -> tuple[tuple[Answer, ...], tuple[Problem, ...]]:
    """Return the factors a source would take today, or every fault: what is missing and what there is to choose from."""
    plant = context.workspace.plant
    meters = tuple(name for name in entry.get("meters") or () if name in {meter.id for meter in plant.meters})
    detail: Mapping[str, str | float] = entry.get("detail") or {}
    use = SourceUse(
        id=str(entry.get("id") or "new"), kind=str(entry.get("kind")), name=Text("", ""), shop=entry.get("shop"),
        item=entry.get("item"), meters=meters, detail=detail, unit=entry.get("unit"),
    )  # fmt: skip
    kind = sources().get(use.kind)
    if kind is None:
        return (), (NotFound(Text("排放源种类", "kind of source"), use.kind, tuple(sources())).as_problem(),)
    if kind.scope == 0 or detail.get("derived") == "yes":  # emits nothing, or follows from the others at closing
        return (), ()
    booked = use.unit or (plant.meter(meters[0]).amount_unit if meters else None)
    refused: tuple[Problem, ...] = ()
    for unit in (booked,) if booked else (units.symbols_of(dimension)[0] for dimension in reversed(kind.units)):
        try:
            return tuple(resolve_use(context, replace(use, unit=unit), context.today, closing=True)), ()
        except FaultyData as fault:
            refused = tuple(fault.problems)
        except NotFound as fault:
            refused = (fault.as_problem(),)
        except Misuse:  # the factor of this item is not per a unit of this dimension
            refused = refused or (_no_unit(use.kind),)
    return (), refused


def _no_unit(kind: str) -> Problem:
    message = Text(f"“{kind}”的因子不适用于这个单位。", f"The factor of '{kind}' is not per this unit.")
    return Problem("offers.unit", message, Text("请写明入账单位 unit。", "Name the unit in which it is booked."))


@dataclass(frozen=True, slots=True)
class Decision:
    """What the plant may decide where a factor is missing: pin one of the choices to a role, or accept one by name."""

    part: Literal["accounting.pin", "accounting.accept"]
    role: str | None
    choices: tuple[str, ...]


def decisions(problem: Problem) -> tuple[Decision, ...]:
    """Return the decisions that the hint of a missing factor offers.

    Examples
    --------
    >>> hint = 'Choose one of: a.b = 1 kgCH4/TJ; c.d = 62 kgCH4/TJ. Use [[accounting.pin]] role = "fuel.ch4:lpg", factor = "…"'
    >>> decisions(Problem("x", Text("", ""), Text(hint, hint)))
    (Decision(part='accounting.pin', role='fuel.ch4:lpg', choices=('a.b', 'c.d')),)
    """
    hint = problem.hint.en
    accepted = [Decision("accounting.accept", None, (name,)) for name in _ACCEPT.findall(hint)]
    listed = tuple(dict.fromkeys(_CHOICE.findall(hint)))
    pinned = [Decision("accounting.pin", role, listed) for role in _PIN.findall(hint) if listed]
    return (*accepted, *pinned)


def entry_of(offer: Offer, plant: Plant) -> dict[str, Any]:
    """Return an offer as an entry of the plant file, under an id nobody has; meters are those of its carrier that fit best."""
    taken = {source.id for source in plant.sources}
    name = offer.id if offer.id not in taken else f"{offer.id}-{offer.shop}" if offer.shop else offer.id
    number = 2
    while name in taken:
        name, number = f"{offer.id}-{number}", number + 1
    meters = fitting(offer, plant)
    entry: dict[str, Any] = {
        "id": name,
        "kind": offer.kind,
        "name": {"zh": offer.name.zh, "en": offer.name.en},
        "item": offer.item,
        "detail": dict(offer.detail) or None,
    }
    if meters:
        entry["meters"] = meters
    else:
        entry["shop"] = offer.shop or next((shop.id for shop in plant.shops if shop.kind == "utilities"), None)
    return {key: value for key, value in entry.items() if value is not None}


def fitting(offer: Offer, plant: Plant) -> list[str]:
    """Return the meters that could give the quantity of an offer and that nothing counts yet."""
    counted = {name for source in plant.sources for name in (*source.meters, *source.split)}
    free = [
        meter for meter in plant.meters if meter.carrier == offer.carrier and meter.id not in counted and offer.carrier
    ]
    if offer.shop is None:
        return [meter.id for meter in free if meter.parent is None and meter.kind != "virtual"][:1]
    return [meter.id for meter in free if meter.shop == offer.shop][:1]


def _offer(context: Context, row: Mapping[str, str], shop: str | None) -> Offer:
    plant = context.workspace.plant
    detail = json.loads(row["detail"])
    used = any(
        source.kind == row["kind"] and (source.item or "") == row["item"] and _place(plant, source, shop)
        for source in plant.sources
    )
    name, note = Text(row["zh"], row["en"]), Text(row["note_zh"], row["note_en"]) if row["note_zh"] else None
    offer = Offer(row["id"], shop, row["kind"], row["item"] or None, row["carrier"], name, detail, used, note)
    entry = entry_of(offer, plant)
    factors, missing = of_entry(context, entry)
    return replace(offer, factors=factors, missing=missing)


def _place(plant: Plant, source: SourceUse, shop: str | None) -> bool:
    """Return whether a source counts at a shop (or, for the whole site, anywhere) under the name of an offer."""
    if shop is None or source.shop == shop:
        return True
    shops = {meter.id: meter.shop for meter in plant.meters}
    return source.shop is None and any(shops.get(name) == shop for name in source.meters)


@lru_cache(maxsize=1)
def _rows() -> tuple[Mapping[str, str], ...]:
    with (files("zerofactory.runs") / "source_offers.csv").open(encoding="utf-8") as stream:
        return tuple(csv.DictReader(stream))
