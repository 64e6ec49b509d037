"""A portfolio: everything the roadmap decides over, as numbers, with nothing left to look up.

Amounts of streams in a year follow from what is switched on:

    Q(y) = v(y) · (Q₀ + Σ_links M_l · w_l(y)) + Σ_options D_m · x_m(y) + Σ_covers g_c(y)

A link is one measure on one end use. Shared savings are multiplied, not added: in the order of the classes (efficiency,
electrification, renewable, process, material), each measure takes its share s of what the ones before it left,

    w_l = x_l · r_l,   r_l = Π_{k before l in the same end use} (1 − s_k x_k) = 1 − Σ_{k before l} s_k w_k

so that what two measures save together is less than the sum, and nothing is counted twice. Every figure of a year is a
linear function of Q: grams by scope and category (from `quantify`), money, tonnes of coal equivalent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zerofactory.planning.measure import Measure
from zerofactory.planning.stream import Stream

Floats = NDArray[np.float64]
Account = tuple[str, int, str]
"""Claim regime, scope, category of the plan's standard."""


@dataclass(frozen=True, slots=True)
class Option:
    """A measure at this plant.

    ``capex_cny`` is that of a start in the base year; ``earliest`` and ``latest`` bound its first year of effect;
    ``fixed_start`` is a year already decided.
    """

    measure: Measure
    capex_cny: float
    opex_cny: float
    earliest: int
    latest: int
    size: float | None = None
    size_unit: str | None = None
    fixed_start: int | None = None

    @property
    def id(self) -> str:
        """The id of the measure."""
        return self.measure.id


@dataclass(frozen=True, slots=True)
class Link:
    """One option on one end use: its share of what is left, and the links before it in the same end use."""

    option: int
    end_use: str
    fraction: float
    before: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CoverOption:
    """A contract whose amount is decided each year, in MWh of stream ``stream``."""

    measure: Measure
    stream: int
    max_fraction: float
    cny_per_mwh: float
    earliest: int

    @property
    def id(self) -> str:
        """The id of the measure."""
        return self.measure.id


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A measure that cannot be taken here, and why."""

    measure: Measure
    reason: str
    reason_zh: str


@dataclass(frozen=True, eq=False)
class Portfolio:
    """What `assemble` makes and `roadmap` solves.

    Parameters
    ----------
    years : the years of the plan, in order.
    base_year : the year the amounts ``base`` are of.
    streams, base : streams and their amounts; added streams have 0.
    volume : output of each year ÷ output of the base year; only streams that ``grows`` marks follow it.
    link_matrix : stream × link, change of the amount at w = 1 and volume 1.
    option_matrix : stream × option, change of the amount once the option is on.
    accounts : (regime, scope, category) → stream × year, grams per unit; ``removals`` the same for the line of removals.
    prices_cny : stream × year, money per unit.
    tce_per_unit : tonnes of coal equivalent per unit of stream.
    """

    base_year: int
    years: tuple[int, ...]
    streams: tuple[Stream, ...]
    base: Floats
    volume: Floats
    grows: NDArray[np.bool_]
    options: tuple[Option, ...]
    links: tuple[Link, ...]
    link_matrix: Floats
    option_matrix: Floats
    covers: tuple[CoverOption, ...]
    accounts: Mapping[Account, Floats]
    removals: Floats
    prices_cny: Floats
    tce_per_unit: Floats
    carbon_price_cny_per_t: Floats
    discount_fraction: float
    vehicles: float
    credit: Measure | None = None
    not_applicable: tuple[NotApplicable, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int, int, int]:
        """Streams, options, links, years."""
        return len(self.streams), len(self.options), len(self.links), len(self.years)

    def selection(self, regime: str, scopes: tuple[int, ...], categories: tuple[str, ...] = ()) -> Floats:
        """Return grams per unit, stream × year, of scopes (and categories) under a regime."""
        chosen = np.zeros((len(self.streams), len(self.years)))
        for (own_regime, scope, category), grams in self.accounts.items():
            if own_regime == regime and scope in scopes and (not categories or category in categories):
                chosen = chosen + grams
        return chosen

    def scaled(self) -> Floats:
        """Return stream × year: by what each stream's base and links are multiplied."""
        return np.where(self.grows[:, None], self.volume[None, :], 1.0)

    def residuals(self, on: Floats) -> Floats:
        """Return w, link × year, of options switched on (option × year, 0 or 1).

        Examples
        --------
        Two measures that save 20 % and 10 % of the same end use leave 0.8 × 0.9 = 0.72:

        >>> import numpy as np
        >>> links = (Link(0, "u", 0.2, ()), Link(1, "u", 0.1, (0,)))
        >>> w = residuals_of(links, np.ones((2, 1)), np.array([0.2, 0.1]))
        >>> float(1 - 0.2 * w[0, 0] - 0.1 * w[1, 0])
        0.72
        """
        return residuals_of(self.links, on, np.array([link.fraction for link in self.links]))

    def amounts(self, on: Floats, covers: Floats) -> Floats:
        """Return the amounts Q, stream × year, of options on (option × year) and contracts (cover × year, MWh)."""
        found = self.scaled() * (self.base[:, None] + self.link_matrix @ self.residuals(on))
        found = found + self.option_matrix @ on
        for place, cover in enumerate(self.covers):
            found[cover.stream] += covers[place]
        return found


def residuals_of(links: tuple[Link, ...], on: Floats, fractions: Floats) -> Floats:
    """Return w_l = x_l · Π_{k before l}(1 − s_k x_k), link × year, for given shares."""
    w = np.zeros((len(links), on.shape[-1]))
    for place, link in enumerate(links):
        left = np.ones(on.shape[-1])
        for earlier in link.before:
            left = left - fractions[earlier] * w[earlier]
        w[place] = on[link.option] * left
    return w
