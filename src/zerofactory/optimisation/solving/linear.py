"""Linear programs as named blocks, assembled directly into compressed sparse columns.

    minimise    cost · x
    subject to  row_lower ≤ A x ≤ row_upper,  lower ≤ x ≤ upper,  some x whole

A block is a variable or a row over all intervals; its coefficients are arrays. No modelling library stands between: the
year of a plant is written down in hundredths of a second (ADR 0017). The structure outlives the data: `changed` gives the
same program with other prices, bounds or coefficients, which is what rolling dispatch asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zerofactory.errors import Misuse
from zerofactory.optimisation.solving.result import SolveReport

Sense = Literal["<=", "=", ">="]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
INF = float("inf")


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive columns or rows under one name."""

    name: str
    first: int
    count: int

    @property
    def span(self) -> slice:
        """Where the block lies in the program's arrays."""
        return slice(self.first, self.first + self.count)

    @property
    def places(self) -> Ints:
        """The index of every column or row of the block."""
        return np.arange(self.first, self.first + self.count, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class LinearProgram:
    """A program whose structure is fixed; make one with `Draft`.

    ``starts``, ``indices`` and ``values`` are the matrix in compressed sparse columns, row indices sorted in each column.
    ``entries`` says which of ``values`` belong to each named set of coefficients, in the order in which they were given.
    """

    columns: Mapping[str, Block]
    rows: Mapping[str, Block]
    cost: Floats
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    row_lower: Floats
    row_upper: Floats
    starts: Ints
    indices: Ints
    values: Floats
    entries: Mapping[str, Ints] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int, int]:
        """Rows, columns, entries."""
        return len(self.row_lower), len(self.cost), len(self.values)

    @property
    def places(self) -> Ints:
        """The column of every entry."""
        return np.repeat(np.arange(len(self.cost), dtype=np.int64), np.diff(self.starts))

    @property
    def is_integer(self) -> bool:
        """Whether a variable must be whole."""
        return bool(self.integer.any())

    def changed(
        self,
        cost: Mapping[str, ArrayLike] | None = None,
        bounds: Mapping[str, tuple[ArrayLike | None, ArrayLike | None]] | None = None,
        row_bounds: Mapping[str, tuple[ArrayLike | None, ArrayLike | None]] | None = None,
        coefficients: Mapping[str, ArrayLike] | None = None,
    ) -> LinearProgram:
        """Return the program with other data and the same structure.

        Parameters
        ----------
        cost : block of columns → cost of each.
        bounds, row_bounds : block → (lower, upper); None keeps that side.
        coefficients : name given to `Draft.put` → the coefficients in the same order.

        Raises
        ------
        Misuse
            No such block or set of coefficients.
        """
        new_cost, values = self.cost, self.values
        if cost:
            new_cost = self.cost.copy()
            for name, given in cost.items():
                new_cost[_block(self.columns, name).span] = given
        lower, upper = _rebound(self.columns, (self.lower, self.upper), bounds)
        row_lower, row_upper = _rebound(self.rows, (self.row_lower, self.row_upper), row_bounds)
        if coefficients:
            values = self.values.copy()
            for name, given in coefficients.items():
                if name not in self.entries:
                    raise Misuse(f"no coefficients are named '{name}'")
                values[self.entries[name]] = given
        return replace(
            self, cost=new_cost, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper, values=values
        )

    def activity(self, x: Floats) -> Floats:
        """Return A x."""
        weights = self.values * x[self.places]
        return np.bincount(self.indices, weights=weights, minlength=len(self.row_lower)).astype(np.float64)

    def priced(self, row_duals: Floats) -> Floats:
        """Return the reduced costs: cost − Aᵀ y."""
        weights = self.values * row_duals[self.indices]
        priced: Floats = self.cost - np.bincount(self.places, weights=weights, minlength=len(self.cost))
        return priced


def _block(blocks: Mapping[str, Block], name: str) -> Block:
    if name not in blocks:
        raise Misuse(f"no block is named '{name}'; there are {', '.join(list(blocks)[:12])}")
    return blocks[name]


def _rebound(
    blocks: Mapping[str, Block],
    sides: tuple[Floats, Floats],
    given: Mapping[str, tuple[ArrayLike | None, ArrayLike | None]] | None,
) -> tuple[Floats, Floats]:
    if not given:
        return sides
    lower, upper = sides[0].copy(), sides[1].copy()
    for name, (low, high) in given.items():
        span = _block(blocks, name).span
        if low is not None:
            lower[span] = low
        if high is not None:
            upper[span] = high
    return lower, upper


class Draft:
    """A program being written down.

    Examples
    --------
    Two boilers meet a demand of 3; the second is dearer:

    >>> draft = Draft()
    >>> heat = draft.add_columns("heat", 2, upper=[2.0, 5.0], cost=[1.0, 4.0])
    >>> demand = draft.add_rows("demand", 1, "=", 3.0)
    >>> draft.put(demand, heat, 1.0)
    >>> program = draft.finish()
    >>> program.size
    (1, 2, 2)
    """

    def __init__(self) -> None:
        self._columns: dict[str, Block] = {}
        self._rows: dict[str, Block] = {}
        self._column_data: list[tuple[Floats, Floats, Floats, bool]] = []
        self._row_data: list[tuple[Floats, Floats]] = []
        self._triplets: list[tuple[Ints, Ints, Floats]] = []
        self._named: dict[str, tuple[int, int]] = {}
        self._entries = 0

    def add_columns(
        self,
        name: str,
        count: int = 1,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = INF,
        cost: ArrayLike = 0.0,
        integer: bool = False,
    ) -> Block:
        """Add ``count`` variables under a name."""
        data = (_full(cost, count), _full(lower, count), _full(upper, count), integer)
        block = _new(self._columns, name, count)
        self._column_data.append(data)
        return block

    def add_rows(self, name: str, count: int, sense: Sense, bound: ArrayLike) -> Block:
        """Add ``count`` rows ``A x sense bound`` under a name; put the coefficients with `put`."""
        side, none = _full(bound, count), np.full(count, INF)
        block = _new(self._rows, name, count)
        self._row_data.append((-none if sense == "<=" else side, none if sense == ">=" else side))
        return block

    def put(
        self,
        rows: Block | Ints,
        columns: Block | Ints,
        values: ArrayLike,
        name: str | None = None,
    ) -> None:
        """Put coefficients: row by row one column each; a single row or column is paired with all of the others.

        ``name`` lets `LinearProgram.changed` replace them.
        """
        at_row = rows.places if isinstance(rows, Block) else np.asarray(rows, dtype=np.int64)
        at_column = columns.places if isinstance(columns, Block) else np.asarray(columns, dtype=np.int64)
        count = max(len(at_row), len(at_column))
        if {len(at_row), len(at_column)} - {1, count}:
            raise Misuse(f"{len(at_row)} rows cannot be paired with {len(at_column)} columns")
        own = _full(values, count)
        self._triplets.append((np.broadcast_to(at_row, count), np.broadcast_to(at_column, count), own))
        if name is not None:
            if name in self._named:
                raise Misuse(f"coefficients '{name}' are named twice")
            self._named[name] = (self._entries, self._entries + count)
        self._entries += count

    def finish(self) -> LinearProgram:
        """Return the program; raise `Misuse` where two coefficients stand in one place."""
        cost, lower, upper = (
            np.concatenate([data[place] for data in self._column_data] or [np.zeros(0)]) for place in range(3)
        )
        counts = [block.count for block in self._columns.values()]
        integer = np.repeat(np.array([data[3] for data in self._column_data], dtype=np.bool_), counts)
        row_lower, row_upper = (
            np.concatenate([data[place] for data in self._row_data] or [np.zeros(0)]) for place in range(2)
        )
        rows, columns, values = (
            np.concatenate([triplet[place] for triplet in self._triplets]) if self._triplets else np.zeros(0)
            for place in range(3)
        )
        keys = columns.astype(np.int64) * max(len(row_lower), 1) + rows.astype(np.int64)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        if (ordered[1:] == ordered[:-1]).any():
            raise Misuse("two coefficients stand in the same row and column")
        starts = np.concatenate([[0], np.cumsum(np.bincount(columns.astype(np.int64), minlength=len(cost)))])
        place_of = np.empty_like(order)
        place_of[order] = np.arange(len(order))
        entries = {name: place_of[first:last] for name, (first, last) in self._named.items()}
        return LinearProgram(
            dict(self._columns), dict(self._rows), cost, lower, upper, integer, row_lower, row_upper,
            starts.astype(np.int64), rows.astype(np.int64)[order], values[order].astype(np.float64), entries,
        )  # fmt: skip


def _new(blocks: dict[str, Block], name: str, count: int) -> Block:
    if name in blocks:
        raise Misuse(f"block '{name}' is added twice")
    last = next(reversed(blocks.values())) if blocks else None
    blocks[name] = Block(name, last.first + last.count if last else 0, count)
    return blocks[name]


def _full(values: ArrayLike, count: int) -> Floats:
    given = np.asarray(values, dtype=np.float64)
    if given.shape == (count,):
        return given.copy()
    if given.ndim and given.shape != (1,):
        raise Misuse(f"{count} values are wanted, {given.shape} given")
    return np.full(count, given, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The answer to a program.

    ``row_duals`` are shadow prices: the change of the least cost when a row's bound grows by one. ``reduced_costs`` are the same
    for the bounds of the variables. Both are zero for a program with whole variables.
    """

    program: LinearProgram
    report: SolveReport
    x: Floats
    row_duals: Floats
    reduced_costs: Floats

    def value(self, name: str) -> Floats:
        """Return the values of a block of variables."""
        return self.x[_block(self.program.columns, name).span]

    def dual(self, name: str) -> Floats:
        """Return the shadow prices of a block of rows."""
        return self.row_duals[_block(self.program.rows, name).span]
