"""Pathways: what each target allows in each year, split over scopes and shops in whole grams that add up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from zerofactory.accounting.electricity import share_out
from zerofactory.errors import Misuse, Text
from zerofactory.planning.framework import Framework, framework, sector_of
from zerofactory.planning.target import (
    SCOPES,
    Target,
    linear_path,
    required_reduction,
    sda_intensity,
)

Cell = tuple[str, str]
"""Scope and shop."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base year as targets see it: grams by (scope, shop, category), and what was made.

    ``cells`` is keyed ``(scope, shop, category)``; ``output`` is the number of vehicles by year (the base year at least).
    """

    year: int
    cells: Mapping[tuple[int, str, str], int]
    output: Mapping[int, float]

    def total(self, scopes: Sequence[int], categories: Sequence[str] = ()) -> int:
        """Return the grams of scopes, narrowed to categories when some are given."""
        return sum(
            amount
            for (scope, _, category), amount in self.cells.items()
            if scope in scopes and (not categories or category in categories)
        )

    def by_cell(self, scopes: Sequence[int], categories: Sequence[str] = ()) -> dict[Cell, int]:
        """Return the grams by scope and shop, sorted."""
        found: dict[Cell, int] = {}
        for (scope, shop, category), amount in self.cells.items():
            if scope in scopes and (not categories or category in categories):
                found[(str(scope), shop)] = found.get((str(scope), shop), 0) + amount
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Pathway:
    """What a target allows. ``limits_gco2e`` by year; ``shares_gco2e`` by year and (scope, shop), which add up to it."""

    target: Target
    base_gco2e: int
    reduction_fraction: float
    limits_gco2e: Mapping[int, int]
    shares_gco2e: Mapping[int, Mapping[Cell, int]]
    reason: Text

    def limit(self, year: int) -> int | None:
        """Return the limit of a year; after the target year the last one stays."""
        years = sorted(self.limits_gco2e)
        if not years or year < years[0]:
            return None
        return self.limits_gco2e.get(year, self.limits_gco2e[years[-1]])


def pathway(target: Target, base: Base) -> Pathway:
    """Return the pathway of a target.

    Raises
    ------
    NotFound
        The framework, its rule or the sector is unknown.
    FaultyData
        The rule's number is not stated, or the target lacks what its method needs.
    """
    book = framework(target.framework) if target.framework else None
    grams = base.total(SCOPES[target.scope], target.categories)
    limits, reason = _limits(target, base, grams, book)
    cells = base.by_cell(SCOPES[target.scope], target.categories)
    shares = {year: _shared(limit, cells) for year, limit in limits.items()}
    last = limits[max(limits)]
    reduction = 1.0 - last / grams if grams else 0.0
    return Pathway(target, grams, reduction, limits, shares, reason)


def _limits(target: Target, base: Base, grams: int, book: Framework | None) -> tuple[dict[int, int], Text]:
    if target.method == "stated":
        reduction = target.reduction_fraction if target.reduction_fraction is not None else 1.0
        reason = Text(
            f"企业设定: {target.target_year} 年比 {base.year} 年减 {100 * reduction:g} %。",
            f"Stated: {100 * reduction:g} % below {base.year} by {target.target_year}.",
        )
        return linear_path(grams, reduction, base.year, target.target_year), reason
    if book is None:
        raise Misuse(f"target {target.id} has no framework")
    rule = book.rule(target.rule or "")
    if target.method == "absolute" and rule.by_year is not None:
        reduction = rule.number("reduction_fraction")
        return linear_path(grams, reduction, base.year, min(target.target_year, rule.by_year)), book.quote(rule)
    if target.method == "absolute":
        annual = rule.number("annual_fraction")
        reduction = required_reduction(annual, base.year, target.target_year, rule.latest_base_year or base.year)
        return linear_path(grams, reduction, base.year, target.target_year), book.quote(rule)
    return _by_intensity(target, base, grams, book), book.quote(rule)


def _by_intensity(target: Target, base: Base, grams: int, book: Framework) -> dict[int, int]:
    """Return limits from an intensity path times the output of each year, rounded down to whole grams."""
    made = base.output[base.year]
    start = grams / made
    limits = {base.year: grams}
    for year in range(base.year + 1, target.target_year + 1):
        output = base.output.get(year, made)
        if target.method == "sda":
            sector = sector_of(target.sector or "")
            tonnes = sda_intensity((start / 1e6, made, output), sector, base.year, year)
            intensity = tonnes * 1e6
        else:
            annual = Fraction(repr(book.rule(target.rule or "").number("annual_fraction")))
            share = (1 - annual) ** (year - base.year) * Fraction(output) / Fraction(made)
            limits[year] = math.floor(grams * share)
            continue
        limits[year] = math.floor(intensity * output)
    return limits


def _shared(limit: int, cells: Mapping[Cell, int]) -> dict[Cell, int]:
    """Share a limit over cells in proportion to the base year, by largest remainder: the parts add up to the gram."""
    weights = [max(amount, 0) for amount in cells.values()]
    return dict(zip(cells, share_out(max(limit, 0), weights), strict=True))
