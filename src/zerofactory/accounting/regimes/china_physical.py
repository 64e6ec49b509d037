"""China, physical (物理认定): only generation on site and by direct line counts; contracts and certificates do not.

工信部联节〔2026〕13号 (zero-carbon factory index: physical share); 发改能源〔2025〕650号 绿电直连. The rest takes the average factor.
"""

from __future__ import annotations

from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, TITLES, PowerBook
from zerofactory.accounting.regime import ZERO_NOTE, Factors, Regime, RegimeResult, part
from zerofactory.errors import Text

NOTE = Text("绿证、绿电合同不作物理认定", "contracts and certificates are not physical")


def apply(book: PowerBook, factors: Factors) -> RegimeResult:
    """Return the book with physical supply only."""
    parts = [
        part(name, TITLES[name], int(book.energy_wh[name].sum()), None, ZERO_NOTE) for name in (ON_SITE, DIRECT_LINE)
    ]
    parts.append(part(GRID, TITLES[GRID], int(book.energy_wh[GRID].sum()), factors.find("grid.average"), NOTE))
    return RegimeResult("china_physical", tuple(parts), book.energy_wh[ON_SITE] + book.energy_wh[DIRECT_LINE], ())


PRINCIPLE = Text(
    "只认电线连着的: 自发自用与绿电直连; 合同与绿证不认。",
    "Only what is wired to the plant counts: own generation and direct lines; contracts and certificates do not.",
)


REGIME = Regime(
    "china_physical",
    Text("中国物理认定", "China, physical"),
    "工信部联节〔2026〕13号; 物理认定: 自发自用与直连",
    PRINCIPLE,
    apply,
)
