"""Claim regimes: what a book of electricity comes to under one rule, side by side with the others.

One file a regime in `regimes/`, each offering one `REGIME`. A regime never changes the book: it says which factor each
watt-hour takes, and why. The parts of every regime add up to the same metered energy, to the watt-hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from zerofactory.accounting.origins import GRID, PowerBook, Supply, Wh
from zerofactory.discover import discover
from zerofactory.errors import Misuse, Text
from zerofactory.factors.model import FactorBook, Found
from zerofactory.factors.resolve import Scope, find

ZERO_NOTE = Text("厂内或直连的非化石电量, 排放为零", "non-fossil, on site or by direct line: zero")


@dataclass(frozen=True, slots=True)
class Part:
    """Some watt-hours of the book, the factor they take and what that comes to. ``factor`` None means zero by origin."""

    key: str
    title: Text
    energy_wh: int
    factor: Found | None
    emissions_gco2e: int
    note: Text


@dataclass(frozen=True, slots=True, eq=False)
class RegimeResult:
    """A book under one regime. ``matched_wh`` is, by slot, the energy that the regime accepts as non-fossil."""

    regime: str
    parts: tuple[Part, ...]
    matched_wh: Wh
    remarks: tuple[Text, ...]

    @property
    def emissions_gco2e(self) -> int:
        """The total of the regime."""
        return sum(part.emissions_gco2e for part in self.parts)

    @property
    def energy_wh(self) -> int:
        """The energy of all parts: the metered consumption."""
        return sum(part.energy_wh for part in self.parts)


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors a regime may ask for, chosen as the plant chooses."""

    book: FactorBook
    scope: Scope

    def find(self, role: str, grid_level: str | None = None) -> Found:
        """Return the factor of a role; raise `Unresolved` when the plant must decide."""
        from dataclasses import replace

        scope = replace(self.scope, grid_level=grid_level) if grid_level else self.scope  # type: ignore[arg-type]
        return find(self.book, role, scope, item="electricity")


@dataclass(frozen=True, slots=True)
class Regime:
    """One claim regime: its titles, the rule it stands on, and how it reads the book."""

    id: str
    title: Text
    reference: str
    apply: Callable[[PowerBook, Factors], RegimeResult]


@lru_cache(maxsize=1)
def regimes() -> Mapping[str, Regime]:
    """Return every regime by id, our own and those of installed packages."""
    return MappingProxyType(discover("zerofactory.accounting.regimes", "REGIME", "zerofactory.regimes"))


def part(key: str, title: Text, energy_wh: int, factor: Found | None, note: Text) -> Part:
    """Return a part: grams = Wh × kg/kWh, rounded once, half to even.

    Examples
    --------
    >>> part("x", Text("", ""), 1_000_000, None, Text("", "")).emissions_gco2e
    0
    """
    if factor is not None and factor.factor.unit.replace("CO2e", "CO2") != "kgCO2/kWh":
        raise Misuse(f"{factor.factor.id} is in {factor.factor.unit}, not per kWh")
    grams = int(np.rint(energy_wh * factor.factor.value)) if factor is not None else 0
    return Part(key, title, energy_wh, factor, grams, note)


def eligible(book: PowerBook) -> tuple[list[Supply], tuple[Text, ...]]:
    """Return the contracts that meet every quality criterion, and a remark for each that does not."""
    good = [supply for supply in book.supplies if not supply.failed]
    remarks = tuple(
        Text(
            f"合同“{supply.document}”({supply.month})不满足: {', '.join(supply.failed)}, 未采用",
            f"contract '{supply.document}' ({supply.month}) fails {', '.join(supply.failed)}: not applied",
        )
        for supply in book.supplies
        if supply.failed
    )
    return good, remarks


def covered_by_month(book: PowerBook, supplies: list[Supply]) -> Wh:
    """Return by slot the grid energy that contracts cover when each month is matched as a whole.

    In a month the smaller of offer and grid consumption is covered; by slot in proportion to consumption, exactly.
    """
    grid = book.energy_wh[GRID]
    covered = np.zeros_like(grid)
    for index, label in enumerate(book.labels):
        inside = np.flatnonzero(book.months == index)
        load = np.maximum(grid[inside], 0)
        total, offered = int(load.sum()), sum(supply.energy_wh for supply in supplies if supply.month == label)
        if total and offered:
            cumulated = np.concatenate([[0], np.cumsum(load)]).astype(object)
            covered[inside] = np.diff((cumulated * min(offered, total) // total).astype(np.int64))
    return covered
