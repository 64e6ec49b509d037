"""What an investment is worth: net present value, internal rate of return, payback.

Cash flows stand at the ends of years 0, 1, 2 …; year 0 is the investment.

References
----------
建设项目经济评价方法与参数(第三版, 国家发展改革委 建设部 2006): 财务净现值 FNPV = Σ (CI − CO)_t (1 + i)^−t; 财务内部收益率 FIRR:
Σ (CI − CO)_t (1 + FIRR)^−t = 0; 投资回收期: 累计净现金流量开始出现正值的年份 − 1 + 上年累计的绝对值 / 当年净现金流量.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zerofactory.assets.grid import Floats

HIGHEST_RATE, LOWEST_RATE = 100.0, -0.99
BISECTIONS = 200


@dataclass(frozen=True, slots=True)
class Purchase:
    """Something bought in year 0 and again at the end of its life."""

    capex_cny: float
    lifetime_years: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What an investment is worth; None where it never pays back or no rate makes it even."""

    capex_cny: float
    saving_cny_per_year: float
    npv_cny: float
    irr_fraction: float | None
    payback_years: float | None
    horizon_years: int

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "capex_cny": self.capex_cny, "saving_cny_per_year": self.saving_cny_per_year, "npv_cny": self.npv_cny,
            "irr_fraction": self.irr_fraction, "payback_years": self.payback_years, "horizon_years": self.horizon_years,
        }  # fmt: skip


def npv_cny(flows: Sequence[float] | Floats, discount_fraction: float) -> float:
    """Return the net present value of yearly cash flows, the first undiscounted.

    Examples
    --------
    >>> round(npv_cny([-1000.0, 600.0, 600.0], 0.1), 4)
    41.3223
    """
    years = np.arange(len(flows))
    return float(np.asarray(flows, dtype=np.float64) @ (1.0 + discount_fraction) ** -years)


def irr_fraction(flows: Sequence[float] | Floats) -> float | None:
    """Return the rate at which the net present value is zero, None when no rate between −99 % and 10 000 % does it.

    Examples
    --------
    >>> round(irr_fraction([-1000.0, 600.0, 600.0]), 6)
    0.130662
    >>> irr_fraction([-1000.0, -10.0]) is None
    True
    """
    low, high = LOWEST_RATE, HIGHEST_RATE
    if npv_cny(flows, low) * npv_cny(flows, high) > 0.0:
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        if npv_cny(flows, low) * npv_cny(flows, middle) <= 0.0:
            high = middle
        else:
            low = middle
    return (low + high) / 2.0


def payback_years(flows: Sequence[float] | Floats) -> float | None:
    """Return the year in which the cash flows have come back, undiscounted, None when they do not.

    Examples
    --------
    >>> payback_years([-1000.0, 400.0, 400.0, 400.0])
    2.5
    >>> payback_years([0.0, 5.0])
    0.0
    """
    running = np.cumsum(np.asarray(flows, dtype=np.float64))
    if running[0] >= 0.0:
        return 0.0
    back = np.flatnonzero(running >= 0.0)
    if not len(back):
        return None
    year = int(back[0])
    return year - 1 + float(-running[year - 1] / flows[year])


def cash_flows(purchases: Sequence[Purchase], saving_cny_per_year: float, horizon_years: int) -> Floats:
    """Return the yearly cash flows: purchases, renewals at the end of each life, and what is left at the end (straight line).

    Examples
    --------
    >>> cash_flows([Purchase(100.0, 2.0)], 60.0, 3).tolist()
    [-100.0, 60.0, -40.0, 110.0]
    """
    flows = np.full(horizon_years + 1, saving_cny_per_year, dtype=np.float64)
    flows[0] = 0.0
    for one in purchases:
        bought = np.arange(0.0, horizon_years, one.lifetime_years)
        for moment in bought:
            flows[round(float(moment))] -= one.capex_cny
        left_years = float(bought[-1]) + one.lifetime_years - horizon_years
        flows[horizon_years] += one.capex_cny * max(0.0, left_years) / one.lifetime_years
    return flows


def worth(
    purchases: Sequence[Purchase], saving_cny_per_year: float, discount_fraction: float, horizon_years: int
) -> Worth:
    """Return what purchases are worth that save an amount a year."""
    flows = cash_flows(purchases, saving_cny_per_year, horizon_years)
    capex = sum(one.capex_cny for one in purchases)
    if capex <= 0.0:
        return Worth(0.0, saving_cny_per_year, npv_cny(flows, discount_fraction), None, None, horizon_years)
    return Worth(
        capex,
        saving_cny_per_year,
        npv_cny(flows, discount_fraction),
        irr_fraction(flows),
        payback_years(flows),
        horizon_years,
    )
