"""A plan under every claim regime: its electricity as the same book of kWh that a closed year keeps, read by the same regimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, PowerBook, Supply
from zerofactory.accounting.regime import Factors, regimes
from zerofactory.assets.block import over
from zerofactory.assets.grid import Floats, Grid, Integers
from zerofactory.errors import Text
from zerofactory.factors.model import Unresolved
from zerofactory.factors.resolve import Scope
from zerofactory.optimisation.energy.plan import Plan
from zerofactory.optimisation.energy.problem import settled
from zerofactory.periods import Period
from zerofactory.runs.energy_factors import Booking
from zerofactory.runs.energy_problem import EXISTING_CONTRACTS


@dataclass(frozen=True)
class Claimed:
    """What a plan's electricity comes to under one regime."""

    title: Text
    emissions_t: float
    matched_fraction: float


def claimed(plan: Plan, metered: PowerBook, booking: Booking) -> Mapping[str, Claimed]:
    """Return every regime over the electricity of a plan; one whose factor cannot be decided is left out.

    Parameters
    ----------
    metered : the book of the same period as it was, whose contracts stay in force.
    """
    book = planned_book(plan, metered)
    factors = Factors(booking.factors, scope_of(booking, Period.parse(plan.problem.grid.months[0])))
    total = int(book.consumption_wh.sum())
    found = {}
    for regime in regimes().values():
        try:
            result = regime.apply(book, factors)
        except Unresolved:
            continue
        share = int(result.matched_wh.sum()) / total if total else 0.0
        found[regime.id] = Claimed(regime.title, result.emissions_gco2e / 1e6, share)
    return found


def scope_of(booking: Booking, period: Period) -> Scope:
    """Return how the plant chooses factors, as of a period."""
    choices = booking.plant.accounting
    return Scope(
        region=booking.plant.region,
        on=period.first_day,
        known_at=booking.known_at,
        grid_level=choices.grid_level,
        accepted=choices.accepted,
        pins={pin.role: (pin.factor, pin.reason) for pin in choices.pin if pin.source is None},
    )


def planned_book(plan: Plan, metered: PowerBook) -> PowerBook:
    """Return the book of electricity a plan would keep: whole Wh by interval and origin, old contracts and new ones."""
    grid, origin = plan.problem.grid, plan.origin
    own = np.maximum(origin.on_site - origin.sold, 0.0) + origin.fossil
    energy = {
        ON_SITE: _wh(own),
        DIRECT_LINE: _wh(origin.direct_line),
        GRID: _wh(origin.grid),
    }
    starts = tuple(Period.parse(month).start(grid.time_zone) for month in grid.months)
    old = tuple(_coarser(one, grid.length) for one in metered.supplies)
    return PowerBook(
        labels=grid.months,
        starts=starts,
        minutes=grid.step_minutes,
        months=grid.month_of.astype(np.int32),
        energy_wh=energy,
        supplies=(*old, *_new_supplies(plan, grid)),
        certificates_sold=metered.certificates_sold,
    )


def _wh(kwh: Floats) -> Integers:
    return np.rint(kwh * 1000.0).astype(np.int64)


def _coarser(supply: Supply, length: int) -> Supply:
    if supply.profile_wh is None or len(supply.profile_wh) == length:
        return supply
    return replace(supply, profile_wh=supply.profile_wh.reshape(length, -1).sum(axis=1))


def _new_supplies(plan: Plan, grid: Grid) -> list[Supply]:
    """Return what candidates among the contracts settle, month by month with its intervals."""
    found = []
    for use in plan.problem.uses:
        if use.id == EXISTING_CONTRACTS:
            continue
        for name, kwh in settled(use, grid).items():
            whole = _wh(kwh * over(plan.values[use.id][name], grid.length))
            for place, month in enumerate(grid.months):
                inside = np.where(grid.month_of == place, whole, 0)
                if inside.any():
                    found.append(Supply(use.id, "green_power", month, int(inside.sum()), (), inside))
    return found
