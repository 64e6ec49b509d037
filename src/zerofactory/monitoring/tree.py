"""How grams are carried through the meter tree: from the activities to the meters that make them, down, and up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zerofactory import units
from zerofactory.metering.grid import Integers
from zerofactory.metering.scatter import Numbers
from zerofactory.monitoring.booking import Group
from zerofactory.monitoring.open_month import Flags
from zerofactory.site.model import Meter, Plant


class Carrying:
    """Shares the grams of groups out over meters.

    Direct: the meters of a group share its grams by amount; where a source is split, its own meters share its whole as well
    (they measure the same energy further up). Down: a meter below one with grams carries the parent's grams per unit. Up: a
    meter above such ones carries their grams per unit. A group without a factor carries nothing. All in whole grams; the shares
    of a group add up to it.
    """

    def __init__(self, plant: Plant, groups: Sequence[Group], names: Sequence[str], has_factor: Flags) -> None:
        place = {name: row for row, name in enumerate(names)}
        meters = {meter.id: meter for meter in plant.meters}
        self._count = len(names)
        self._direct = [np.array([place[name] for name in group.meters], dtype=np.int64) for group in groups]
        self._split: list[tuple[Integers, Integers]] = []
        for source in {group.source.id: group.source for group in groups}.values():
            if source.split:
                own = [n for n, group in enumerate(groups) if group.source.id == source.id]
                self._split.append((np.array([place[name] for name in source.meters]), np.array(own)))
        self._scale = np.array([_scale(meters[name]) for name in names])
        self._has = np.zeros(self._count, dtype=np.bool_)
        told = [rows for rows, known in zip(self._direct, has_factor, strict=True) if known]
        for rows in (*told, *(rows for rows, own in self._split if has_factor[own].all())):
            self._has[rows] = True
        self._parent = np.array([place.get(meters[name].parent or "", -1) for name in names], dtype=np.int64)
        depth = np.array([_depth(name, meters) for name in names], dtype=np.int64)
        self._down: list[Integers] = []
        self._up: list[tuple[int, Integers]] = []
        self._plan(depth)

    def of(self, sums_milli: Integers, emissions_gco2e: Integers) -> tuple[Integers, Flags]:
        """Return grams by meter, and which meters have any.

        Parameters
        ----------
        sums_milli : amounts of all meters; emissions_gco2e : grams of all groups.
        """
        carried = np.zeros(self._count, dtype=np.int64)
        for rows, grams in zip(self._direct, emissions_gco2e.tolist(), strict=True):
            carried[rows] += _shared(grams, sums_milli[rows])
        for rows, own in self._split:
            carried[rows] += _shared(int(emissions_gco2e[own].sum()), sums_milli[rows])
        amount = sums_milli * self._scale
        for rows in self._down:
            above = self._parent[rows]
            carried[rows] = np.rint(_ratio(carried[above].astype(np.float64), amount[above]) * amount[rows])
        for row, below in self._up:
            whole = float(amount[below].sum())
            carried[row] = round(float(carried[below].sum()) / whole * float(amount[row])) if whole else 0
        return carried, self._has

    def _plan(self, depth: Integers) -> None:
        """Settle who takes from whom: down level by level, then up."""
        for level in range(1, int(depth.max(initial=0)) + 1):
            rows = np.flatnonzero((depth == level) & ~self._has & (self._parent >= 0))
            rows = rows[self._has[self._parent[rows]]]
            self._has[rows] = True
            if len(rows):
                self._down.append(rows)
        for level in range(int(depth.max(initial=0)) - 1, -1, -1):
            for row in np.flatnonzero((depth == level) & ~self._has).tolist():
                below = np.flatnonzero((self._parent == row) & self._has)
                if len(below):
                    self._up.append((row, below))
                    self._has[row] = True


def _shared(grams: int, amounts: Integers) -> Integers:
    """Return whole shares by amount (evenly where there is none) that add up."""
    if len(amounts) == 1:
        return np.array([grams], dtype=np.int64)
    weight = np.maximum(amounts, 0).astype(np.float64)
    weight = weight if weight.any() else np.ones(len(amounts))
    running = np.cumsum(weight)
    until = np.rint(grams * (running / running[-1])).astype(np.int64)
    until[-1] = grams
    shares: Integers = np.diff(until, prepend=np.int64(0))
    return shares


def _ratio(grams: Numbers, amount: Numbers) -> Numbers:
    """Return grams per unit, 0 where there is no amount."""
    per_unit: Numbers = np.divide(grams, amount, out=np.zeros(len(grams)), where=amount != 0)
    return per_unit


def _depth(name: str, meters: dict[str, Meter]) -> int:
    count, above = 0, meters[name].parent
    while above is not None:
        count, above = count + 1, meters[above].parent
    return count


def _scale(meter: Meter) -> float:
    """Return the meter's amount unit in the base unit of its dimension, so that a tree may mix kWh and MWh."""
    return float(units.parse(meter.amount_unit).factor)
