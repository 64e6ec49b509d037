"""Market-based, by the year (基于市场, 年度): contracts that qualify cover consumption of their month; the rest is residual.

GHG Protocol Scope 2 Guidance, ch. 6 and table 7.1. Own generation whose certificates were sold takes the residual mix.
"""

from __future__ import annotations

from zerofactory.accounting.cover import covered_by_month, eligible
from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, TITLES, PowerBook
from zerofactory.accounting.regime import (
    ZERO_NOTE,
    Factors,
    Part,
    Regime,
    RegimeResult,
    part,
)
from zerofactory.errors import Text

COVERED = Text("合同与绿证覆盖", "covered by contracts and certificates")
UNCOVERED = Text("未覆盖", "not covered")
SOLD = Text("证书已出售, 按剩余结构", "certificates sold: residual mix")


def own_parts(book: PowerBook, factors: Factors) -> list[Part]:
    """Return on-site and direct-line energy: zero, or residual where the certificates of own generation were sold."""
    line = part(DIRECT_LINE, TITLES[DIRECT_LINE], int(book.energy_wh[DIRECT_LINE].sum()), None, ZERO_NOTE)
    amount = int(book.energy_wh[ON_SITE].sum())
    if book.certificates_sold:
        return [part(ON_SITE, TITLES[ON_SITE], amount, factors.find("grid.residual"), SOLD), line]
    return [part(ON_SITE, TITLES[ON_SITE], amount, None, ZERO_NOTE), line]


def apply(book: PowerBook, factors: Factors) -> RegimeResult:
    """Return the book with monthly cover by contracts."""
    supplies, remarks = eligible(book, "market_annual")
    covered = covered_by_month(book, supplies)
    inside, whole = int(covered.sum()), int(book.energy_wh[GRID].sum())
    parts = [
        *own_parts(book, factors),
        part("contract", COVERED, inside, factors.find("grid.contract_zero"), Text("按月匹配", "matched by the month")),
        part(
            "residual", UNCOVERED, whole - inside, factors.find("grid.residual"), Text("剩余结构因子", "residual mix")
        ),
    ]
    own = book.energy_wh[DIRECT_LINE] + (0 if book.certificates_sold else book.energy_wh[ON_SITE])
    return RegimeResult("market_annual", tuple(parts), covered + own, remarks)


PRINCIPLE = Text(
    "合格的合同与绿证按月覆盖用电, 按零计; 未覆盖的取剩余结构, 因绿电已被他人认领。",
    "Contracts and certificates that qualify cover consumption by the month at zero; the rest takes the residual mix, because others have claimed the green part of it.",
)


REGIME = Regime(
    "market_annual",
    Text("基于市场(年度)", "market-based (annual)"),
    "GHG Protocol Scope 2 Guidance ch. 6, table 7.1",
    PRINCIPLE,
    apply,
)
