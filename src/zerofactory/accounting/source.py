"""Sources: what one kind of emission source must offer, and how it is asked.

    Source.flows(Ask) -> (Flow, ...)      one flow per gas (and per claim regime, for electricity)
    Ask    where, when, of what, in which unit, with which details
    Flow   a gas and a resolution in kg of that gas per unit of activity

One file in `sources/` offers one `SOURCE`; `sources()` finds them, and those of other packages, by the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from zerofactory.accounting.terms import stated
from zerofactory.discover import discover
from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.factors.model import FactorBook, Found, Origin, Resolution
from zerofactory.factors.resolve import Scope
from zerofactory.tables import Column

Regime = Literal["any", "location", "market_annual"]
Class4M1E = Literal["person", "machine", "material", "method", "environment"]
Detail = str | float

ISO, GHGP, CN = "iso_14064_1_2018", "ghg_protocol_corporate", "cn_machinery_2015"


@dataclass(frozen=True, slots=True)
class Flow:
    """One gas of a source.

    ``factor`` is in kg of ``gas`` per activity unit. ``regime`` limits a flow of electricity to one view. ``origin``
    chooses between the fossil and the biogenic GWP of methane. ``uncertainty`` is the id of the factor's half-width.
    """

    gas: str
    factor: Resolution
    method: str
    regime: Regime = "any"
    biogenic: bool = False
    origin: Origin | None = None
    uncertainty: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a source. ``gas_meter_celsius`` is 0 where bills in m3 are taken as normal volume."""

    book: FactorBook
    scope: Scope
    item: str | None
    unit: str
    detail: Mapping[str, Detail] = field(default_factory=dict)
    gas_meter_celsius: float = 0.0

    def has(self, name: str) -> bool:
        """Whether a detail was given."""
        return self.detail.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """Return a detail as text; raise `FaultyData` when it is missing."""
        if not self.has(name):
            raise FaultyData([missing_detail(name)])
        return str(self.detail[name])

    def number(self, name: str, minimum: float = 0.0, maximum: float | None = None) -> float:
        """Return a detail as a number inside its bounds; raise `FaultyData` otherwise."""
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not (value >= minimum and (maximum is None or value <= maximum) and value != float("inf")):
            bound = f"{minimum:g}–{maximum:g}" if maximum is not None else f"≥ {minimum:g}"
            raise FaultyData(
                [
                    fault(
                        "detail_out_of_range",
                        Text(f"“{name}”的值“{text}”不在 {bound} 内。", f"'{name}' is '{text}', not within {bound}."),
                        Text("请改正该值。", "Correct the value."),
                        column=name,
                    )
                ]
            )
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return a detail that must be one of ``choices``; raise `FaultyData` otherwise."""
        if not self.has(name):
            raise FaultyData([missing_detail(name, choices)])
        value = self.text(name)
        if value not in choices:
            raise FaultyData([not_a_choice(name, value, choices)])
        return value

    def stated(self, name: str, unit: str, title: Text, minimum: float = 0.0, maximum: float | None = None) -> Found:
        """Return a detail as a factor, so that a figure the plant states is seen in the explanation like any other."""
        return stated(name, self.number(name, minimum, maximum), unit, title)


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: an activity and the kilograms of each gas it emits, with where the figure is from."""

    text: Text
    item: str | None
    quantity: float
    unit: str
    detail: Mapping[str, Detail]
    expected_kg: Mapping[str, float]
    citation: str
    region: str = "CN-上海"
    on: date = date(2025, 6, 1)
    accepted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of emission source (or, with scope 0, of something that counts but does not emit).

    ``categories`` gives its category in each standard; a standard that is absent does not count it. ``deducted_in``
    names standards that subtract it (net purchased electricity). ``units`` are dimensions. ``balance`` are the signed
    columns of a stock balance that may replace the quantity. ``details`` are further columns; one that is not nullable
    must be given. ``activity_uncertainty`` gives the id of the half-width of the amount for each tier. ``apart`` names the
    line beside the total (a key of `inventory.APART`) where a standard that does not count it shows it.
    """

    id: str
    title: Text
    scope: int
    categories: Mapping[str, str]
    class_4m1e: Class4M1E
    units: tuple[str, ...]
    flows: Callable[[Ask], tuple[Flow, ...]]
    reference: str
    example: Example
    items: tuple[str, ...] = ()
    item_required: bool = False
    balance: tuple[tuple[str, int], ...] = ()
    details: tuple[Column, ...] = ()
    activity_uncertainty: Mapping[str, str] = field(default_factory=dict)
    deducted_in: tuple[str, ...] = ()
    note: Text | None = None
    apart: str | None = None


@lru_cache(maxsize=1)
def sources() -> Mapping[str, Source]:
    """Return every kind of source by id, our own and those of installed packages."""
    return MappingProxyType(discover("zerofactory.accounting.sources", "SOURCE", "zerofactory.sources"))


def source(source_id: str) -> Source:
    """Return one kind of source; raise `NotFound` with the choices otherwise."""
    found = sources().get(source_id)
    if found is None:
        raise NotFound(Text("排放源类型", "kind of source"), source_id, tuple(sources()))
    return found


def categories(iso: str, ghgp: str, cn: str | None = None) -> Mapping[str, str]:
    """Return the category of a source in each standard that counts it."""
    named = {ISO: iso, GHGP: ghgp}
    return MappingProxyType({**named, CN: cn} if cn else named)


def detail_text(name: str, zh: str, en: str, choices: tuple[str, ...] = (), *, required: bool = False) -> Column:
    """Return the column of a textual detail."""
    return Column(name, "text", Text(zh, en), nullable=not required, choices=choices)


def detail_number(name: str, title: Text, unit: str, maximum: float | None = None, *, required: bool = False) -> Column:
    """Return the column of a numeric detail that is not negative."""
    return Column(name, "number", title, unit=unit, nullable=not required, minimum=0.0, maximum=maximum)


def fault(code: str, message: Text, hint: Text, column: str | None = None) -> Problem:
    """Return a problem of this room."""
    return Problem(code=f"accounting.{code}", message=message, hint=hint, column=column)


def missing_detail(name: str, choices: tuple[str, ...] = ()) -> Problem:
    """Return the problem of a detail that was not given."""
    listed = ", ".join(choices)
    return fault(
        "missing_detail",
        Text(f"缺少“{name}”。", f"Detail '{name}' is missing."),
        Text(f"可选: {listed}。", f"Choose one of: {listed}.")
        if listed
        else Text("请在明细列填写。", "Fill in its column."),
        column=name,
    )


def not_a_choice(name: str, value: str, choices: tuple[str, ...]) -> Problem:
    """Return the problem of a value outside its choices."""
    listed = ", ".join(choices)
    return fault(
        "not_a_choice",
        Text(f"“{name}”不能是“{value}”。", f"'{name}' cannot be '{value}'."),
        Text(f"可选: {listed}。", f"Choose one of: {listed}."),
        column=name,
    )


def unknown_detail(name: str, known: Sequence[str]) -> Problem:
    """Return the problem of a detail that this kind of source does not know."""
    listed = ", ".join(known) or "-"
    return fault(
        "unknown_detail",
        Text(f"不认识明细“{name}”。", f"Detail '{name}' is unknown."),
        Text(f"可用: {listed}。", f"Known details: {listed}."),
        column=name,
    )
