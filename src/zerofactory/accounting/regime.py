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

from zerofactory.accounting.origins import PowerBook, Wh
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
    """One claim regime: its titles, the rule it stands on, the rule in a sentence, and how it reads the book."""

    id: str
    title: Text
    reference: str
    principle: Text
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


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a regime differs from another: some energy takes another factor there. ``effect_gco2e`` is what that comes to."""

    part: Part
    factor_before: float
    effect_gco2e: int

    @property
    def text(self) -> Text:
        """The cause in words."""
        energy, tonnes = f"{self.part.energy_wh / 1e6:,.1f} MWh", f"{self.effect_gco2e / 1e6:+,.1f} t"
        factor = self.part.factor.factor.value if self.part.factor else 0.0
        return Text(
            f"{tonnes}: {self.part.title.zh} {energy} 取 {factor:.4f} 而非 {self.factor_before:.4f} kg/kWh"
            f"({self.part.note.zh})",
            f"{tonnes}: {self.part.title.en}, {energy}, take {factor:.4f} and not {self.factor_before:.4f} kg/kWh "
            f"({self.part.note.en})",
        )


def causes(result: RegimeResult, against: RegimeResult) -> tuple[Cause, ...]:
    """Return why one regime's total differs from another's over the same book, part by part; the effects add up exactly.

    ``against`` must give own generation zero and the grid one factor, as ``location`` does: its grid part is shared out
    over the parts of the grid by energy, and what rounding leaves goes to the last of them.
    """
    before = next(part for part in against.parts if part.factor is not None)
    factor = before.factor.factor.value if before.factor else 0.0
    own = {part.key for part in against.parts if part.factor is None}
    found, rest = [], before.emissions_gco2e
    grid = [part for part in result.parts if part.key not in own]
    for part in result.parts:
        if part.key in own:
            found.append(Cause(part, 0.0, part.emissions_gco2e))
            continue
        share = rest if part is grid[-1] else int(np.rint(part.energy_wh * factor))
        rest -= share
        found.append(Cause(part, factor, part.emissions_gco2e - share))
    return tuple(cause for cause in found if cause.effect_gco2e)
