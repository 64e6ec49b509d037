"""Where a plan's electricity comes from, interval by interval, and which shares follow: the same book as the accounts keep.

consumption = bought + own generation + direct line − sold;  unmatched = max(0, bought + burnt − covered by contracts), summed
over intervals, months or the whole (GHG Protocol Scope 2 Guidance ch. 6; hourly: consultation draft 2025; Riepin and Brown
2024, doi 10.1016/j.esr.2024.101488).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zerofactory.assets.block import over
from zerofactory.assets.grid import Floats, Grid
from zerofactory.optimisation.energy.problem import EnergyProblem, electric, metered_kwh, settled


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """kWh by interval at the meters: bought, sold, own, direct line, burnt on site, covered by contracts."""

    grid: Floats
    sold: Floats
    on_site: Floats
    direct_line: Floats
    fossil: Floats
    contract: Floats

    @property
    def consumption_kwh(self) -> Floats:
        """Electricity used by the plant in each interval."""
        return self.grid + self.on_site + self.direct_line + self.fossil - self.sold

    def unmatched_kwh(self, grid: Grid, grouping: str) -> float:
        """Return what neither own generation, direct lines nor contracts cover, matched by ``interval``, ``month`` or ``one``."""
        left = self.grid + self.fossil - self.contract
        if grouping == "month":
            left = np.bincount(grid.month_of, weights=left).astype(np.float64)
        elif grouping == "one":
            left = np.array([left.sum()])
        return float(np.maximum(left, 0.0).sum())

    def matched_fraction(self, grid: Grid, grouping: str) -> float:
        """Return the share of consumption that clean electricity covers."""
        whole = float(self.consumption_kwh.sum())
        return 1.0 - self.unmatched_kwh(grid, grouping) / whole if whole > 0 else 0.0

    @property
    def physical_fraction(self) -> float:
        """Share of own generation and direct lines in consumption."""
        whole = float(self.consumption_kwh.sum())
        return 1.0 - float((self.grid + self.fossil).sum()) / whole if whole > 0 else 0.0


def origins(problem: EnergyProblem, values: Mapping[str, Mapping[str, Floats]]) -> Origin:
    """Return where the electricity of a plan comes from."""
    length = problem.grid.length
    parts = {name: np.zeros(length) for name in ("grid", "sold", "on_site", "direct_line", "fossil", "contract")}
    for use in problem.uses:
        for name, kwh in settled(use, problem.grid).items():
            parts["contract"] += kwh * over(values[use.id][name], length)
        if use.role in ("other", "contract"):
            continue
        for sign in (1, -1):
            for flow in electric(use, sign):
                kwh = metered_kwh(use, flow, problem.grid) * over(values[use.id][flow.variable], length)
                if sign > 0:
                    parts[use.role] += kwh
                elif use.role == "grid":
                    parts["sold"] += kwh
                else:
                    parts[use.role] -= kwh
    return Origin(**parts)
