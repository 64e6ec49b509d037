"""The basic charge (基本电费) of simulated days: by the highest quarter hour, by contract, or by the transformers, as the tariff says.

    charge of the days = Σ months  charge of the month(peak) · days of it simulated ÷ days of the month

The peak is the highest mean of a quarter hour in the days simulated and stands for that of the month: more days find a higher one.
A month that is simulated whole has its own peak and energy.
Reckoned on the lines of the twin alone it is what they would be charged behind a meter of their own; on the plant's load
it is the plant's readings with the meters of the lines replaced by the simulated. The charge of a month is that of the bill
(`assets.bill`), the 10 % less by load only where the load is the plant's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zerofactory.assets.bill import Terms, basic_lines
from zerofactory.assets.grid import Floats, Grid
from zerofactory.assets.tariff import Tariff, month_tariff
from zerofactory.periods import Period
from zerofactory.runs.context import Context
from zerofactory.runs.energy_tariff import plant_tariff, plant_terms
from zerofactory.runs.twin import STEP_S, Simulated, grid_of
from zerofactory.runs.twin_cost_file import ConnectionEntry
from zerofactory.runs.twin_supply import Built, Flows, of_line

HOURS = STEP_S / 3600.0


@dataclass(frozen=True, slots=True)
class Connection:
    """The tariff and its terms before and after, and the load beside the lines in each interval (None: the lines alone)."""

    tariff: Tariff
    before: Terms
    after: Terms
    beside_kwh: Floats | None = None


@dataclass(frozen=True, slots=True)
class Basic:
    """Peaks and basic charge of each replication, as the plant is and in the scenario; ``whole_plant`` says on which load."""

    peaks_kw: tuple[tuple[float, ...], tuple[float, ...]]
    cny: tuple[tuple[float, ...], tuple[float, ...]]
    basis: str
    whole_plant: bool


def terms_of(context: Context, entry: ConnectionEntry | None) -> tuple[Terms, Terms]:
    """Return the plant's terms, and those of a scenario."""
    own = plant_terms(context.workspace.plant)
    changed = {} if entry is None else entry.model_dump(exclude_none=True)
    return own, replace(own, **changed)


def two_part(context: Context) -> Tariff | None:
    """Return the plant's tariff where it has a basic charge."""
    plant = context.workspace.plant
    if plant.tariff is None:
        return None
    found = plant_tariff(plant, context.workspace.folder)
    return found if found.two_part else None


def basic(
    base: Simulated, scenario: Simulated, one: Connection, grid: Grid, supply: tuple[Built | None, Sequence[Flows]]
) -> Basic:
    """Return the basic charge of each replication beside that of the plant as it is.

    Parameters
    ----------
    supply : what the scenario builds behind the meter, and its flows in each replication.
    """
    built, flows = supply
    whole = one.beside_kwh is not None or (built is not None and built.supply.entry.behind == "plant")
    rest = np.zeros(grid.length) if one.beside_kwh is None else one.beside_kwh
    if built is not None and built.supply.entry.behind == "plant":
        rest, added = built.rest, np.zeros(grid.length)
    else:
        added = rest
    before = [np.maximum(of_line(base, usage) + rest, 0.0) for usage in base.usages]
    after = [np.maximum(of_line(scenario, usage) + rest, 0.0) for usage in scenario.usages]
    if built is not None:
        after = [np.maximum(flow.grid + added, 0.0) for flow in flows]
    return Basic(
        (_peaks(before), _peaks(after)),
        (_charges(one.tariff, one.before, grid, before, whole), _charges(one.tariff, one.after, grid, after, whole)),
        one.after.demand_basis, whole,
    )  # fmt: skip


def charge_cny(tariff: Tariff, terms: Terms, grid: Grid, load_kwh: Floats, *, whole_plant: bool) -> float:
    """Return the basic charge of the days of a grid.

    The energy of a month, which decides the 10 % less by load, is that of the days put to its length.
    """
    if terms.demand_basis != "capacity" and not whole_plant:
        terms = replace(terms, transformer_kva=None)
    found = 0.0
    for place, month in enumerate(grid.months):
        priced, _ = month_tariff(tariff, month)
        if priced is None:
            continue
        own_kwh = load_kwh[grid.month_of == place]
        simulated_days = len(own_kwh) * grid.step_hours / 24.0
        period = Period.parse(month)
        days = (period.next_first_day - period.first_day).days
        seen_kwh = own_kwh if simulated_days >= days else load_kwh
        peak_kw = float(seen_kwh.max(initial=0.0)) / grid.step_hours
        month_wh = round(float(seen_kwh.mean()) / grid.step_hours * 1000.0 * 24.0 * days)
        fen = sum(line.amount_fen for line in basic_lines(priced, terms, peak_kw, month_wh))
        found += fen / 100.0 * simulated_days / days
    return found


def quarter_hours(context: Context, simulated: Simulated) -> Grid:
    """Return the quarter hours that were simulated."""
    asked = simulated.asked
    return grid_of(context.workspace.plant, simulated.first, asked.days, asked.since_midnight_s)


def _peaks(loads: Sequence[Floats]) -> tuple[float, ...]:
    return tuple(float(one.max(initial=0.0)) / HOURS for one in loads)


def _charges(tariff: Tariff, terms: Terms, grid: Grid, loads: Sequence[Floats], whole_plant: bool) -> tuple[float, ...]:
    return tuple(charge_cny(tariff, terms, grid, one, whole_plant=whole_plant) for one in loads)
