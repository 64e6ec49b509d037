"""Location-based (基于位置): every watt-hour from the grid takes the average factor; claims change nothing.

GHG Protocol Scope 2 Guidance, ch. 6; ISO 14064-1:2018 Annex E.
"""

from __future__ import annotations

import numpy as np

from zerofactory.accounting.origins import DIRECT_LINE, GRID, ON_SITE, TITLES, PowerBook
from zerofactory.accounting.regime import ZERO_NOTE, Factors, Regime, RegimeResult, part
from zerofactory.errors import Text

NOTE = Text("平均因子; 证书与合同不影响", "average factor; certificates and contracts change nothing")


def apply(book: PowerBook, factors: Factors) -> RegimeResult:
    """Return the book at the average factor of the grid."""
    own = {name: book.energy_wh[name] for name in (ON_SITE, DIRECT_LINE)}
    parts = [part(name, TITLES[name], int(wh.sum()), None, ZERO_NOTE) for name, wh in own.items()]
    parts.append(part(GRID, TITLES[GRID], int(book.energy_wh[GRID].sum()), factors.find("grid.average"), NOTE))
    return RegimeResult("location", tuple(parts), np.sum(list(own.values()), axis=0, dtype=np.int64), ())


PRINCIPLE = Text(
    "公用电网的每一度都取平均因子; 合同与绿证不起作用。",
    "Every kWh of the public grid takes the average factor; contracts and certificates count for nothing.",
)


REGIME = Regime(
    "location",
    Text("基于位置", "location-based"),
    "GHG Protocol Scope 2 Guidance ch. 6; ISO 14064-1:2018 Annex E",
    PRINCIPLE,
    apply,
)
