"""Presolve that can be undone: rows of one entry become bounds, fixed variables and empty rows go away.

A photovoltaic plant is dark half of the year; each dark interval is a row "output ≤ 0 × size" and a variable that is zero. An
interior-point method pays for both in every iteration. Duals of the whole program are recovered afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zerofactory.optimisation.solving.linear import Floats, Ints, LinearProgram

MAX_PASSES = 6
SLACK = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Singleton:
    """Rows of one pass that became bounds: the row, its column, the coefficient."""

    rows: Ints
    columns: Ints
    coefficients: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """What is left of a program, and how to return to the whole.

    ``infeasible`` means that bounds alone contradict each other.
    """

    whole: LinearProgram
    kept_rows: Ints
    kept_columns: Ints
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    passes: tuple[Singleton, ...]
    infeasible: bool

    def matrix(self) -> tuple[Ints, Ints, Floats]:
        """Return rows, columns (numbered within what is left) and values of the remaining entries, by column."""
        whole = self.whole
        row_number = np.full(len(whole.row_lower), -1, dtype=np.int64)
        row_number[self.kept_rows] = np.arange(len(self.kept_rows))
        column_number = np.full(len(whole.cost), -1, dtype=np.int64)
        column_number[self.kept_columns] = np.arange(len(self.kept_columns))
        rows, columns = row_number[whole.indices], column_number[whole.places]
        there = (rows >= 0) & (columns >= 0) & (whole.values != 0.0)
        return rows[there], columns[there], whole.values[there]

    def restore(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return values and row duals of the whole program from those of what is left."""
        whole = self.whole
        values = self.lower.copy()
        values[self.kept_columns] = x
        duals = np.zeros(len(whole.row_lower))
        duals[self.kept_rows] = y
        for one in reversed(self.passes):
            _recover(whole, (self.lower, self.upper), one, duals, values)
        return values, duals


def _recover(
    whole: LinearProgram, bounds: tuple[Floats, Floats], one: Singleton, duals: Floats, values: Floats
) -> None:
    """Give the price of a bound to the row that made it, once a column."""
    price = whole.priced(duals)[one.columns]
    activity = whole.activity(values)[one.rows]
    scale = 1e-6 * (1.0 + np.abs(activity))
    at_upper = np.abs(activity - whole.row_upper[one.rows]) <= scale
    at_lower = np.abs(activity - whole.row_lower[one.rows]) <= scale
    pays = price / one.coefficients
    wanted = (at_upper & (pays < 0)) | (at_lower & (pays > 0))
    stricter_lower = bounds[0][one.columns] > whole.lower[one.columns]
    stricter_upper = bounds[1][one.columns] < whole.upper[one.columns]
    wanted &= np.where(price > 0, stricter_lower, stricter_upper)
    chosen = np.flatnonzero(wanted)
    _, first = np.unique(one.columns[chosen], return_index=True)
    chosen = chosen[first]
    duals[one.rows[chosen]] = pays[chosen]


def reduce(whole: LinearProgram) -> Reduced:
    """Return what is left of a program after rows of one entry and fixed variables are taken out."""
    lower, upper = whole.lower.copy(), whole.upper.copy()
    row_lower, row_upper = whole.row_lower.copy(), whole.row_upper.copy()
    keep_row = np.ones(len(row_lower), dtype=np.bool_)
    keep_column = np.ones(len(lower), dtype=np.bool_)
    places, entry = whole.places, whole.values != 0.0
    passes: list[Singleton] = []
    infeasible = bool((lower > upper + SLACK).any())
    for _ in range(MAX_PASSES):
        fixed = keep_column & (upper - lower <= 0.0)
        if fixed.any():
            moved = np.bincount(
                whole.indices,
                weights=np.where(entry & fixed[places], whole.values * lower[places], 0.0),
                minlength=len(row_lower),
            )
            row_lower -= moved
            row_upper -= moved
            keep_column &= ~fixed
        live = entry & keep_column[places] & keep_row[whole.indices]
        counts = np.bincount(whole.indices[live], minlength=len(row_lower))
        empty = keep_row & (counts == 0)
        tolerance = SLACK * (1.0 + np.abs(whole.row_lower[empty]).clip(max=1e12))
        infeasible |= bool(((row_lower[empty] > tolerance) | (row_upper[empty] < -tolerance)).any())
        keep_row &= ~empty
        single = keep_row & (counts == 1)
        if not single.any():
            if not fixed.any():
                break
            continue
        found = np.flatnonzero(live & single[whole.indices])
        one = Singleton(whole.indices[found], places[found], whole.values[found])
        _tighten(one, (row_lower, row_upper), lower, upper)
        passes.append(one)
        keep_row &= ~single
        infeasible |= _crossed(lower, upper)
        np.maximum(upper, lower, out=upper)
    keep_row &= ~_never_binding(whole, entry & keep_column[places], (lower, upper), (row_lower, row_upper))
    return Reduced(
        whole, np.flatnonzero(keep_row), np.flatnonzero(keep_column), lower, upper, row_lower, row_upper, tuple(passes), infeasible,
    )  # fmt: skip


def _never_binding(
    whole: LinearProgram, live: NDArray[np.bool_], bounds: tuple[Floats, Floats], sides: tuple[Floats, Floats]
) -> NDArray[np.bool_]:
    """Return the rows that the bounds of their variables already keep; their price is zero."""
    places, rows, count = whole.places[live], whole.indices[live], len(whole.row_lower)
    values = whole.values[live]
    with np.errstate(invalid="ignore"):
        ends = values * bounds[0][places], values * bounds[1][places]
    highest = np.bincount(rows, weights=np.maximum(*ends), minlength=count)
    lowest = np.bincount(rows, weights=np.minimum(*ends), minlength=count)
    kept: NDArray[np.bool_] = (highest <= sides[1]) & (lowest >= sides[0])
    return kept


def _crossed(lower: Floats, upper: Floats) -> bool:
    return bool((lower > upper + SLACK * (1.0 + np.abs(np.where(np.isfinite(upper), upper, 0.0)))).any())


def _tighten(one: Singleton, sides: tuple[Floats, Floats], lower: Floats, upper: Floats) -> None:
    positive: NDArray[np.bool_] = one.coefficients > 0
    with np.errstate(invalid="ignore"):
        low = np.where(positive, sides[0][one.rows], sides[1][one.rows]) / one.coefficients
        high = np.where(positive, sides[1][one.rows], sides[0][one.rows]) / one.coefficients
    np.maximum.at(lower, one.columns, low)
    np.minimum.at(upper, one.columns, high)
