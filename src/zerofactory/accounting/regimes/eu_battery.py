"""EU batteries (欧盟电池法规): only directly connected supply is specific; the rest takes the nation's life-cycle mix.

Regulation (EU) 2023/1542, Art. 7 and the draft delegated act on the carbon footprint: contracts do not replace the national
average consumption mix. Life-cycle factors, so the figure is for product footprints and stands apart from the inventory.
"""

from __future__ import annotations

from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, TITLES, PowerBook
from zerofactory.accounting.regime import Factors, Regime, RegimeResult, part
from zerofactory.errors import Text

OWN = Text("直接连接的供电; 设备的生命周期排放另计", "directly connected; the equipment's life cycle is counted apart")
NOTE = Text("全国平均生命周期因子; 合同不替代", "national life-cycle mix; contracts do not replace it")


def apply(book: PowerBook, factors: Factors) -> RegimeResult:
    """Return the book at the nation's life-cycle factor."""
    parts = [part(name, TITLES[name], int(book.energy_wh[name].sum()), None, OWN) for name in (ON_SITE, DIRECT_LINE)]
    parts.append(part(GRID, TITLES[GRID], int(book.energy_wh[GRID].sum()), factors.find("grid.footprint"), NOTE))
    return RegimeResult("eu_battery", tuple(parts), book.energy_wh[ON_SITE] + book.energy_wh[DIRECT_LINE], ())


PRINCIPLE = Text(
    "全国平均的生命周期因子; 合同不能替代, 只有直连可用专属数据。",
    "The nation's life-cycle mix; contracts do not replace it, only a direct connection is specific.",
)


REGIME = Regime(
    "eu_battery", Text("欧盟电池法规", "EU batteries"), "Regulation (EU) 2023/1542 Art. 7", PRINCIPLE, apply
)
