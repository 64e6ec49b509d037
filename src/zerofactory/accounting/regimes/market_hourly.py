"""Market-based, hour by hour (基于市场, 逐时): matched = min(load, supply) in every interval; what is unmatched is residual.

GHG Protocol Scope 2, public consultation draft 2025 (hourly matching). A contract counts only with its own generation by
interval (`profile`); one without is said not to be matchable and is not spread silently.
"""

from __future__ import annotations

import numpy as np

from zerofactory.accounting.cover import eligible
from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, PowerBook
from zerofactory.accounting.regime import Factors, Regime, RegimeResult, part
from zerofactory.accounting.regimes.market_annual import COVERED, own_parts
from zerofactory.errors import Text

UNMATCHED = Text("逐时未匹配", "not matched by the hour")


def apply(book: PowerBook, factors: Factors) -> RegimeResult:
    """Return the book with contracts matched interval by interval."""
    supplies, remarks = eligible(book, "market_hourly")
    load = np.maximum(book.energy_wh[GRID], 0)
    offered = np.zeros_like(load)
    without = []
    for supply in supplies:
        if supply.profile_wh is None:
            without.append(supply.document)
        else:
            offered += supply.profile_wh
    matched = np.minimum(load, offered)
    inside, whole = int(matched.sum()), int(book.energy_wh[GRID].sum())
    parts = [
        *own_parts(book, factors),
        part(
            "contract",
            COVERED,
            inside,
            factors.find("grid.contract_zero"),
            Text("逐时段匹配", "matched by the interval"),
        ),
        part(
            "residual", UNMATCHED, whole - inside, factors.find("grid.residual"), Text("剩余结构因子", "residual mix")
        ),
    ]
    if without:
        listed = ", ".join(without[:6]) + (" …" if len(without) > 6 else "")
        remarks += (
            Text(
                f"{len(without)} 份合同没有逐时发电曲线(profile), 不能逐时匹配: {listed}",
                f"{len(without)} contracts have no generation profile and cannot be matched by the hour: {listed}",
            ),
        )
    own = book.energy_wh[DIRECT_LINE] + (0 if book.certificates_sold else book.energy_wh[ON_SITE])
    return RegimeResult("market_hourly", tuple(parts), matched + own, remarks)


PRINCIPLE = Text(
    "只有与用电同时段的发电才算; 用电以外时段的发电不抵。",
    "Only what is generated in the interval in which it is used counts; generation at other times covers nothing.",
)


REGIME = Regime(
    "market_hourly",
    Text("基于市场(逐时)", "market-based (hourly)"),
    "GHG Protocol Scope 2, consultation draft 2025: hourly matching",
    PRINCIPLE,
    apply,
)
