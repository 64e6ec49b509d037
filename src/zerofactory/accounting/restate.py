"""Restate: how a filed figure becomes a new one, split by cause, exactly.

Causes are put in one after the other (successive substitution), in this order:

    filed ─ data ─► ─ boundary ─► ─ method ─► ─ factor ─► restated

    data       activities changed: late or corrected readings and documents, meters, filling
    boundary   sources added to or removed from the plant file, and who the organisation is
    method     GWP set, accounting choices, or what the plant file says about a source that was there before
    factor     the same method with another edition of a factor: what was published by another day

Every step is quantified whole; the share of a cause is the difference between two steps, so the shares add up to the
whole difference to the gram. The order is a convention: what two causes do together counts with the later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import polars as pl

from zerofactory.accounting.inventory import By, Names, Regime, fold
from zerofactory.accounting.plan import Choice
from zerofactory.accounting.quantify import Asked, ask_of
from zerofactory.accounting.sums import added_up, as_records, sums_of
from zerofactory.errors import Problem, Text
from zerofactory.factors.model import FactorBook
from zerofactory.metering.activity_table import canonical
from zerofactory.site.model import Plant, SourceUse
from zerofactory.standards.model import Standard

Cause = Literal["data", "boundary", "method", "factor"]
CAUSES: Mapping[Cause, Text] = {
    "data": Text("数据", "data"),
    "boundary": Text("边界", "boundary"),
    "method": Text("方法", "method"),
    "factor": Text("因子版本", "factor edition"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """What a figure was, or would be, made from: an ACTIVITIES frame, a plant, its factors, and the day of knowing."""

    activities: pl.DataFrame
    plant: Plant
    book: FactorBook
    known_at: date | None


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: records added up (columns of RECORDS, see `sums`) and the problems met."""

    name: Literal["filed"] | Cause
    records: pl.DataFrame
    problems: tuple[Problem, ...] = ()


def stages(old: Side, new: Side) -> tuple[Stage, ...]:
    """Return the five stages from old to new; a step that changes nothing repeats the stage before it.

    A problem of a step in between (a factor that was not yet published for a source that is new) moves its emission to the
    next step. Problems of the last stage are those of the new figure itself.
    """
    shared = _shared(old.plant, new.plant)
    joined = _as_before(new.activities, old.plant, new.plant, shared)
    if joined is new.activities and _equal(joined, old.activities):
        new = replace(new, activities=old.activities)
        joined = old.activities
    corrected = _corrected(old, joined, shared)
    between = replace(new.plant, accounting=old.plant.accounting, sources=_uses_as_before(old.plant, new.plant, shared))
    steps: tuple[tuple[Literal["filed"] | Cause, Side], ...] = (
        ("filed", old),
        ("data", Side(corrected, old.plant, old.book, old.known_at)),
        ("boundary", Side(joined, between, old.book, old.known_at)),
        ("method", Side(new.activities, new.plant, old.book, old.known_at)),
        ("factor", new),
    )
    made: list[Stage] = []
    before: tuple[Side, Asked] | None = None
    for name, side in steps:
        if before is not None and _same(before[0], side):
            made.append(Stage(name, made[-1].records, made[-1].problems))
            continue
        asked = (
            before[1] if before is not None and _asks_alike(before[0], side) else ask_of(side.activities, side.plant)
        )
        records, problems = sums_of(asked, Choice(side.plant, side.book, known_at=side.known_at))
        made.append(Stage(name, as_records(added_up(records)), problems))
        before = (side, asked)
    return tuple(made)


def _shared(old: Plant, new: Plant) -> frozenset[str]:
    """Return the sources that are in both plants; another kind under the same id is another source."""
    kinds = {use.id: use.kind for use in old.sources}
    return frozenset(use.id for use in new.sources if kinds.get(use.id) == use.kind)


def _corrected(old: Side, joined: pl.DataFrame, shared: frozenset[str]) -> pl.DataFrame:
    """Return the new activities of shared sources and the old ones of those that are gone."""
    gone = old.activities.filter(~pl.col("source_id").is_in(sorted(shared)))
    kept = joined.filter(pl.col("source_id").is_in(sorted(shared)))
    if gone.is_empty() and kept.height == joined.height:
        return joined
    made = pl.concat([kept, gone.select(kept.columns)])
    return old.activities if _equal(made, old.activities) else made


def _equal(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether two frames hold the same rows in any order."""
    if left.height != right.height:
        return False
    return left.hash_rows().sort().equals(right.select(left.columns).hash_rows().sort())


def _as_before(activities: pl.DataFrame, old: Plant, new: Plant, shared: frozenset[str]) -> pl.DataFrame:
    """Return activities in which metered rows say about a shared source what the old plant file said.

    A metered activity carries the particulars of its source, and a change of those is a change of method, not of data.
    """
    before, after = _by_id(old), _by_id(new)
    changed = [name for name in sorted(shared) if _particulars(before[name]) != _particulars(after[name])]
    if not changed:
        return activities
    for name in changed:
        was, now = before[name], after[name]
        own = (pl.col("source_id") == name) & pl.col("document").is_null() & (pl.col("detail") == canonical(now.detail))
        activities = activities.with_columns(
            pl.when(own).then(pl.lit(canonical(was.detail))).otherwise(pl.col("detail")).alias("detail"),
            pl.when(own).then(pl.lit(was.item, pl.String)).otherwise(pl.col("item")).alias("item"),
        )
    return activities


def _uses_as_before(old: Plant, new: Plant, shared: frozenset[str]) -> tuple[SourceUse, ...]:
    before = _by_id(old)
    return tuple(before[use.id] if use.id in shared else use for use in new.sources)


def _by_id(plant: Plant) -> dict[str, SourceUse]:
    return {use.id: use for use in plant.sources}


def _particulars(use: SourceUse) -> tuple[object, ...]:
    return use.item, canonical(use.detail)


def _same(left: Side, right: Side) -> bool:
    same_book = left.book is right.book and left.known_at == right.known_at
    return left.activities is right.activities and left.plant == right.plant and same_book


def _asks_alike(left: Side, right: Side) -> bool:
    a, b = left.plant, right.plant
    return left.activities is right.activities and (a.organisation, a.region) == (b.organisation, b.region)


@dataclass(frozen=True, slots=True)
class RestatedLine:
    """One line side by side. ``by_cause`` adds up to ``restated_gco2e - filed_gco2e`` exactly."""

    key: str
    title: Text
    filed_gco2e: int
    restated_gco2e: int
    by_cause: Mapping[Cause, int]

    @property
    def difference_gco2e(self) -> int:
        """New less old."""
        return self.restated_gco2e - self.filed_gco2e


@dataclass(frozen=True, slots=True)
class View:
    """How the two figures are folded: rule book, claim regime, and what the lines are."""

    standard: Standard
    regime: Regime
    by: By


def side_by_side(
    stages_of: Sequence[Stage], view: View, titles: Plant
) -> tuple[RestatedLine, tuple[RestatedLine, ...]]:
    """Return the total and the lines of old and new with the difference by cause.

    ``stages_of`` are the stages of one or of several months, in the order of `stages`; ``titles`` names shops and sources.
    """
    names = Names({shop.id: shop.name for shop in titles.shops}, {use.id: use.name for use in titles.sources})
    order: tuple[Literal["filed"] | Cause, ...] = ("filed", *CAUSES)
    parts = {name: [stage.records for stage in stages_of if stage.name == name] for name in order}
    folds = {name: fold(pl.concat(parts[name]), view.standard, view.regime, view.by, names) for name in order}
    keys: dict[str, Text] = {}
    for name in reversed(order):
        for line in folds[name].lines:
            keys.setdefault(line.key, line.title)
    amounts = {name: {line.key: line.emissions_gco2e for line in folds[name].lines} for name in order}
    lines = tuple(_line(key, title, [amounts[name].get(key, 0) for name in order]) for key, title in keys.items())
    total = _line("total", Text("合计", "total"), [folds[name].total_gco2e for name in order])
    return total, lines


def _line(key: str, title: Text, amounts: Sequence[int]) -> RestatedLine:
    shares = {cause: amounts[place + 1] - amounts[place] for place, cause in enumerate(CAUSES)}
    return RestatedLine(key, title, amounts[0], amounts[-1], shares)
