"""The marginal abatement cost curve, drawn one after the other so that interactions are true.

Measures are taken one by one, always the one with the least cost per tonne given those already taken. The tonnes of each are
what it saves on top of them, so that the steps add up to what all of them save together: nothing is counted twice. Cost is
that of one year: investment as an annuity over its life, upkeep, and the change of the energy and material bill.

    a = r ÷ (1 − (1 + r)^−n)        MAC = (a · investment + Δ upkeep + Δ bill) ÷ Δ emissions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.planning.measure import Measure
from zerofactory.planning.portfolio import Floats, Portfolio


@dataclass(frozen=True, slots=True)
class Step:
    """One measure on the curve: tonnes of the year on top of those before it, and what each costs. A size is a year's amount."""

    measure: Measure
    abated_gco2e: float
    cost_cny: float
    cumulative_gco2e: float

    @property
    def cny_per_t(self) -> float:
        """Cost per tonne; negative where the measure pays for itself."""
        return self.cost_cny / (self.abated_gco2e * 1e-6)


def annuity(rate_fraction: float, years: int) -> float:
    """Return the yearly share of an investment over its life.

    Examples
    --------
    >>> round(annuity(0.06, 10), 6)
    0.135868
    >>> annuity(0.0, 20)
    0.05
    """
    if rate_fraction == 0.0:
        return 1.0 / years
    return rate_fraction / (1.0 - (1.0 + rate_fraction) ** -years)


def curve(portfolio: Portfolio, year: int, regime: str, scopes: tuple[int, ...] = (1, 2)) -> tuple[Step, ...]:
    """Return the curve of a year: every option and contract that abates, cheapest next, exclusions kept.

    Parameters
    ----------
    year : a year of the plan; options not yet on the market are left out.
    """
    place = portfolio.years.index(year)
    state = _State(portfolio, place, portfolio.selection(regime, scopes)[:, place])
    open_options = [m for m, option in enumerate(portfolio.options) if option.earliest <= year]
    open_covers = [c for c, cover in enumerate(portfolio.covers) if cover.earliest <= year]
    steps: list[Step] = []
    reached = 0.0
    while True:
        best = _cheapest(state, open_options, open_covers)
        if best is None:
            return tuple(steps)
        kind, number, abated, cost = best
        if kind == "option":
            state.on[number] = 1.0
            measure = portfolio.options[number].measure
            open_options = [
                m for m in open_options if m != number and portfolio.options[m].id not in measure.excludes
                and measure.id not in portfolio.options[m].measure.excludes
            ]  # fmt: skip
        else:
            state.covers[number] = state.room(number)
            measure = portfolio.covers[number].measure
            open_covers.remove(number)
        reached += abated
        steps.append(Step(measure, abated, cost, reached))


@dataclass
class _State:
    """What is on in the year that is looked at."""

    portfolio: Portfolio
    place: int
    grams: Floats

    def __post_init__(self) -> None:
        self.on = np.zeros(len(self.portfolio.options))
        self.covers = np.zeros(len(self.portfolio.covers))
        self.fractions = [link.fraction for link in self.portfolio.links]
        self.scaled = self.portfolio.scaled()[:, self.place]

    def amounts(self, on: Floats, covers: Floats) -> Floats:
        """Return the amounts of the year."""
        p = self.portfolio
        w = np.zeros(len(p.links))
        for number, link in enumerate(p.links):
            left = 1.0 - sum(self.fractions[earlier] * w[earlier] for earlier in link.before)
            w[number] = on[link.option] * left
        found: Floats = self.scaled * (p.base + p.link_matrix @ w) + p.option_matrix @ on
        for number, cover in enumerate(p.covers):
            found[cover.stream] += covers[number]
        return found

    def room(self, cover: int) -> float:
        """Return how many MWh a contract can cover now."""
        from zerofactory.planning.model import contracted, purchased

        p = self.portfolio
        mine = purchased(p)
        on = np.repeat(self.on[:, None], len(p.years), axis=1)
        bought = float(mine.value(on, p.residuals(on), np.zeros((len(p.covers), len(p.years))))[self.place])
        left = bought - float(contracted(p)[self.place]) - float(self.covers.sum())
        return max(0.0, min(left, p.covers[cover].max_fraction * bought))


def _cheapest(state: _State, options: Sequence[int], covers: Sequence[int]) -> tuple[str, int, float, float] | None:
    """Return the next measure: kind, number, grams abated, cost of the year; None when none abates any more."""
    p, now = state.portfolio, state.amounts(state.on, state.covers)
    found: list[tuple[float, str, int, float, float]] = []
    for m in options:
        on = state.on.copy()
        on[m] = 1.0
        delta = state.amounts(on, state.covers) - now
        option = p.options[m]
        yearly = option.capex_cny * annuity(p.discount_fraction, option.measure.life_years) + option.opex_cny
        cost = yearly + float(delta @ p.prices_cny[:, state.place])
        _note(found, "option", m, -float(delta @ state.grams), cost)
    for c in covers:
        amount = state.room(c)
        grams = -amount * float(state.grams[p.covers[c].stream])
        _note(found, "cover", c, grams, amount * p.covers[c].cny_per_mwh)
    if not found:
        return None
    _, kind, number, abated, cost = min(found)
    return kind, number, abated, cost


def _note(
    found: list[tuple[float, str, int, float, float]], kind: str, number: int, abated: float, cost: float
) -> None:
    if abated > 1e3:
        found.append((cost / abated, kind, number, abated, cost))
