"""China, programme (中国履约口径): the national average factor; non-fossil electricity by direct supply or retired
certificates counts zero.

GB/T 32150-2025 and GB/T 32151.34-2024 (non-fossil electricity counted as zero with direct supply or certificates). A notice that
prescribes another factor for a year is pinned by the plant: role ``grid.average:electricity``.
"""

from __future__ import annotations

from zerofactory.accounting.cover import covered_by_month, eligible
from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, TITLES, PowerBook
from zerofactory.accounting.regime import ZERO_NOTE, Factors, Regime, RegimeResult, part
from zerofactory.accounting.regimes.market_annual import COVERED, UNCOVERED
from zerofactory.errors import Text

NOTE = Text("全国平均因子(履约口径)", "national average factor (programme)")


def apply(book: PowerBook, factors: Factors) -> RegimeResult:
    """Return the book at the nation's factor, certified non-fossil electricity at zero."""
    supplies, remarks = eligible(book, "china_programme")
    covered = covered_by_month(book, supplies)
    inside, whole = int(covered.sum()), int(book.energy_wh[GRID].sum())
    parts = [
        part(name, TITLES[name], int(book.energy_wh[name].sum()), None, ZERO_NOTE) for name in (ON_SITE, DIRECT_LINE)
    ]
    zero = factors.find("grid.contract_zero")
    parts.append(
        part(
            "contract",
            COVERED,
            inside,
            zero,
            Text("已注销绿证或绿电结算", "retired certificates or settled green power"),
        )
    )
    parts.append(part("residual", UNCOVERED, whole - inside, factors.find("grid.average", "nation"), NOTE))
    return RegimeResult(
        "china_programme", tuple(parts), covered + book.energy_wh[ON_SITE] + book.energy_wh[DIRECT_LINE], remarks
    )


PRINCIPLE = Text(
    "全国统一因子; 直供或已注销绿证的非化石电量按零计。",
    "One national factor; non-fossil electricity by direct supply or retired certificates counts zero.",
)


REGIME = Regime(
    "china_programme", Text("中国履约口径", "China, programme"), "GB/T 32150-2025; GB/T 32151.34-2024", PRINCIPLE, apply
)
