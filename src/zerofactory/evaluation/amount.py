"""Amounts: the figures that indicators are made of, each with what it hangs on, and `Facts`, the figures of one period.

An amount is a value and its stakes: how far each uncertain part (a meter, a document, a factor) moves it. Two amounts that hang
on the same meter move together, so a ratio is known better than either side of it. `runs` gathers the facts; nothing here
reads a store.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Literal, cast

from zerofactory.accounting.spread import Part
from zerofactory.errors import NotFound, Text

Giver = Literal["book", "attest", "either"]
Origin = Literal["book", "attested"]
PLANT = "plant"
BETWEEN = "@"


@dataclass(frozen=True, slots=True)
class AmountKind:
    """A figure that indicators may ask for. ``per``: empty, ``shop`` or ``what`` it is told apart by; ``giver`` who says it."""

    name: str
    unit: str
    per: str
    giver: Giver
    title: Text
    note: str


@dataclass(frozen=True, slots=True)
class Amount:
    """One figure in the unit of its kind.

    Parameters
    ----------
    stakes : by part, its S: half-width (95 %) of the part times what of the amount hangs on it, in the amount's unit.
    links : what `zf explain` opens.
    evidence : hashes of the files that an attested amount rests on.
    """

    value: float
    stakes: Mapping[str, float] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    origin: Origin = "book"
    evidence: tuple[str, ...] = ()

    @property
    def half_width(self) -> float:
        """95 % half-width in the amount's unit, parts being independent of each other."""
        return math.hypot(*self.stakes.values())


@dataclass(frozen=True, slots=True)
class Facts:
    """The figures of one period, the parts they hang on, and the kinds of shop that the plant has."""

    period: str
    amounts: Mapping[str, Amount]
    parts: Mapping[str, Part] = field(default_factory=dict)
    shops: frozenset[str] = frozenset()

    def value(self, name: str) -> float | None:
        """Return a figure, or None when nobody has said it."""
        found = self.amounts.get(name)
        return None if found is None else found.value

    def with_amounts(self, more: Mapping[str, Amount]) -> Facts:
        """Return the same facts with further amounts; what the book says is never replaced."""
        return Facts(self.period, {**more, **self.amounts}, self.parts, self.shops)


@lru_cache(maxsize=1)
def amount_kinds() -> Mapping[str, AmountKind]:
    """Return the table of amounts by name.

    Examples
    --------
    >>> amount_kinds()["energy"].unit
    'tce'
    """
    text = (files("zerofactory.evaluation") / "amounts.csv").read_text(encoding="utf-8")
    return {
        row["name"]: AmountKind(
            row["name"], row["unit"], row["per"], cast(Giver, row["from"]), Text(row["zh"], row["en"]), row["note"]
        )
        for row in csv.DictReader(text.splitlines())
    }


def kind_of(name: str) -> AmountKind:
    """Return the kind of an amount (``energy@paint`` → energy); raise `NotFound` with the choices otherwise.

    Examples
    --------
    >>> kind_of("energy@paint").title.en
    'comprehensive energy consumption (equivalent value)'
    """
    plain, found, apart = name.partition(BETWEEN)
    kind = amount_kinds().get(plain)
    if kind is None or bool(found) != bool(kind.per) or (found and not apart):
        choices = [entry.name + (f"{BETWEEN}…" if entry.per else "") for entry in amount_kinds().values()]
        raise NotFound(Text("数量", "amount"), name, choices)
    return kind


def title_of(name: str) -> Text:
    """Return the title of an amount, with what it is told apart by."""
    kind, apart = kind_of(name), name.partition(BETWEEN)[2]
    return kind.title if not apart else Text(f"{kind.title.zh}({apart})", f"{kind.title.en} ({apart})")


def total(amounts: Iterable[Amount]) -> Amount:
    """Return the sum of amounts; stakes of one part add up linearly, because it is the same meter or factor.

    Examples
    --------
    >>> total([Amount(3.0, {"meter:a": 0.3}), Amount(4.0, {"meter:a": 0.4})]).half_width
    0.7
    """
    listed = list(amounts)
    stakes: dict[str, float] = {}
    for amount in listed:
        for key, half in amount.stakes.items():
            stakes[key] = stakes.get(key, 0.0) + half
    links = tuple(dict.fromkeys(link for amount in listed for link in amount.links))
    return Amount(math.fsum(amount.value for amount in listed), stakes, links)


def scaled(amount: Amount, ratio: float) -> Amount:
    """Return an amount times an exact number."""
    return Amount(
        amount.value * ratio,
        {key: half * ratio for key, half in amount.stakes.items()},
        amount.links,
        amount.origin,
        amount.evidence,
    )
