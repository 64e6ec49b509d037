"""Factors: one published number, with where it is from, when it holds and when it became known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from zerofactory.errors import NotFound, Problem, Text, ZeroFactoryError

Confidence = Literal["high", "medium", "low"]
GridLevel = Literal["province", "region", "nation"]
FuelUse = Literal["stationary", "road", "offroad"]
Origin = Literal["fossil", "biogenic"]
SetStatus = Literal["verified", "secondary", "placeholder"]

CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Factor:
    """One row of a factor set.

    ``role`` decides what the number is for, ``item`` what it is of; a factor is never picked for another role.
    ``valid_from`` and ``valid_to`` bound the days it holds for (both inclusive, None = open); ``published_on`` is the
    day it became known (None = unknown, taken as always known). ``value_text`` is the number as it was printed.
    ``low`` and ``high`` are the printed range in the unit of the value; ``extra`` holds the set's own columns.
    """

    id: str
    role: str
    item: str
    title: Text
    value: float
    unit: str
    gas: str | None
    region: str
    valid_from: date | None
    valid_to: date | None
    published_on: date | None
    best_before: date | None
    set_id: str
    source: str
    source_ref: str
    provenance: str
    confidence: Confidence
    note: str
    low: float | None = None
    high: float | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    value_text: str = ""

    @property
    def factor_year(self) -> int | None:
        """The year the number describes, None for one without a year."""
        return self.valid_from.year if self.valid_from else None

    def known_on(self, day: date | None) -> bool:
        """Whether the number was published by ``day`` (None = everything is known)."""
        return day is None or self.published_on is None or self.published_on <= day

    def holds_by(self, day: date) -> bool:
        """Whether the number's first day is not after ``day`` and, when it ends, its last day not before."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class FactorSet:
    """One published table: ``factors.csv`` beside ``set.toml``.

    ``family`` names the table in a plant's order of preference (``fuel_sets = ["CN-T1", "IPCC-2006"]``); ``by_default``
    is False for tables that are only used when the plant names them. ``applies`` is ``anywhere`` for default tables
    that hold outside their own region where no local value exists. ``best_before_months`` counts from the end of the
    factor year.
    """

    id: str
    title: Text
    publisher: Text
    edition: str
    licence: str
    pages: str
    status: SetStatus
    factors: tuple[Factor, ...]
    family: str = ""
    by_default: bool = True
    applies: Literal["own_region", "anywhere"] = "own_region"
    best_before_months: int | None = None
    note: Text = field(default_factory=lambda: Text("", ""))


@dataclass(frozen=True, slots=True)
class Found:
    """A factor and the reason it was chosen; ``power`` is -1 where it divides."""

    factor: Factor
    reason: Text
    power: int = 1

    def inverse(self) -> Found:
        """Return the same choice as a divisor."""
        return Found(self.factor, self.reason, -self.power)


@dataclass(frozen=True, slots=True)
class Term:
    """One factor of a product, to the power 1 or -1."""

    factor: Factor
    power: int = 1


@dataclass(frozen=True, slots=True)
class Resolution:
    """A product of factors in one unit: ``value = constant × Π factor^power``, multiplied left to right.

    ``id`` joins the ids of the terms with ``*`` (and ``/`` before a divisor), so that it names the product for ever.
    """

    id: str
    value: float
    unit: str
    terms: tuple[Term, ...]
    reason: Text
    constant: float = 1.0

    @property
    def confidence(self) -> Confidence:
        """The confidence of the weakest term ("high" when there is no term)."""
        ranks = [CONFIDENCES.index(term.factor.confidence) for term in self.terms]
        return CONFIDENCES[min(ranks)] if ranks else "high"

    @property
    def low_confidence(self) -> bool:
        """Whether any term is of low confidence."""
        return self.confidence == "low"

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors of the product in order."""
        return tuple(term.factor for term in self.terms)


class Unresolved(ZeroFactoryError):
    """No factor may be chosen without a decision of the plant. ``problem`` says why and lists the choices."""

    def __init__(self, problem: Problem, choices: tuple[str, ...] = ()) -> None:
        self.problem, self.choices = problem, choices
        super().__init__(problem.sentence("en"))


@dataclass(frozen=True, slots=True)
class FactorBook:
    """Every set at hand, with the indexes that make look-up quick. Build it with `load.factor_book`.

    ``by_place`` is keyed by role, item and region; the region ``*`` holds the factors that apply anywhere.
    ``families`` are the tables that a plant's ``fuel_sets`` may name.
    """

    sets: Mapping[str, FactorSet]
    by_id: Mapping[str, Factor]
    by_role_item: Mapping[tuple[str, str], tuple[Factor, ...]]
    by_role: Mapping[str, tuple[Factor, ...]]
    by_place: Mapping[tuple[str, str, str], tuple[Factor, ...]]
    families: tuple[str, ...]

    def factor(self, factor_id: str) -> Factor:
        """Return one factor by its id; raise `NotFound` with near ids otherwise."""
        found = self.by_id.get(factor_id)
        if found is None:
            import difflib

            near = difflib.get_close_matches(factor_id, list(self.by_id), n=8, cutoff=0.5)
            raise NotFound(Text("因子", "factor"), factor_id, near)
        return found

    def items(self, role: str) -> tuple[str, ...]:
        """Return the items that have a factor of this role, sorted."""
        return tuple(sorted({factor.item for factor in self.by_role.get(role, ())}))
